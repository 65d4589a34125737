package loadtest

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fileWith is a scenario with a phase of its own text, 7 lines in.
func fileWith(phases string) string {
	return `version: 1
name: test
classes:
  interactive: { slo: { p99: 100ms } }
  report: { slo: { answered: 100% } }
mixes: { office: { MyDay: 3, Running: 1 } }
` + phases
}

const onePhase = `phases:
  - name: load
    for: 10s
    streams:
      - { mix: office, rate: %s }
`

func TestSpecErrors(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty.csv": "", "header.csv": "name,id\n", "good.csv": "name,id\nRome,1\n", "broken.csv": "a,b\n1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stream := func(text string) string {
		return fileWith("phases:\n  - name: load\n    for: 10s\n    streams:\n      - " + text + "\n")
	}
	data := func(path, variable string) string {
		return fileWith("data: { cities: " + path + " }\noperations:\n  Mine: { class: interactive, document: 'query Mine { a }', variables: { x: \"" + variable + "\" } }\n" +
			"phases: [ { name: load, for: 1s, streams: [ { mix: { Mine: 1 }, rate: 1 } ] } ]\n")
	}
	tests := []struct {
		name, text, says string
	}{
		{"no YAML", "a: [", "test.yaml:1:4:"},
		{"empty", "", "is empty"},
		{"a list", "- a", "a scenario must be keys with values, not a list"},
		{"an unknown key", strings.Replace(fileWith(""), "mixes", "mixs", 1), `test.yaml:6:1: unknown key "mixs" of a scenario: did you mean "mixes"? (known: about, classes`},
		{"a key twice", fileWith("name: again\n"), `"name"`},
		{"an anchor", strings.Replace(fileWith(""), "mixes: {", "mixes: &m {", 1), "not an anchor or alias"},
		{"another version", strings.Replace(fileWith(""), "version: 1", "version: 2", 1), "test.yaml:1:10: version must be a number from 1 to 1"},
		{"no phases", fileWith(""), "a scenario needs phases"},
		{"no name", strings.Replace(fileWith(fmt.Sprintf(onePhase, "1")), "name: test", "about: x", 1), "a scenario needs a name"},
		{"a negative rate", fileWith(fmt.Sprintf(onePhase, "-5")), `test.yaml:11:30: rate must be a number from 0 to 10000, not "-5"`},
		{"a rate out of reach", fileWith(fmt.Sprintf(onePhase, "1e9")), "from 0 to 10000"},
		{"a rate that is none", fileWith(fmt.Sprintf(onePhase, ".nan")), `rate must be a number from 0 to 10000, not ".nan"`},
		{"a ramp out of reach", fileWith(fmt.Sprintf(onePhase, "1..20000")), "at most 10000"},
		{"no steps", fileWith(fmt.Sprintf(onePhase, "[]")), "rate has no steps"},
		{"a share of nothing", fileWith(fmt.Sprintf(onePhase, "{ share: 2 }")), "rate needs share with of"},
		{"a share in a sum", fileWith(fmt.Sprintf(onePhase, "{ sum: [ 1, { share: 2, of: report } ] }")), "cannot be part of a sum"},
		{"a length that is none", strings.Replace(fileWith(fmt.Sprintf(onePhase, "1")), "10s", "10", 1), `test.yaml:9:10: for must be a time such as 30s`},
		{"an unknown class", strings.Replace(fileWith(fmt.Sprintf(onePhase, "{ share: 2, of: reports }")), "x", "x", 1), `class cannot be "reports": did you mean "report"?`},
		{"an unknown objective", strings.Replace(fileWith(""), "p99: 100ms", "p9x: 100ms", 1), `test.yaml:4:25: unknown objective "p9x"`},
		{"a latency without a unit", strings.Replace(fileWith(""), "p99: 100ms", "p99: 100", 1), "p99 must be a time"},
		{"a share without %", strings.Replace(fileWith(""), "answered: 100%", "answered: 100", 1), `answered must be a share such as 99.9%, not "100"`},
		{"an unknown operation", strings.Replace(fileWith(""), "MyDay", "MyDays", 1), `test.yaml:6:20: unknown operation "MyDays": did you mean "MyDay"?`},
		{"an unknown mix", stream("{ mix: offices, rate: 1 }"), `unknown mix "offices": did you mean "office"?`},
		{"classes mixed", stream("{ mix: { MyDay: 1, MonthReport: 1 }, rate: 1 }"), "give each class a stream"},
		{"a weight of 0", stream("{ mix: { MyDay: 0 }, rate: 1 }"), "the weight of MyDay must be a number from 1"},
		{"no rate", stream("{ mix: office }"), "a stream needs a mix with a rate, or reconnect"},
		{"an unknown kind of client", stream("{ mix: office, rate: 1, clients: { retry-link: 1 } }"), `unknown kind of client "retry-link": did you mean "retrylink"?`},
		{"clients without operations", stream("{ reconnect: { clients: 5 } }"), "reconnect needs each"},
		{"served in other words", stream("{ reconnect: { clients: 5, each: [MyDay], served: { heeding: soon } } }"), "served must read like"},
		{"no file of data", data("nowhere.csv", "1"), "nowhere.csv"},
		{"data without rows", data("header.csv", "1"), "have no rows"},
		{"empty data", data("empty.csv", "1"), "have no rows"},
		{"broken data", data("broken.csv", "1"), "wrong number of fields"},
		{"an unknown column", data("good.csv", "${cities.nam}"), `no column "nam": did you mean "name"?`},
		{"an unknown substitution", data("good.csv", "${user.nme}"), `unknown ${user.nme}: did you mean "user.name"?`},
		{"a substitution without an end", data("good.csv", "${user.name"), "without its }"},
		{"random the wrong way round", data("good.csv", "${random(9,1)}"), "the wrong way round"},
		{"recover without room", fileWith(fmt.Sprintf(onePhase, "1")) + "recover: { phase: load, class: interactive, within: 6s }\n", "must last 11s"},
		{"recover nowhere", fileWith(fmt.Sprintf(onePhase, "1")) + "recover: { phase: lod, class: interactive, within: 5s }\n", `did you mean "load"?`},
		{"a phase twice", fileWith("phases: [ { name: a, for: 1s }, { name: a, for: 1s } ]\n"), "two phases are called a"},
		{"an operation of an unknown class", strings.Replace(fileWith(fmt.Sprintf(onePhase, "1")), "  interactive:", "  interactiv:", 1), `is not among the classes: did you mean "interactiv"?`},
		{"nothing promised", strings.Replace(fileWith(fmt.Sprintf(onePhase, "1")), "p99: 100ms", "", 1), "nothing is promised"},
		{"promises to nobody who comes", fileWith("phases: [ { name: a, for: 1s, streams: [ { mix: office, rate: 1 } ], judge: health } ]\n"), "nothing is promised"},
		{"refusals bounded, and answers not", strings.Replace(fileWith(fmt.Sprintf(onePhase, "1")), "p99: 100ms", "shed: 0%, told alike: 50%, shed p99: 50ms", 1), "nothing is promised"},
		{"promises to those who do not reconnect", stream("{ reconnect: { clients: 5, each: [MyDay], attempts: 2, wasted: 5% } }"), "nothing is promised"},
		{"promises to clients who do not come", stream("{ reconnect: { clients: 5, each: [MyDay], served: { heeding: 99% within 5s } }, clients: { deaf: 1 } }"), "clients that are heeding, and none of those reconnect in phase"},
		{"nothing to recover to", strings.Replace(fileWith(fmt.Sprintf(onePhase, "1")), "p99: 100ms", "shed: 0%", 1) + "recover: { phase: load, class: interactive, within: 5s }\n", "nothing to be back in bound of"},
		{"a promise of nothing", strings.Replace(fileWith(""), "p99: 100ms", "ok: 0%", 1), "test.yaml:4:29: ok of 0 promises nothing"},
		{"nothing judged", fileWith("phases: [ { name: a, for: 1s, judge: nothing } ]\n"), "no phase is judged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseSpec("test.yaml", dir, []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, tt.says)
			}
		})
	}
}

