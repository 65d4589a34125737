package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/timesheet"
)

// Each row of the status table, as a client of each media type sees it.
func TestStatusTable(t *testing.T) {
	r := newRig(t, nil)
	reader := r.mint(r.owner, r.owner.User, timesheet.ScopeRead)
	many := func(n int, field string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d: %s ", i, field)
		}
		return "{ " + b.String() + "}"
	}
	for _, test := range []struct {
		name          string
		call          call
		code          string
		graphql, json int
	}{
		{"bad JSON", call{body: `{"query":`, token: r.token}, codeBadRequest, 400, 400},
		{"wrong type", call{body: `{"query":{}}`, token: r.token}, codeBadRequest, 400, 400},
		{"syntax", call{query: `{ viewer `, token: r.token}, codeParseFailed, 400, 200},
		{"validation", call{query: `{ nothing }`, token: r.token}, codeValidationFailed, 400, 200},
		{"coercion", call{query: `query($n: Int!) { projects(first: $n) { nodes { id } } }`, variables: map[string]any{"n": "x"}, token: r.token}, codeBadUserInput, 400, 200},
		{"a literal that is no date", call{query: `{ myDay(date: "2026-02-30") { day } }`, token: r.token}, codeBadUserInput, 400, 200},
		{"a variable that is no zone", call{query: `query($z: TimeZone) { myDay(timeZone: $z) { day } }`, variables: map[string]any{"z": "CEST"}, token: r.token}, codeBadUserInput, 400, 200},
		{"a nested variable that is no instant", call{query: `mutation($i: CreateTimeEntryInput!) { createTimeEntry(input: $i) { userErrors { code } } }`, variables: map[string]any{"i": map[string]any{"startedAt": "23:59:60", "endedAt": "2026-03-02T09:00:00Z"}}, token: r.token}, codeBadUserInput, 400, 200},
		{"an enum value in another case", call{query: `mutation($i: StartTimerInput!) { startTimer(input: $i) { userErrors { code } } }`, variables: map[string]any{"i": map[string]any{"ifRunning": "fail"}}, token: r.token}, codeBadUserInput, 400, 200},
		{"a number for a text", call{query: `mutation($n: String!) { createTag(input: {name: $n}) { userErrors { code } } }`, variables: map[string]any{"n": 1.5}, token: r.token}, codeBadUserInput, 400, 200},
		{"a list for one value", call{query: `query($d: Date) { myDay(date: $d) { day } }`, variables: map[string]any{"d": []string{"2026-01-01"}}, token: r.token}, codeBadUserInput, 400, 200},
		{"an object for a value", call{query: `query($d: Date) { myDay(date: $d) { day } }`, variables: map[string]any{"d": map[string]any{}}, token: r.token}, codeBadUserInput, 400, 200},
		{"a value for an object", call{query: `mutation($i: StartTimerInput!) { startTimer(input: $i) { userErrors { code } } }`, variables: map[string]any{"i": "x"}, token: r.token}, codeBadUserInput, 400, 200},
		{"the schema three times", call{query: `{ a: __schema { queryType { name } } b: __schema { queryType { name } } ...F } fragment F on Query { c: __schema { queryType { name } } }`, token: r.token}, codeDocumentLimit, 400, 200},
		{"no such operation", call{body: `{"query":"query A { viewer { role } }","operationName":"B"}`, token: r.token}, codeNoOperation, 400, 200},
		{"two operations, none named", call{query: `query A { viewer { role } } query B { viewer { role } }`, token: r.token}, codeNoOperation, 400, 200},
		{"too many aliases", call{query: many(31, "runningTimer { id }"), token: r.token}, codeDocumentLimit, 400, 200},
		{"too large a body", call{body: `{"query":"{ viewer { role } }","variables":{"x":"` + strings.Repeat("x", maxBody) + `"}}`, token: r.token}, codeTooLarge, 413, 413},
		{"too large a query", call{query: "{ viewer { role } } #" + strings.Repeat("x", maxQuery), token: r.token}, codeTooLarge, 413, 413},
		{"too expensive", call{query: `{ projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } members(first: 100) { nodes { id } } } } }`, token: r.token}, codeTooExpensive, 400, 200},
		{"no slicing argument", call{query: `{ projects { nodes { id } } }`, token: r.token}, codeSlicing, 400, 200},
		{"both slicing arguments", call{query: `{ projects(first: 1, last: 1) { nodes { id } } }`, token: r.token}, codeSlicing, 400, 200},
		{"an unknown persisted id", call{body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hashOf("nothing") + `"}}}`, token: r.token}, codePersistedUnknown, 200, 200},
		{"no token", call{query: `{ viewer { role } }`}, codeUnauthenticated, 401, 401},
		{"a bad token", call{query: `{ __typename }`, token: "hr_forged"}, codeUnauthenticated, 401, 401},
		{"a scope that excludes it", call{query: `mutation { stopTimer(input: {}) { userErrors { code } } }`, token: reader}, codeForbidden, 403, 403},
		{"a mutation by GET", call{method: http.MethodGet, path: `/graphql?query=mutation%7BstopTimer(input:%7B%7D)%7BuserErrors%7Bcode%7D%7D%7D`, token: r.token}, codeMethod, 405, 405},
		{"another method", call{method: http.MethodPut, body: `{}`, token: r.token}, codeMethod, 405, 405},
		{"another content type", call{body: `query`, contentType: "text/plain", token: r.token}, codeMediaType, 415, 415},
		{"a subscription", call{query: `subscription { x }`, token: r.token}, codeValidationFailed, 400, 200},
	} {
		for media, want := range map[string]int{mediaGraphQL: test.graphql, mediaJSON: test.json} {
			t.Run(test.name+" as "+media, func(t *testing.T) {
				r.t = t
				c := test.call
				c.accept = media
				a := r.must(c)
				if a.status != want || a.code() != test.code {
					t.Errorf("status %d, code %q, want %d, %q\n%s", a.status, a.code(), want, test.code, a.raw)
				}
				if strings.Contains(a.raw, `"data"`) {
					t.Errorf("data stands in an answer to a request that was not run: %s", a.raw)
				}
				if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, media) {
					t.Errorf("Content-Type %q, want %q", got, media)
				}
				if a.header.Get("X-Request-Id") == "" {
					t.Error("no X-Request-Id")
				}
			})
		}
	}
	t.Run("not acceptable", func(t *testing.T) {
		r.t = t
		a := r.must(call{query: `{ viewer { role } }`, token: r.token, accept: "text/event-stream"})
		if a.status != http.StatusNotAcceptable || a.code() != codeNotAcceptable {
			t.Errorf("status %d, code %q", a.status, a.code())
		}
	})
}

