package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// One token is blocked on all servers, by its number or its id; the person's other
// tokens are not, and a timer can be stopped.
func TestTokenIsBlocked(t *testing.T) {
	dsn := storetest.New(t)
	here, there := steered(t, dsn, nil), steered(t, dsn, nil)
	const who = `{ viewer { role } }`
	made := here.ask(`mutation { createToken(input: {name: "a script"}) { text token { id } } }`, nil).Data["createToken"].(map[string]any)
	script := call{query: who, token: made["text"].(string)}
	if status, text := there.order(http.MethodPost, "token", made["token"].(map[string]any)["id"].(string), 3600); status != http.StatusCreated || !strings.Contains(text, "a script of Acme") {
		t.Fatalf("the order: %d %s", status, text)
	}
	here.until("the other server follows", script, blocked)
	if a := here.must(call{query: who, token: here.token}); !answered(a) {
		t.Errorf("another token: %s", a.raw)
	}
	if a := here.must(call{query: stopsTimer, token: script.token}); !answered(a) {
		t.Errorf("who stops a timer: %s", a.raw)
	}
	v, _ := here.server.keys.readToken(script.token, time.Now())
	if status, text := there.order(http.MethodDelete, "token", fmt.Sprint(v.token), 0); status != http.StatusOK {
		t.Errorf("the end: %d %s", status, text)
	}
	here.until("the other server follows", script, answered)
}

// Each rung that people want acts on all servers, whatever the gate's mode, and ends
// by itself; an open gate refuses nobody, so there is no rung.
func TestBrownoutByOrder(t *testing.T) {
	dsn := storetest.New(t)
	here := steered(t, dsn, func(c *Config) { c.Gate = Adaptive })
	there := steered(t, dsn, func(c *Config) { c.Gate = Fixed })
	write := call{query: `mutation { createTag(input: {name: "urgent"}) { tag { id } } }`, token: there.token}
	read := call{query: `{ viewer { role } }`, token: there.token}
	code := func(want string) func(answer) bool { return func(a answer) bool { return a.code() == want } }

	give := func(kind, subject string, seconds float64) {
		t.Helper()
		if status, text := here.order(http.MethodPost, kind, subject, seconds); status != http.StatusCreated {
			t.Fatalf("%s %s: %d %s", kind, subject, status, text)
		}
	}
	give("brownout", "read_only", 3600)
	there.until("nothing is written", write, code(codeReadOnly))
	if a := there.must(read); !answered(a) {
		t.Errorf("who reads: %s", a.raw)
	}
	if v := there.limits(""); v.Brownout != "read_only" || len(v.Orders) != 1 || v.Orders[0].Text != "brownout: read_only at least" {
		t.Errorf("operators see %q, %+v", v.Brownout, v.Orders)
	}
	give("brownout", "only_control", 3600) // in place of the first
	there.until("only timers are stopped", read, code(codeOverloaded))
	if a := there.must(call{query: stopsTimer, token: there.token}); !answered(a) {
		t.Errorf("who stops a timer: %s", a.raw)
	}
	give("mode", "open", 3600)
	there.until("an open gate refuses nobody", read, answered)
	if status, text := here.order(http.MethodPost, "brownout", "read_only", 60); status != http.StatusBadRequest || !strings.Contains(text, "headroom gate mode auto") {
		t.Errorf("a rung of an open gate: %d %s", status, text)
	}
	here.order(http.MethodDelete, "mode", "", 0)
	there.until("the rung is back", read, code(codeOverloaded))
	give("brownout", "no_background", 1) // ends by itself
	there.until("everybody is served", write, answered)
	there.until("it is over", call{query: `{ __typename }`}, func(answer) bool { return there.server.rung("") == limits.Normal })
}