func TestSpecRates(t *testing.T) {
	tests := []struct {
		rate  string
		c     Config
		total float64
	}{
		{"80", Config{}, 800},
		{"0", Config{}, 0},
		{"100..300", Config{}, 2000},
		{"[100, 0, 200, 100]", Config{}, 1000},
		{"{ base: 10, spike: { at: 2s, to: 110, rise: 1s, hold: 2s, fall: 1s } }", Config{}, 100 + 100*3},
		{"{ base: 10, outage: { at: 2s, for: 5s } }", Config{}, 50},
		{"{ sine: { mean: 50, amplitude: 50, period: 10s } }", Config{}, 500},
		{"{ sum: [ 10, 10..30, { base: 10, outage: { at: 0s, for: 5s } } ] }", Config{}, 350},
		{"{ share: 0.5, of: interactive, at most: 30 }", Config{}, 300},
		{"{ share: 0.1, of: interactive, at most: 30 }", Config{}, 100},
		{"80", Config{Rate: 40}, 400},
		{"80", Config{Duration: 20 * time.Second}, 1600},
		{"{ base: 10, spike: { at: 2s, to: 110, rise: 1s, hold: 2s, fall: 1s } }", Config{Duration: 20 * time.Second, Rate: 20}, 2 * 2 * 400},
		{"{ share: 0.5, of: interactive }", Config{Rate: 7}, 70},
	}
	for _, tt := range tests {
		spec, err := parseSpec("test.yaml", ".", []byte(fileWith(fmt.Sprintf(onePhase, tt.rate))))
		if err != nil {
			t.Errorf("%s: %v", tt.rate, err)
			continue
		}
		s, _, err := spec.scenario(tt.c, able(10, 100))
		if err != nil {
			t.Errorf("%s: %v", tt.rate, err)
			continue
		}
		if got := total(s.Phases[0].Streams[0].Rate); math.Abs(got-tt.total) > 1e-6 {
			t.Errorf("%s with %+v sends %g, want %g", tt.rate, tt.c, got, tt.total)
		}
	}
}

