package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	Seats Seats            // at least one for each class
	Clock func() time.Time // nil: time.Now; a simulation has its own
	Seed  uint64           // of what is random; 0: another one at each start
}

// Static is a gate with a fixed number of seats for each class and a short, fair
// queue before them. Background operations start only while no report waits.
type Static struct {
	now func() time.Time

	mu       sync.Mutex
	card     *card // of an Adaptive gate that follows; nil: the seats never change
	held     Step  // the least rung of the ladder, as people want it
	draining bool
	uneasy   time.Time // when something was last congested
	pools    [numClasses]pool
	slab     []Refusal // spare refusals, so that most refusals allocate nothing
	random   *rand.Rand
}

// NewStatic returns an open gate, or an error that names the class without
// seats.
func NewStatic(c StaticConfig) (*Static, error) {
	s := &Static{}
	if err := s.open(c); err != nil {
		return nil, err
	}
	return s, nil
}

// open makes a gate of the zero Static.
func (s *Static) open(c StaticConfig) error {
	for class := range numClasses {
		seats := c.Seats[class]
		if seats < 1 {
			return fmt.Errorf("class %s has %d seats: it needs at least one", class, seats)
		}
		s.pools[class].class = class
		s.pools[class].fix(seats)
	}
	if s.now = c.Clock; s.now == nil {
		s.now = time.Now
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	s.random = rand.New(rand.NewPCG(c.Seed, 0))
	return nil
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
	permit, refusal, w := s.enter(&r, ctx.Err() != nil, nil)
	if w != nil {
		return s.await(ctx, w)
	}
	return permit, refusal
}

// Offer is Admit for a caller that has no goroutine to wait in, such as a
// simulation. If the request has to wait, the Waiter is not nil and tell is
// called once, with the gate locked, when it is answered.
func (s *Static) Offer(r Request, tell func(*Permit, *Refusal)) (*Permit, *Refusal, *Waiter) {
	r = sane(r)
	return s.enter(&r, false, tell)
}

// enter admits, refuses or queues a request.
func (s *Static) enter(r *Request, gone bool, tell func(*Permit, *Refusal)) (*Permit, *Refusal, *Waiter) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pools[r.Class]
	s.card.arrived(s, p, r, now)
	switch {
	case gone:
		return nil, s.refuseLocked(p, r, Canceled, now), nil
	case s.draining:
		return nil, s.refuseLocked(p, r, Draining, now), nil
	case s.brownedLocked(r.Class, r.Tenant):
		return nil, s.refuseLocked(p, r, Brownout, now), nil
	case !r.Deadline.IsZero() && !now.Before(r.Deadline):
		return nil, s.refuseLocked(p, r, Expired, now), nil
	case s.freeLocked(p) && (len(p.queue.waiting) == 0 || s.card.yields(p) && s.card.modest(p, r)):
		return s.grantLocked(p, r, now, now, nil), nil, nil
	}
	start, position, passes := s.card.place(p, r, now)
	if !s.card.crowdIn(p) { // else time in the queue is bounded
		if why, ok := p.judge(r, now, position, p.queue.before(position)); !ok {
			return nil, s.refuseLocked(p, r, why, now), nil
		}
	}
	guest := s.card.guest(p, r, now)
	if !s.makeRoomLocked(p, position, guest, now) {
		return nil, s.refuseLocked(p, r, QueueFull, now), nil
	}
	w := &Waiter{gate: s, request: *r, arrived: now, start: start, guest: guest, tell: tell}
	if tell == nil {
		w.answered = make(chan struct{})
	}
	if passes {
		p.queue.pass(w, position)
	} else {
		p.queue.insert(w, position)
	}
	s.uneasy = now
	s.card.queued(p)
	return nil, nil, w
}

// hopeful is how long one may wait and still be refused for another's sake.
// Who has waited longer is served: a refusal has to come soon to be of use.
var hopeful = [numClasses]time.Duration{
	Control: 20 * time.Millisecond, Interactive: 20 * time.Millisecond, Report: 2 * time.Second, Background: 2 * time.Second,
}

// makeRoomLocked finds a place in the queue for one who would stand at a
// position. In a full queue the last who came a moment ago has to go, which
// belongs to a tenant with more waiting.
func (s *Static) makeRoomLocked(p *pool, position int, guest bool, now time.Time) bool {
	if len(p.queue.waiting) < p.maxQueue {
		return true
	}
	for i := len(p.queue.waiting) - 1; i >= position; i-- {
		if out := p.queue.waiting[i]; now.Sub(out.arrived) <= hopeful[p.class] || guest && !out.guest {
			p.queue.remove(out)
			s.answerLocked(out, nil, s.refuseLocked(p, &out.request, QueueFull, now))
			return true
		}
	}
	return false
}