func TestCostIsTold(t *testing.T) {
	r := newRig(t, nil)
	a := r.ask(`{ projects(first: 50) { nodes { client { name } } } }`, nil)
	c := a.Extensions.Cost
	if c == nil {
		t.Fatal("no extensions.cost:", a.raw)
	}
	if c.Requested != 1 || c.Limit != 1000 || c.Class != "interactive" || c.Basis != limits.Declared || c.Actual == nil {
		t.Errorf("cost %+v, want 1 of 1000, interactive, declared, with an actual", *c)
	}
	if c.Throttle.Maximum != 2000 || c.Throttle.Restore != 100 || c.Throttle.Available > 2000 {
		t.Errorf("throttleStatus %+v, want 2000 at 100", c.Throttle)
	}
	for _, name := range []string{"X-Cost-Estimated", "X-Cost-Actual", "X-Cost-Max", "Ratelimit", "Ratelimit-Policy", "Server-Timing"} {
		if a.header.Get(name) == "" {
			t.Errorf("no header %s", name)
		}
	}
}

func TestSuggestionsAreAList(t *testing.T) {
	r := newRig(t, nil)
	r.server.caps.Points = 0.1
	a := r.must(call{query: `{ viewer { role } }`, token: r.token})
	if s, ok := a.Errors[0].Extensions["suggestions"].([]any); a.code() != codeTooExpensive || !ok || len(s) != 0 {
		t.Errorf("want an empty list of suggestions: %s", a.raw)
	}
}

