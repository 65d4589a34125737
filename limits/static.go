package limits

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Seats is the number of operations of each class that may run at once.
type Seats [numClasses]int

// SeatsFor returns the seats for a database with this many cores: 4 per core for
// interactive operations, cores - 1 for reports but at least one, one for
// background work, and two for control operations. Control shares with nobody:
// stopping a timer never waits for those who look at theirs.
func SeatsFor(cores int) Seats {
	cores = max(1, cores)
	return Seats{Control: 2, Interactive: 4 * cores, Report: max(1, cores-1), Background: 1}
}

// queuePerSeat bounds the queues. Deadlines bound them long before, so this is
// about memory: short operations queue in great numbers when an app's users come
// back together, long ones never usefully.
var queuePerSeat = [numClasses]int{Control: 64, Interactive: 64, Report: 16, Background: 16}

// StaticConfig configures a Static gate.
type StaticConfig struct {
	Seats Seats // at least one for each class
}

// Static is a gate with a fixed number of seats for each class and a short, fair
// queue before them. Background operations start only while no report waits.
type Static struct {
	mu       sync.Mutex
	draining bool
	pools    [numClasses]pool
	slab     []Refusal // spare refusals, so that most refusals allocate nothing
}

// NewStatic returns an open gate, or an error that names the class without
// seats.
func NewStatic(c StaticConfig) (*Static, error) {
	s := &Static{}
	for class := range numClasses {
		seats := c.Seats[class]
		if seats < 1 {
			return nil, fmt.Errorf("class %s has %d seats: it needs at least one", class, seats)
		}
		s.pools[class] = pool{class: class, seats: seats, maxQueue: seats * queuePerSeat[class]}
	}
	return s, nil
}

// maxWork is the longest forecast that is told from a longer one.
const maxWork = time.Hour

// sane bounds what a request claims.
func sane(r Request) Request {
	r.Class = max(Control, min(r.Class, Background))
	r.Work = max(0, min(r.Work, maxWork))
	return r
}

// Admit implements Gate.
func (s *Static) Admit(ctx context.Context, r Request) (*Permit, *Refusal) {
	r = sane(r)
	permit, w, refusal := s.enter(ctx, r)
	if w != nil {
		return s.await(ctx, w)
	}
	return permit, refusal
}

// enter admits, refuses or queues a request.
func (s *Static) enter(ctx context.Context, r Request) (*Permit, *waiter, *Refusal) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pools[r.Class]
	switch {
	case ctx.Err() != nil:
		return nil, nil, s.refuseLocked(p, Canceled)
	case s.draining:
		return nil, nil, s.refuseLocked(p, Draining)
	case !r.Deadline.IsZero() && !now.Before(r.Deadline):
		return nil, nil, s.refuseLocked(p, Expired)
	case len(p.queue.waiting) == 0 && s.freeLocked(p):
		return s.grantLocked(p, &r, now, now), nil, nil
	}
	start := p.queue.start(r.Tenant)
	position, before := p.queue.place(start)
	if why, ok := p.judge(&r, now, position, before); !ok {
		return nil, nil, s.refuseLocked(p, why)
	}
	if !s.makeRoomLocked(p, position, now) {
		return nil, nil, s.refuseLocked(p, QueueFull)
	}
	w := &waiter{request: r, arrived: now, start: start, answered: make(chan struct{})}
	p.queue.insert(w, position)
	return nil, w, nil
}

// hopeful is how long one may wait and still be refused for another's sake.
// Who has waited longer is served: a refusal has to come at once to be of use.
const hopeful = 20 * time.Millisecond

// makeRoomLocked finds a place in the queue for one who would stand at a
// position. In a full queue the last who came a moment ago has to go, which
// belongs to a tenant with more waiting.
func (s *Static) makeRoomLocked(p *pool, position int, now time.Time) bool {
	if len(p.queue.waiting) < p.maxQueue {
		return true
	}
	for i := len(p.queue.waiting) - 1; i >= position; i-- {
		if out := p.queue.waiting[i]; now.Sub(out.arrived) <= hopeful {
			p.queue.remove(out)
			s.answerLocked(out, nil, s.refuseLocked(p, QueueFull))
			return true
		}
	}
	return false
}

