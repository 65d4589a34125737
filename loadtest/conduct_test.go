package loadtest

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestBehaviours(t *testing.T) {
	shed := answer{status: 503, body: []byte(`{"errors":[{"extensions":{"code":"OVERLOADED","retryAfterMs":1500}}]}`), header: http.Header{"Retry-After": {"2"}}}
	rough := answer{status: 503, body: []byte(`{}`), header: http.Header{"Retry-After": {"2"}}}
	tests := []struct {
		kind        string
		answer      answer
		outcome     Outcome
		attempt     int
		least, most time.Duration // of the pause; most 0: no other attempt
	}{
		{"no-retry", shed, Shed, 1, 0, 0},
		{"no-retry", answer{}, Connection, 1, 0, 0},
		{"retrylink", shed, Shed, 1, 0, 300 * time.Millisecond},
		{"retrylink", answer{}, Connection, 4, 0, 2400 * time.Millisecond},
		{"retrylink", answer{}, Connection, 5, 0, 0},
		{"retrylink", answer{status: 200}, Failed, 1, 0, 0},
		{"retrylink", answer{}, Timeout, 1, 0, 0},
		{"heeding", shed, Shed, 1, 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"heeding", rough, Throttled, 1, 2 * time.Second, 2 * time.Second},
		{"heeding", answer{}, Connection, 1, 0, 0},
		{"heeding", answer{status: 500}, Failed, 1, 0, 0},
		{"deaf", answer{status: 500}, Failed, 1, time.Second, time.Second},
		{"deaf", shed, Shed, 29, time.Second, time.Second},
		{"deaf", shed, Shed, 30, 0, 0},
		{"deaf", answer{status: 200}, OK, 1, 0, 0},
		{"deaf", answer{}, Dropped, 1, 0, 0},
	}
	for _, tt := range tests {
		e := errand{kind: behaviourNamed(tt.kind), rng: rand.New(rand.NewPCG(1, 2))}
		got, again := e.again(tt.outcome, tt.answer, tt.attempt)
		if again != (tt.most > 0) || again && (got < tt.least || got > tt.most) {
			t.Errorf("%s after %s, attempt %d: again %t in %v, want %v to %v", tt.kind, tt.outcome, tt.attempt, again, got, tt.least, tt.most)
		}
	}
}

func TestPickBehaviourKeepsTheShares(t *testing.T) {
	shares := []Share{{behaviourNamed("retrylink"), 40}, {behaviourNamed("deaf"), 10}}
	rng := rand.New(rand.NewPCG(1, 2))
	counts := map[string]int{}
	for range 10_000 {
		counts[pickBehaviour(shares, rng).Name]++
	}
	if n := counts["deaf"]; n < 1850 || n > 2150 || counts["retrylink"] != 10_000-n {
		t.Errorf("drawn %v, want 8000 and 2000", counts)
	}
	if got := pickBehaviour(nil, rng); got.Name != "no-retry" {
		t.Errorf("without shares a client is %s", got.Name)
	}
}

// connections is a fake server that counts who has connected to it.
func connections(t *testing.T, answer func(http.ResponseWriter, *http.Request, asked)) (string, func() int) {
	t.Helper()
	var mu sync.Mutex
	opened := 0
	server := httptest.NewUnstartedServer(fakeHandler(answer))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			opened++
			mu.Unlock()
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL + "/graphql", func() int {
		mu.Lock()
		defer mu.Unlock()
		return opened
	}
}

