package loadtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// testFingerprint is one with everything known.
func testFingerprint() Fingerprint {
	return Fingerprint{
		Machine: Machine{System: "linux/amd64", Kernel: "6.1", Processor: "P", Processors: 2, MemoryMiB: 4096},
		Data:    Data{People: 3, Workspaces: 1, Entries: 1000},
		Schema:  "abc",
	}
}

func TestRecordSurvivesItsFile(t *testing.T) {
	s := stormScenario(t)
	a := synthetic(t, s.Phases, healthy)
	a.readings = []Reading{
		{Border: "before storm", Counters: Counters{`headroom_rows_total{class="report"}`: 5, counterCPU: 1}},
		{At: Millis(testStormFor), Border: "after storm", Counters: Counters{`headroom_rows_total{class="report"}`: 105, counterCPU: 3.5}},
	}
	written := testReport(t, s, a)
	written.Fingerprint = testFingerprint()
	dir := t.TempDir()
	if err := written.write(dir); err != nil {
		t.Fatal(err)
	}
	read, err := ReadRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	histograms := cmp.Transformer("quantiles", func(h Histogram) Quantiles { return h.Quantiles() })
	if diff := cmp.Diff(written, read, histograms, cmpopts.IgnoreUnexported(Record{}, Result{}, Vitals{}, Usage{}, Capacity{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what was read differs from what was written:\n%s", diff)
	}
	var before, after strings.Builder
	if err := errors.Join(written.WriteText(&before), read.WriteText(&after)); err != nil {
		t.Fatal(err)
	}
	if before.String() != after.String() {
		t.Errorf("the text of a stored run is another:\n%s\n%s", before.String(), after.String())
	}
	want := []Work{
		{Phase: "storm", CPUSeconds: 2.5, Rows: 100},
		{Phase: "storm", Class: ClassInteractive},
		{Phase: "storm", Class: ClassReport, Rows: 100},
	}
	if diff := cmp.Diff(want, read.Work); diff != "" {
		t.Errorf("work: %s", diff)
	}
}

// The series hold every arrival, and their histograms its times.
func TestSeriesAddUp(t *testing.T) {
	s := stormScenario(t)
	a := synthetic(t, s.Phases, healthy)
	r := testReport(t, s, a)
	var all Histogram
	counts := map[string]int{}
	for _, series := range r.Series {
		for _, bin := range series.Seconds {
			counts[series.Phase+" "+string(series.Class)+" "+series.Outcome] += bin.Count
			if series.Phase == "storm" && series.Outcome == "ok" {
				all.Add(bin.Response)
			}
		}
	}
	ok := 0
	for _, phase := range r.Phases {
		for outcome, n := range phase.Outcomes {
			if got := counts[phase.Phase+" "+string(phase.Class)+" "+outcome]; got != n {
				t.Errorf("%s %s %s: %d in the series, %d in the phase", phase.Phase, phase.Class, outcome, got, n)
			}
		}
		if phase.Phase == "storm" {
			ok += phase.Outcomes["ok"]
		}
	}
	if q := all.Quantiles(); q.Samples != int64(ok) || (time.Duration(q.P99)-2*time.Millisecond).Abs() > instant {
		t.Errorf("the ok answers of the storm sum up to %+v, want %d of 2 ms", q, ok)
	}
}

func TestReadRecordRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct{ text, says string }{
		"newer":     {`{"surge_run": 99}`, "form 99"},
		"older":     {`{"surge": 1}`, "form 0"},
		"other":     {`[]`, "no stored run"},
		"cut off":   {`{"surge_run": 1, "phases": [`, "no stored run"},
		"unjudged":  {`{"surge_run": 1, "phases": []}`, "no verdict"},
		"histogram": {`{"surge_run": 1, "series": [{"seconds": [{"response": "AAAA"}]}]}`, "histogram"},
	} {
		path := filepath.Join(dir, name+".json")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRecord(path); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
	if _, err := ReadRecord(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestAlike(t *testing.T) {
	run := func(change func(*Record)) *Record {
		r := &Record{Scenario: "smoke", ScenarioHash: "1234567890", Fingerprint: testFingerprint()}
		change(r)
		return r
	}
	for name, tt := range map[string]struct {
		change func(*Record)
		says   string
	}{
		"the same":       {func(*Record) {}, ""},
		"a few entries":  {func(r *Record) { r.Fingerprint.Data.Entries = 1100 }, ""},
		"more entries":   {func(r *Record) { r.Fingerprint.Data.Entries = 1101 }, "entries: 1000 and 1101"},
		"less entries":   {func(r *Record) { r.Fingerprint.Data.Entries = 900 }, "entries: 1000 and 900"},
		"machine":        {func(r *Record) { r.Fingerprint.Machine.Processors = 4 }, "processors: 2 and 4"},
		"schema":         {func(r *Record) { r.Fingerprint.Schema = "x" }, "schema: abc and x"},
		"another length": {func(r *Record) { r.ScenarioHash = "0987654321" }, "scenario: smoke (12345678) and smoke (09876543)"},
	} {
		err := Alike(run(func(*Record) {}), run(func(*Record) {}), run(tt.change))
		if (err == nil) != (tt.says == "") || err != nil && (!errors.Is(err, ErrMixed) || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
	if err := Alike(); err != nil {
		t.Errorf("no runs: %v", err)
	}
}

func TestParseCounters(t *testing.T) {
	got := parseCounters(`# HELP headroom_rows_total Rows.
# TYPE headroom_rows_total counter
headroom_rows_total{class="report"} 1.5e+06
headroom_rows_total{class="interactive"} 2
headroom_request_seconds_bucket{class="report",le="1"} 9
headroom_request_seconds_count{class="report"} 10
headroom_requests_total{class="report",decision="a } b"} 3
headroom_database_up 1
process_cpu_seconds_total 12.25
go_goroutines 9
headroom_nonsense one
`)
	want := Counters{
		`headroom_rows_total{class="report"}`: 1.5e6, `headroom_rows_total{class="interactive"}`: 2,
		`headroom_request_seconds_count{class="report"}`: 10, `headroom_requests_total{class="report",decision="a } b"}`: 3,
		"headroom_database_up": 1, "process_cpu_seconds_total": 12.25,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.sum("headroom_rows_total", "") != 1.5e6+2 || got.sum("headroom_rows_total", ClassReport) != 1.5e6 {
		t.Errorf("sums %g and %g", got.sum("headroom_rows_total", ""), got.sum("headroom_rows_total", ClassReport))
	}
}

// An operation whose every answer holds userErrors did nothing, however well it was
// answered; the report says so.
func TestOperationsThatDidNothing(t *testing.T) {
	for _, test := range []struct {
		op   OperationRecord
		want bool
	}{
		{OperationRecord{OK: 20, Refused: 20}, true},
		{OperationRecord{OK: 21, Refused: 20}, false},
		{OperationRecord{OK: 19, Refused: 19}, false},
		{OperationRecord{}, false},
	} {
		if got := test.op.idle(); got != test.want {
			t.Errorf("%+v: %t, want %t", test.op, got, test.want)
		}
	}
	refused := func(_ string, class Class, _ time.Duration) row {
		r := took(time.Millisecond)
		if class == ClassInteractive {
			r.remark = userErrors
		}
		return r
	}
	notes := strings.Join(stormRun(t, testStormFor, refused).Notes, "; ")
	if !strings.Contains(notes, "answers to Create hold userErrors") || strings.Contains(notes, "YearsReport") {
		t.Errorf("notes %q, want one of Create and none of reports", notes)
	}
}
