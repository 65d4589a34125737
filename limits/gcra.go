package limits

import (
	"math"
	"time"
)

// bucket is a leaky bucket in one integer, the generic cell rate algorithm of
// ATM (ITU-T I.371): the time, in nanoseconds on the budget's own clock, at which
// the bucket will be full again. A past time is a full bucket, so a bucket that
// nobody uses needs no memory. Points are held as the nanoseconds it takes to
// restore them, so what is given back is exactly what was taken.
type bucket int64

// span is a bucket's size, and points in general, in nanoseconds of restoring.
type span = int64

// maxSpan keeps sums of spans and clocks within an int64: 73 years.
const maxSpan = span(math.MaxInt64 / 4)

// spanOf converts points; what is no number costs the maximum.
func (r Rate) spanOf(points float64) span {
	ns := points / r.Restore * float64(time.Second)
	switch {
	case math.IsNaN(ns) || ns >= float64(maxSpan):
		return maxSpan
	case ns <= 0:
		return 0
	}
	return span(math.Ceil(ns))
}

// pointsOf is the inverse of spanOf.
func (r Rate) pointsOf(s span) float64 {
	return float64(s) / float64(time.Second) * r.Restore
}

// used is how much is missing at now; more than the size is debt.
func (b bucket) used(now span) span { return max(0, span(b)-now) }

// take returns the bucket after cost was taken, or how long to wait for it. More
// than the whole size asks for a full bucket and leaves a debt.
func (b bucket) take(now, cost, size span) (after bucket, wait time.Duration) {
	used := b.used(now)
	if short := used + min(cost, size) - size; short > 0 {
		return b, time.Duration(short)
	}
	return b.charge(now, cost, size), 0
}

// charge takes cost without asking; the debt is at most one size.
func (b bucket) charge(now, cost, size span) bucket {
	used := b.used(now)
	return bucket(now + max(used, min(used+cost, 2*size)))
}

// refund gives back what was taken. It cannot overfill: a time that has passed
// is a full bucket.
func (b bucket) refund(cost span) bucket { return b - bucket(cost) }