func TestSuggestionIsAccepted(t *testing.T) {
	r := newRig(t, nil)
	query := `query($n: Int!) { projects(first: $n) { nodes { tasks(first: 100) { nodes { id } } members(first: 60) { nodes { id } } } } }`
	refused := r.must(call{query: query, variables: map[string]any{"n": 100}, token: r.token, accept: mediaGraphQL})
	if refused.code() != codeTooExpensive {
		t.Fatalf("code %q: %s", refused.code(), refused.raw)
	}
	suggestions, _ := refused.Errors[0].Extensions["suggestions"].([]any)
	for _, s := range suggestions {
		s := s.(map[string]any)
		if s["kind"] == limits.ReduceArgument && s["path"] == "projects" {
			n := s["maxAccepted"].(float64)
			r.ask(query, map[string]any{"n": n})
			if a := r.must(call{query: query, variables: map[string]any{"n": n + 1}, token: r.token}); a.code() != codeTooExpensive {
				t.Errorf("first: %v is accepted, one more than the largest suggested", n+1)
			}
			return
		}
	}
	t.Errorf("no suggestion to reduce projects(first:): %v", suggestions)
}

func TestOverloaded(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Cores = 1 })
	query := `{ timesheetReport(input: {period: {from: "2026-01-01", to: "2026-01-31"}, groupBy: [PROJECT]}) { asOf } }`
	permit, refusal := r.server.gate.Admit(t.Context(), limits.Request{Class: limits.Report, Tenant: "another"})
	if refusal != nil {
		t.Fatal("the only report seat is taken at once")
	}
	defer permit.Drop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	outcomes := make(chan answer, 200)
	for range cap(outcomes) {
		go func() {
			a, err := r.do(ctx, call{query: query, token: r.token})
			if err == nil {
				outcomes <- a
			}
		}()
	}
	a := <-outcomes // the queue is short: the first to be answered was refused
	if a.status != http.StatusServiceUnavailable || a.code() != codeOverloaded {
		t.Fatalf("status %d, code %q, want 503 %s", a.status, a.code(), codeOverloaded)
	}
	if a.header.Get("Retry-After") == "" || a.Errors[0].Extensions["class"] != "report" {
		t.Errorf("no hint or class: %s", a.raw)
	}
	r.ask(`{ runningTimer { id } }`, nil) // interactive operations do not notice
}

// Strangers may see no more than the type's name and, where it is on, the
// schema.
func TestStrangers(t *testing.T) {
	open, closed := newRig(t, nil), newRig(t, func(c *Config) { c.Inspect = false })
	introspection := `{ __schema { queryType { name } } }`
	if a := open.must(call{query: `{ __typename }`}); a.Data["__typename"] != "Query" {
		t.Errorf("__typename without a token: %s", a.raw)
	}
	if a := open.must(call{query: introspection}); a.code() != "" {
		t.Errorf("introspection where it is on: %s", a.raw)
	}
	if a := closed.must(call{query: introspection}); a.code() != codeUnauthenticated {
		t.Errorf("introspection where it is off: %s", a.raw)
	}
	if a := closed.must(call{query: introspection, token: closed.token}); a.code() != "" {
		t.Errorf("introspection with a token: %s", a.raw)
	}
	for _, query := range []string{
		`{ viewer { role } }`, `{ ... { viewer { role } } }`, `{ ...F } fragment F on Query { viewer { role } }`,
		`{ __typename projects(first: 1) { nodes { id } } }`, `mutation { stopTimer(input: {}) { userErrors { code } } }`,
	} {
		if a := open.must(call{query: query}); a.code() != codeUnauthenticated {
			t.Errorf("%s without a token: %s", query, a.raw)
		}
	}
}

