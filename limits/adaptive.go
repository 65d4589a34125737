package limits

import (
	"context"
	"fmt"
	"time"
)

// AdaptiveConfig configures an Adaptive gate. The zero value of every field but
// Cores works.
type AdaptiveConfig struct {
	Cores int              // of the database; at least 1
	Slots Slots            // nil: this process has the database for itself
	Clock func() time.Time // nil: time.Now; a simulation has its own
	Seed  uint64           // of what is random; 0: another one at each start

	// Cautious is how long after the start one report of this process runs at a
	// time: until then nothing is known of how long they take.
	Cautious time.Duration

	Without Part // parts that are left out, to measure what they are worth
}

// Part is a part of the adaptive gate, or several.
type Part int

// The parts that a gate can be without.
const (
	NewestFirst Part = 1 << iota
	NarrowSeats
	CareForDeadlines
	PauseAfterSlot
	SmallFirst
	WideWhereShared
	MostYields
	OwnLadder
)

// Beat is what the processes on a database know of each other and of it.
type Beat struct {
	Processes int           // alive, this one included
	Waiting   int           // other processes in which a report waits
	RoundTrip time.Duration // of the network alone
	Demoted   bool          // report backends yield the processor to others
}

// Adaptive is a Static gate whose seats follow the size of the database, the
// number of processes on it and the crowd before it; see the package comment.
// Reports and background operations start only while Run or Step is called.
type Adaptive struct {
	Static
	own      *card  // what it follows, also while it is fixed
	because  string // of the rung on which people hold it
	switched Switch
}

// Switch is the last change between following and fixed seats.
type Switch struct {
	Fixed  bool
	Reason string
	At     time.Time // zero: there was none
}

// NewAdaptive returns an open gate, or an error if there are no cores.
func NewAdaptive(c AdaptiveConfig) (*Adaptive, error) {
	if c.Cores < 1 {
		return nil, fmt.Errorf("the database has %d cores: it needs at least one", c.Cores)
	}
	a := &Adaptive{}
	if err := a.open(StaticConfig{Seats: SeatsFor(c.Cores), Clock: c.Clock, Seed: c.Seed}); err != nil {
		return nil, err
	}
	if c.Slots == nil {
		c.Slots = &ownSlots{}
	}
	a.own = &card{
		opened: a.now(), cautious: c.Cautious,
		cores: c.Cores, slots: c.Slots, secret: a.random.Uint64(), wake: make(chan struct{}, 1), without: c.Without,
		keep: 1, beat: Beat{Processes: 1},
	}
	a.followLocked()
	a.Beat(Beat{Processes: 1})
	return a, nil
}

// Fix makes the gate a Static one for the same cores until Follow, for the reason
// given: everybody who waits and finds a seat by that starts at once. Slots of the
// database are not asked for meanwhile, and news from Beat are kept for later.
func (a *Adaptive) Fix(reason string) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.switched = Switch{Fixed: true, Reason: reason, At: now}
	a.card = nil
	seats := a.fixedSeatsLocked()
	for class := range numClasses {
		a.pools[class].fix(seats[class])
		a.dispatchLocked(&a.pools[class], now)
	}
}

// fixedSeatsLocked are the seats while it is fixed.
func (a *Adaptive) fixedSeatsLocked() Seats {
	seats := SeatsFor(a.own.cores)
	for class, n := range a.own.wanted {
		if n > 0 {
			seats[class] = n
		}
	}
	return seats
}

// SetSeats sets how many operations of a class may run at once in this process, or
// of reports on the whole database while the gate follows it. 0 gives the gate its
// own number back. Who has a seat keeps it.
func (a *Adaptive) SetSeats(class Class, n int) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own.wanted[class] = max(0, n)
	if p := &a.pools[class]; a.card == nil || class == Control || class == Background {
		p.fix(a.fixedSeatsLocked()[class])
		a.dispatchLocked(p, now)
		return
	}
	a.heardLocked(now)
}

// Follow makes a gate that was fixed follow the database and the crowd again.
func (a *Adaptive) Follow(reason string) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.switched = Switch{Reason: reason, At: now}
	a.followLocked()
	a.heardLocked(now)
}

func (a *Adaptive) followLocked() {
	a.card, a.own.whose = a.own, whose{} // what ended while it was fixed was not counted
	if !a.card.lacks(CareForDeadlines) {
		a.pools[Report].margin, a.pools[Report].trust = 2, 0.9
	}
}

// Beat tells the gate what the processes know; once a second is enough. Without
// news it keeps to the last.
func (a *Adaptive) Beat(b Beat) {
	b.Processes = max(1, b.Processes)
	b.Waiting = max(0, min(b.Waiting, b.Processes-1))
	b.RoundTrip = max(0, b.RoundTrip)
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.own.beat = b
	a.heardLocked(now)
}

// heardLocked sets the seats by the last beat.
func (a *Adaptive) heardLocked(now time.Time) {
	if a.card == nil {
		return
	}
	b := a.card.beat
	slots := reportSlots(a.card.cores, b.Demoted)
	if n := a.own.wanted[Report]; n > 0 {
		slots = n
	}
	report := &a.pools[Report]
	report.seats, report.maxQueue, a.card.places = slots, slots*queuePerSeat[Report], slots
	if a.own.wanted[Report] == 0 && age(now, &a.card.opened) < a.card.cautious {
		report.seats = 1
	}
	report.share = max(0.25, float64(slots)/float64(1+b.Waiting))
	a.card.look(&a.Static, now)
	a.dispatchLocked(&a.pools[Interactive], now)
}

// Run starts reports and background operations until ctx ends.
func (a *Adaptive) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.own.wake:
		case <-timer.C:
		}
		timer.Reset(a.Step(ctx))
	}
}

// Step starts the reports and background operations that may start now, and
// returns after which time it should be called again at the latest. It is Run for
// a caller with a clock of its own.
func (a *Adaptive) Step(ctx context.Context) time.Duration {
	for {
		class, n, again := a.wants()
		if n == 0 {
			return again
		}
		slot := a.own.slots.Take(ctx, class, n)
		if slot == nil {
			return again
		}
		if !a.give(class, slot) {
			slot.Release()
		}
	}
}

const (
	tick     = 100 * time.Millisecond // while somebody waits
	idleTick = time.Second
)

// wants is the class for which a slot should be asked, of n; 0 for none.
func (a *Adaptive) wants() (class Class, n int, again time.Duration) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.card
	if r == nil {
		return Report, 0, idleTick
	}
	r.look(&a.Static, now)
	a.dispatchLocked(&a.pools[Interactive], now)
	report, background := &a.pools[Report], &a.pools[Background]
	p := report
	if len(report.queue.waiting) == 0 {
		p = background
	}
	switch {
	case len(p.queue.waiting) == 0 && len(a.pools[Interactive].queue.waiting) == 0:
		return p.class, 0, idleTick
	case len(p.queue.waiting) == 0 || p.busy >= p.seats || age(now, &r.pause) < 0:
		return p.class, 0, tick / 2
	}
	return p.class, r.places, tick/3 + time.Duration(a.random.Int64N(int64(tick/3)))
}

// give starts the next of a class in a slot, and reports whether there was one.
func (a *Adaptive) give(class Class, slot Slot) bool {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	p := &a.pools[class]
	for a.card != nil && len(p.queue.waiting) > 0 {
		if a.nextLocked(p, now, slot) {
			return true
		}
	}
	return false
}
