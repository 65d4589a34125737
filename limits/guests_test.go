package limits

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Who was let in during a crowd goes before those who come newer, one of each tenant.
func TestGuestsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdaptive(t, AdaptiveConfig{Cores: 1})
		a.Beat(Beat{Processes: 1, Demoted: true})
		c := newCrowd(t, a)
		crowdOf(t, a, c)
		r := func(client string) Request {
			return Request{Class: Interactive, Tenant: "crowd", Client: client, Work: 2 * ms}
		}
		c.arrive(t.Context(), "ann 1", r("ann"))
		for i := range 4 {
			c.done(fmt.Sprint("running ", i))
		}
		c.order = nil
		c.arrive(t.Context(), "bob 1", r("bob"))
		c.arrive(t.Context(), "ann 2", r("ann"))
		c.arrive(t.Context(), "ann 3", r("ann"))
		c.arrive(t.Context(), "cat 1", r("cat"))
		for _, name := range []string{"ann 1", "ann 2", "cat 1", "ann 3"} {
			c.done(name)
		}
		c.expect("ann 2", "cat 1", "ann 3", "bob 1")
	})
}

// Who was let in before others just before they were seen to be a crowd is a guest of it.
func TestGuestsOfACrowdThatIsNotSeenYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdaptive(t, AdaptiveConfig{Cores: 1})
		a.Beat(Beat{Processes: 1, Demoted: true})
		c := newCrowd(t, a)
		r := func(client string) Request {
			return Request{Class: Interactive, Tenant: client, Client: client, Work: 2 * ms}
		}
		for i := range 4 {
			c.arrive(t.Context(), fmt.Sprint("running ", i), r(fmt.Sprint(i)))
		}
		c.arrive(t.Context(), "ann 1", r("ann"))
		c.arrive(t.Context(), "first", r("first"))
		c.done("running 0")
		if a.Snapshot().Adaptive.Crowded {
			t.Fatal("they are a crowd already")
		}
		time.Sleep(leastStanding + ms)
		c.arrive(t.Context(), "bob 1", r("bob"))
		c.arrive(t.Context(), "ann 2", r("ann"))
		c.order = nil
		for _, name := range []string{"running 1", "running 2", "running 3", "ann 1", "ann 2"} {
			c.done(name)
		}
		c.expect("ann 2", "bob 1")
	})
}

func TestNobodyStaysAGuest(t *testing.T) {
	now := time.Now()
	var g guests
	if !g.enter(1, now) || g.enter(1, now) {
		t.Error("the first operation of a visit is not told from the second")
	}
	for range guestOperations - 2 {
		g.enter(1, now)
	}
	if g.find(1, now) != nil {
		t.Errorf("a guest after %d operations", guestOperations)
	}
	g.enter(2, now)
	if g.find(2, now.Add(guestFor)) == nil || g.find(2, now.Add(guestFor+1)) != nil || g.find(2, now.Add(-time.Second)) != nil {
		t.Errorf("a visit does not last %v by a clock that goes on", guestFor)
	}
	for client := range uint64(3 * maxPromises) {
		g.enter(client, now)
	}
	if len(g.recent) > maxPromises {
		t.Errorf("%d guests are kept", len(g.recent))
	}
}

// In a crowd a promise counts as much as such promises were kept, and whoever came
// as told and found no place is not told to wait as long again.
func TestPromisesCountWhoComes(t *testing.T) {
	heeded := func(come func(client uint64) bool) float64 {
		start := time.Unix(1_000_000, 0)
		p := &pool{class: Interactive, share: 1}
		var b promises
		due := map[uint64]time.Time{}
		for client := range uint64(1000) {
			var out Refusal
			b.promise(p, client, 10*ms, true, &out, start, 0.5)
			due[client] = start.Add(out.RetryAfter)
		}
		for client, at := range due {
			if come(client) {
				b.arrived(p, client, 10*ms, at.Add(ms))
			}
		}
		c := &b.classes[Interactive]
		c.turn(start.Unix() + 10)
		return c.heeded()
	}
	none, half, all := heeded(func(uint64) bool { return false }), heeded(func(client uint64) bool { return client%2 == 0 }), heeded(func(uint64) bool { return true })
	if none > 0.2 || half < 1.5*none || all < 1.5*half {
		t.Errorf("counted with %.2f where nobody comes, %.2f where half do and %.2f where all do", none, half, all)
	}
}

// A crowd whose first operations take fifty times as long as forecast, since all is cold,
// is told to look soon, whatever seems to be before it.
func TestLooksAreNear(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	p := &pool{class: Interactive, share: 3, forecast: 1, held: 50, queue: queue{work: 200 * 5 * ms}}
	var b promises
	looks := 0
	for client := range uint64(5000) {
		var out Refusal
		b.promise(p, client, 2*ms, true, &out, now, 1)
		if out.RetryAfter > far+5*time.Second {
			t.Fatalf("client %d is told %v", client, out.RetryAfter)
		}
		if b.last(promised{client, Interactive}).look {
			looks++
		}
	}
	if looks != 5000 {
		t.Errorf("only %d of 5000 are told to look", looks)
	}
}

func TestWhoCameAsToldWaitsLess(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	p := &pool{class: Interactive, share: 1}
	var b promises
	var first Refusal
	for client := range uint64(2000) {
		b.promise(p, client, 20*ms, true, &first, now, 0)
	}
	const last = 1999
	due := now.Add(first.RetryAfter)
	b.arrived(p, last, 20*ms, due)
	var second Refusal
	b.promise(p, last, 20*ms, true, &second, due, 0)
	if second.Again || second.RetryAfter > max(minRetryAfter, first.RetryAfter/4) {
		t.Errorf("first %v, then %+v", first.RetryAfter, second)
	}
}
