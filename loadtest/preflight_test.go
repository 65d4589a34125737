package loadtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAllowed(t *testing.T) {
	tests := []struct {
		address, own string
		exit         Exit
	}{
		{"http://127.0.0.1:8080/graphql", "", ExitPass},
		{"http://127.8.9.1:8080/graphql", "", ExitPass},
		{"http://[::1]:8080/graphql", "", ExitPass},
		{"http://localhost:8080/graphql", "", ExitPass},
		{"http://LocalHost:8080/graphql", "", ExitPass},
		{"http://127.0.0.1/graphql", "", ExitPass},
		{"https://127.0.0.1/graphql", "", ExitPass},
		{"http://example.com/graphql", "", ExitRefused},
		{"http://127.0.0.1.example.com/graphql", "", ExitRefused},
		{"http://localhost.example.com/", "", ExitRefused},
		{"http://10.0.0.7:8080/graphql", "", ExitRefused},
		{"http://0.0.0.0:8080/graphql", "", ExitRefused},
		{"http://127.0.0.1@example.com/graphql", "", ExitRefused},
		{"https://staging.example.com/graphql", "staging.example.com", ExitPass},
		{"http://10.0.0.7:8080/graphql", "10.0.0.7", ExitPass},
		{"http://10.0.0.7:8080/graphql", "10.0.0.8", ExitRefused},
		{"http://example.com/graphql", "example", ExitRefused},
		{"http://:8080/graphql", "", ExitUsage},
		{"127.0.0.1:8080", "", ExitUsage},
		{"file:///etc/passwd", "", ExitUsage},
		{"http://[::1", "", ExitUsage},
		{"", "", ExitUsage},
	}
	for _, tt := range tests {
		t.Run(tt.address+" "+tt.own, func(t *testing.T) {
			u, err := allowed(tt.address, tt.own)
			if tt.exit != ExitPass {
				if err == nil || ExitOf(err) != tt.exit {
					t.Errorf("%v, %v, want exit %d", u, err, tt.exit)
				}
				return
			}
			if err != nil || u.Port() == "" {
				t.Errorf("%v, %v, want an address with a port", u, err)
			}
		})
	}
}

// Who says that another host is theirs, of a target that is this machine, opens no way
// out of it, and does not keep surge from looking who else uses it.
func TestOwnOfThisMachine(t *testing.T) {
	s, err := connect(t.Context(), Config{Target: fake(t, nil), Own: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.client.close()
	if watched := newWatch(s.target.Port()); s.Own != "" || s.watch != watched {
		t.Errorf("the host that may be loaded is %q, and what is watched %+v; want none, and %+v", s.Own, s.watch, watched)
	}
}

// A name that resolves elsewhere is stopped at the socket.
func TestRefuseStrangers(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "192.0.2.1:80": false, "[2001:db8::1]:80": false} {
		if err := refuseStrangers("tcp", address, nil); (err == nil) != want {
			t.Errorf("dial %s: %v, want allowed %t", address, err, want)
		}
	}
}

func deadPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String() + "/graphql"
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + "/graphql"
}

