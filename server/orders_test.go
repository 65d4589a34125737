package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/store/storetest"
)

// steered is a server on a database that follows orders until the test ends.
func steered(t *testing.T, dsn string, change func(*Config)) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	r := rigOn(t, db, change)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	r.server.readOrders(ctx)
	go func() { defer close(done); r.server.watchOrders(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

// order sends an order and returns the answer.
func (r *rig) order(method, kind, subject string, seconds float64) (int, string) {
	r.t.Helper()
	body, err := json.Marshal(OrderRequest{Kind: kind, Subject: subject, ForSeconds: seconds, Reason: "it floods us", By: "ann@desk"})
	if err != nil {
		r.t.Fatal(err)
	}
	status, text := r.operators(method, "/debug/gate", string(body))
	return status, strings.TrimSpace(text)
}

// until asks until the answer is as wanted.
func (r *rig) until(what string, c call, holds func(answer) bool) answer {
	r.t.Helper()
	for {
		a := r.must(c)
		if holds(a) {
			return a
		}
		if r.t.Context().Err() != nil {
			r.t.Fatalf("%s: never", what)
		}
	}
}

func blocked(a answer) bool {
	return a.status == http.StatusServiceUnavailable && a.code() == codeOverloaded && a.Errors[0].Extensions["reason"] == "blocked"
}

func answered(a answer) bool { return a.status == http.StatusOK }

// A block acts on every server, tells when it ends, ends by itself, spares who
// stops a timer, and outlives a restart.
func TestBlocks(t *testing.T) {
	dsn := storetest.New(t)
	here, there := steered(t, dsn, nil), steered(t, dsn, nil)
	year := call{query: `query Year { projects(first: 5) { nodes { id } } }`, token: here.token, header: map[string]string{"Apollographql-Client-Name": "mobile", "Apollographql-Client-Version": "3.1.0"}}
	yearThere := year
	yearThere.token = there.token
	other := call{query: `query Other { viewer { role } }`, token: here.token}
	here.must(year)
	there.must(yearThere)

	t.Run("an operation on all servers", func(t *testing.T) {
		if status, text := here.order(http.MethodPost, "operation", "Year", 3600); status != http.StatusCreated {
			t.Fatalf("the order: %d %s", status, text)
		}
		if a := here.must(year); !blocked(a) {
			t.Fatalf("the server that took the order answers %s", a.raw)
		}
		a := there.until("the other server follows", yearThere, blocked)
		after, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || after < 3500 || after > 3630 {
			t.Errorf("Retry-After %q, want the hour that the block lasts and some spread", a.header.Get("Retry-After"))
		}
		if a := here.must(other); !answered(a) {
			t.Errorf("another operation: %s", a.raw)
		}
		d := here.limits("").Decisions
		if len(d) == 0 || d[0].Reason != "blocked" || d[0].Why != "an operator has blocked it" {
			t.Errorf("the decisions %+v", d)
		}
	})
	t.Run("outlives a restart", func(t *testing.T) {
		again := steered(t, dsn, nil)
		year := year
		year.token = again.token
		if a := again.must(year); !blocked(a) {
			t.Errorf("a new server answers %s", a.raw)
		}
	})
	t.Run("ends when it is taken back", func(t *testing.T) {
		if status, text := there.order(http.MethodDelete, "operation", "Year", 0); status != http.StatusOK {
			t.Fatalf("the end: %d %s", status, text)
		}
		here.until("the other server follows", year, answered)
		if status, text := here.order(http.MethodDelete, "operation", "Year", 0); status != http.StatusBadRequest || text != `operation "Year" is not blocked` {
			t.Errorf("the end of what is over: %d %s", status, text)
		}
	})
	t.Run("ends by itself", func(t *testing.T) {
		here.order(http.MethodPost, "client", "mobile", 1)
		if a := here.must(year); !blocked(a) {
			t.Fatalf("a client of all versions: %s", a.raw)
		}
		here.until("the block ends", year, answered)
	})
	t.Run("a workspace, which stops its timers all the same", func(t *testing.T) {
		id := strconv.FormatInt(int64(here.owner.Workspace.ID), 10)
		here.order(http.MethodPost, "tenant", id, 3600)
		if a := here.must(other); !blocked(a) {
			t.Errorf("the workspace: %s", a.raw)
		}
		if a := here.must(call{query: `mutation Stop { stopTimer(input: {}) { userErrors { code } } }`, token: here.token}); !answered(a) {
			t.Errorf("who stops a timer: %s", a.raw)
		}
		if a := there.must(yearThere); !answered(a) {
			t.Errorf("another workspace: %s", a.raw)
		}
		here.order(http.MethodDelete, "tenant", id, 0)
	})
	t.Run("what is kept", func(t *testing.T) {
		status, text := here.operators(http.MethodGet, "/debug/gate", "")
		var v GateView
		if err := json.Unmarshal([]byte(text), &v); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		if len(v.Orders) != 0 || len(v.Last) != 3 || v.Mode != "static" || v.Configured != "static" || v.Slots != 1 {
			t.Errorf("the gate: %+v", v)
		}
		first := v.Last[len(v.Last)-1]
		if first.Text != "operation Year is blocked" || first.Reason != "it floods us" || first.By != "ann@desk" || first.EndedBy != "ann@desk" || first.EndedReason != "it floods us" {
			t.Errorf("the first order: %+v", first)
		}
		_, metrics := here.operators(http.MethodGet, "/metrics", "")
		for _, want := range []string{`headroom_blocked_total\{kind="operation"\} [1-9]`, `headroom_blocked_total\{kind="tenant"\} 1`, `headroom_gate_orders\{kind="client"\} 0`} {
			if !regexp.MustCompile(`(?m)^` + want).MatchString(metrics) {
				t.Errorf("the metrics lack %s", want)
			}
		}
	})
}

// Orders that cannot be followed are refused in one line that says what to do.
func TestBadOrders(t *testing.T) {
	r := newRig(t, nil)
	r.must(call{query: `query Year { viewer { role } }`, token: r.token, header: map[string]string{"Apollographql-Client-Name": "mobile", "Apollographql-Client-Version": "3.1.0"}})
	order := func(change func(*OrderRequest)) OrderRequest {
		o := OrderRequest{Kind: "operation", Subject: "Year", ForSeconds: 60, Reason: "why", By: "ann"}
		change(&o)
		return o
	}
	for want, o := range map[string]OrderRequest{
		`no operation "Yaer" was seen here of late: did you mean "Year"?; --unseen blocks it all the same`:                                      order(func(o *OrderRequest) { o.Subject = "Yaer" }),
		`no client "mobil" was seen here of late: did you mean "mobile"?; --unseen blocks it all the same`:                                      order(func(o *OrderRequest) { o.Kind, o.Subject = "client", "mobil" }),
		`no client "mobile@3.1.1" was seen here of late: did you mean "mobile@3.1.0"?; --unseen blocks it all the same`:                         order(func(o *OrderRequest) { o.Kind, o.Subject = "client", "mobile@3.1.1" }),
		`there is no workspace "Amce": did you mean "Acme"?`:                                                                                    order(func(o *OrderRequest) { o.Kind, o.Subject = "tenant", "Amce" }),
		`there is no workspace "something else"`:                                                                                                order(func(o *OrderRequest) { o.Kind, o.Subject = "tenant", "something else" }),
		`there is no token 999999`:                                                                                                              order(func(o *OrderRequest) { o.Kind, o.Subject = "token", "999999" }),
		`token "hr_abc" is neither a token's number, as the log has it, nor its id: never give its text`:                                        order(func(o *OrderRequest) { o.Kind, o.Subject = "token", "hr_abc" }),
		`class "report" is none of control, interactive, background`:                                                                            order(func(o *OrderRequest) { o.Kind, o.Subject = "seats", "report=2" }),
		`class "interactiv" is none of control, interactive, background: did you mean "interactive"?`:                                           order(func(o *OrderRequest) { o.Kind, o.Subject = "seats", "interactiv=2" }),
		`"0" is no whole number of seats between 1 and 3, the connections of the pool of class control`:                                         order(func(o *OrderRequest) { o.Kind, o.Subject = "seats", "control=0" }),
		`rung "readonly" is none of no_background, kept_reports, no_extras, refuse_reports, read_only, only_control: did you mean "read_only"?`: order(func(o *OrderRequest) { o.Kind, o.Subject = "brownout", "readonly" }),
		`no server runs the request "nothing"; it may have ended, headroom top shows what runs longest`:                                         order(func(o *OrderRequest) { o.Kind, o.Subject = "kill", "nothing" }),
		`mode "adaptiv" is not adaptive, static or open: did you mean "adaptive"?`:                                                              order(func(o *OrderRequest) { o.Kind, o.Subject = "mode", "adaptiv" }),
		`"100" is no whole number of seats between 1 and 3, the connections of the pool of class report`:                                        order(func(o *OrderRequest) { o.Kind, o.Subject = "slots", "100" }),
		`"many" is no whole number of seats between 1 and 3, the connections of the pool of class report`:                                       order(func(o *OrderRequest) { o.Kind, o.Subject = "slots", "many" }),
		`kind "tennant" is none of tenant, operation, client, token, mode, slots, seats, brownout, kill: did you mean "tenant"?`:                order(func(o *OrderRequest) { o.Kind = "tennant" }),
		`operation is empty`: order(func(o *OrderRequest) { o.Subject = " " }),
		`an order needs a reason: others have to know why`:                                              order(func(o *OrderRequest) { o.Reason = "  " }),
		`an order needs to say by whom it is given`:                                                     order(func(o *OrderRequest) { o.By = "" }),
		`reason is one line of at most 500 bytes`:                                                       order(func(o *OrderRequest) { o.Reason = "a\nb" }),
		`an order lasts between 1s and 24h0m0s: what has to last longer belongs into the configuration`: order(func(o *OrderRequest) { o.ForSeconds = 1e300 }),
	} {
		body, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if status, text := r.operators(http.MethodPost, "/debug/gate", string(body)); status != http.StatusBadRequest || strings.TrimSpace(text) != want {
			t.Errorf("%+v: %d %s, want %s", o, status, text, want)
		}
	}
	if status, text := r.operators(http.MethodPost, "/debug/gate", `{"kind": 7}`); status != http.StatusBadRequest || !strings.HasPrefix(text, "the body is no order") {
		t.Errorf("no order: %d %s", status, text)
	}
	if kept, err := r.store.LastOrders(t.Context(), 10); err != nil || len(kept) != 1 || kept[0].Kind != "kill" || kept[0].EndedCause != "no server runs it" {
		t.Errorf("orders were kept: %+v, %v; want the one to kill, which every server had to hear", kept, err)
	}
}

// A page of another origin cannot give orders, whatever the operator's browser may
// reach; neither can anybody on the public address.
func TestOrdersAreForOperators(t *testing.T) {
	r := newRig(t, nil)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/debug/gate", strings.NewReader(`{}`))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	rec := httptest.NewRecorder()
	if r.server.AdminHandler().ServeHTTP(rec, req); rec.Code != http.StatusForbidden {
		t.Errorf("another origin's order is answered %d", rec.Code)
	}
	if a := r.must(call{method: http.MethodPost, path: "/debug/gate", body: `{}`, token: r.token}); a.status != http.StatusNotFound {
		t.Errorf("the public address answers %d", a.status)
	}
	r.server.adminToken = []byte("the operators' token")
	rec = httptest.NewRecorder()
	if r.server.AdminHandler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/debug/gate", strings.NewReader(`{}`))); rec.Code != http.StatusUnauthorized {
		t.Errorf("without the token the answer is %d", rec.Code)
	}
}

func TestBlocksMatch(t *testing.T) {
	who := who{tenant: 7, operation: "Year#3fa9c1d2", client: "@acme/app@3.1.0"}
	for _, tt := range []struct {
		kind, subject string
		want          bool
	}{
		{"operation", "Year", true},
		{"operation", "#3fa9c1d2", true},
		{"operation", "Year#3fa9c1d2", true},
		{"operation", "Year#00000000", false},
		{"operation", "3fa9c1d2", false},
		{"client", "@acme/app@3.1.0", true},
		{"client", "@acme/app", true},
		{"client", "@acme/app@3.1", false},
		{"tenant", "7", true},
		{"tenant", "77", false},
		{"token", "12345", true},
		{"token", "1234", false},
	} {
		f := &inForce{block: map[string]map[string]*order{tt.kind: {tt.subject: &order{}}}}
		if got := f.match(who, 12345) != nil; got != tt.want {
			t.Errorf("%s %s: %v", tt.kind, tt.subject, got)
		}
	}
	nobody := &inForce{block: map[string]map[string]*order{"client": {"mobile": &order{}}, "operation": {"Year": &order{}}}}
	if o := nobody.match(who0(), 0); o != nil {
		t.Error("somebody without names is blocked")
	}
	if n := testing.AllocsPerRun(100, func() { nobody.match(who, 12345) }); n > 1 {
		t.Errorf("looking for a block allocates %v times", n)
	}
}

func who0() who { return who{operation: "#3fa9c1d2"} }

// The gate's mode and slots follow orders on all servers and fall back by themselves.
func TestModeAndSlots(t *testing.T) {
	dsn := storetest.New(t)
	here := steered(t, dsn, func(c *Config) { c.Gate = Adaptive })
	there := steered(t, dsn, func(c *Config) { c.Gate = Adaptive })
	wait := func(what string, holds func() bool) {
		t.Helper()
		for !holds() {
			if t.Context().Err() != nil {
				t.Fatal(what)
			}
			here.must(call{query: `{ __typename }`})
		}
	}
	if here.server.gateName() != "adaptive" {
		t.Fatalf("the gate is %s", here.server.gateName())
	}
	for _, mode := range []string{"static", "open"} {
		if status, text := here.order(http.MethodPost, "mode", mode, 3600); status != http.StatusCreated {
			t.Fatalf("mode %s: %d %s", mode, status, text)
		}
		wait("the other server follows", func() bool { return there.server.gateName() == mode })
	}
	for range 50 { // more than all seats
		p, refusal := there.server.deciding().Admit(t.Context(), limits.Request{Class: limits.Report, Work: time.Second, Deadline: time.Now().Add(time.Second)})
		if refusal != nil {
			t.Fatalf("an open gate refuses: %+v", refusal)
		}
		defer p.Drop()
	}
	if status, text := here.order(http.MethodDelete, "mode", "", 0); status != http.StatusOK {
		t.Fatalf("the end of the mode: %d %s", status, text)
	}
	wait("the other server follows", func() bool { return there.server.gateName() == "adaptive" })
	here.order(http.MethodPost, "slots", "3", 1)
	if here.server.reportSlots() != 3 {
		t.Errorf("%d slots", here.server.reportSlots())
	}
	wait("the slots fall back", func() bool { return here.server.reportSlots() == 1 })
}
