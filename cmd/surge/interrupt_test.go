package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"headroom/loadtest"
)

// asSurge makes the test binary surge itself.
const asSurge = "SURGE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asSurge) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Who presses Ctrl-C twice still finds what was sent, and no pass.
func TestInterruptedTwice(t *testing.T) {
	loaded := make(chan struct{})
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			return // cut off by the interrupt
		}
		if strings.Contains(body.String(), "operationName") {
			if n.Add(1) == 50 {
				close(loaded)
			}
		}
		fmt.Fprint(w, `{"data":{"viewer":{"role":"OWNER"}}}`)
	}))
	defer server.Close()
	out := t.TempDir()
	command := exec.Command(os.Args[0], "run", "smoke", "--target", server.URL, "--out", out)
	command.Env = append(os.Environ(), asSurge+"=1")
	var text bytes.Buffer
	command.Stdout, command.Stderr = &text, &text
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	<-loaded
	for range 2 {
		if err := command.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	err := command.Wait()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != int(loadtest.ExitInterrupted) || !strings.Contains(text.String(), "\nINTERRUPTED") {
		t.Fatalf("ended with %v, want exit %d and a report:\n%s", err, loadtest.ExitInterrupted, &text)
	}
	stored, err := loadtest.ReadRecord(out)
	if err != nil || stored.Verdict.Exit != loadtest.ExitInterrupted {
		t.Errorf("the stored run: %v, want one that was interrupted", err)
	}
	if results, err := os.ReadFile(filepath.Join(out, "results.csv")); err != nil || bytes.Count(results, []byte("\n")) < 20 {
		t.Errorf("results: %v, %d bytes; want those of most of 50 operations", err, len(results))
	}
}
