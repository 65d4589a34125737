package server

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const alarmsFile = "../docs/runbooks/alarms.yml"

type alarm struct {
	Alert       string
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

func readAlarms(t *testing.T) []alarm {
	t.Helper()
	text, err := os.ReadFile(alarmsFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []alarm
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var all []alarm
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

var (
	series = regexp.MustCompile(`(headroom_[a-z_]+)(?:\{([^}]*)\})?`)
	label  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	equal  = regexp.MustCompile(`([a-z_]+)\s*=\s*"([^"]*)"`)
)

// Every alarm asks for metrics, labels and values that there are, and has a page that
// says what to do. What it counts is there before the first of it: an increase is seen
// only from one value to the next.
func TestAlarms(t *testing.T) {
	r := newRig(t, nil)
	r.ask(`{ viewer { role } }`, nil)
	r.server.readHeadroom(t.Context())
	labels, values := map[string]map[string]bool{"headroom_ratio": {}}, map[string]bool{} // absent until a minute has passed
	families, err := r.server.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		labels[f.GetName()] = map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[f.GetName()][l.GetName()] = true
				values[f.GetName()+" "+l.GetName()+" "+l.GetValue()] = true
			}
		}
	}
	alarms := readAlarms(t)
	if len(alarms) == 0 || len(alarms) > 8 {
		t.Errorf("%d alarms: nobody can know more than eight", len(alarms))
	}
	for _, a := range alarms {
		found := series.FindAllStringSubmatch(a.Expr, -1)
		if len(found) == 0 {
			t.Errorf("%s asks for nothing of ours: %s", a.Alert, a.Expr)
		}
		for _, m := range found {
			known, ok := labels[strings.TrimSuffix(m[1], "_bucket")]
			if !ok {
				t.Errorf("%s asks for %s, which is no metric", a.Alert, m[1])
			}
			for _, l := range equal.FindAllStringSubmatch(m[2], -1) {
				if name := strings.TrimSuffix(m[1], "_bucket"); !values[name+" "+l[1]+" "+l[2]] {
					t.Errorf("%s: %s has no %s that is %s", a.Alert, m[1], l[1], l[2])
				}
			}
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if !known[l[1]] {
					t.Errorf("%s: %s has no label %s", a.Alert, m[1], l[1])
				}
			}
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has the severity %q", a.Alert, s)
		}
		if a.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", a.Alert)
		}
		checkRunbook(t, a)
	}
}

func checkRunbook(t *testing.T, a alarm) {
	t.Helper()
	text, err := os.ReadFile("../" + a.Annotations["runbook"])
	if err != nil {
		t.Errorf("%s: %v", a.Alert, err)
		return
	}
	for _, want := range []string{"# " + a.Alert + "\n", "**What you see.**", "**What it means.**", "**Do first.**", "```sh\n", "**How you know it is over.**"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q", a.Annotations["runbook"], want)
		}
	}
}

// Prometheus itself reads the file, where its tool is installed.
func TestAlarmsForPrometheus(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool on PATH; TestAlarms has read the file")
	}
	if out, err := exec.CommandContext(t.Context(), tool, "check", "rules", alarmsFile).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