func TestPreflight(t *testing.T) {
	page := func(status int, kind, body string) func(*testing.T) string {
		return func(t *testing.T) string {
			return serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(status)
				say(w, "%s", body)
			})
		}
	}
	viewer := func(status int, body string) func(*testing.T) string {
		return func(t *testing.T) string {
			return serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "" {
					say(w, `{"data":{"__typename":"Query"}}`)
					return
				}
				w.WriteHeader(status)
				say(w, "%s", body)
			})
		}
	}
	tests := []struct {
		name   string
		target func(*testing.T) string
		says   string // "" if the server is fit
	}{
		{"nothing listens", deadPort, "nothing listens"},
		{"login page", page(200, "text/html; charset=utf-8", "<html><TITLE> Sign in</TITLE></html>"), `200 with text/html ("Sign in"), not GraphQL`},
		{"login by redirect", page(302, "", ""), "not GraphQL"},
		{"no such path", page(404, "application/json", `{"message":"not found"}`), "404 with application/json, not GraphQL"},
		{"no such path of a GraphQL server", page(404, "application/json", `{"errors":[{"message":"not found"}]}`), "answers 404: is the path right?"},
		{"another API", page(200, "application/json", `[]`), "not GraphQL"},
		{"hangs up", func(t *testing.T) string {
			return serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, "does not answer"},
		{"token refused", viewer(401, `{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}`), "token of owner of demo is refused (401 UNAUTHENTICATED)"},
		{"token refused with 200", viewer(200, `{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}`), "is refused"},
		{"scope too small", viewer(403, `{"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}`), "is refused"},
		{"nobody", viewer(200, `{"data":{"viewer":null}}`), "is refused"},
		{"login page behind the first answer", viewer(200, `<html>`), "does not say who I am"},
		{"errors of its own are for the run to judge", viewer(200, `{"errors":[{"message":"boom","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`), ""},
		{"busy", viewer(503, `{"errors":[{"message":"busy","extensions":{"code":"OVERLOADED"}}]}`), ""},
		{"fit", func(t *testing.T) string { return fake(t, nil) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(t.Context(), Config{Scenario: "smoke", Target: tt.target(t)})
			if tt.says == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || ExitOf(err) != ExitUnreachable || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want exit %d and %q", err, ExitUnreachable, tt.says)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %v", err)
			}
		})
	}
}

func TestPreflightInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(ctx, Config{Scenario: "smoke", Target: fake(t, nil)}); ExitOf(err) != ExitInterrupted || err == nil {
		t.Errorf("error %v, want exit %d", err, ExitInterrupted)
	}
}

func TestOpenUsage(t *testing.T) {
	target := fake(t, nil)
	for name, c := range map[string]Config{
		"unknown scenario":   {Scenario: "soap", Target: target},
		"too long":           {Scenario: "smoke", Target: target, Duration: 3 * time.Hour},
		"negative rate":      {Scenario: "smoke", Target: target, Rate: -1},
		"rate out of reach":  {Scenario: "smoke", Target: target, Rate: 1e9},
		"admin not loopback": {Scenario: "smoke", Target: target, Admin: "http://10.0.0.1:8081"},
	} {
		want := ExitUsage
		if name == "admin not loopback" {
			want = ExitRefused
		}
		if _, err := open(t.Context(), c); err == nil || ExitOf(err) != want {
			t.Errorf("%s: %v, want exit %d", name, err, want)
		}
	}
}

func TestScoutLearns(t *testing.T) {
	s := testSession(t, fake(t, nil))
	if got := s.deck.scene.last.Format(time.DateOnly); got != "2026-03-02" {
		t.Errorf("the newest day is %s, want 2026-03-02", got)
	}
	for _, u := range s.deck.scene.users {
		if !slices.Equal(u.projects, []string{"p1", "p2"}) {
			t.Errorf("%s has the projects %v, want p1 and p2", u, u.projects)
		}
	}
}

func TestAdmitLearnsTheRole(t *testing.T) {
	s, err := open(t.Context(), Config{Scenario: "smoke", Target: fake(t, nil), Token: "demo-manager"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.deck.scene.users[0].Role; got != "manager" {
		t.Errorf("role %q, want manager", got)
	}
}

func TestAdminOf(t *testing.T) {
	u, err := allowed("http://[::1]:9000/graphql", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := adminOf(u); got != "http://[::1]:9001" {
		t.Errorf("the operators' address is %s, want the next port", got)
	}
}

// The error of a run against a server that is not ours names the reason in one
// line, and its code tells scripts that nothing was sent.
func ExampleRun_refused() {
	_, err := Run(context.Background(), Config{Scenario: "smoke", Target: "http://example.com/graphql"})
	fmt.Println(ExitOf(err), err)
	// Output: 7 example.com is not this machine: to load it, say that it is yours with --i-own example.com
}
