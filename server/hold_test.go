package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
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
