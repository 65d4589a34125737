package limits

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"headroom/proof"
)

// books drives a gate at random and keeps its own account of what is where.
type books struct {
	t       *testing.T
	rng     *rand.Rand
	now     time.Time
	gate    *Static
	step    func()
	slots   *ownSlots // nil for a static gate
	running []*Permit
	waiting map[*Waiter]bool
	busy    [numClasses]int
	asked   [numClasses]uint64
	refused [numClasses]uint64
}

// ask offers a request with whatever a caller may come up with.
func (b *books) ask() {
	r := Request{
		Class: Class(b.rng.IntN(6) - 1), Tenant: fmt.Sprint(b.rng.IntN(5)), Client: fmt.Sprint(b.rng.IntN(50)),
		Work: []time.Duration{0, -1, time.Millisecond, 10 * time.Millisecond, time.Second, math.MaxInt64, math.MinInt64}[b.rng.IntN(7)],
	}
	if b.rng.IntN(4) > 0 {
		r.Deadline = b.now.Add(time.Duration(b.rng.Int64N(int64(time.Second))) - 50*ms)
	}
	class := sane(r).Class
	b.asked[class]++
	var w *Waiter
	permit, refusal, w := b.gate.Offer(r, func(p *Permit, refusal *Refusal) {
		if !b.waiting[w] {
			b.t.Error("one that does not wait is answered")
		}
		delete(b.waiting, w)
		b.answer(class, p, refusal)
	})
	if w != nil {
		b.waiting[w] = true
		return
	}
	b.answer(class, permit, refusal)
}

func (b *books) answer(class Class, p *Permit, refusal *Refusal) {
	if (p == nil) == (refusal == nil) {
		b.t.Fatalf("permit %v and refusal %v, want exactly one", p, refusal)
	}
	if p == nil {
		if refusal.Class != class || refusal.RetryAfter <= 0 || refusal.RetryAfter > maxRetryAfter {
			b.t.Fatalf("refusal of %v: %+v", class, refusal)
		}
		b.refused[class]++
		return
	}
	b.busy[class]++
	b.running = append(b.running, p)
}

// finish ends an operation in one of the ways there are, some of them twice.
func (b *books) finish() {
	i := b.rng.IntN(len(b.running))
	p := b.running[i]
	b.running[i] = b.running[len(b.running)-1]
	b.running = b.running[:len(b.running)-1]
	b.busy[p.class]--
	switch b.rng.IntN(4) {
	case 0:
		p.Drop()
	case 1: // it panics
		func() {
			defer func() { _ = recover() }()
			defer p.Drop()
			panic("the operation panics")
		}()
	case 2:
		p.Done(Outcome{DB: time.Duration(b.rng.Int64() - math.MaxInt64/2), Statements: b.rng.IntN(9) - 1, Err: errors.New("down")})
		p.Done(Outcome{})
	default:
		p.Done(Outcome{DB: time.Duration(b.rng.Int64N(int64(20 * ms))), Statements: 1})
		p.Drop()
	}
}

func (b *books) leave() {
	for w := range b.waiting {
		delete(b.waiting, w)
		b.refused[w.request.Class]++
		if refusal := w.Leave([]Reason{Canceled, Expired}[b.rng.IntN(2)]); refusal == nil {
			b.t.Fatal("left without a refusal")
		}
		return
	}
}

// check compares the gate's account with ours.
func (b *books) check() {
	b.t.Helper()
	var waiting [numClasses]int
	for w := range b.waiting {
		waiting[w.request.Class]++
	}
	for class, c := range b.gate.Snapshot().Classes {
		refused := uint64(0)
		for _, n := range c.Refused {
			refused += n
		}
		if c.Busy != b.busy[class] || c.Queued != waiting[class] || refused != b.refused[class] ||
			c.Admitted+refused+uint64(c.Queued) != b.asked[class] {
			b.t.Fatalf("%v: %+v; by our books %d busy, %d wait, %d refused of %d", c.Class, c, b.busy[class], waiting[class], b.refused[class], b.asked[class])
		}
		if c.Seats < 1 || c.Seats > 16 {
			b.t.Fatalf("%v has %d seats", c.Class, c.Seats)
		}
	}
	inSlots := 0
	for _, p := range b.running {
		if p.Slot() != nil {
			inSlots++
		}
	}
	if b.slots != nil && b.slots.taken != inSlots {
		b.t.Fatalf("%d slots are taken by %d operations", b.slots.taken, inSlots)
	}
}

// Whatever happens to operations, forecasts and clocks, no seat is lost, nobody
// is answered twice, and the counters add up.
func TestTheBooksBalance(t *testing.T) {
	size := proof.Size(t, 10_000_000, 100_000)
	for name, open := range map[string]func(*books){
		"static": func(b *books) {
			s, err := NewStatic(StaticConfig{Seats: SeatsFor(2), Clock: func() time.Time { return b.now }, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			b.gate, b.step = s, func() {}
		},
		"adaptive": func(b *books) {
			b.slots = &ownSlots{}
			a := newAdaptive(t, AdaptiveConfig{Cores: 4, Slots: b.slots, Clock: func() time.Time { return b.now }, Seed: 1})
			b.gate, b.step = &a.Static, func() {
				a.Step(context.Background())
				switch b.rng.IntN(2000) {
				case 0:
					a.Fix("by chance")
				case 1, 2:
					a.Follow("by chance")
				case 3:
					a.Brown(Step(b.rng.IntN(int(numSteps)+2)-1), "by chance")
				case 4, 5:
					a.Brown(Normal, "by chance")
				}
				if b.rng.IntN(20) == 0 {
					a.Beat(Beat{Processes: b.rng.IntN(4), Waiting: b.rng.IntN(3), RoundTrip: time.Duration(b.rng.Int64N(int64(ms))), Demoted: b.rng.IntN(2) == 0})
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := &books{t: t, rng: proof.Rand(t, 0), now: time.Unix(1_000_000_000, 0), waiting: map[*Waiter]bool{}}
			open(b)
			for i := range size {
				b.now = b.now.Add(time.Duration(b.rng.Int64N(int64(ms))))
				if b.rng.IntN(5000) == 0 {
					b.now = b.now.Add(time.Duration(b.rng.IntN(3)-1) * time.Hour)
				}
				b.ask()
				if b.rng.IntN(16) == 0 {
					b.leave()
				}
				for len(b.running) > 0 && b.rng.IntN(3) > 0 {
					b.finish()
				}
				b.step()
				if i%1000 == 0 {
					b.check()
				}
			}
			for len(b.waiting) > 0 {
				b.leave()
			}
			for len(b.running) > 0 {
				b.finish()
			}
			b.check()
			var asked, refused uint64
			for class := range numClasses {
				asked, refused = asked+b.asked[class], refused+b.refused[class]
			}
			if b.busy != [numClasses]int{} || refused < uint64(size/50) || asked-refused < uint64(size/50) {
				t.Errorf("at the end %v run; %d of %d were refused", b.busy, refused, asked)
			}
			proof.Result(t, "%d operations were asked for and %d refused; at the end all seats were free", asked, refused)
		})
	}
}
