package server

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
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

// asked is a metric that an expression asks for, and by which labels.
type asked struct {
	name   string
	labels []metricsql.LabelFilter
}

// parse reads an expression as Prometheus' language has it, and returns what it asks
// for. What changes over time has to say over which.
func parse(t *testing.T, a alarm) (all []asked) {
	t.Helper()
	e, err := metricsql.Parse(a.Expr)
	if err != nil {
		t.Errorf("%s does not parse: %v\n%s", a.Alert, err, a.Expr)
		return nil
	}
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			for _, filters := range e.LabelFilterss {
				all = append(all, asked{filters[0].Value, filters[1:]})
			}
		case *metricsql.FuncExpr:
			if over, ok := e.Args[0].(*metricsql.RollupExpr); (e.Name == "rate" || e.Name == "increase") && (!ok || over.Window == nil) {
				t.Errorf("%s: %s of what has no window", a.Alert, e.Name)
			}
		}
	})
	if len(all) == 0 {
		t.Errorf("%s asks for nothing: %s", a.Alert, a.Expr)
	}
	return all
}

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
		for _, m := range parse(t, a) {
			name := strings.TrimSuffix(m.name, "_bucket")
			known, ok := labels[name]
			if !ok {
				t.Errorf("%s asks for %s, which is no metric", a.Alert, m.name)
			}
			for _, l := range m.labels {
				if !known[l.Label] {
					t.Errorf("%s: %s has no label %s", a.Alert, m.name, l.Label)
				}
				for value := range strings.SplitSeq(l.Value, "|") { // of a regular expression, as far as ours go
					if !values[name+" "+l.Label+" "+value] {
						t.Errorf("%s: %s has no %s that is %s", a.Alert, m.name, l.Label, value)
					}
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
