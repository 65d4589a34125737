package limits

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newAdaptive(t testing.TB, c AdaptiveConfig) *Adaptive {
	t.Helper()
	if c.Cores == 0 {
		c.Cores = 4
	}
	a, err := NewAdaptive(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// running starts the gate's Run until the test ends.
func running(t *testing.T, a *Adaptive) *Adaptive {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return a
}

func TestDecisions(t *testing.T) {
	type seats struct{ Slots, Wide, Narrow int }
	tests := []struct {
		cores, processes int
		demoted          bool
		idle             float64
		want             seats
	}{
		{1, 1, true, 1, seats{1, 4, 1}},
		{1, 1, false, 1, seats{1, 4, 1}},
		{1, 8, true, 1, seats{1, 2, 1}},
		{2, 1, true, 1.1, seats{1, 8, 3}},
		{4, 1, true, 1, seats{3, 16, 4}},
		{4, 1, false, 1, seats{1, 16, 4}},
		{4, 3, true, 1, seats{3, 6, 2}},
		{16, 2, true, 2, seats{15, 32, 16}},
		{16, 1, true, math.NaN(), seats{15, 64, 16}},
		{16, 1, true, math.Inf(1), seats{15, 64, 64}},
		{16, 1, true, -3, seats{15, 64, 16}},
	}
	for _, tt := range tests {
		slots := reportSlots(tt.cores, tt.demoted)
		got := seats{slots, wideSeats(tt.cores, tt.processes, slots, tt.demoted), narrowSeats(tt.cores, tt.processes, tt.idle)}
		if got != tt.want {
			t.Errorf("%d cores, %d processes, demoted %v, idle %v: %+v, want %+v", tt.cores, tt.processes, tt.demoted, tt.idle, got, tt.want)
		}
	}
}

func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		held             time.Duration
		keep             float64
		standing, oldest time.Duration
	}{
		{30 * ms, 1, 450 * ms, leastStanding},
		{45 * ms, 1, 500 * ms, 450 * ms},
		{30 * ms, 0.5, 450 * ms, 86250 * time.Microsecond},
		{30 * ms, 0.01, 450 * ms, 15028500 * time.Nanosecond},
		{2 * ms, 1, leastStanding, leastStanding},
		{0, 1, leastStanding, leastStanding},
		{2 * ms, 0.5, leastStanding, 5750 * time.Microsecond},
		{2 * ms, 0.9, leastStanding, 172186884 * time.Nanosecond},
		{time.Hour, 1, 500 * ms, 500 * ms},
	} {
		if standing, oldest := patience(tt.held, tt.keep); standing != tt.standing || oldest != tt.oldest {
			t.Errorf("patience(%v, %v) = %v, %v; want %v, %v", tt.held, tt.keep, standing, oldest, tt.standing, tt.oldest)
		}
	}
}

// The share of clients follows the share of requests that could be served, in
// both directions, and never closes.
func TestKeepShare(t *testing.T) {
	keep := 1.0
	for range 30 {
		keep = keepShare(keep, 1000, 100)
	}
	if math.Abs(keep-0.11) > 0.01 {
		t.Errorf("a tenth could be served: keep %v", keep)
	}
	for range 200 {
		keep = keepShare(keep, 1000, 0)
	}
	if keep != 0.01 {
		t.Errorf("none could be served: keep %v", keep)
	}
	for range 30 {
		keep = keepShare(keep, 100, 100)
	}
	if keep < 0.99 {
		t.Errorf("all could be served: keep %v", keep)
	}
	if got := keepShare(0.5, 0, 0); got != 0.5 {
		t.Errorf("nobody asked: keep %v", got)
	}
}

// crowdOf fills the interactive seats and makes the queue stand.
func crowdOf(t *testing.T, a *Adaptive, c *crowd) {
	t.Helper()
	for i := range a.Snapshot().Classes[Interactive].Seats {
		c.arrive(t.Context(), fmt.Sprint("running ", i), Request{Class: Interactive, Tenant: "crowd", Client: fmt.Sprint(i), Work: 2 * ms})
	}
	c.arrive(t.Context(), "first", Request{Class: Interactive, Tenant: "crowd", Work: 2 * ms})
	time.Sleep(leastStanding + ms)
}

func TestAdaptiveServesACrowdNewestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdaptive(t, AdaptiveConfig{Cores: 1})
		a.Beat(Beat{Processes: 1, Demoted: true})
		c := newCrowd(t, a)
		crowdOf(t, a, c)
		c.order = nil
		c.arrive(t.Context(), "second", Request{Class: Interactive, Tenant: "crowd", Work: 2 * ms})
		c.expect("first shed") // has waited longer than 10 x 5 ms
		c.arrive(t.Context(), "third", Request{Class: Interactive, Tenant: "crowd", Work: 2 * ms})
		if got := a.Snapshot().Classes[Interactive].Seats; got != 1 {
			t.Errorf("%d seats in a crowd on one core, want 1", got)
		}
		for i := range 4 {
			c.done(fmt.Sprint("running ", i))
		}
		c.expect("third")
		c.done("third")
		c.expect("second")
		c.done("second")
		time.Sleep(aftermath + tick)
		c.arrive(t.Context(), "later", Request{Class: Interactive, Work: 2 * ms})
		if got := a.Snapshot().Classes[Interactive].Seats; got != 4 {
			t.Errorf("%d seats after the crowd, want 4", got)
		}
	})
}

// While a report that does not yield runs, few seats would hand it the cores.
func TestAdaptiveKeepsSeatsBesideReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 1}))
		c := newCrowd(t, a)
		c.arrive(t.Context(), "report", Request{Class: Report, Work: time.Second})
		crowdOf(t, a, c)
		c.arrive(t.Context(), "second", Request{Class: Interactive, Tenant: "crowd", Work: 2 * ms})
		if got := a.Snapshot().Classes[Interactive].Seats; got != 4 {
			t.Errorf("%d seats beside a report, want 4", got)
		}
		c.done("report")
		c.arrive(t.Context(), "third", Request{Class: Interactive, Tenant: "crowd", Work: 2 * ms})
		if got := a.Snapshot().Classes[Interactive].Seats; got != 1 {
			t.Errorf("%d seats without it, want 1", got)
		}
		a.Drain()
	})
}

// Two processes share the slots of a database, and neither is starved.
func TestAdaptiveSharesSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := &ownSlots{}
		var started [2]atomic.Int32
		var wg sync.WaitGroup
		for i := range 2 {
			a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 2, Slots: slots}))
			a.Beat(Beat{Processes: 2, Waiting: 1, Demoted: true})
			for range 30 {
				wg.Go(func() {
					p, refusal := a.Admit(t.Context(), Request{Class: Report, Work: 100 * ms})
					if refusal != nil {
						return
					}
					started[i].Add(1)
					slots.mu.Lock()
					if slots.taken > 1 {
						t.Errorf("%d reports run on one slot", slots.taken)
					}
					slots.mu.Unlock()
					time.Sleep(100 * ms)
					p.Done(Outcome{})
				})
			}
			time.AfterFunc(3*time.Second, a.Drain)
		}
		wg.Wait()
		if one, other := started[0].Load(), started[1].Load(); one < 5 || other < 5 {
			t.Errorf("%d and %d reports started in the two processes, want some in both", one, other)
		}
	})
}

func TestAdaptiveBackgroundYieldsToReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 2}))
		c := newCrowd(t, a)
		c.arrive(t.Context(), "report 1", Request{Class: Report, Work: ms})
		c.arrive(t.Context(), "background", Request{Class: Background, Work: ms})
		c.arrive(t.Context(), "report 2", Request{Class: Report, Work: ms})
		c.expect("report 1")
		c.done("report 1")
		time.Sleep(tick)
		c.expect("report 2")
		c.done("report 2")
		time.Sleep(tick)
		c.expect("background")
		c.done("background")
		time.Sleep(tick)
		if got := a.Snapshot().Classes; got[Report].Busy+got[Background].Busy != 0 {
			t.Errorf("busy at the end: %+v", got)
		}
	})
}

