package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headroom/limits"
)

func TestHoldFor(t *testing.T) {
	const second = time.Second
	for _, test := range []struct {
		name          string
		early, beside int
		due, want     time.Duration
	}{
		{"beside the first", 0, 0, 5 * second, besideHold},
		{"early", 1, 0, 5 * second, 5 * second},
		{"early again", 9, 0, 5 * second, 5 * second},
		{"early, and due soon", 1, 0, second, second},
		{"early, and due late", 1, 0, time.Minute, 9 * second},
		{"early on another connection", 2, 1, 5 * second, 110 * time.Millisecond},
		{"early on many", 40, 20, 5 * second, 2200 * time.Millisecond},
		{"early on very many", 2000, 1000, time.Minute, 9 * second},
	} {
		if got := holdFor(test.early, test.beside, test.due, 9*second); got != test.want {
			t.Errorf("%s: held for %v, want %v", test.name, got, test.want)
		}
	}
}

func TestHoldingForgets(t *testing.T) {
	h := newHolding()
	for want := range 3 {
		if got := h.enter("ann"); got != want {
			t.Errorf("%d are held beside the next, want %d", got, want)
		}
	}
	if got := h.enter("bob"); got != 0 {
		t.Errorf("bob has %d", got)
	}
	for n := range 3 {
		if h.leave("ann") {
			t.Errorf("the one that leaves as %d of three was alone", n)
		}
	}
	if !h.leave("bob") {
		t.Error("bob's was not alone")
	}
	if len(h.of) != 0 {
		t.Errorf("still held: %v", h.of)
	}
}

// Who has stayed three times for as long as anybody is held waits longer the next time, who
// has left does not, and both are forgotten.
func TestPatienceIsLearned(t *testing.T) {
	h := newHolding()
	now := time.Unix(1_000_000, 0)
	expect := func(when, client string, want time.Duration) {
		t.Helper()
		if got := h.most(client); got != want {
			t.Errorf("%s, %s is held for %v at most, want %v", when, client, got, want)
		}
	}
	expect("at first", "ann", longestHold)
	h.stayed("ann", longestHold-time.Second, false, now)
	expect("after a short hold", "ann", longestHold)
	for n, want := range []time.Duration{longestHold, longestHold, 2 * longestHold, patientHold, patientHold} {
		h.stayed("ann", h.most("ann"), false, now)
		expect(fmt.Sprint("after ", n+1, " long holds"), "ann", want)
	}
	h.stayed("bob", longestHold, false, now)
	h.stayed("bob", 10*time.Second, true, now)
	expect("after it left", "bob", longestHold)
	for range patientAfter {
		h.stayed("bob", longestHold, false, now)
		h.stayed("cat", longestHold, false, now.Add(patienceKept+time.Second))
	}
	expect("after it left once", "bob", longestHold)
	expect("a minute later", "ann", patientHold)
	h.stayed("cat", 2*longestHold, false, now.Add(2*patienceKept+3*time.Second))
	expect("two minutes later", "ann", longestHold)
	expect("two minutes later", "cat", patientHold)
	if len(h.stays.recent)+len(h.stays.before) > 2 {
		t.Errorf("kept: %v", h.stays)
	}
}

// Whether the clients of a program wait for longer is tried with one of them, and the
// others are not held for quite as long as it has stayed.
func TestOneClientTriesForItsProgram(t *testing.T) {
	h, now := newHolding(), time.Unix(1_000_000, 0)
	expect := func(when, program string, want time.Duration, wantTest bool) {
		t.Helper()
		if got, test := h.tries(program, 2*longestHold, now); got != want || test != wantTest {
			t.Errorf("%s, a client of %s is held for %s (test: %v), want %s (%v)", when, program, got, test, want, wantTest)
		}
	}
	const most, others = 2 * longestHold, 2 * longestHold * 9 / 10
	expect("at first", "mobile@3", most, true)
	expect("while another one is", "mobile@3", longestHold, false)
	expect("at first", "web@7", most, true)
	h.tried("mobile@3", longestHold/2, true, true, now)
	expect("after one that left for a reason of its own", "mobile@3", most, true)
	h.tried("mobile@3", longestHold+time.Second, true, true, now)
	expect("after one that gave up", "mobile@3", longestHold, false)
	h.tried("web@7", most, false, true, now)
	expect("after one that stayed", "web@7", most, true)
	for range 3 {
		expect("beside one that is held as long as one has stayed", "web@7", others, false)
	}
	h.tried("web@7", others, true, false, now)
	expect("after another one that gave up", "web@7", others, false)
	h.tried("web@7", most, true, true, now)
	expect("after more that gave up", "web@7", longestHold, false)
	now = now.Add(patienceKept + time.Second)
	expect("a minute later", "web@8", most, true)
	expect("a minute later", "mobile@3", longestHold, false)
	now = now.Add(patienceKept + time.Second)
	expect("two minutes later", "web@8", longestHold, false)
	expect("two minutes later", "web@9", most, true)
	expect("two minutes later", "mobile@3", most, true)
	if len(h.programs.recent)+len(h.programs.before) > 4 {
		t.Errorf("kept: %v", h.programs)
	}
}

