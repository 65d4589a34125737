package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// canary is a text that no replacement can come to by chance.
const canary = "CanarySings4711"

// admin sends a request to the operators' address.
func (r *rig) admin(method, path string) (int, []byte) {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.server.AdminHandler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Code, w.Body.Bytes()
}

// readCapture unpacks a capture into its header and rows.
func readCapture(t *testing.T, zipped []byte) (text string, header captureHeader, rows []captureRow) {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(all))
	lines.Buffer(nil, 1<<24)
	for first := true; lines.Scan(); first = false {
		if first {
			if err := json.Unmarshal(lines.Bytes(), &header); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var row captureRow
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return string(all), header, rows
}

func TestCapture(t *testing.T) {
	r := newRig(t, nil)
	if status, _ := r.admin("GET", "/debug/capture"); status != http.StatusNotFound {
		t.Errorf("before a capture its state is %d", status)
	}
	if status, _ := r.admin("DELETE", "/debug/capture"); status != http.StatusNotFound {
		t.Errorf("ending no capture is %d", status)
	}
	for _, bad := range []string{"minutes=0", "minutes=121", "minutes=soon", "max_mb=-1", "max_mb=1025"} {
		if status, text := r.admin("POST", "/debug/capture?"+bad); status != http.StatusBadRequest || !bytes.Contains(text, []byte("whole number between 1 and")) {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
	if status, _ := r.admin("POST", "/debug/capture?minutes=1&max_mb=1"); status != http.StatusAccepted {
		t.Fatalf("start: %d", status)
	}
	if status, _ := r.admin("POST", "/debug/capture"); status != http.StatusConflict {
		t.Errorf("a second capture: %d", status)
	}
	const literals = `query ` + canary + ` { ` + canary + `: timeEntries(first: 10, filter: {text: "` + canary + `"}) { nodes { id } } ...` + canary + ` }
		fragment ` + canary + ` on Query { projects(first: 5) { nodes { id } } } # ` + canary
	r.ask(literals, nil)
	r.ask(strings.Replace(literals, `text: "`+canary, `text: "other `+canary, 1), nil)
	start := `mutation Go($d: String, $id: String) { startTimer(input: {description: $d, idempotencyKey: $id}) { timeEntry { id } userErrors { message } } }`
	r.ask(start, map[string]any{"d": canary, "id": "018f4d3e-7b1c-7000-8000-000000004711"})
	r.must(call{query: `{ projects { nodes { id } } }`, token: r.token}) // refused: no page size
	r.must(call{query: `{ nonsense }`, token: r.token})                  // not understood
	status, zipped := r.admin("DELETE", "/debug/capture")
	if status != http.StatusOK {
		t.Fatalf("end: %d %s", status, zipped)
	}
	text, header, rows := readCapture(t, zipped)
	for _, secret := range []string{canary, "018f4d3e", "Canary", r.token, "Acme", "Olga"} {
		if strings.Contains(text, secret) {
			t.Errorf("the capture holds %q:\n%s", secret, text)
		}
	}
	if len(rows) != 4 || header.Rows != 4 || header.Dropped != 0 || header.Schema != schemaHash() {
		t.Fatalf("header %+v with %d rows, want 4", header, len(rows))
	}
	if rows[0].Operation != rows[1].Operation || len(header.Documents) != 3 {
		t.Error("documents that differ by a literal are not the same")
	}
	if rows[0].Variables["l1"] == rows[1].Variables["l1"] || rows[0].User == "" || rows[0].User != rows[2].User || rows[0].Role != "owner" {
		t.Errorf("rows %+v", rows)
	}
	if rows[3].Outcome != codeSlicing || rows[0].Outcome != "run" {
		t.Errorf("outcomes %q and %q", rows[3].Outcome, rows[0].Outcome)
	}
	doc := header.Documents[rows[0].Operation]
	if doc.Name != "query_timeEntries_projects" || doc.Class != rows[0].Class {
		t.Errorf("document %+v", doc)
	}
	if len(rows[0].Variables["l1"].(string)) != len(canary) {
		t.Errorf("%q became %q", canary, rows[0].Variables["l1"])
	}
	if state, _ := r.admin("GET", "/debug/capture"); state != http.StatusNotFound {
		t.Errorf("a capture that was fetched is still there: %d", state)
	}
	r.replays(t, header, rows[:3])
}

// replays checks that what was captured can be sent again: documents are valid
// and variables fit them.
func (r *rig) replays(t *testing.T, header captureHeader, rows []captureRow) {
	t.Helper()
	for _, row := range rows {
		a := r.must(call{query: header.Documents[row.Operation].Text, variables: row.Variables, token: r.token})
		if a.status != http.StatusOK || len(a.Errors) > 0 {
			t.Errorf("%s with %v: %s", header.Documents[row.Operation].Text, row.Variables, a.raw)
		}
	}
}

// A row is also a target as vegeta reads it.
func TestCaptureRowsAreTargets(t *testing.T) {
	r := newRig(t, nil)
	r.admin("POST", "/debug/capture")
	r.ask(`{ viewer { role } }`, nil)
	_, zipped := r.admin("DELETE", "/debug/capture")
	text, _, _ := readCapture(t, zipped)
	_, rows, _ := strings.Cut(text, "\n")
	var target vegeta.Target
	if err := vegeta.NewJSONTargeter(strings.NewReader(rows), nil, nil)(&target); err != nil || target.Method != "POST" || target.URL != "/graphql" {
		t.Errorf("target %+v, %v", target, err)
	}
}

// What is asked again after a refusal is marked as a retry, also with a new
// idempotency key; what was answered is not.
func TestCaptureMarksRetries(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(3, 0.001) })
	start := func() answer {
		return r.must(call{
			query: `mutation($key: String) { startTimer(input: {description: "work", idempotencyKey: $key}) { timeEntry { id } } }`,
			token: r.token, variables: map[string]any{"key": uuid.NewString()},
		})
	}
	for range 50 { // until the budget is used up
		if a := start(); a.code() == codeThrottled {
			break
		}
	}
	r.admin("POST", "/debug/capture")
	for range 3 {
		if a := start(); a.code() != codeThrottled {
			t.Fatalf("not refused: %s", a.raw)
		}
	}
	_, zipped := r.admin("DELETE", "/debug/capture")
	_, _, rows := readCapture(t, zipped)
	var attempts []int
	for _, row := range rows {
		attempts = append(attempts, row.Attempt)
	}
	if !slices.Equal(attempts, []int{1, 2, 3}) {
		t.Errorf("attempts %v, want 1, 2, 3", attempts)
	}
}

// A capture that nobody writes down fast enough drops rows and never waits.
func TestCaptureNeverWaits(t *testing.T) {
	c, err := newCapture(redactor{}, slog.New(slog.DiscardHandler), time.Now(), time.Minute, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer c.file.Close()
	for range captureQueue + 10 { // nothing reads the queue
		c.offer(captured{})
	}
	if got := c.dropped.Load(); got != 10 {
		t.Errorf("%d dropped, want 10", got)
	}
}

// The size bounds a capture: it ends by itself and keeps what it has.
func TestCaptureEndsAtItsSize(t *testing.T) {
	r := newRig(t, nil)
	r.admin("POST", "/debug/capture?max_mb=1")
	c := r.server.recorder.recording.Load()
	doc, f := r.server.documents.find(t.Context(), params{query: `query($t: String) { timeEntries(first: 1, filter: {text: $t}) { nodes { id } } }`}, &timings{})
	if f != nil {
		t.Fatal(f.message)
	}
	for n := 0; ; n++ {
		select {
		case <-c.ended:
		default:
			c.offer(captured{doc: doc, vars: map[string]any{"t": strings.Repeat("x", 1000) + time.Duration(n).String()}, class: "interactive", decision: "run", status: 200})
			continue
		}
		break
	}
	if bytes := c.bytes.Load(); bytes < 1<<20 || bytes > 2<<20 {
		t.Errorf("it ended with %d bytes, want a little over a MiB", bytes)
	}
	if _, zipped := r.admin("DELETE", "/debug/capture"); len(zipped) < 1<<20 {
		t.Errorf("%d bytes were handed over", len(zipped))
	}
}

// Without a capture a request pays for one look at a pointer.
func TestCaptureCostsNothingWhenOff(t *testing.T) {
	s := &Server{now: time.Now}
	r := &request{}
	if n := testing.AllocsPerRun(100, func() { s.observe(r, 200, "run") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCaptureOff(b *testing.B) {
	s := &Server{now: time.Now}
	r := &request{}
	for b.Loop() {
		s.observe(r, 200, "run")
	}
}
