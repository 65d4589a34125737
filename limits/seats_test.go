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