// A spike that does not fit is known only once the length is.
func TestSpecBuildErrors(t *testing.T) {
	for rate, says := range map[string]string{
		"{ base: 1, spike: { at: 9s, to: 2, hold: 2s } }":    "test.yaml:11:9: a spike from 9s",
		"{ sine: { mean: 1, amplitude: 2, period: 10s } }":   "an amplitude of 2",
		"{ base: 1, outage: { at: 9s, for: 2s } }":           "an outage from 9s",
		"{ sum: [ { sine: { mean: 1, amplitude: 1 } }, 1 ]}": "a period of 0s",
	} {
		spec, err := parseSpec("test.yaml", ".", []byte(fileWith(fmt.Sprintf(onePhase, rate))))
		if err == nil {
			_, _, err = spec.scenario(Config{}, nil)
		}
		if err == nil || ExitOf(err) != ExitUsage || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want exit %d and %q", rate, err, ExitUsage, says)
		}
	}
	spec, err := parseSpec("test.yaml", ".", []byte(fileWith("phases: [ { name: a, for: 1s, streams: [ { mix: { MonthReport: 1 }, rate: 1 } ] } ]\n")))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := spec.scenario(Config{Rate: 5}, nil); err == nil || !strings.Contains(err.Error(), "--rate") {
		t.Errorf("a rate for a scenario without interactive work: %v", err)
	}
}

// What surge would refuse to send, validate refuses before.
func TestPlanned(t *testing.T) {
	for phase, says := range map[string]string{
		"for: 10s, streams: [ { mix: office, rate: { base: 1, spike: { at: 9s, to: 2, hold: 2s } } } ]": "test.yaml:7:46: a spike from 9s",
		"for: 5m, streams: [ { mix: office, rate: 9000 } ]":                                             "more than 2000000 requests",
		"for: 10s, streams: [ { mix: office, rate: { share: 0.5, of: interactive } } ]":                 "",
	} {
		spec, err := parseSpec("test.yaml", ".", []byte(fileWith("phases: [ { name: load, "+phase+" } ]\n")))
		if err == nil {
			err = spec.planned(Config{})
		}
		if says == "" && err != nil || says != "" && (err == nil || ExitOf(err) != ExitUsage || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", phase, err, says)
		}
	}
}

