package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A seat that is granted in the moment its taker gives up goes to nobody.
func TestStaticCanceledWhenGranted(t *testing.T) {
	tests := map[string]func(cancel func(), running *Permit){
		"by the caller":   func(cancel func(), running *Permit) { cancel(); running.Drop() },
		"by the deadline": func(_ func(), running *Permit) { time.Sleep(ms); running.Drop() },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStatic(t, seats)
				refused := 0
				for range 100 {
					ctx, cancel := context.WithCancel(t.Context())
					running, _ := s.Admit(t.Context(), Request{Class: Report})
					c := newCrowd(t, s)
					c.arrive(ctx, "waiting", Request{Class: Report, Deadline: within(ms)})
					end(cancel, running)
					synctest.Wait()
					cancel()
					refused += len(c.refused)
					for _, p := range c.permits {
						p.Drop()
					}
					if got := s.Snapshot().Classes[Report]; got.Busy != 0 || got.Queued != 0 {
						t.Fatalf("%d busy, %d queued at the end", got.Busy, got.Queued)
					}
				}
				if refused == 0 {
					t.Error("the waiting one always won: the test says nothing")
				}
			})
		})
	}
}

// Who leaves the queue leaves the place to the tenant's next.
func TestStaticLeavingKeepsTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, newStatic(t, seats))
		ask := func(ctx context.Context, name, tenant string) {
			c.arrive(ctx, name, Request{Class: Report, Tenant: tenant, Work: 10 * ms})
		}
		leaving, cancel := context.WithCancel(t.Context())
		ask(t.Context(), "running", "a")
		ask(t.Context(), "a1", "a")
		ask(t.Context(), "a2", "a")
		ask(leaving, "b1", "b")
		cancel()
		synctest.Wait()
		ask(t.Context(), "b2", "b")
		c.expect("running", "b1 canceled")
		for _, next := range [][2]string{{"running", "a1"}, {"a1", "b2"}, {"b2", "a2"}} {
			c.done(next[0])
			c.expect(next[1])
		}
	})
}

// TestStaticLosesNoSeat runs 20,000 operations that come, wait, are cancelled,
// miss deadlines, panic, end twice or not at all but by Drop; at the end all seats
// are free, all queues empty, and every operation was counted once.
func TestStaticLosesNoSeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const operations = 20_000
		s := newStatic(t, Seats{Control: 1, Interactive: 4, Report: 2, Background: 1})
		var running [numClasses]int
		var mu sync.Mutex
		enter := func(class Class, by int) {
			mu.Lock()
			defer mu.Unlock()
			running[class] += by
			if running[class] > s.pools[class].seats {
				t.Errorf("%d operations of class %v run on %d seats", running[class], class, s.pools[class].seats)
			}
		}
		rng := rand.New(rand.NewPCG(1, 4))
		var wg sync.WaitGroup
		for range operations {
			seed := rng.Uint64()
			wg.Go(func() { operate(t.Context(), s, rand.New(rand.NewPCG(seed, 5)), enter) })
			if rng.IntN(3) == 0 {
				time.Sleep(time.Duration(rng.Int64N(int64(4 * ms))))
			}
		}
		wg.Wait()
		total := uint64(0)
		reasons := map[Reason]uint64{}
		for _, c := range s.Snapshot().Classes {
			if c.Busy != 0 || c.Queued != 0 {
				t.Errorf("%v: %d busy, %d queued at the end", c.Class, c.Busy, c.Queued)
			}
			total += c.Admitted
			for why, n := range c.Refused {
				total += n
				reasons[why] += n
			}
		}
		// An operation granted and cancelled in the same moment counts as both.
		if total < operations || total > operations+operations/100 {
			t.Errorf("%d answers to %d operations", total, operations)
		}
		for _, why := range []Reason{QueueFull, Backlog, Expired, Canceled} {
			if reasons[why] < 20 {
				t.Errorf("only %d refused for %v: the test says nothing about it", reasons[why], why)
			}
		}
		for i := range s.pools {
			if p := &s.pools[i]; p.running != 0 || p.queue.work != 0 || len(p.queue.finish) != 0 || p.queue.virtual != 0 {
				t.Errorf("%v: %v running, queue %+v at the end", p.class, p.running, p.queue)
			}
		}
	})
}

// operate is one random operation.
func operate(ctx context.Context, gate Gate, rng *rand.Rand, enter func(Class, int)) {
	defer func() { _ = recover() }()
	r := Request{
		Class:  Class(rng.IntN(int(numClasses))),
		Tenant: fmt.Sprint(rng.IntN(5) * rng.IntN(2)),
		Work:   time.Duration(rng.Int64N(int64(20*ms))) - ms,
	}
	if rng.IntN(5) > 0 {
		r.Deadline = within(time.Duration(rng.Int64N(int64(400 * ms))))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if rng.IntN(4) == 0 {
		time.AfterFunc(time.Duration(rng.Int64N(int64(50*ms))), cancel)
	}
	permit, refusal := gate.Admit(ctx, r)
	if refusal != nil {
		return
	}
	defer permit.Drop()
	enter(r.Class, 1)
	time.Sleep(time.Duration(rng.Int64N(int64(30 * ms))))
	enter(r.Class, -1)
	switch rng.IntN(4) {
	case 0:
		panic("the operation panics")
	case 1:
		permit.Done(Outcome{Err: ctx.Err()})
		permit.Done(Outcome{})
	case 2:
		permit.Done(Outcome{})
	}
}
