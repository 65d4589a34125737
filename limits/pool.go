package limits

import (
	"math"
	"math/rand/v2"
	"time"
)

// pool is the part of a Static gate that serves one class. Its methods need the
// gate's lock.
type pool struct {
	class    Class
	seats    int
	busy     int
	maxQueue int
	queue    queue
	running  time.Duration // forecast work of what runs

	// Sums over past operations, the older the less: how long they held a seat
	// and what was forecast. Their ratio corrects forecasts of this class.
	held, forecast float64

	admitted       uint64
	waited         time.Duration
	refused, would [numReasons]uint64
}

// The memory of a pool is some 64 operations; a forecast is corrected by at most
// these factors, so that no measurement can close a class for good.
const (
	forget      = 1 - 1.0/64
	leastFactor = 1.0 / 16
	mostFactor  = 64.0
)

// learn takes in how long an operation held its seat.
func (p *pool) learn(forecast, held time.Duration) {
	p.forecast = p.forecast*forget + max(forecast, minCost).Seconds()
	p.held = p.held*forget + max(held, 0).Seconds()
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
	return p.corrected(before+p.running/2) / time.Duration(p.seats)
}

// service forecasts how long a request will hold its seat. A forecast alone never
// dooms a request, only waiting does: it counts for at most half of the time the
// request had at its arrival.
func (p *pool) service(r *Request, arrived time.Time) time.Duration {
	return min(p.corrected(r.Work), r.Deadline.Sub(arrived)/2)
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
func (p *pool) retryAfter() time.Duration {
	clear := p.corrected(p.queue.work+p.running) / time.Duration(p.seats)
	clear = min(max(clear, minRetryAfter), maxRetryAfter)
	return min(time.Duration(float64(clear)*(1+rand.Float64())), maxRetryAfter)
}
