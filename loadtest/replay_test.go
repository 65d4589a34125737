package loadtest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"headroom/graph"
)

const (
	capturedPage  = `query query_timeEntries($v1: EntryFilter) { timeEntries(first: 10, filter: $v1) { nodes { id } } }`
	capturedStart = `mutation mutation_startTimer($v1: ID, $v2: String) { startTimer(input: {projectId: $v1, idempotencyKey: $v2}) { timeEntry { id } } }`
	capturedSums  = `query query_timesheetReport($v1: ReportInput!) { timesheetReport(input: $v1) { totals { seconds } } }`
)

// testCapture is a capture of a week's work, 70 weeks before the test data end.
func testCapture() *capture {
	sum := sha256.Sum256([]byte(graph.SDL()))
	c := &capture{
		Version: captureForm, Began: time.Date(2024, 10, 28, 9, 0, 0, 0, time.UTC), Schema: hex.EncodeToString(sum[:]),
		Documents: map[string]*capturedQuery{
			"page": {Name: "query_timeEntries", Class: ClassInteractive, Text: capturedPage},
			"go":   {Name: "mutation_startTimer", Class: ClassInteractive, Text: capturedStart},
			"sums": {Name: "query_timesheetReport", Class: ClassReport, Text: capturedSums},
		},
	}
	for i := range 40 {
		row := capturedCall{At: int64(i) * 50_000, Operation: "page", User: "u1", Role: "member", Attempt: 1, Variables: map[string]any{
			"v1": map[string]any{"projectIds": []any{"Project.abc", "Project.def"}, "period": map[string]any{"from": "2024-10-21", "to": "2024-10-27"}},
		}}
		switch {
		case i%10 == 3:
			row.Operation, row.User, row.Role = "sums", "u2", "owner"
			row.Variables = map[string]any{"v1": map[string]any{"period": map[string]any{"from": "2024-01-01", "to": "2024-10-27"}, "groupBy": []any{"PROJECT"}}}
		case i%10 == 5:
			row.Operation, row.Variables = "go", map[string]any{"v1": "Project.abc", "v2": "k-e-y"}
		case i%10 == 6:
			row.Operation, row.Variables, row.Attempt = "go", map[string]any{"v1": "Project.abc", "v2": "k-e-y"}, 2
		}
		c.rows = append(c.rows, row)
	}
	c.Rows = len(c.rows)
	return c
}

