package loadtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// testSession opens a session on a fake server with the demo's people.
func testSession(t *testing.T, target string) *session {
	t.Helper()
	s, err := open(t.Context(), Config{Scenario: "smoke", Target: target, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.close)
	return s
}

// send runs phases once and returns the attack.
func (s *session) send(t *testing.T, ctx context.Context, inFlight int, phases ...Phase) *attack {
	t.Helper()
	s.client.slots = make(chan struct{}, inFlight)
	done := &finished{}
	if err := s.round(ctx, done, phases, s.Seed); err != nil {
		t.Fatal(err)
	}
	return done.rounds[0]
}

func stormPhase(d time.Duration, office, reports float64) Phase {
	return Phase{Name: "storm", For: d, Streams: []Stream{officeStream(office, d), reportStream(reports, d)}, Judged: true}
}

// checkClock holds for every arrival on any machine: nothing is sent before it
// is due, and the times add up.
func checkClock(t *testing.T, a *attack) {
	t.Helper()
	a.samples("storm", "", func(s sample) {
		if !s.reached() {
			return
		}
		if s.sent < s.due || s.end < s.sent {
			t.Errorf("due %v, sent %v, end %v: out of order", s.due, s.sent, s.end)
		}
		if s.response() != s.service()+s.lag() {
			t.Errorf("response %v is not service %v plus lag %v", s.response(), s.service(), s.lag())
		}
	})
}

func TestAttackSendsThePlan(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	s := testSession(t, fake(t, func(w http.ResponseWriter, r *http.Request, a asked) {
		mu.Lock()
		seen[a.OperationName]++
		seen[a.token]++
		mu.Unlock()
		if r.Header.Get("X-Vegeta-Seq") != "" {
			t.Error("the server sees X-Vegeta-Seq")
		}
		right(w, a)
	}))
	a := s.send(t, t.Context(), leastInFlight, stormPhase(time.Second, 200, 20))
	checkClock(t, a)
	if faults := a.books(false); len(faults) > 0 {
		t.Error(faults)
	}
	got := tallyOf([]*attack{a}, "storm", "")
	if got.planned != 220 || got.outcomes[OK] != 220 {
		t.Errorf("%d of %d ok, want all of 220", got.outcomes[OK], got.planned)
	}
	want := map[string]int{}
	for seq, arrival := range a.plan.arrivals {
		c, err := s.deck.draw(a.mixes[arrival.stream], s.Seed, uint64(seq))
		if err != nil {
			t.Fatal(err)
		}
		want[c.op.Name]++
		want[c.user.Token]++
	}
	for name, n := range want {
		if seen[name] != n {
			t.Errorf("the server saw %s %d times, the plan holds it %d times", name, seen[name], n)
		}
	}
	if server := got.server.quantiles(); server.Samples != 220 || time.Duration(server.P50) != 500*time.Microsecond {
		t.Errorf("the server's own time is %+v, want 0.5 ms in every answer", server)
	}
}

func TestAttackOutcomes(t *testing.T) {
	tests := []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request, asked)
		want   Outcome
		reason string
	}{
		{"shedding", func(w http.ResponseWriter, _ *http.Request, _ asked) { refuse(w) }, Shed, "OVERLOADED"},
		{"shedding without Retry-After", func(w http.ResponseWriter, _ *http.Request, _ asked) {
			w.WriteHeader(http.StatusServiceUnavailable)
			say(w, `{"errors":[{"message":"busy","extensions":{"code":"OVERLOADED"}}]}`)
		}, Failed, "503 OVERLOADED without Retry-After"},
		{"throttling", func(w http.ResponseWriter, _ *http.Request, _ asked) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			say(w, `{"errors":[{"message":"slow down","extensions":{"code":"THROTTLED"}}]}`)
		}, Throttled, "THROTTLED"},
		{"lying 200s", func(w http.ResponseWriter, _ *http.Request, _ asked) {
			say(w, `{"data":null,"errors":[{"message":"boom","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
		}, Failed, "200 INTERNAL_SERVER_ERROR"},
		{"hanging up", func(http.ResponseWriter, *http.Request, asked) { panic(http.ErrAbortHandler) }, Connection, "EOF"},
		{"cutting answers short", func(w http.ResponseWriter, _ *http.Request, _ asked) {
			w.Header().Set("Content-Length", "500")
			say(w, `{"data":`)
		}, Failed, "body cut short"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSession(t, fake(t, tt.answer))
			a := s.send(t, t.Context(), leastInFlight, stormPhase(200*time.Millisecond, 200, 10))
			got := tallyOf([]*attack{a}, "storm", "")
			if got.planned != 42 || got.outcomes[tt.want] != 42 {
				t.Errorf("outcomes %v, want 42 %s", got.outcomes, tt.want)
			}
			for reason := range a.reasons() {
				if reason.Outcome != tt.want.String() || !strings.Contains(reason.Reason, tt.reason) {
					t.Errorf("reason %+v, want %s: %s", reason, tt.want, tt.reason)
				}
			}
			if len(a.reasons()) == 0 {
				t.Error("no reason is kept")
			}
		})
	}
}

// A server that answers nothing until it thaws: whoever was due before waits
// until then, counted from the due time and not from the sending.
func TestAttackFrozenServer(t *testing.T) {
	thaw := make(chan struct{})
	var once sync.Once
	var thawed atomic.Pointer[time.Time]
	s := testSession(t, fake(t, func(w http.ResponseWriter, _ *http.Request, a asked) {
		once.Do(func() {
			time.AfterFunc(time.Second, func() {
				now := time.Now()
				thawed.Store(&now)
				close(thaw)
			})
		})
		<-thaw
		right(w, a)
	}))
	a := s.send(t, t.Context(), leastInFlight, stormPhase(1500*time.Millisecond, 200, 1))
	checkClock(t, a)
	at := thawed.Load().Sub(a.start)
	waited := 0
	a.samples("storm", "", func(s sample) {
		if s.outcome != OK {
			t.Errorf("due %v: %s", s.due, s.outcome)
		}
		if s.due < at {
			waited++
			if s.response() < at-s.due {
				t.Errorf("due %v: response %v, but the server thawed only %v later", s.due, s.response(), at-s.due)
			}
		}
	})
	if waited < 200 {
		t.Errorf("%d arrivals were due while the server stood still for a second, want at least 200", waited)
	}
	if objective := within(ClassInteractive, 0.99, 100*time.Millisecond).evaluate([]*attack{a}, "storm", doubt{}); objective.Decision != Violated {
		t.Errorf("p99 <= 100 ms is %s, want violated", objective.Decision)
	}
}

// A server that never answers meets a cap: what is beyond is dropped at once,
// the rest is given up in time, the generator does not grow, and the run is void.
func TestAttackCap(t *testing.T) {
	s := testSession(t, fake(t, func(_ http.ResponseWriter, r *http.Request, _ asked) { <-r.Context().Done() }))
	var goroutines atomic.Int64
	time.AfterFunc(time.Second, func() { goroutines.Store(int64(runtime.NumGoroutine())) })
	const d = 800 * time.Millisecond
	a := s.send(t, t.Context(), 10, Phase{Name: "storm", For: d, Streams: []Stream{officeStream(1000, d)}, Judged: true})
	checkClock(t, a)
	got := tallyOf([]*attack{a}, "storm", "")
	if got.outcomes[Timeout] != 10 || got.outcomes[Dropped] != got.planned-10 {
		t.Errorf("outcomes %v, want 10 timeouts and the rest dropped", got.outcomes)
	}
	a.samples("storm", "", func(s sample) {
		if s.outcome == Timeout && s.response() < patienceOf(ClassInteractive).Abandon {
			t.Errorf("due %v: given up after %v, want 4s", s.due, s.response())
		}
	})
	if n := goroutines.Load(); n == 0 || n > 300 {
		t.Errorf("%d goroutines for 10 in flight", n)
	}
	if faults := a.vitals(0).faults(); len(faults) == 0 {
		t.Error("a run that dropped nearly everything is valid")
	}
	if objective := shedBudget(ClassInteractive, 0).evaluate([]*attack{a}, "storm", doubt{}); objective.Samples != 10 {
		t.Errorf("%d samples speak about the server, want the 10 that were sent", objective.Samples)
	}
}

func TestAttackInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	arrived := make(chan struct{}, 1000)
	s := testSession(t, fake(t, func(_ http.ResponseWriter, r *http.Request, _ asked) {
		if arrived <- struct{}{}; len(arrived) == 20 {
			cancel()
		}
		<-r.Context().Done()
	}))
	a := s.send(t, ctx, leastInFlight, stormPhase(10*time.Minute, 200, 1)) // the test would time out without the cancel
	got := tallyOf([]*attack{a}, "storm", "")
	if got.outcomes[Interrupted] < 20 || got.outcomes[Unsent] == 0 {
		t.Errorf("outcomes %v, want at least 20 interrupted and the rest unsent", got.outcomes)
	}
	if faults := a.books(true); len(faults) > 0 {
		t.Error(faults)
	}
	if v := judge(Scenario{Phases: a.plan.spansAsPhases()}, []*attack{a}, true); v.Exit != ExitInterrupted {
		t.Errorf("exit %d, want %d", v.Exit, ExitInterrupted)
	}
}

func (p *plan) spansAsPhases() []Phase {
	var list []Phase
	for _, s := range p.phases {
		list = append(list, s.Phase)
	}
	return list
}

func TestDetailsAreBounded(t *testing.T) {
	a := &attack{details: map[detail]int{}}
	for i := range 3 * maxDetails {
		a.note(detail{"Op", "failed", strings.Repeat("x", i)})
		a.note(detail{"Op", "failed", ""})
	}
	if got := a.reasons(); len(got) != maxDetails || got[detail{"Op", "failed", ""}] != 3*maxDetails+1 {
		t.Errorf("%d reasons, the first %d times, want %d and %d", len(got), got[detail{"Op", "failed", ""}], maxDetails, 3*maxDetails+1)
	}
}

func TestLive(t *testing.T) {
	l := &live{}
	for range 3 {
		l.arrived(ClassInteractive)
	}
	l.ended(ClassInteractive, OK, 5*time.Millisecond)
	l.ended(ClassInteractive, Shed, time.Second)
	if got, want := l.line(), "interactive came 3 ok 1 shed 1 other 0 open 1 p50 5 ms p99 5 ms"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	l.ended(ClassInteractive, Failed, 7*time.Millisecond)
	if got, want := l.line(), "interactive came 0 ok 0 shed 0 other 1 open 0 p50 7 ms p99 7 ms"; got != want {
		t.Errorf("the next line %q, want %q", got, want)
	}
}

// On a terminal each table is drawn over the one before, and none is left.
func TestLiveTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &live{}
		l.arrived(ClassInteractive)
		l.ended(ClassInteractive, OK, 5*time.Millisecond)
		var screen lines
		done := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			l.show(&screen, true, time.Now(), []span{{Phase{Name: "storm", For: time.Minute}, 0, time.Minute}}, done)
		}()
		<-time.After(2500 * time.Millisecond)
		close(done)
		<-ended
		const up = "\x1b[3A\x1b[J"
		if got := screen.String(); strings.Count(got, up) != 2 || !strings.HasSuffix(got, up) || !strings.Contains(got, "storm 1/60 s  came  ok") {
			t.Errorf("the screen saw %q, want two tables of three lines, each cleared", got)
		}
	})
}

// What a request costs the generator beside a bare loop over the same client.
func BenchmarkRequest(b *testing.B) {
	server := httptest.NewServer(fakeHandler(nil))
	defer server.Close()
	s, err := open(b.Context(), Config{Scenario: "smoke", Target: server.URL + "/graphql", Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer s.client.close()
	const d = time.Minute
	plan, err := newPlan([]Phase{{Name: "load", For: d, Streams: []Stream{officeStream(3000, d)}}}, 1)
	if err != nil {
		b.Fatal(err)
	}
	a, err := newAttack(plan, s.deck, s.client, &live{})
	if err != nil {
		b.Fatal(err)
	}
	a.ctx, a.start = b.Context(), time.Now().Add(-d)
	b.Run("surge", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			a.start = time.Now().Add(-a.plan.arrivals[i%len(a.rows)].due)
			a.serve(uint64(i % len(a.rows)))
		}
	})
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		c, err := a.deck.draw(a.mixes[0], 1, 1)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if got := s.client.send(b.Context(), "", c.user.Token, c.body); got.answer.err != nil {
				b.Fatal(got.answer.err)
			}
		}
	})
}

// What a run keeps for each operation, by which its memory is bounded.
func TestRowsAreSmall(t *testing.T) {
	if size := unsafe.Sizeof(kept{}) + unsafe.Sizeof(arrival{}); size*1_800_000 > 94_000_000 {
		t.Errorf("an operation takes %d bytes, and ten minutes of 3,000 a second more than 94 MB of the 150 that they may take in all", size)
	}
}