func TestSpecVariables(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cities.csv"), []byte("name,zip,size\nRome,00100,3\nBonn,53111,3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec, err := parseSpec("test.yaml", dir, []byte(fileWith(`data: { cities: cities.csv }
operations:
  Mine:
    class: interactive
    document: |
      query Mine { a }
    expect: a
    roles: [member]
    variables:
      city: "${cities.name}"
      label: "${cities.zip} ${cities.name}, day ${day-2} for ${user.name}"
      nested: { list: [ "${random(3,5)}", 7, null, true, "$5" ], project: "${user.project}" }
      word: "${pick(a, b)}"
      size: "${cities.size}"
      id: "${uuid}"
phases: [ { name: load, for: 1s, streams: [ { mix: { Mine: 1 }, rate: 1 } ] } ]
`)))
	if err != nil {
		t.Fatal(err)
	}
	d := testDeck()
	m, err := d.mix(spec.phases[0].streams[0].mix)
	if err != nil {
		t.Fatal(err)
	}
	zips := map[string]string{"Rome": "00100", "Bonn": "53111"}
	ids := map[string]bool{}
	for seq := range uint64(50) {
		c, err := d.draw(m, 1, seq)
		if err != nil {
			t.Fatal(err)
		}
		var body struct {
			Query     string
			Variables struct {
				City, Label, Word, ID string
				Size                  int
				Nested                struct {
					List    []any
					Project string
				}
			}
		}
		if err := json.Unmarshal(c.body, &body); err != nil {
			t.Fatal(err)
		}
		v := body.Variables
		if want := zips[v.City] + " " + v.City + ", day 2026-02-28 for member"; v.Label != want || body.Query != "query Mine { a }\n" {
			t.Errorf("label %q of %q, want %q from one row", v.Label, body.Query, want)
		}
		if n, ok := v.Nested.List[0].(float64); !ok || n < 3 || n > 5 {
			t.Errorf("random(3,5) gives %v, want a number", v.Nested.List[0])
		}
		if v.Size != 3 {
			t.Errorf("a column of whole numbers gives %d, want the number 3", v.Size)
		}
		if rest := v.Nested.List[1:]; !slices.Equal(rest, []any{7.0, nil, true, "$5"}) {
			t.Errorf("what is fixed became %v", rest)
		}
		if !slices.Contains([]string{"p1", "p2"}, v.Nested.Project) || v.Word != "a" && v.Word != "b" || ids[v.ID] {
			t.Errorf("project %q, word %q, id %q (seen: %t)", v.Nested.Project, v.Word, v.ID, ids[v.ID])
		}
		ids[v.ID] = true
	}
}

func TestBuiltInScenarios(t *testing.T) {
	want := []string{"baseline", "failover", "growth", "lists", "office-day", "report-storm", "smoke", "soak"}
	if got := BuiltIn(); !slices.Equal(got, want) {
		t.Errorf("built in are %q, want %q", got, want)
	}
	for _, name := range BuiltIn() {
		s := built(t, name, Config{}, able(10, 600))
		if s.Name != name || len(s.Objectives) == 0 {
			t.Errorf("%s is called %s and has %d objectives", name, s.Name, len(s.Objectives))
		}
		if _, err := newPlan(s.Phases, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := built(t, "failover", Config{}, able(10, 600)).crowd(); got != 4000 {
		t.Errorf("failover has %d clients, want 4000: 40 s of 600 operations a second, six for each", got)
	}
}

// The example of the documentation is a scenario that fits the schema.
func TestDocumentedScenario(t *testing.T) {
	page, err := os.ReadFile("../docs/load-testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, found := strings.Cut(text, "```")
	if !found {
		t.Fatal("docs/load-testing.md has no example")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "searches.csv"), []byte("size\n10\n20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec, err := parseSpec("lunch.yaml", dir, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.fits(productSchema(t), testDeck()); err != nil {
		t.Error(err)
	}
	if _, _, err := spec.scenario(Config{}, nil); err != nil {
		t.Error(err)
	}
	wrong := strings.Replace(text, "rate: 50 }", "rates: 50 }", 1)
	_, err = parseSpec("lunch.yaml", dir, []byte(wrong))
	if err == nil || !strings.Contains(string(page), strings.TrimSuffix(strings.SplitN(err.Error(), " (known", 2)[0], " ")) {
		t.Errorf("the documented message is not %v", err)
	}
}
