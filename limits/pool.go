package limits

import (
	"math"
	"time"
)

// pool is the part of a Static gate that serves one class. Its methods need the
// gate's lock.
type pool struct {
	class    Class
	seats    int
	share    float64 // the seats' worth that waiting times count with
	busy     int
	modest   int // of these, in a crowd, of tenants that have little waiting
	maxQueue int
	margin   float64 // what forecasts are multiplied with while many wait
	trust    float64 // the most a forecast counts, of the time from arrival to deadline
	queue    queue
	running  time.Duration // forecast work of what runs

	// Sums over past operations, the older the less: how long they held a seat
	// and what was forecast. Their ratio corrects forecasts of this class.
	held, forecast float64
	count          float64 // of these operations
	inside, trips  float64 // their time in statements, and statements

	admitted       uint64
	waited         time.Duration
	refused, would [numReasons]uint64
}

// fix gives the pool the seats of a Static gate.
func (p *pool) fix(seats int) {
	p.seats, p.share, p.maxQueue, p.trust, p.margin = seats, float64(seats), seats*queuePerSeat[p.class], 0.5, 1
}

// The memory of a pool is some 64 operations; a forecast is corrected by at most
// these factors, so that no measurement can close a class for good.
const (
	forget      = 1 - 1.0/64
	leastFactor = 1.0 / 16
	mostFactor  = 64.0
)

// learn takes in how long an operation held its seat.
func (p *pool) learn(forecast, held time.Duration, o Outcome) {
	p.forecast = p.forecast*forget + max(forecast, minCost).Seconds()
	p.held = p.held*forget + held.Seconds()
	p.count = p.count*forget + 1
	p.inside = p.inside*forget + max(0, min(o.DB, held)).Seconds()
	p.trips = p.trips*forget + float64(max(0, o.Statements))
}

// corrected is a forecast of this class in the light of past ones.
func (p *pool) corrected(work time.Duration) time.Duration {
	factor := 1.0
	if p.forecast > 0 {
		factor = min(max(p.held/p.forecast, leastFactor), mostFactor)
	}
	return time.Duration(min(float64(work)*factor, math.MaxInt64/2))
}

// wait forecasts how long it takes until a seat is free for one who has this
// work before it in the queue. Of what runs, half is still to do.
func (p *pool) wait(before time.Duration) time.Duration {
	return time.Duration(float64(p.corrected(before+p.running/2)) / p.share)
}

// service forecasts how long a request will hold its seat. A forecast alone never
// dooms a request, only waiting does: it counts for at most half of the time the
// request had at its arrival.
func (p *pool) service(r *Request, arrived time.Time) time.Duration {
	return min(time.Duration(p.care(r.Deadline.Sub(arrived))*float64(p.corrected(r.Work))), time.Duration(p.trust*float64(r.Deadline.Sub(arrived))))
}

// tooLate reports whether a request that starts at this time misses its deadline.
func (p *pool) tooLate(r *Request, arrived, start time.Time) bool {
	return !r.Deadline.IsZero() && start.Add(p.service(r, arrived)).After(r.Deadline)
}

// judge decides about a request that finds no free seat and would stand at a
// position of a queue behind some work. It may be told to wait: then ok is true.
func (p *pool) judge(r *Request, now time.Time, position int, before time.Duration) (why Reason, ok bool) {
	switch {
	case position >= p.maxQueue:
		return QueueFull, false
	case p.tooLate(r, now, now.Add(p.wait(before))):
		return Backlog, false
	default:
		return 0, true
	}
}

const (
	minRetryAfter = time.Second
	maxRetryAfter = time.Minute
)

// retryAfter is when the class's backlog will be worked off, times a random
// factor between 1 and 2: a fixed one brings everybody back at once.
func (p *pool) retryAfter(random float64) time.Duration {
	return spread(time.Duration(float64(p.corrected(p.queue.work+p.running))/p.share), random)
}

// spread is a time to retry for a backlog that takes so long.
func spread(clear time.Duration, random float64) time.Duration {
	clear = min(max(clear, minRetryAfter), maxRetryAfter/2)
	return time.Duration(float64(clear) * (1 + random))
}

// meanHeld is how long an operation holds its seat.
func (p *pool) meanHeld() time.Duration {
	if p.count == 0 {
		return 5 * time.Millisecond
	}
	return time.Duration(p.held / p.count * float64(time.Second))
}

// idle is the time that a seat is held for each second of database work in it.
func (p *pool) idle(roundTrip time.Duration) float64 {
	work := p.inside - p.trips*roundTrip.Seconds()
	if work <= 0 {
		return 1
	}
	return p.held / work
}

// care is what forecasts are multiplied with before they are held against a
// deadline. While more waits than can be done in half of the time an operation
// has, those are chosen that will surely end in time: what is killed at its
// deadline was run for nothing.
func (p *pool) care(has time.Duration) float64 {
	return 1 + (p.margin-1)*max(0, min(1, p.wait(p.queue.work).Seconds()/max(has.Seconds()/2, 1e-9)-1))
}
