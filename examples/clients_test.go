package examples

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"headroom/limits"
)

// refusal is an answer to a request that a stand-in gives before it lets the
// next ones pass.
type refusal struct {
	status     int
	retryAfter string
	extensions string
}

var (
	throttled = refusal{429, "1", `"code":"THROTTLED","cost":2,"retryAfterMs":20`}
	expired   = refusal{504, "", `"code":"DEADLINE_EXCEEDED","outcome":"unknown"`}
)

// refuseFirst stands before a server and refuses the first request.
func refuseFirst(t *testing.T, target string, with refusal) (address string, requests *atomic.Int64) {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	to.Path = ""
	proxy := httputil.NewSingleHostReverseProxy(to)
	requests = new(atomic.Int64)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			proxy.ServeHTTP(w, r)
			return
		}
		if with.retryAfter != "" {
			w.Header().Set("Retry-After", with.retryAfter)
		}
		w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
		w.WriteHeader(with.status)
		fmt.Fprintf(w, `{"errors":[{"message":"not now","extensions":{%s}}]}`, with.extensions)
	}))
	t.Cleanup(web.Close)
	return web.URL + "/graphql", requests
}

// TestClients runs the snippets against a server that refuses at first.
func TestClients(t *testing.T) {
	const work = `"startedAt":"2025-10-15T12:00:00+03:00","endedAt":"2025-10-15T13:00:00+03:00"`
	keyed := file(t, `{"input":{`+work+`,"idempotencyKey":"k"}}`)
	bare := file(t, `{"input":{`+work+`}}`)
	for _, test := range []struct {
		name     string
		snippet  []string
		refusal  refusal
		args     []string
		requests int64
		want     string
	}{
		{"curl waits for its budget", curl, throttled, []string{"my-day.graphql"}, 2, `"entryCount":3`},
		{"curl repeats a mutation", curl, expired, []string{"create-entry-once.graphql", keyed}, 2, `"userErrors":[]`},
		{"fetch waits for its budget", fetch, throttled, []string{"my-day.graphql"}, 2, `"entryCount":3`},
		{"fetch repeats a mutation with a key", fetch, expired, []string{"create-entry-once.graphql", keyed}, 2, `"userErrors":[]`},
		{"fetch repeats no mutation without one", fetch, expired, []string{"create-entry-once.graphql", bare}, 1, `DEADLINE_EXCEEDED:notnow`},
	} {
		t.Run(test.name, func(t *testing.T) {
			address, requests := refuseFirst(t, open(t, limits.Rate{}), test.refusal)
			out := run(t, address, append(test.snippet, test.args...))
			if n := requests.Load(); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			if !strings.Contains(out, test.want) {
				t.Errorf("want %s in %s", test.want, out)
			}
		})
	}
}

// The shell client has a file written and fetches it, and does so once.
func TestExportClient(t *testing.T) {
	address := open(t, limits.Rate{})
	file := filepath.Join(t.TempDir(), "entries.csv")
	for range 2 {
		if out := run(t, address, []string{"clients/export.sh", "2020-01-01", "2030-12-31", file}); !strings.Contains(out, "entries.csv:OK") {
			t.Fatal(out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), "description,billable,") || strings.Count(string(text), "\r\n") < 4 {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

// The snippets that can be run here.
var (
	curl  = []string{"clients/headroom.sh"}
	fetch = []string{"node", "clients/fetch.mjs"}
)

// run runs a snippet as the member and returns all that it prints, without
// white space. A machine that lacks what a snippet needs skips its test.
func run(t *testing.T, address string, command []string) string {
	t.Helper()
	needs := []string{command[0]}
	if filepath.Ext(command[0]) == ".sh" {
		needs = []string{"bash", "curl", "jq"}
	}
	for _, program := range needs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("the snippet needs what is not here:", err)
		}
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "HEADROOM_URL="+address, "HEADROOM_TOKEN=member")
	out, err := cmd.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), "")
}

// file is a file of a test's own that holds a text.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "variables.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