// Clients that know no times and give up after ten seconds lose one attempt to a longer
// hold, and not one each. Of those that give up at the very time that others are answered
// at, no more than one at a time does.
func TestWhoGivesUpLosesOneAttempt(t *testing.T) {
	for timeout, most := range map[time.Duration]int64{10 * time.Second: 1, 2 * longestHold: 6} {
		t.Run(timeout.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := givenUp(t, timeout); got < 1 || got > most {
					t.Errorf("%d attempts were given up, want 1 to %d", got, most)
				}
			})
		})
	}
}

// givenUp is how many of 120 attempts of 20 clients ended by a timeout.
func givenUp(t *testing.T, timeout time.Duration) int64 {
	s := &Server{parking: make(chan struct{}, parked), leave: make(chan struct{}), ending: make(chan struct{}), held: newHolding()}
	var lost atomic.Int64
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			time.Sleep(time.Duration(n) * 100 * time.Millisecond)
			for range 6 {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				r := &request{
					Request: httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody).WithContext(ctx), arrived: time.Now(), client: "mobile@3",
					refusal: &limits.Refusal{Again: true, Early: 1, RetryAfter: time.Minute},
				}
				r.account.front.Key = fmt.Sprint(n)
				s.holdEarly(r, refuse(codeOverloaded, "busy"))
				if ctx.Err() != nil {
					lost.Add(1)
				}
				cancel()
			}
		})
	}
	all.Wait()
	return lost.Load()
}

// A thousand refusals leave in a second once a hundred have left at once, and none is
// held for longer than the longest.
func TestPacer(t *testing.T) {
	var p pacer
	begin := time.Unix(1_000_000, 0)
	var waits []time.Duration
	for range 20_000 {
		waits = append(waits, p.wait(begin))
	}
	for n, want := range map[int]time.Duration{0: 0, 99: 0, 100: time.Millisecond, 1099: time.Second, 19_999: longestHold - burstAll} {
		if waits[n] != want {
			t.Errorf("the refusal %d is held for %v, want %v", n, waits[n], want)
		}
	}
	if got := p.wait(begin.Add(longestHold)); got != 0 {
		t.Errorf("later one is held for %v", got)
	}
	if got := p.wait(begin.Add(-time.Hour)); got != 0 {
		t.Errorf("after the clock was set back one is held for %v", got)
	}
}

// Who has waited for the database until it was found to be away is told at once: what
// they have waited is no time by which others were refused meanwhile.
func TestWhoWaitedIsNotHeldForAsLongAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{parking: make(chan struct{}, 1), leave: make(chan struct{}), ending: make(chan struct{})}
		caught := &request{Request: httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody), arrived: time.Now()}
		time.Sleep(2 * time.Second)
		s.paced.wait(time.Now())
		before := time.Now()
		s.pace(caught, s.unavailable())
		if held := time.Since(before); held > 0 {
			t.Errorf("it is held for %v", held)
		}
	})
}

// Answers that are held back do not hold a server that ends.
func TestHeldAnswersLeaveAtTheEnd(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User, c.Nightly = budget(5.81, 0.001), -1 })
	ctx, terminate := context.WithCancel(t.Context())
	public, served := listen(t), make(chan error, 1)
	go func() { served <- r.server.Serve(ctx, public, listen(t), 0, time.Second) }()
	r.http.URL = "http://" + public.Addr().String()
	r.ask(`{ projects(first: 5) { nodes { id } } }`, nil)
	r.server.paced.mu.Lock()
	r.server.paced.next = time.Now().Add(longestHold) // a storm of refusals is under way
	r.server.paced.mu.Unlock()
	answers := make(chan answer, 1)
	go func() {
		a, err := r.do(t.Context(), call{query: `{ projects(first: 100) { nodes { id } } timeEntries(first: 100) { nodes { id } } all: tags(first: 90) { nodes { id } } }`, token: r.token})
		if err != nil {
			t.Error(err)
		}
		answers <- a
	}()
	until(t, "a refusal is held back", 5*time.Second, func() bool { return len(r.server.parking) == 1 })
	terminate()
	if a := <-answers; a.code() != codeThrottled {
		t.Errorf("it is answered %s", a.raw)
	}
	if err := <-served; err != nil {
		t.Error("the server waited for it:", err)
	}
}

// Who owes points was held for that before, and is not held for longer than others.
func TestNobodyIsHeldTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{parking: make(chan struct{}, 1), leave: make(chan struct{}), ending: make(chan struct{})}
		r := &request{Request: httptest.NewRequest(http.MethodPost, "/graphql", http.NoBody), arrived: time.Now(), parked: longestHold - time.Second}
		s.paced.next = time.Now().Add(longestHold)
		before := time.Now()
		s.pace(r, refuse(codeThrottled, "debt"))
		if held := time.Since(before); held != time.Second {
			t.Errorf("it is held for another %v", held)
		}
	})
}