// A database that cannot be reached would answer 503: forged tokens are refused
// before anybody asks it.
func TestForgedTokensCauseNoSQL(t *testing.T) {
	r := newRig(t, nil)
	r.store.Close()
	for i := range 1000 {
		forged := []byte(r.token)
		forged[3+i%(len(forged)-3)] ^= byte(1 + i%5)
		a := r.must(call{query: `{ viewer { role } }`, token: string(forged)})
		if a.status != http.StatusUnauthorized {
			t.Fatalf("forged token %d: status %d, %s", i, a.status, a.raw)
		}
	}
	if a := r.must(call{query: `{ viewer { role } }`, token: r.token}); a.status != http.StatusServiceUnavailable || a.code() != codeUnavailable {
		t.Errorf("a good token without a database: status %d, %s, want 503 %s", a.status, a.raw, codeUnavailable)
	}
}

func TestMeasureRefusesNothing(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Mode, c.User = Measure, budget(1, 0.001) })
	if _, short := r.server.accountOf(credential{workspace: r.owner.Workspace.ID, user: r.owner.User}).reserve(1); short != nil {
		t.Fatal("a full budget refuses its one point")
	}
	r.ask(`{ timesheetReport(input: {period: {from: "2026-01-01", to: "2026-01-31"}, groupBy: [PROJECT]}) { asOf } }`, nil)
	families, err := r.server.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "headroom_limit_total" && len(family.GetMetric()) == 1 && family.GetMetric()[0].GetCounter().GetValue() == 1 {
			return
		}
	}
	t.Error("headroom_limit_total does not count what would have been throttled")
}

// A dear mutation is background work: the pool of reports only reads.
func TestDearMutationWrites(t *testing.T) {
	r := newRig(t, nil)
	a := r.ask(`mutation { createProject(input: {name: "X"}) { project { id tasks(first: 100) { nodes { id project { id tasks(first: 30) { nodes { id } } } } } } userErrors { code } } }`, nil)
	if a.Extensions.Cost.Class != "background" || find(a.Data, "id") == nil {
		t.Errorf("class %s: %s", a.Extensions.Cost.Class, a.raw)
	}
}

// A token that was lost or a connection that breaks must not lock its owner out.
func TestOnlyTheOwnTimeIsCharged(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(5, 0.1) })
	lost := r.mint(r.owner, r.owner.User, timesheet.ScopeWrite)
	for range 20 {
		r.must(call{query: "{ nothing }", token: lost})
	}
	if a := r.must(call{query: "{ nothing }", token: lost}); a.code() != codeThrottled {
		t.Errorf("a token that sends nonsense: %s, want %s", a.raw, codeThrottled)
	}
	r.ask(`{ viewer { role } }`, nil)
	before := r.server.strangersAccount(&http.Request{RemoteAddr: "192.0.2.1:1"}).front
	slow := &request{timings: timings{}, arrived: time.Now().Add(-time.Hour), account: account{front: before}}
	r.server.chargeRefusal(slow, refuse(codeBadRequest, "the body ended before it was complete"))
	if left := before.Budget.Available(before.Key); left < 3.5 {
		t.Errorf("%.1f of 5 points are left after an upload that took an hour", left)
	}
}

// Introspection costs the server's own processor: a kept answer its price, any
// other the time it took.
func TestIntrospectionIsPaidFor(t *testing.T) {
	r := newRig(t, nil)
	query := `{ __schema { types { name fields { name type { name kind ofType { name } } } } } }`
	first := r.must(call{query: query}).Extensions.Cost
	again := r.must(call{query: query}).Extensions.Cost
	if *first.Actual < first.Requested || *again.Actual != again.Requested {
		t.Errorf("actual %v then %v for a price of %v", *first.Actual, *again.Actual, first.Requested)
	}
}
