package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"headroom/loadtest"
)

// steady is a scenario of one operation that simple servers answer.
const steady = `version: 1
name: steady
about: One operation, again and again.
extend: 0
classes: { interactive: { slo: { ok: 99% } } }
operations:
  Ask: { class: interactive, document: "query Ask { viewer { role } }", expect: viewer }
phases:
  - { name: load, for: LENGTH, streams: [ { mix: { Ask: 1 }, rate: 500, arrivals: even } ] }
`

// watched starts a server that answers at once, and calls look before each operation.
func watched(t *testing.T, look func()) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil || r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		if strings.Contains(body.String(), "operationName") {
			look()
		}
		fmt.Fprint(w, `{"data":{"viewer":{"role":"OWNER"}}}`)
	}))
	t.Cleanup(server.Close)
	return server
}

// surgeOf is the real program, which runs steady and stores it.
func surgeOf(t *testing.T, target, length, out string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	scenario := filepath.Join(t.TempDir(), "steady.yaml")
	if err := os.WriteFile(scenario, []byte(strings.Replace(steady, "LENGTH", length, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "run", scenario, "--target", target, "--out", out)
	command.Env = append(os.Environ(), asSurge+"=1")
	said := &bytes.Buffer{}
	command.Stdout, command.Stderr = said, said
	return command, said
}

// requests are those that vegeta's own report counts in a file.
func requests(t *testing.T, results string) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../tools/go.mod", "vegeta", "report", results).CombinedOutput()
	found := regexp.MustCompile(`(?m)^Requests .* (\d+), `).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("vegeta report: %v\n%.500s", err, out)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A surge that is killed in the middle leaves what it has sent so far, which vegeta
// reads, and no verdict: not its own, and not that of an older run in the folder.
func TestKilledInTheMiddle(t *testing.T) {
	out := t.TempDir()
	for _, old := range []string{"run.json", "report.txt"} {
		if err := os.WriteFile(filepath.Join(out, old), []byte("of an older run"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	results := filepath.Join(out, "results.csv")
	const least = 500
	seen := make(chan struct{})
	var once sync.Once
	server := watched(t, func() {
		if text, err := os.ReadFile(results); err == nil && bytes.Count(text, []byte("\n")) >= least {
			once.Do(func() { close(seen) })
		}
	})
	command, said := surgeOf(t, server.URL, "60s", out)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case <-seen:
	case err := <-ended:
		t.Fatalf("surge ended by itself, %v, before %d results were written:\n%s", err, least, said)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if n := requests(t, results); n < least {
		t.Errorf("vegeta counts %d requests, want the %d that were seen and more", n, least)
	}
	if _, err := loadtest.ReadRecord(out); err == nil || !strings.Contains(err.Error(), "holds results and no verdict") {
		t.Errorf("the folder is read as %v, want that it holds no verdict", err)
	}
}