// zipped is a capture's file; change edits its lines.
func zipped(t *testing.T, c *capture, change func([]string) []string) string {
	t.Helper()
	var lines []string
	for _, v := range append([]any{c}, toAny(c.rows)...) {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	if change != nil {
		lines = change(lines)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "capture.ndjson.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func toAny(rows []capturedCall) (list []any) {
	for _, row := range rows {
		list = append(list, row)
	}
	return list
}

// replayTarget is a server with a schema that answers everything.
func replayTarget(t *testing.T, schema string) string {
	t.Helper()
	fake := fakeHandler(func(w http.ResponseWriter, _ *http.Request, _ asked) {
		say(w, `{"data":{"timeEntries":{},"startTimer":{},"timesheetReport":{}}}`)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/schema.graphql" {
			say(w, "%s", schema)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/graphql"
}

// replayed is the scenario that a capture becomes.
func replayedScenario(t *testing.T, path string, speed float64) (*session, *Scenario) {
	t.Helper()
	c, err := readCapture(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := connect(t.Context(), Config{Target: replayTarget(t, graph.SDL())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.close)
	scenario, err := s.replay(t.Context(), c, Replay{File: path, Speed: speed})
	if err != nil {
		t.Fatal(err)
	}
	return s, scenario
}

func TestReplayTranslates(t *testing.T) {
	_, scenario := replayedScenario(t, zipped(t, testCapture(), nil), 1)
	calls := map[Class]script{}
	for _, stream := range scenario.Phases[0].Streams {
		calls[stream.Class] = stream.Rate.(script)
	}
	// Of 40 rows 4 are reports and 4 retries.
	if len(calls[ClassReport]) != 4 || len(calls[ClassInteractive]) != 32 {
		t.Fatalf("%d reports and %d others, want 4 and 32", len(calls[ClassReport]), len(calls[ClassInteractive]))
	}
	first := calls[ClassInteractive][0]
	filter := first.vars["v1"].(map[string]any)
	period := filter["period"].(map[string]any)
	// The data end on 2 March 2026, 70 weeks after the capture.
	if first.user.Role != "member" || period["from"] != "2026-02-23" || period["to"] != "2026-03-01" {
		t.Errorf("%s asks %v", first.user.Role, first.vars)
	}
	for _, id := range filter["projectIds"].([]any) {
		if id != "p1" && id != "p2" {
			t.Errorf("a project became %v, which the person does not see", id)
		}
	}
	if calls[ClassReport][0].user.Role != "owner" {
		t.Errorf("the owner's report is asked by the %s", calls[ClassReport][0].user.Role)
	}
	keys := map[any]bool{}
	for _, call := range calls[ClassInteractive] {
		if key, ok := call.vars["v2"]; ok {
			keys[key] = true
		}
	}
	if len(keys) != 4 || keys["k-e-y"] {
		t.Errorf("idempotency keys %v, want four new ones", keys)
	}
}

// Speed changes when, and nothing else.
func TestReplaySpeed(t *testing.T) {
	path := zipped(t, testCapture(), func(lines []string) []string {
		lines[5], lines[6] = lines[6], lines[5] // written in the order of answers
		return lines
	})
	for _, speed := range []float64{1, 5} {
		s, scenario := replayedScenario(t, path, speed)
		plan, err := newPlan(scenario.Phases, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newAttack(plan, s.deck, s.client, &live{}); err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(testCapture().rows, func(r capturedCall) bool { return r.Attempt > 1 })
		if len(plan.arrivals) != len(want) {
			t.Fatalf("%d arrivals, want %d", len(plan.arrivals), len(want))
		}
		for i, arrival := range plan.arrivals {
			due := time.Duration(float64(want[i].At) / speed * float64(time.Microsecond))
			call := plan.streams[arrival.stream].Rate.(script)[plan.nth[i]]
			if arrival.due != due || call.op.Document != testCapture().Documents[want[i].Operation].Text {
				t.Fatalf("arrival %d at %v is %s, want %s at %v", i, arrival.due, call.op.Name, want[i].Operation, due)
			}
		}
	}
}

// Who has unpacked a capture to look at it need not pack it again.
func TestReplayReadsAnUnpackedCapture(t *testing.T) {
	file, err := os.Open(zipped(t, testCapture(), nil))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "capture.ndjson")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := readCapture(path, 0); err != nil || len(c.rows) != 40 {
		t.Errorf("%+v, %v; want 40 rows", c, err)
	}
	if err := os.WriteFile(path, text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCapture(path, 0); !errors.Is(err, errTruncated) {
		t.Errorf("half of it: %v, want that it is truncated", err)
	}
}

func TestReplayRefuses(t *testing.T) {
	other := testCapture()
	other.Schema = "another"
	other.Documents["page"].Text = `query q($v1: EntryFilter) { hours(first: 10, filter: $v1) { id } }`
	nobody := testCapture()
	for i := range nobody.rows {
		nobody.rows[i].Role = "stranger"
	}
	whole := zipped(t, testCapture(), nil)
	half, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	truncated := filepath.Join(t.TempDir(), "half.gz")
	if err := os.WriteFile(truncated, half[:len(half)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte(`{"method":"POST","url":"/"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte{0xca, 0xfe, 0xba, 0xbe}, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path, says string
		rate             float64
	}{
		{"no file", "nowhere.gz", "nowhere.gz", 0},
		{"a truncated file", truncated, "truncated", 0},
		{"a file that lacks rows", zipped(t, testCapture(), func(l []string) []string { return l[:20] }), "truncated", 0},
		{"rows out of order", zipped(t, testCapture(), func(l []string) []string {
			l[1] = strings.Replace(l[1], `"t":0`, `"t":600000000`, 1)
			return l
		}), "out of order", 0},
		{"a row before the first", zipped(t, testCapture(), func(l []string) []string {
			l[1] = strings.Replace(l[1], `"t":0`, `"t":-5`, 1)
			return l
		}), "row 1 has the time -5", 0},
		{"another form", zipped(t, testCapture(), func(l []string) []string {
			l[0] = strings.Replace(l[0], `"headroom_capture":1`, `"headroom_capture":9`, 1)
			return l
		}), "form 9", 0},
		{"another schema", zipped(t, other, nil), "query_timeEntries does not fit this server: the capture is of another schema", 0},
		{"nobody to act for", zipped(t, nobody, nil), "nothing to send again", 0},
		{"something else", junk, "neither a capture", 0},
		{"targets without a rate", plain, "--rate", 0},
		{"targets at no number a second", plain, "--rate", math.NaN()},
		{"targets at more than can be sent", plain, "up to 10000", math.Inf(1)},
		{"a time that is none", zipped(t, testCapture(), func(l []string) []string {
			l[1] = strings.Replace(l[1], `"t":0`, `"t":"noon"`, 1)
			return l
		}), `row 1 is none: "t" cannot be a string`, 0},
		{"no targets", plain, "target 1 is no GraphQL request", 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Replay{File: test.path, Rate: test.rate}.Send(t.Context(), Config{Target: replayTarget(t, graph.SDL())})
			if err == nil || ExitOf(err) != ExitUsage || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want one line with %q", err, test.says)
			}
		})
	}
}

// Whatever else is wrong, a target that is not this machine is refused first.
func TestReplayRefusesStrangers(t *testing.T) {
	_, err := Replay{File: "nowhere.gz"}.Send(t.Context(), Config{Target: "http://192.0.2.7/graphql"})
	if ExitOf(err) != ExitRefused {
		t.Errorf("%v (exit %d), want exit %d", err, ExitOf(err), ExitRefused)
	}
}

// What is exported vegeta reads, and so does surge.
func TestReplayExportsTargets(t *testing.T) {
	var b bytes.Buffer
	target := replayTarget(t, graph.SDL())
	if _, err := (Replay{File: zipped(t, testCapture(), nil), Export: &b}).Send(t.Context(), Config{Target: target}); err != nil {
		t.Fatal(err)
	}
	next, n := vegeta.NewJSONTargeter(bytes.NewReader(b.Bytes()), nil, nil), 0
	for ; ; n++ {
		var v vegeta.Target
		if err := next(&v); err == vegeta.ErrNoTargets {
			break
		} else if err != nil || v.Method != http.MethodPost || v.URL != target || v.Header.Get("Authorization") != "" {
			t.Fatalf("target %d: %+v, %v", n, v, err)
		}
	}
	path := filepath.Join(t.TempDir(), "targets.json")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := readCapture(path, 100)
	if err != nil || n != 36 || len(c.rows) != 36 || c.rows[35].At != 350_000 {
		t.Errorf("%d targets, %v; read again as %+v", n, err, c)
	}
}

// A replay is sent like any other run, and its report says what was sent.
func TestReplaySends(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "replayed") // which it makes
	r, err := Replay{File: zipped(t, testCapture(), nil), Speed: 5}.Send(t.Context(), Config{Target: replayTarget(t, graph.SDL()), Out: dir})
	if err != nil {
		t.Fatal(err)
	}
	sent := map[Class]int{}
	for _, p := range r.Phases {
		sent[p.Class] = p.Outcomes["ok"]
	}
	if want := fmt.Sprint(map[Class]int{ClassInteractive: 32, ClassReport: 4}); fmt.Sprint(sent) != want || r.Scenario != "replay" {
		t.Errorf("%s answered %v, want %s", r.Scenario, sent, want)
	}
	if _, err := ReadRecord(dir); err != nil {
		t.Error(err)
	}
}
