package simulate

import (
	"context"
	"fmt"
	"time"

	"headroom/limits"
)

// own drives a gate of package limits.
type own struct {
	srv      *server
	static   *limits.Static
	adaptive *limits.Adaptive // nil for a static gate
	answers  []answer
	next     *event       // of the adaptive gate's Step
	held     map[int]held // refusals that are held back, by client
}

// held are a client's refusals that are held back, and all since there were none.
type held struct{ now, all int }

type answer struct {
	a       *attempt
	permit  *limits.Permit
	refusal *limits.Refusal
}

func (g *own) arrive(a *attempt) {
	w := g.srv.world
	r := limits.Request{
		Class: a.op.source.Class, Tenant: fmt.Sprint(a.op.tenant), Client: fmt.Sprint(a.op.client),
		Work: a.op.forecast, Deadline: w.clock().Add(g.left(a)),
	}
	permit, refusal, waiter := g.static.Offer(r, func(p *limits.Permit, refusal *limits.Refusal) {
		g.answers = append(g.answers, answer{a, p, refusal})
	})
	a.waiter = waiter
	if waiter == nil {
		g.answers = append(g.answers, answer{a, permit, refusal})
	}
	g.settle()
	if waiter != nil && r.Class >= limits.Report {
		g.step()
	}
}

// left is how long an attempt may still take: who was held has what is left, and as much
// as a click at least.
func (g *own) left(a *attempt) time.Duration {
	w := g.srv.world
	return max(w.deadline(a.op.source.Class)-(w.now-a.arrived), w.deadline(limits.Interactive))
}

func (g *own) leave(a *attempt) time.Duration {
	refusal := a.waiter.Leave(limits.Expired)
	g.settle()
	return refusal.RetryAfter
}

func (g *own) ended(a *attempt, ok bool) {
	if !ok {
		a.permit.Done(limits.Outcome{DB: g.srv.world.now - a.started, Statements: 1, Err: context.DeadlineExceeded})
	} else {
		a.permit.Done(limits.Outcome{DB: g.srv.world.now - a.started, Statements: max(1, a.op.source.Statements)})
	}
	g.settle()
	if a.op.source.Class >= limits.Report {
		g.step()
	}
}

func (g *own) drain() {
	g.static.Drain()
	g.settle()
}

// settle tells attempts what the gate has answered.
func (g *own) settle() {
	for len(g.answers) > 0 {
		batch := g.answers
		g.answers = nil
		for _, x := range batch {
			if x.refusal != nil {
				if !x.a.over {
					g.refuse(x.a, x.refusal)
				}
				continue
			}
			x.a.permit = x.permit
			g.srv.world.start(x.a)
		}
	}
}

// refuse tells an attempt when to come back. Of a client that was told before it is
// held back as package server does it, and asks again when its time has come.
func (g *own) refuse(a *attempt, r *limits.Refusal) {
	w := g.srv.world
	if w.Crowd == nil || !r.Again {
		w.refuse(a, r.RetryAfter)
		return
	}
	hold, beside := r.RetryAfter, g.held[a.op.client].now
	switch {
	case r.Early == 0:
		hold = 300 * time.Millisecond
	case beside > 0:
		hold = time.Duration(r.Early)*50*time.Millisecond + time.Duration(beside)*10*time.Millisecond
	}
	hold = max(0, min(hold, r.RetryAfter, 9*second-(w.now-a.arrived)))
	a.over, a.timeout.fn = true, nil
	g.hold(a.op.client, 1, 1)
	w.after(hold, func() {
		alone := g.held[a.op.client].all == 1
		g.hold(a.op.client, -1, 0)
		if alone && hold == r.RetryAfter { // its time has come
			a.over, a.waiter = false, nil
			a.timeout = w.after(g.left(a), func() { w.giveUp(a) })
			g.arrive(a)
			return
		}
		w.refuse(a, max(second, r.RetryAfter-hold))
	})
}

// hold counts refusals of a client that are held back.
func (g *own) hold(client, now, all int) {
	h := g.held[client]
	if h.now, h.all = h.now+now, h.all+all; h.now == 0 {
		delete(g.held, client)
		return
	}
	g.held[client] = h
}

// step lets an adaptive gate start reports and see how it stands.
func (g *own) step() {
	if g.adaptive == nil {
		return
	}
	if g.next != nil {
		g.next.fn = nil
	}
	again := g.adaptive.Step(g.srv.world.ctx)
	g.settle()
	g.next = g.srv.world.after(again, g.step)
}

// beat tells an adaptive gate each second what the servers know.
func (g *own) beat() {
	w := g.srv.world
	if g.srv.gate != gate(g) && g.srv.gate != nil {
		return // this server has restarted
	}
	waiting := 0
	for _, srv := range w.servers {
		if o, ok := srv.gate.(*own); ok && srv != g.srv && !srv.down && o.static.Snapshot().Classes[limits.Report].Queued > 0 {
			waiting++
		}
	}
	g.adaptive.Beat(limits.Beat{
		Processes: w.alive(), Waiting: waiting, RoundTrip: w.RoundTrip,
		Demoted: w.Demotable && w.policy.demote,
	})
	g.settle()
	w.after(time.Second, g.beat)
}

// shared are the report slots of the simulated database.
type shared struct{ w *world }

func (s shared) Take(_ context.Context, _ limits.Class, n int) limits.Slot {
	if s.w.slots >= n {
		return nil
	}
	s.w.slots++
	return s
}

func (s shared) Release() { s.w.slots-- }

// Static is the gate of that name, with the seats of one process of several.
func Static() Policy {
	return Policy{Name: "static", open: func(srv *server) gate {
		w := srv.world
		static, err := limits.NewStatic(limits.StaticConfig{
			Seats: limits.SeatsFor(max(1, w.Guess/w.Processes)), Clock: w.clock, Seed: w.rng.Uint64(),
		})
		if err != nil {
			panic(err) // SeatsFor gives every class a seat
		}
		return &own{srv: srv, static: static, held: map[int]held{}}
	}}
}

// Adaptive is the gate of that name.
func Adaptive() Policy { return adaptive("adaptive", true, nil) }

// adaptive is the gate with a part changed.
func adaptive(name string, demote bool, change func(*server, *limits.AdaptiveConfig)) Policy {
	return Policy{Name: name, demote: demote, open: func(srv *server) gate {
		w := srv.world
		c := limits.AdaptiveConfig{Cores: w.Guess, Slots: shared{w}, Clock: w.clock, Seed: w.rng.Uint64()}
		if change != nil {
			change(srv, &c)
		}
		a, err := limits.NewAdaptive(c)
		if err != nil {
			panic(err) // every scenario has cores
		}
		g := &own{srv: srv, static: &a.Static, adaptive: a, held: map[int]held{}}
		w.after(0, g.beat)
		w.after(0, g.step)
		return g
	}}
}
