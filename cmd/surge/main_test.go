package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"headroom/loadtest"
)

func TestRunExits(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + dead.Addr().String() + "/graphql"
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<title>Sign in</title>")
	}))
	defer login.Close()
	tests := []struct {
		name string
		args []string
		want loadtest.Exit
		says string
	}{
		{"help", []string{"--help"}, 0, "Usage: surge <command>"},
		{"help of run", []string{"run", "--help"}, 0, "surge run report-storm --tokens tokens.csv --twice"},
		{"version", []string{"--version"}, 0, "surge (devel) go1."},
		{"nothing", nil, 1, "expected"},
		{"no scenario", []string{"run"}, 1, "<scenario>"},
		{"unknown scenario", []string{"run", "soap", "--target", nobody}, 1, `did you mean "soak"?`},
		{"unknown flag", []string{"run", "smoke", "--nope"}, 1, "unknown flag --nope; see surge run --help\n"},
		{"bad duration", []string{"run", "smoke", "--duration", "soon"}, 1, "soon"},
		{"a rate of 0", []string{"run", "smoke", "--rate", "0"}, 1, "--rate must be more than 0"},
		{"no duration", []string{"run", "smoke", "--duration", "0s"}, 1, "--duration must be more than 0"},
		{"token and tokens", []string{"run", "smoke", "--token", "t", "--tokens", "f"}, 1, "can't be used together"},
		{"validate without a server", []string{"validate", "smoke", "--target", nobody}, 2, "no schema to check against"},
		{"breakpoint without rates of its own", []string{"breakpoint", "report-storm", "--target", nobody}, 2, "nothing listens"},
		{"breakpoint backwards", []string{"breakpoint", "smoke", "--from=-1"}, 1, "--from and --to must not be less than 0"},
		{"breakpoint from no number", []string{"breakpoint", "smoke", "--from=NaN"}, 1, "--from and --to must not be less than 0"},
		{"validate nonsense", []string{"validate", "smoke", "--nope"}, 1, "see surge validate --help"},
		{"no such tokens", []string{"run", "smoke", "--tokens", "no-such-file"}, 1, "no-such-file"},
		{"twice without a server", []string{"run", "report-storm", "--twice"}, 1, "go together"},
		{"a server without twice", []string{"run", "report-storm", "--serve", "headroom serve"}, 1, "go together"},
		{"nothing listens", []string{"run", "smoke", "--target", nobody}, 2, "nothing listens"},
		{"a login page", []string{"run", "smoke", "--target", login.URL}, 2, "Sign in"},
		{"not this machine", []string{"run", "smoke", "--target", "http://example.com/graphql"}, 7, "--i-own example.com"},
		{"not this machine, and nonsense", []string{"run", "soap", "--target", "http://example.com/graphql"}, 7, "--i-own example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			got := run(t.Context(), tt.args, &stdout, &stderr)
			if got != tt.want || !strings.Contains(stdout.String()+stderr.String(), tt.says) {
				t.Errorf("exit %d, want %d and %q\nstdout: %s\nstderr: %s", got, tt.want, tt.says, &stdout, &stderr)
			}
		})
	}
}

// Ctrl-C in the middle of a run ends it with a report of what there was.
func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		var body struct{ OperationName string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		if body.OperationName != "" {
			cancel()
		}
		fmt.Fprint(w, `{"data":{"viewer":{"role":"OWNER"}}}`)
	}))
	defer server.Close()
	var stdout, stderr bytes.Buffer
	got := run(ctx, []string{"run", "smoke", "--target", server.URL}, &stdout, &stderr)
	if got != loadtest.ExitInterrupted || !strings.Contains(stdout.String(), "\nINTERRUPTED") {
		t.Errorf("exit %d, want %d with a report\nstdout: %s\nstderr: %s", got, loadtest.ExitInterrupted, &stdout, &stderr)
	}
}