// A crowd of clients that heed hints, before a server that refuses the first
// attempt of each: everybody is served on connections of their own, after the
// pause asked for, and the books hold every attempt.
func TestCrowdComesBackWhenTold(t *testing.T) {
	const clients, hint = 30, 40 * time.Millisecond
	var mu sync.Mutex
	refused, came := map[string]bool{}, map[string]int{}
	target, opened := connections(t, func(w http.ResponseWriter, r *http.Request, a asked) {
		mu.Lock()
		came[r.Header.Get("Authorization")]++
		key := r.RemoteAddr + a.OperationName
		first := !refused[key]
		refused[key] = true
		mu.Unlock()
		if !first {
			right(w, a)
			return
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		say(w, `{"errors":[{"extensions":{"code":"OVERLOADED","retryAfterMs":%d}}]}`, hint.Milliseconds())
	})
	s := testSession(t, target)
	clear(came)
	before := opened()
	const d = 100 * time.Millisecond
	a := s.send(t, t.Context(), leastInFlight, Phase{Name: "storm", For: d, Judged: true, Streams: []Stream{{
		Class: ClassInteractive, Each: []*Operation{myDay, running, projects}, Rate: constant(clients/d.Seconds(), d),
		Clients: []Share{{behaviourNamed("heeding"), 1}},
	}}})
	if got := opened() - before; got != clients {
		t.Errorf("%d connections, want one for each of %d clients", got, clients)
	}
	for person, n := range came {
		if people := len(s.deck.scene.users); n != 6*clients/people || len(came) != people {
			t.Errorf("%d requests of %s, of %d people; want the same of each of %d", n, person, len(came), people)
		}
	}
	got := tallyOf([]*attack{a}, "storm", "")
	if got.planned != 3*clients || got.outcomes[OK] != 3*clients || got.attempts != 6*clients {
		t.Errorf("%d operations, outcomes %v, %d attempts; want %d, all ok, in two attempts each", got.planned, got.outcomes, got.attempts, 3*clients)
	}
	if got.shed.quantiles().Samples != 3*clients {
		t.Errorf("%d refusals are timed, want %d", got.shed.quantiles().Samples, 3*clients)
	}
	if faults := a.books(false); len(faults) > 0 {
		t.Error(faults)
	}
	a.samples("storm", "", func(s sample) {
		if s.attempts != 2 || s.response() < hint {
			t.Errorf("%d attempts in %v, want 2 with a pause of %v between", s.attempts, s.response(), hint)
		}
	})
	whole := 0
	a.clients("storm", "heeding", func(s sample) {
		whole++
		if s.outcome != OK || s.response() < 3*hint {
			t.Errorf("a client ended %s after %v, want ok after at least %v", s.outcome, s.response(), 3*hint)
		}
	})
	if whole != clients {
		t.Errorf("%d clients, want %d", whole, clients)
	}
	kinds := kinds([]*attack{a}, a.plan.phases)
	if len(kinds) != 1 || kinds[0].Clients != clients || kinds[0].Served != clients || kinds[0].Attempts != 6*clients || kinds[0].Useful != 1 {
		t.Errorf("kinds %+v, want all %d of one kind served in %d attempts, with no time told of refusals", kinds, clients, 6*clients)
	}
	all := served(ClassInteractive, "heeding", 0.9, time.Minute).evaluate([]*attack{a}, "storm", doubt{})
	if all.Decision != Met || all.Samples != clients {
		t.Errorf("served within a minute: %+v, want met by %d clients", all, clients)
	}
	if late := served(ClassInteractive, "heeding", 0.9, hint).evaluate([]*attack{a}, "storm", doubt{}); late.Decision != Violated {
		t.Errorf("served within %v: %+v, want violated", hint, late)
	}
	var flowed FlowSecond
	for _, second := range flow([]*attack{a}) {
		flowed.Sent, flowed.OK, flowed.Shed, flowed.Other = flowed.Sent+second.Sent, flowed.OK+second.OK, flowed.Shed+second.Shed, flowed.Other+second.Other
	}
	if want := (FlowSecond{Sent: 6 * clients, OK: 3 * clients, Shed: 3 * clients}); flowed != want {
		t.Errorf("sent and came in all seconds: %+v, want %+v", flowed, want)
	}
	checkCrowdPromises(t, a)
}

// checkCrowdPromises holds for 90 operations of clients that heed, each refused once
// and then right after 40 ms: of a server that does one a second the ideal time is
// 90 s.
func checkCrowdPromises(t *testing.T, a *attack) {
	t.Helper()
	rounds := []*attack{a}
	for _, test := range []struct {
		promise Objective
		seen    string
		want    Decision
	}{
		{servedIdeal(ClassInteractive, "heeding", 0.9, 1.2, 1), "100 %", Met},
		{servedIdeal(ClassInteractive, "heeding", 0.9, 1.2, 1000), "100 %", Violated}, // within 108 ms of at least 120
		{fewAttempts(ClassInteractive, 2), "2.00", Met},
		{fewAttempts(ClassInteractive, 1.9), "2.00", Violated},
		{littleWaste(ClassInteractive, 0.05), "0 %", Met},
	} {
		if r := test.promise.evaluate(rounds, "storm", doubt{}); r.Decision != test.want || !strings.HasPrefix(r.Observed, test.seen) {
			t.Errorf("%s: %+v, want %s after %s", r.Objective, r, test.want, test.seen)
		}
	}
	for i := range a.tries {
		a.tries[i].served, a.tries[i].queued = 10_000, 8000 // 2 ms of work
	}
	if r := littleWaste(ClassInteractive, 0.05).evaluate(rounds, "storm", doubt{hogged: true}); r.Decision != Violated || r.Proven || r.Observed != "50 %" {
		t.Errorf("%s: %+v, want 50 %%, not proven on a hogged machine", r.Objective, r)
	}
}

// A server that refuses without a hint: who does not heed hits it again and
// again, who heeds does not, and an open stream's senders are counted alike.
func TestStubbornClients(t *testing.T) {
	s := testSession(t, fake(t, func(w http.ResponseWriter, _ *http.Request, _ asked) {
		w.WriteHeader(http.StatusServiceUnavailable)
		say(w, `{"errors":[{"extensions":{"code":"OVERLOADED"}}]}`)
	}))
	of := func(kind string) *attack {
		const d = 50 * time.Millisecond
		stream := officeStream(200, d)
		stream.Clients = []Share{{behaviourNamed(kind), 1}}
		return s.send(t, t.Context(), leastInFlight, Phase{Name: "storm", For: d, Judged: true, Streams: []Stream{stream}})
	}
	for kind, want := range map[string]int{"no-retry": 1, "heeding": 1, "retrylink": 5} {
		a := of(kind)
		if got := tallyOf([]*attack{a}, "storm", ""); got.planned != 10 || got.outcomes[Failed] != 10 || got.attempts != 10*want {
			t.Errorf("%s: %d operations, outcomes %v, %d attempts; want 10 failed in %d", kind, got.planned, got.outcomes, got.attempts, 10*want)
		}
		if faults := a.books(false); len(faults) > 0 {
			t.Errorf("%s: %v", kind, faults)
		}
	}
}