// Full reports whether no more may wait in a class.
func (s *Static) Full(class Class) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pools[class]
	return len(p.queue.waiting) >= p.maxQueue
}

// freeLocked reports whether the class may start an operation without asking
// anybody else.
func (s *Static) freeLocked(p *pool) bool {
	if p.class == Background && len(s.pools[Report].queue.waiting) > 0 {
		return false
	}
	return p.busy < p.seats && !s.card.needsSlot(p.class)
}

func (s *Static) grantLocked(p *pool, r *Request, arrived, now time.Time, slot Slot) *Permit {
	p.busy++
	p.running += r.Work
	p.admitted++
	s.card.admitted(p, r, now)
	p.waited += max(0, now.Sub(arrived))
	s.lookAroundLocked(now)
	permit := &Permit{holder: s, class: r.Class, tenant: r.Tenant, step: s.rungLocked(r.Tenant), work: r.Work, since: now, slot: slot}
	if permit.modest = s.card.modest(p, r); permit.modest {
		p.modest++
	}
	if !r.Deadline.IsZero() {
		permit.most = max(r.Deadline.Sub(now), minCost)
	}
	return permit
}

func (s *Static) answerLocked(w *Waiter, permit *Permit, refusal *Refusal) {
	w.permit, w.refusal = permit, refusal
	if w.tell != nil {
		w.tell(permit, refusal)
		return
	}
	close(w.answered)
}

// dispatchLocked starts those who wait for a class while it has free seats, and
// refuses those whose turn comes too late.
func (s *Static) dispatchLocked(p *pool, now time.Time) {
	for len(p.queue.waiting) > 0 && s.freeLocked(p) && !s.card.yields(p) {
		s.nextLocked(p, now, nil)
	}
	s.card.dispatched(p, now)
	if p.class == Report && len(p.queue.waiting) == 0 {
		s.dispatchLocked(&s.pools[Background], now)
	}
}

// nextLocked answers the next who waits, and reports whether it was admitted.
func (s *Static) nextLocked(p *pool, now time.Time, slot Slot) bool {
	w := p.queue.pop(s.card.newestFirst(p))
	if p.tooLate(&w.request, w.arrived, now) {
		s.answerLocked(w, nil, s.refuseLocked(p, &w.request, Expired, now))
		return false
	}
	permit := s.grantLocked(p, &w.request, w.arrived, now, slot)
	permit.beside = p.seats
	s.answerLocked(w, permit, nil)
	return true
}

// release implements holder.
func (s *Static) release(permit *Permit, o Outcome, teach bool) {
	now := s.now()
	held := max(0, now.Sub(permit.since))
	if permit.most > 0 {
		held = min(held, permit.most) // what a clock that was set forward says beyond it is not so
	}
	if permit.slot != nil {
		permit.slot.Release()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pools[permit.class]
	// A failure may have been quick; only if it was slow does it say something.
	if teach && (o.Err == nil || held > permit.work) {
		p.learn(permit.work, held, o)
		s.card.ran(p, permit, held, now)
	}
	s.returnLocked(permit, now)
	s.dispatchLocked(p, now)
}

func (s *Static) returnLocked(permit *Permit, now time.Time) {
	p := &s.pools[permit.class]
	p.busy--
	if permit.modest {
		p.modest--
	}
	p.running -= permit.work
	s.card.returned(s, permit, now)
}

// slabSize is the number of refusals allocated at once.
const slabSize = 64

func (s *Static) refuseLocked(p *pool, r *Request, why Reason, now time.Time) *Refusal {
	p.refused[why]++
	if len(s.slab) == 0 {
		s.slab = make([]Refusal, slabSize)
	}
	out := &s.slab[0]
	s.slab = s.slab[1:]
	*out = Refusal{
		Reason: why, RetryAfter: p.retryAfter(s.random.Float64()), Class: p.class,
		Queue: float64(len(p.queue.waiting)), Free: float64(max(0, p.seats-p.busy)),
	}
	s.card.refused(s, p, r, out, now)
	return out
}

// Drain refuses all who wait and all who come from now on; what runs may end.
func (s *Static) Drain() {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for i := range s.pools {
		p := &s.pools[i]
		for len(p.queue.waiting) > 0 {
			w := p.queue.last()
			s.answerLocked(w, nil, s.refuseLocked(p, &w.request, Draining, now))
		}
	}
}
