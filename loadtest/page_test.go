package loadtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// stormRun is a stored storm with everything a page can show.
func stormRun(t *testing.T, length time.Duration, answer func(string, Class, time.Duration) row) *Record {
	t.Helper()
	s := built(t, "report-storm", Config{Duration: length}, able(2, 100))
	s.Phases = []Phase{
		{Name: "warm", For: 5 * time.Second, Streams: []Stream{officeStream(30, 5*time.Second)}},
		{Name: "storm", For: length, Streams: []Stream{officeStream(30, length), reportStream(10, length)}, Judged: true, Burst: time.Second},
		{Name: "recover", For: absorbWatched, Streams: []Stream{officeStream(30, absorbWatched)}, Judged: true},
	}
	a := synthetic(t, s.Phases, answer)
	for i, border := range []string{"before warm", "after warm", "after storm", "after recover"} {
		n := float64(i)
		a.readings = append(a.readings, Reading{Border: border, Counters: Counters{
			`headroom_gate_seats{class="report"}`: 2, `headroom_gate_busy{class="report"}`: 1, `headroom_gate_queued{class="report"}`: n,
			`headroom_gate_admitted_total{class="report"}`: 50 * n, `headroom_gate_refused_total{class="report",mode="on",reason="full"}`: 30 * n,
			`headroom_pool_connections{pool="report",state="busy"}`: 1, `headroom_pool_connections{pool="report",state="open"}`: 2, `headroom_pool_connections{pool="report",state="max"}`: 4,
			`headroom_statements_total{class="interactive"}`: 400 * n, `headroom_rows_total{class="interactive"}`: 4000 * n, counterCPU: n,
		}})
	}
	r := testReport(t, s, a)
	r.Fingerprint = testFingerprint()
	return r
}

// wavy is a server that slows down and refuses within a storm.
func wavy(phase string, class Class, due time.Duration) row {
	wave := time.Duration(float64(3*time.Millisecond) * (1.5 + math.Sin(due.Seconds()*1.7)))
	switch {
	case phase == "storm" && class == ClassReport && due.Milliseconds()%3 != 0:
		return ended(Shed, time.Millisecond+wave/10)
	case phase == "storm" && class == ClassReport:
		return took(120*time.Millisecond + 40*wave)
	case phase == "storm" && due.Milliseconds()%97 == 0:
		return ended(Failed, 8*time.Millisecond)
	case phase == "storm":
		return row{outcome: OK, status: 200, sent: wave / 20, end: 2 * wave, served: microseconds(wave)}
	}
	return row{outcome: OK, status: 200, sent: wave / 40, end: wave, served: microseconds(wave / 2)}
}