// The seats of each class are set on all servers; each order is about one class.
func TestSeatsByOrder(t *testing.T) {
	dsn := storetest.New(t)
	here := steered(t, dsn, func(c *Config) { c.Gate = Adaptive })
	there := steered(t, dsn, func(c *Config) { c.Gate = Adaptive })
	seats := func(class limits.Class) int { return there.server.snapshot().Classes[class].Seats }
	own := seats(limits.Interactive)
	for _, subject := range []string{"interactive=3", "interactive=2", "control=3"} {
		if status, text := here.order(http.MethodPost, "seats", subject, 3600); status != http.StatusCreated || !strings.Contains(text, "seats of "+strings.Replace(subject, "=", ": ", 1)) {
			t.Fatalf("%s: %d %s", subject, status, text)
		}
	}
	wait := func(what string, holds func() bool) {
		there.until(what, call{query: `{ __typename }`}, func(answer) bool { return holds() })
	}
	wait("the other server follows", func() bool { return seats(limits.Interactive) == 2 && seats(limits.Control) == 3 })
	if status, text := here.order(http.MethodDelete, "seats", "interactive", 0); status != http.StatusOK {
		t.Fatalf("the end: %d %s", status, text)
	}
	wait("its own again", func() bool { return seats(limits.Interactive) == own && seats(limits.Control) == 3 })
	here.order(http.MethodPost, "seats", "control=1", 1)
	wait("it ends by itself", func() bool { return seats(limits.Control) == 2 })
}

// A request that runs is ended by its id on whichever server runs it. Its client is
// told, its statement ends, its seat is free, and who gave the order learns what it was.
func TestKill(t *testing.T) {
	dsn := storetest.New(t)
	here, there := steered(t, dsn, nil), steered(t, dsn, nil)
	held, err := there.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Globex", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR", Owner: store.Person{Name: "Dora", Email: "dora@globex.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := there.mint(held, held.User, timesheet.ScopeWrite)
	release := observe(t, dsn).block()
	defer release()
	january := call{
		query: `query January { timesheetReport(input: {period: {from: "2026-01-05", to: "2026-01-20"}, groupBy: [USER]}) { totals { seconds } } }`, token: token,
		header: map[string]string{"X-Request-Id": "the-one", "Apollographql-Client-Name": "mobile", "Apollographql-Client-Version": "3.1.0"},
	}
	answers := make(chan answer, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		a, err := there.do(ctx, january)
		if err != nil {
			t.Error(err)
		}
		answers <- a
	}()
	there.until("it runs", call{query: `{ __typename }`}, func(answer) bool { return len(there.limits("").Running) > 0 })
	if v := there.limits(""); v.Running[0].Request != "the-one" {
		t.Errorf("operators see %+v", v.Running)
	}
	status, text := here.order(http.MethodPost, "kill", "the-one", 0)
	if status != http.StatusCreated || !strings.Contains(text, `request the-one is ended: January#`) || !strings.Contains(text, `of Globex, mobile@3.1.0, after `) {
		t.Fatalf("the order: %d %s", status, text)
	}
	a := <-answers
	if a.status != http.StatusServiceUnavailable || a.code() != codeOverloaded || a.Errors[0].Extensions["reason"] != "killed" || a.header.Get("Retry-After") == "" {
		t.Errorf("its client is answered %d %s", a.status, a.raw)
	}
	if c := there.server.snapshot().Classes[limits.Report]; c.Busy != 0 {
		t.Errorf("%d seats are taken after it", c.Busy)
	}
	if d := there.limits("").Decisions; len(d) == 0 || d[0].Why != "an operator has ended it" {
		t.Errorf("the decisions %+v", d)
	}
	last, err := here.store.LastOrders(t.Context(), 1)
	if err != nil || len(last) != 1 || last[0].Kind != "kill" || last[0].Reason != "it floods us" || last[0].By != "ann@desk" || !strings.HasPrefix(last[0].Label, "January#") {
		t.Errorf("what is kept: %+v, %v", last, err)
	}
	if status, text := here.order(http.MethodDelete, "kill", "the-one", 0); status != http.StatusBadRequest {
		t.Errorf("taking it back: %d %s", status, text)
	}
}
