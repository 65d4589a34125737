package limits

import (
	"context"
	"time"
)

// Measure returns a gate that admits everything at once and counts in s's
// snapshot, as WouldRefuse, what s would have refused. Nobody waits, so what runs
// beyond the seats stands for the queue.
func Measure(s *Static) Gate { return measured{s} }

type measured struct{ *Static }

// Admit implements Gate.
func (m measured) Admit(_ context.Context, r Request) (*Permit, *Refusal) {
	r = sane(r)
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.pools[r.Class]
	m.letInLocked(p, now) // who had come to the gate just before it was opened
	if over := p.busy - p.seats; over >= 0 {
		queued := p.running / time.Duration(p.busy) * time.Duration(over)
		if why, ok := p.judge(&r, now, over, queued); !ok {
			p.would[why]++
		}
	}
	return m.grantLocked(p, &r, now, now, nil), nil
}

// LetIn starts everybody who waits: from now on the gate only counts.
func (s *Static) LetIn() {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.pools {
		s.letInLocked(&s.pools[i], now)
	}
}

func (s *Static) letInLocked(p *pool, now time.Time) {
	for len(p.queue.waiting) > 0 {
		w := p.queue.pop(false)
		s.answerLocked(w, s.grantLocked(p, &w.request, w.arrived, now, nil), nil)
	}
}

// Snapshot is the state of a gate at one moment; its counters only grow.
type Snapshot struct {
	Draining bool
	Classes  [numClasses]ClassSnapshot // indexed by Class
	Adaptive *AdaptiveSnapshot         // nil for a Static gate
}

// AdaptiveSnapshot is what an Adaptive gate sees.
type AdaptiveSnapshot struct {
	Processes int     // that share the database
	Crowded   bool    // more interactive operations come than the database can do
	Kept      float64 // share of the clients that is served in the crowd
	Rung      Step    // of the brownout ladder, the highest
	Whose     string  // the tenant that is on it alone; empty: all are
	Because   string  // of a rung that people want; empty: nobody does
	Switch            // the last one
}

// Snapshot returns the gate's state, for metrics.
func (a *Adaptive) Snapshot() Snapshot {
	out := a.Static.Snapshot()
	a.mu.Lock()
	defer a.mu.Unlock()
	w := &a.own.whose
	out.Adaptive = &AdaptiveSnapshot{Processes: a.own.beat.Processes, Crowded: a.card != nil && a.own.crowded, Kept: a.own.keep, Rung: a.rungLocked(w.tenant), Because: a.because, Switch: a.switched}
	if w.tenant != "" && a.rungLocked("") < out.Adaptive.Rung {
		out.Adaptive.Whose = w.tenant
	}
	if a.card == nil {
		out.Adaptive.Kept = 1
	}
	return out
}

// ClassSnapshot is the part of one class.
type ClassSnapshot struct {
	Class               Class
	Seats, Busy, Queued int
	Admitted            uint64
	Waited              time.Duration // sum over those admitted
	Held                time.Duration // how long an operation holds its seat, on average of late
	Running, Waiting    time.Duration // forecast work of what runs, and of what is queued
	Promised            time.Duration // forecast work of those who were told when to come back
	Absorb              time.Duration // until running, waiting and promised are worked off
	Refused             map[Reason]uint64
	WouldRefuse         map[Reason]uint64 // counted by a measuring gate
}

// Snapshot returns the gate's state, for metrics.
func (s *Static) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Snapshot{Draining: s.draining}
	for i := range s.pools {
		p := &s.pools[i]
		out.Classes[i] = ClassSnapshot{
			Class: p.class, Seats: p.seats, Busy: p.busy, Queued: len(p.queue.waiting),
			Admitted: p.admitted, Waited: p.waited,
			Running: p.corrected(p.running), Waiting: p.corrected(p.queue.work),
			Refused: byReason(p.refused), WouldRefuse: byReason(p.would),
		}
		if p.count > 0 {
			out.Classes[i].Held = p.meanHeld()
		}
		s.surgeLocked(p, &out.Classes[i])
	}
	return out
}

// surgeLocked forecasts how long a class needs for all that has come.
func (s *Static) surgeLocked(p *pool, out *ClassSnapshot) {
	clear := p.corrected(p.queue.work+p.running).Seconds() / p.share
	if s.card != nil {
		c := &s.card.promises.classes[p.class]
		c.turn(s.now().Unix())
		out.Promised = p.corrected(c.total)
		clear = c.clear(p)
	}
	clear = max(0, min(clear, time.Hour.Seconds())) // a promise is struck out to the second only
	out.Absorb, out.Promised = time.Duration(clear*float64(time.Second)), max(0, out.Promised)
}

// byReason returns all reasons, so that a metric's series exist from the start.
func byReason(counts [numReasons]uint64) map[Reason]uint64 {
	out := make(map[Reason]uint64, len(counts))
	for why, n := range counts {
		out[Reason(why)] = n
	}
	return out
}