func pageOf(t *testing.T, s *Study) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageShowsTheRun(t *testing.T) {
	r := stormRun(t, testStormFor, wavy)
	text := pageOf(t, NewStudy([]*Record{r}, []string{"<b>out</b>"}))
	for _, want := range []string{
		"&lt;b&gt;out&lt;/b&gt;", // what people named is text
		"Operations a second, by outcome", "How long people waited: interactive", "How long people waited: report",
		"Response against service time: interactive", "How quickly it refused", "promised p99: 100 ms",
		"interactive</span> p99 ≤ 100 ms", "The gate", "Connections to the database", "Work per operation",
		"The generator&#39;s own health", "scenario hash",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"ZgotmplZ", "<script", "http-equiv=\"refresh\"", "src=", "href=", "url(", "@import", "NaN", "+Inf"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if plots, tables := strings.Count(text, `class="plot"`), strings.Count(text, "<summary>The figures of"); plots < 6 || plots != tables {
		t.Errorf("%d charts with %d tables", plots, tables)
	}
}

func TestPageSetsRunsBesideEachOther(t *testing.T) {
	on, off := stormRun(t, testStormFor, healthy), stormRun(t, testStormFor, wavy)
	text := pageOf(t, NewStudy([]*Record{on, off}, []string{"out", "out"}))
	for _, want := range []string{"On one picture", "Operations answered right, a second", "out (2)", "All runs"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Ten minutes fit into 400 kB.
func TestPageIsSmall(t *testing.T) {
	text := pageOf(t, NewStudy([]*Record{stormRun(t, 10*time.Minute, wavy)}, []string{"out"}))
	if len(text) > 400_000 {
		t.Errorf("10 minutes take %d bytes", len(text))
	}
}

func TestPageOfNothing(t *testing.T) {
	if err := NewStudy(nil, nil).WriteHTML(&bytes.Buffer{}); err == nil {
		t.Error("a page of no runs was written")
	}
	crowd := &Record{Flow: []FlowSecond{{Second: 10, Sent: 900, Shed: 900}, {Second: 50, OK: 777}}, Scenario: "failover", Verdict: Verdict{Word: "FAIL"}, Phases: []PhaseRecord{{Phase: "storm", Class: ClassInteractive, Judged: true, For: Millis(time.Minute), Planned: 600, Outcomes: map[string]int{}}}}
	if text := pageOf(t, NewStudy([]*Record{crowd, crowd}, []string{"on", "off"})); !strings.Contains(text, "<dt>operations judged</dt><dd>600</dd>") ||
		!strings.Contains(text, "Answers to clients that reconnect") || !strings.Contains(text, `<th scope="row">50 s</th><td>777</td><td>777</td></tr>`) {
		t.Error("the page of a crowd does not tell how many operations it asked, or when answers came")
	}
	empty := &Record{Scenario: "smoke", Rounds: 1, Verdict: Verdict{Word: "INTERRUPTED", Exit: ExitInterrupted}}
	if text := pageOf(t, NewStudy([]*Record{{Scenario: "baseline", Verdict: Verdict{Word: "PASS"}, Points: found(1, 800).Points, Steps: found(1, 800).Steps}}, []string{"out"})); !strings.Contains(text, "Breakpoints") || !strings.Contains(text, "<dt>operations in all steps</dt>") || strings.Contains(text, "judged</dt>") || !strings.Contains(text, "Steps, as they were sent") {
		t.Error("the page of a search lacks its steps")
	}
	if text := pageOf(t, NewStudy([]*Record{empty}, []string{"out"})); !strings.Contains(text, "Interrupted") {
		t.Error("a run that was stopped before anything was sent has no page")
	}
}

func TestChartStacksUp(t *testing.T) {
	c := &chart{X: scale{Max: 2}, Y: scale{Max: 4}}
	c.stack([]float64{0, 2}, []part{{"a", "ok", []float64{1, 2}}, {"none", "late", []float64{0, 0}}, {"b", "shed", []float64{1, 2}}})
	want := []string{"M0 225L1500 150L1500 300L0 300Z", "M0 150L1500 0L1500 150L0 225Z"}
	if len(c.Areas) != 2 || c.Areas[0].Path != want[0] || c.Areas[1].Path != want[1] {
		t.Errorf("areas %+v, want %v", c.Areas, want)
	}
	c.line("gap", "two", []float64{0, 1, 2}, []float64{0, math.NaN(), 4})
	if got := c.Lines[0].Path; got != "M0 300M1500 0" {
		t.Errorf("a line with a gap is %q", got)
	}
}

func TestScales(t *testing.T) {
	for _, test := range []struct {
		got  scale
		want []string
	}{
		{linear("", 0), []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		{linear("", 137), []string{"0", "50", "100", "150"}},
		{linear("", 4100), []string{"0", "1\u202f000", "2\u202f000", "3\u202f000", "4\u202f000", "5\u202f000"}},
		{logarithmic("", 0.4, 130), []string{"0.1 ms", "1 ms", "10 ms", "100 ms", "1 s"}},
		{logarithmic("", 0, 0), []string{"1 ms", "10 ms"}},
		{clock(70), []string{"0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "1:00", "1:10"}},
	} {
		var texts []string
		for _, tick := range test.got.Ticks {
			texts = append(texts, tick.Text)
		}
		if strings.Join(texts, "|") != strings.Join(test.want, "|") {
			t.Errorf("ticks %q, want %q", texts, test.want)
		}
	}
}

func TestMargin(t *testing.T) {
	for _, test := range []struct{ objective, observed, want string }{
		{"p99 <= 100 ms", "25 ms", "75 % below"},
		{"p99 <= 100 ms", "1.5 s", "15.0 × the limit"},
		{"ok >= 99.9 %", "100 %", "+0.10 points"},
		{"shed 0", "3", "–"},
		{"p99 <= 100 ms", "-", "–"},
	} {
		if got := margin(Result{Objective: test.objective, Observed: test.observed, Samples: 1}); got != test.want {
			t.Errorf("%s seen as %s: margin %q, want %q", test.objective, test.observed, got, test.want)
		}
	}
}

func TestJUnit(t *testing.T) {
	r := stormRun(t, testStormFor, wavy)
	var b bytes.Buffer
	if err := NewStudy([]*Record{r}, []string{"out"}).WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var read junitSuites
	if err := xml.Unmarshal(b.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	violated := 0
	for _, o := range r.Verdict.Results {
		if o.Decision == Violated {
			violated++
		}
	}
	if r.Verdict.Recovery.late() {
		violated++
	}
	if violated == 0 || read.Failures != violated || read.Tests != len(r.Verdict.Results)+3 || len(read.Suites[0].Cases) != read.Tests {
		t.Errorf("%d tests and %d failures for %d promises and three other checks, %d of them broken", read.Tests, read.Failures, len(r.Verdict.Results), violated)
	}
	if failed := (&Record{Command: "breakpoint", Verdict: concluded(nil, nil, &Stop{})}).junit("search"); failed.Failures != 1 {
		t.Errorf("a search that found nothing has %d failures, want 1", failed.Failures)
	}
}

func TestMarkdownNamesTheCauseFirst(t *testing.T) {
	r := stormRun(t, testStormFor, wavy)
	var b bytes.Buffer
	if err := NewStudy([]*Record{r}, []string{"a|b"}).WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(b.String(), "\n")
	if want := `**surge a\|b: ` + r.Verdict.Word + "** " + strings.ReplaceAll(r.Verdict.Reasons[0], "<", "&lt;"); first != want {
		t.Errorf("the first line is %q, want %q", first, want)
	}
}

// The schema in docs names every field that is written, and the other way round.
func TestJSONKeepsToItsSchema(t *testing.T) {
	study := NewStudy([]*Record{stormRun(t, testStormFor, wavy)}, []string{"out"})
	comparedAndForecast(t, study)
	var b bytes.Buffer
	if err := study.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../docs/surge-report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	var value any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	for _, problem := range checkSchema(schema, schema, value, "") {
		t.Error(problem)
	}
}

// comparedAndForecast adds a comparison and a forecast to a study.
func comparedAndForecast(t *testing.T, study *Study) {
	t.Helper()
	same := func(i int) (time.Duration, float64, float64) { return time.Millisecond, 0.4 * noise[i], 2 }
	base, next := stored(t, 4, true, same, same)
	var err error
	if study.Comparison, err = Compare(t.Context(), Config{}, base, next, Comparing{}); err != nil {
		t.Fatal(err)
	}
	if study.Forecast, err = NewForecast([]*Record{found(1000, 800)}, strings.NewReader(usageOf(29, 6000, 0.01)), Plan{Factor: 1}, time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
}

// checkSchema compares a value with the part of JSON Schema that the page uses:
// type, properties, required, additionalProperties, items, enum, const, $ref.
func checkSchema(root, schema map[string]any, value any, path string) (problems []string) {
	if ref, ok := schema["$ref"].(string); ok {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	say := func(text string) { problems = append(problems, path+": "+text) }
	if constant, ok := schema["const"]; ok && constant != value {
		say("is not the constant")
	}
	switch v := value.(type) {
	case map[string]any:
		if kinds, ok := schema["type"].([]any); schema["type"] != "object" && !(ok && slices.Contains(kinds, any("object"))) {
			say("is an object")
			return problems
		}
		properties := schema["properties"].(map[string]any)
		for _, name := range schema["required"].([]any) {
			if _, found := v[name.(string)]; !found {
				say("lacks " + name.(string))
			}
		}
		for name, field := range v {
			known, found := properties[name].(map[string]any)
			if !found {
				say("has the field " + name + " that the schema lacks")
				continue
			}
			problems = append(problems, checkSchema(root, known, field, path+"/"+name)...)
		}
	case []any:
		items, ok := schema["items"].(map[string]any)
		if !ok {
			say("is a list")
			return problems
		}
		for _, item := range v {
			problems = append(problems, checkSchema(root, items, item, path+"/*")...)
		}
	case string:
		if kinds, ok := schema["type"].([]any); schema["type"] != "string" && !(ok && slices.Contains(kinds, any("string"))) {
			say("is a text")
		}
	case float64:
		if kind := schema["type"]; kind != "number" && !(kind == "integer" && v == math.Trunc(v)) {
			say("is a number")
		}
	case bool:
		if schema["type"] != "boolean" {
			say("is a truth value")
		}
	}
	return problems
}
