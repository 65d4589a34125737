package limits

import (
	"time"
)

// Rate is a budget's size in points and how many points a second come back.
type Rate struct {
	Size, Restore float64
}

// ParseRate reads "2000/100": the size and what a second restores.
func ParseRate(s string) (Rate, error) { return Rate{}, nil }

// Budget holds a bucket of points for each key. A key that nobody has used is
// full and takes no memory. Its methods are safe for concurrent use.
type Budget struct {
	rate Rate
}

// NewBudget returns a budget in which every key is full, or an error if the
// rate is not positive and finite.
func NewBudget(rate Rate) (*Budget, error) { return &Budget{rate: rate}, nil }

// Rate returns what the budget was made with.
func (b *Budget) Rate() Rate { return b.rate }

// Available returns the points the key may spend now: at most the size, below
// zero while it is in debt.
func (b *Budget) Available(key string) float64 { return 0 }

// Charge takes points without asking; the key may go into debt by one size.
func (b *Budget) Charge(key string, points float64) {}

// Shortage says that a budget does not hold what was asked for (THROTTLED).
type Shortage struct {
	Cost       float64       // points asked for
	Available  float64       // points there were
	Rate       Rate          // of the budget that is short
	RetryAfter time.Duration // until it holds them, if nobody else takes them
}

// Reservation holds points of one or two keys until the actual cost is known.
// Only the first Settle or Cancel counts.
type Reservation struct{}

// Settle replaces the reserved by the actual points: the rest goes back, more is
// taken, if need be into debt.
func (r *Reservation) Settle(actual float64) {}

// Cancel gives everything back.
func (r *Reservation) Cancel() {}

// Account is one key of one budget.
type Account struct {
	Budget *Budget
	Key    string
}

// Reserve takes points from all accounts or, if one is short, from none.
func Reserve(points float64, accounts ...Account) (*Reservation, *Shortage) {
	return &Reservation{}, nil
}
