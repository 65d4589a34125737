package limits

import "time"

// pace is how long operations hold a seat while all seats are taken: of late, with
// few seats or with all of them.
type pace struct {
	seats int
	held  time.Duration
	count int
	at    time.Time // of the last one
}

// paceOf is how many operations it takes to know a pace, and lasting how long it is
// believed: a database that others use is theirs for a while and not for good.
const (
	paceOf  = 64
	lasting = 30 * time.Second
)

// learn takes in how long one of so many seats was held.
func (p *pace) learn(held time.Duration, seats int, now time.Time) {
	if age(now, &p.at) > lasting || seats != p.seats {
		p.count = 0
	}
	p.count++
	p.held += (held - p.held) / time.Duration(min(p.count, p.enough()))
	p.seats, p.at = seats, now
}

// enough is how many make a pace. Of those that begin together the short ones end
// first, so there have to be more than seats.
func (p *pace) enough() int { return max(paceOf, 2*p.seats) }

// rate is what the seats can do in a second, and whether that is known.
func (p *pace) rate(now time.Time) (float64, bool) {
	return float64(p.seats) / max(p.held, minCost).Seconds(), p.count >= p.enough() && age(now, &p.at) <= lasting
}

// muchFaster is by how much wide seats must do more before they are worth what
// everybody then waits for each other.
const muchFaster = 1.25

// wideWins reports whether all seats do more than few. They do where other programs
// use the database's processors: there seats are our share of them. Of several
// servers each would see that, and take its share from the others.
func wideWins(few, all *pace, now time.Time) bool {
	slow, ok := few.rate(now)
	fast, ok2 := all.rate(now)
	return ok && ok2 && fast > muchFaster*slow
}