// One promise for each client and class: who comes early is told the same time.
func TestAdaptivePromises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdaptive(t, AdaptiveConfig{})
		ask := func(client string, class Class) *Refusal {
			_, refusal := a.Admit(t.Context(), Request{Class: class, Client: client, Work: ms, Deadline: time.Now()})
			return refusal
		}
		first := ask("ann", Interactive)
		due := time.Now().Add(first.RetryAfter)
		if beside := ask("ann", Interactive); !beside.Again || beside.Early > 0 || beside.RetryAfter != first.RetryAfter {
			t.Errorf("first %+v, at the same time %+v", first, beside)
		}
		time.Sleep(500 * ms)
		again := ask("ann", Interactive)
		if again.Early != 1 || first.Again || !time.Now().Add(again.RetryAfter).Equal(due) {
			t.Errorf("first %+v, half a second later %+v", first, again)
		}
		if once := ask("ann", Interactive); once.Early != 2 {
			t.Errorf("the second early one is %+v", once)
		}
		if other := ask("ann", Report); other.Again {
			t.Error("a promise of another class counts")
		}
		other := ask("bob", Interactive)
		if other.Again {
			t.Error("another client's promise counts")
		}
		// The two promised milliseconds are forecast to be worked off in 2 ms / 16 seats / 0.8.
		if got := a.Snapshot().Classes[Interactive]; got.Promised != 2*ms || got.Absorb != ms*20/128 {
			t.Errorf("promised %v, absorbed in %v", got.Promised, got.Absorb)
		}
		time.Sleep(max(time.Until(due), other.RetryAfter))
		if late := ask("bob", Interactive); late.Again {
			t.Error("a promise that was kept counts as broken")
		}
		if late := ask("ann", Interactive); !late.Again || late.Early != 1 {
			t.Errorf("who came early before is not expected to wait: %+v", late)
		}
		p, _ := a.Admit(t.Context(), Request{Class: Interactive, Client: "ann", Work: ms})
		p.Drop()
		time.Sleep(time.Minute)
		if served := ask("ann", Interactive); served.Again {
			t.Errorf("once it was served that is forgotten: %+v", served)
		}
	})
}

// The more is promised, the later the next come; all within a minute.
func TestAdaptivePromisesSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdaptive(t, AdaptiveConfig{Cores: 1})
		var seconds [61]int
		for i := range 20_000 {
			_, refusal := a.Admit(t.Context(), Request{Class: Interactive, Client: fmt.Sprint(i), Work: 10 * ms, Deadline: time.Now()})
			if refusal.RetryAfter < minRetryAfter || refusal.RetryAfter > maxRetryAfter {
				t.Fatalf("retry after %v", refusal.RetryAfter)
			}
			seconds[refusal.RetryAfter/time.Second]++
		}
		if most := slices.Max(seconds[:]); most > 1500 {
			t.Errorf("%d of 20,000 clients come in the same second: %v", most, seconds)
		}
	})
}

func TestNewAdaptive(t *testing.T) {
	_, err := NewAdaptive(AdaptiveConfig{})
	want := "the database has 0 cores: it needs at least one"
	if err == nil || err.Error() != want {
		t.Errorf("no cores: %v, want %s", err, want)
	}
}

// Whatever the other processes and the clock say, the seats stay within what the
// size of the database gives.
func TestAdaptiveKeepsItsBounds(t *testing.T) {
	now := time.Unix(1_000_000_000, 0)
	a := newAdaptive(t, AdaptiveConfig{Clock: func() time.Time { return now }})
	for i, b := range []Beat{
		{},
		{Processes: -5, Waiting: 9},
		{Processes: 1 << 40, Waiting: -1},
		{Processes: 2, RoundTrip: math.MaxInt64, Demoted: true},
		{Processes: 3, RoundTrip: -time.Hour},
	} {
		for _, step := range []time.Duration{time.Hour, -2 * time.Hour, time.Millisecond, -time.Hour} {
			now = now.Add(step)
			a.Beat(b)
			for _, o := range []Outcome{{DB: math.MaxInt64, Statements: 1 << 40}, {DB: -1, Statements: -1}} {
				p, refusal := a.Admit(t.Context(), Request{Class: Interactive, Work: math.MaxInt64})
				if refusal != nil {
					t.Fatalf("beat %d: refused %+v", i, refusal)
				}
				now = now.Add(-step)
				p.Done(o)
				now = now.Add(step)
			}
			got := a.Snapshot().Classes
			if s := got[Interactive].Seats; s < 1 || s > 16 {
				t.Errorf("beat %d: %d interactive seats", i, s)
			}
			if s := got[Report].Seats; s < 1 || s > 3 {
				t.Errorf("beat %d: %d report slots", i, s)
			}
			if diff := cmp.Diff(0, got[Interactive].Busy); diff != "" {
				t.Errorf("beat %d: busy %s", i, diff)
			}
		}
	}
}
