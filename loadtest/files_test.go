package loadtest

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// readResults decodes a result file as vegeta's commands do.
func readResults(t *testing.T, path string) []vegeta.Result {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decode := vegeta.DecoderFor(file)
	if decode == nil {
		t.Fatalf("vegeta does not know the form of %s", path)
	}
	var list []vegeta.Result
	for {
		var r vegeta.Result
		if err := decode(&r); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
}

func testReport(t *testing.T, s Scenario, rounds ...*attack) *Record {
	t.Helper()
	session := &session{
		Config: Config{Scenario: s.Name, Seed: 1}, spec: &spec{}, target: rounds[0].client.target,
		deck: rounds[0].deck, client: rounds[0].client,
	}
	calibration := &Calibration{Reports: Capacity{PerSecond: 20, Clients: 2}, Interactive: Capacity{PerSecond: 1000, Clients: 8}}
	done := &finished{
		scenario: s, began: rounds[0].start, took: 22 * time.Second, rounds: rounds,
		verdict: judge(s, rounds, false),
	}
	return session.record(done, calibration, &Rates{Interactive: 300, Reports: 100})
}

func TestVegetaReadsTheResults(t *testing.T) {
	s := stormScenario(t)
	dropSome := func(phase string, class Class, due time.Duration) row {
		if class == ClassInteractive && due.Round(time.Millisecond)%time.Second == 0 {
			return ended(Dropped, 0)
		}
		return healthy(phase, class, due)
	}
	rounds := []*attack{synthetic(t, s.Phases, dropSome), synthetic(t, s.Phases, dropSome)}
	dir := t.TempDir()
	if err := testReport(t, s, rounds...).write(dir); err != nil {
		t.Fatal(err)
	}
	sent := readResults(t, filepath.Join(dir, resultsFile))
	dropped := readResults(t, filepath.Join(dir, droppedFile))
	planned := len(rounds[0].rows) + len(rounds[1].rows)
	if len(dropped) != 44 || len(sent)+len(dropped) != planned {
		t.Errorf("%d sent and %d dropped of %d planned, want 44 dropped", len(sent), len(dropped), planned)
	}
	var metrics vegeta.Metrics
	next, last := map[string]uint64{}, map[string]time.Time{}
	for _, r := range sent {
		// plot shows nothing behind a gap in Seq, and needs ascending times.
		if r.Seq != next[r.Attack] || r.Timestamp.Before(last[r.Attack]) {
			t.Fatalf("%s: result %d at %v follows %d results up to %v", r.Attack, r.Seq, r.Timestamp, next[r.Attack], last[r.Attack])
		}
		next[r.Attack], last[r.Attack] = r.Seq+1, r.Timestamp
		metrics.Add(&r)
	}
	if len(next) != 4 || next["storm"] != next["storm-2"] {
		t.Errorf("attacks %v, want storm and recover of two rounds", next)
	}
	metrics.Close()
	var text, jsonText bytes.Buffer
	if err := vegeta.NewTextReporter(&metrics).Report(&text); err != nil {
		t.Error(err)
	}
	if err := vegeta.NewJSONReporter(&metrics).Report(&jsonText); err != nil {
		t.Error(err)
	}
	if metrics.Requests != uint64(len(sent)) || !strings.Contains(text.String(), "shed") {
		t.Errorf("vegeta reports %d requests, want %d, and shed among the errors:\n%s", metrics.Requests, len(sent), text.String())
	}
	first := sent[0]
	if !first.Timestamp.Equal(rounds[0].start) { // a report is due at once
		t.Errorf("the first result is at %v, want its due time %v", first.Timestamp, rounds[0].start)
	}
	if !strings.HasPrefix(first.URL, "http://127.0.0.1:8080/graphql#op=") || first.Latency != 2*time.Millisecond {
		t.Errorf("first result %s took %v, want an operation that took 2ms", first.URL, first.Latency)
	}
}

func TestWriteReplacesAnOlderRun(t *testing.T) {
	s := stormScenario(t)
	dir := t.TempDir()
	stale := filepath.Join(dir, droppedFile)
	if err := os.WriteFile(stale, []byte("of an older run"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := testReport(t, s, synthetic(t, s.Phases, healthy)).write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("a run without drops left %s: %v", droppedFile, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".surge-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("half-written files %v, %v", left, err)
	}
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	lost := testReport(t, s, synthetic(t, s.Phases, healthy))
	if err := lost.write(blocked); err != nil || lost.Verdict.Exit != ExitInvalid || !strings.Contains(lost.Line, "could not be stored") {
		t.Errorf("a pass that cannot be stored: %v, exit %d, %q; want exit %d", err, lost.Verdict.Exit, lost.Line, ExitInvalid)
	}
}

func TestSummary(t *testing.T) {
	s := stormScenario(t)
	data, err := json.Marshal(testReport(t, s, synthetic(t, s.Phases, healthy)))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Run     int `json:"surge_run"`
		Verdict struct {
			Exit       int
			Verdict    string
			Objectives []struct{ Decision string }
		}
		Phases []struct {
			Phase, Class string
			Outcomes     map[string]int
			Response     struct {
				P99 float64 `json:"p99_ms"`
			}
			Seconds []struct{ Planned, OK, Shed int }
		}
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Run != 1 || got.Verdict.Verdict != "PASS" || len(got.Verdict.Objectives) != 7 {
		t.Errorf("version %d, %s with %d objectives, want 1, PASS with 7", got.Run, got.Verdict.Verdict, len(got.Verdict.Objectives))
	}
	storm := got.Phases[1]
	if storm.Phase != "storm" || storm.Outcomes["ok"] != 240 || storm.Outcomes["shed"] != 960 {
		t.Errorf("%s %s: %v, want 240 ok and 960 shed", storm.Phase, storm.Class, storm.Outcomes)
	}
	if storm.Response.P99 < 1.99 || storm.Response.P99 > 2.01 {
		t.Errorf("p99 %g ms, want 2", storm.Response.P99)
	}
	planned := 0
	for _, second := range storm.Seconds {
		planned += second.Planned
		if second.OK+second.Shed != second.Planned {
			t.Errorf("a second of %d arrivals has %d ok and %d shed", second.Planned, second.OK, second.Shed)
		}
	}
	if len(storm.Seconds) != 12 || planned != 1200 {
		t.Errorf("%d seconds with %d arrivals, want 12 with 1200", len(storm.Seconds), planned)
	}
}

func TestReportText(t *testing.T) {
	s := stormScenario(t)
	tests := []struct {
		name   string
		answer func(string, Class, time.Duration) row
		line   string
	}{
		{"pass", healthy, "PASS     interactive p50 2 ms (<= 10 ms), p99 2 ms (<= 100 ms), ok 100 % (>= 99.9 %), shed 0; reports 5.0x: ok 20 %, shed 80 %; never out of bound afterwards"},
		{"fail", func(phase string, class Class, due time.Duration) row {
			if phase == "recover" && due < 300*time.Millisecond || phase == "storm" && class == ClassInteractive {
				return ended(Failed, time.Millisecond)
			}
			return healthy(phase, class, due)
		}, "FAIL     interactive p50 errors (<= 10 ms), p99 errors (<= 100 ms), ok 0 % (>= 99.9 %), shed 0; reports 5.0x: ok 20 %, shed 80 %; back in bound after 300 ms"},
		{"invalid", func(phase string, class Class, due time.Duration) row {
			return lagged(2*time.Millisecond, time.Millisecond)
		}, "INVALID  phase storm: the generator lagged by 2 ms in the median (bound 1 ms)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := testReport(t, s, synthetic(t, s.Phases, tt.answer))
			var text bytes.Buffer
			if err := report.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(text.String()), "\n")
			if got := lines[len(lines)-1]; got != tt.line {
				t.Errorf("the last line is\n%s\nwant\n%s", got, tt.line)
			}
			for _, want := range []string{"storm interactive", "recover interactive", "YearsReport", "interactive p99 <= 100 ms"} {
				if !strings.Contains(text.String(), want) {
					t.Errorf("the report does not mention %q:\n%s", want, text.String())
				}
			}
		})
	}
}

func TestUsableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := usable(file); err == nil || ExitOf(err) != ExitUsage {
		t.Errorf("a file passes for a folder: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "new")
	if err := usable(dir); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