// await waits for w's answer, its deadline or the end of ctx.
func (s *Static) await(ctx context.Context, w *waiter) (*Permit, *Refusal) {
	var tooLate <-chan time.Time
	if !w.request.Deadline.IsZero() {
		timer := time.NewTimer(time.Until(w.request.Deadline))
		defer timer.Stop()
		tooLate = timer.C
	}
	why := Canceled
	select {
	case <-w.answered:
		return w.permit, w.refusal
	case <-ctx.Done():
	case <-tooLate:
		why = Expired
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pools[w.request.Class]
	if w.refusal != nil {
		return nil, w.refusal
	}
	if w.permit != nil { // granted at the same moment
		w.permit.ended.Store(true)
		s.returnLocked(w.permit)
	} else {
		p.queue.remove(w)
	}
	refusal := s.refuseLocked(p, why)
	s.dispatchLocked(p)
	return nil, refusal
}

// freeLocked reports whether the class may start an operation.
func (s *Static) freeLocked(p *pool) bool {
	if p.class == Background && len(s.pools[Report].queue.waiting) > 0 {
		return false
	}
	return p.busy < p.seats
}

func (s *Static) grantLocked(p *pool, r *Request, arrived, now time.Time) *Permit {
	p.busy++
	p.running += r.Work
	p.admitted++
	p.waited += now.Sub(arrived)
	return &Permit{holder: s, class: r.Class, work: r.Work, since: now}
}

func (s *Static) answerLocked(w *waiter, permit *Permit, refusal *Refusal) {
	w.permit, w.refusal = permit, refusal
	close(w.answered)
}

// dispatchLocked starts those who wait for a class while it has free seats, and
// refuses those whose turn comes too late.
func (s *Static) dispatchLocked(p *pool) {
	for len(p.queue.waiting) > 0 && s.freeLocked(p) {
		now := time.Now()
		w := p.queue.pop()
		if p.tooLate(&w.request, w.arrived, now) {
			s.answerLocked(w, nil, s.refuseLocked(p, Expired))
			continue
		}
		s.answerLocked(w, s.grantLocked(p, &w.request, w.arrived, now), nil)
	}
	if p.class == Report && len(p.queue.waiting) == 0 {
		s.dispatchLocked(&s.pools[Background])
	}
}

// release implements holder.
func (s *Static) release(permit *Permit, o Outcome, teach bool) {
	held := time.Since(permit.since)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pools[permit.class]
	// A failure may have been quick; only if it was slow does it say something.
	if teach && (o.Err == nil || held > permit.work) {
		p.learn(permit.work, held)
	}
	s.returnLocked(permit)
	s.dispatchLocked(p)
}

func (s *Static) returnLocked(permit *Permit) {
	p := &s.pools[permit.class]
	p.busy--
	p.running -= permit.work
}

// slabSize is the number of refusals allocated at once.
const slabSize = 64

func (s *Static) refuseLocked(p *pool, why Reason) *Refusal {
	p.refused[why]++
	if len(s.slab) == 0 {
		s.slab = make([]Refusal, slabSize)
	}
	r := &s.slab[0]
	s.slab = s.slab[1:]
	*r = Refusal{
		Reason: why, RetryAfter: p.retryAfter(), Class: p.class,
		Queue: float64(len(p.queue.waiting)), Free: float64(max(0, p.seats-p.busy)),
	}
	return r
}

// Drain refuses all who wait and all who come from now on; what runs may end.
func (s *Static) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for i := range s.pools {
		p := &s.pools[i]
		for len(p.queue.waiting) > 0 {
			s.answerLocked(p.queue.last(), nil, s.refuseLocked(p, Draining))
		}
	}
}
