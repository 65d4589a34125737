package limits

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Rate is a budget's size in points and how many points a second come back.
type Rate struct {
	Size, Restore float64
}

// ParseRate reads "2000/100": the size and what a second restores.
func ParseRate(s string) (Rate, error) {
	size, restore, ok := strings.Cut(s, "/")
	r := Rate{}
	var err1, err2 error
	r.Size, err1 = strconv.ParseFloat(size, 64)
	r.Restore, err2 = strconv.ParseFloat(restore, 64)
	if !ok || err1 != nil || err2 != nil {
		return Rate{}, fmt.Errorf("budget %q: want SIZE/RESTORE in points, such as 2000/100", s)
	}
	return r, r.validate()
}

// String is the inverse of ParseRate.
func (r Rate) String() string { return fmt.Sprintf("%g/%g", r.Size, r.Restore) }

// validate accepts what a bucket can count: at most ten years to fill.
func (r Rate) validate() error {
	const longest = float64(10 * 365 * 24 * time.Hour / time.Second)
	if !(r.Size > 0 && r.Restore > 0) || math.IsInf(r.Size, 0) || math.IsInf(r.Restore, 0) || r.Size/r.Restore > longest {
		return fmt.Errorf("budget %s: size and restore rate must be above 0, and full within ten years", r)
	}
	return nil
}

// maxKeys bounds a budget's memory. Keys beyond it share one bucket: a flood of
// new keys then throttles itself and nobody who was there before.
const maxKeys = 100_000

// overflow is the key of the shared bucket. No caller's key starts with a zero
// byte.
const overflow = "\x00"

// Budget holds a bucket of points for each key. A key that nobody has used is
// full and takes no memory. Its methods are safe for concurrent use.
type Budget struct {
	rate  Rate
	size  span
	start time.Time // with its monotonic reading: steps of the wall clock do nothing

	mu      sync.Mutex
	buckets map[string]purse
	sweepAt int  // number of buckets at which full ones are forgotten
	swept   span // when that last happened
}

// purse is a key's bucket, and what reservations that are open hold of it.
type purse struct {
	bucket
	held span
}

// NewBudget returns a budget in which every key is full, or an error if the
// rate is not positive and finite.
func NewBudget(rate Rate) (*Budget, error) {
	if err := rate.validate(); err != nil {
		return nil, err
	}
	return &Budget{
		rate: rate, size: rate.spanOf(rate.Size), start: time.Now(),
		buckets: map[string]purse{}, sweepAt: minSweep,
	}, nil
}

// Rate returns what the budget was made with.
func (b *Budget) Rate() Rate { return b.rate }

func (b *Budget) now() span { return span(time.Since(b.start)) }

// Available returns the points the key may spend now: at most the size, below
// zero while it is in debt.
func (b *Budget) Available(key string) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	return b.rate.pointsOf(b.size - b.buckets[b.keyLocked(key, now)].used(now))
}

// Charge takes points without asking; the key may go into debt by one size.
func (b *Budget) Charge(key string, points float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	key = b.keyLocked(key, now)
	p := b.buckets[key]
	p.bucket = p.charge(now, b.rate.spanOf(points), b.size)
	b.buckets[key] = p
}

// settle replaces what a reservation holds by its cost. Nothing is given back
// beyond what other reservations leave of the size: time has restored that already.
func (b *Budget) settle(h held, cost span) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	p := b.buckets[h.key]
	p.held -= h.cost
	if cost > h.cost {
		p.bucket = p.charge(now, cost-h.cost, b.size)
	} else {
		p.bucket = p.refund(min(h.cost-cost, max(0, p.used(now)-p.held)))
	}
	b.buckets[h.key] = p
}

// minSweep is the number of buckets below which a sweep is not worth it.
const minSweep = 1024

// keyLocked returns the key under which a caller's key is kept: itself or, if
// there are too many, the shared one. It forgets buckets that are full.
func (b *Budget) keyLocked(key string, now span) string {
	if _, ok := b.buckets[key]; ok || len(b.buckets) < b.sweepAt {
		return key
	}
	if len(b.buckets) < maxKeys || now-b.swept >= span(time.Second) {
		for k, p := range b.buckets {
			if p.used(now) == 0 && p.held == 0 {
				delete(b.buckets, k)
			}
		}
		b.swept = now
		b.sweepAt = min(max(minSweep, 2*len(b.buckets)), maxKeys)
	}
	if len(b.buckets) >= maxKeys {
		return overflow
	}
	return key
}

// Shortage says that a budget does not hold what was asked for (THROTTLED).
type Shortage struct {
	Cost       float64       // points asked for
	Available  float64       // points there were
	Rate       Rate          // of the budget that is short
	RetryAfter time.Duration // until it holds them, if nobody else takes them
	Of         Account       // that is short
}

// Account is one key of one budget.
type Account struct {
	Budget *Budget
	Key    string
}

// held is what a reservation took from one account.
type held struct {
	budget *Budget
	key    string
	cost   span
}

// Reservation holds points until the actual cost is known. Only the first Settle
// or Cancel counts. It is not for concurrent use.
type Reservation struct {
	held []held
}

// Reserve takes points from all accounts or, if one is short, from none. An
// operation that costs more than a whole budget waits until that is full, and
// leaves it in debt.
func Reserve(points float64, accounts ...Account) (*Reservation, *Shortage) {
	r := &Reservation{held: make([]held, 0, len(accounts))}
	for _, a := range accounts {
		h, s := a.reserve(points)
		if s != nil {
			r.Cancel()
			return nil, s
		}
		r.held = append(r.held, h)
	}
	return r, nil
}

func (a Account) reserve(points float64) (held, *Shortage) {
	b := a.Budget
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	key := b.keyLocked(a.Key, now)
	p := b.buckets[key]
	after, short := a.lookLocked(key, now, points)
	if short != nil {
		return held{}, short
	}
	taken := after.used(now) - p.used(now)
	b.buckets[key] = purse{after, p.held + taken}
	return held{b, key, taken}, nil
}

// Short tells what Reserve would refuse now, nil for nothing; it takes no points.
func Short(points float64, accounts ...Account) *Shortage {
	for _, a := range accounts {
		if _, s := a.look(points); s != nil {
			return s
		}
	}
	return nil
}

func (a Account) look(points float64) (after bucket, short *Shortage) {
	a.Budget.mu.Lock()
	defer a.Budget.mu.Unlock()
	now := a.Budget.now()
	return a.lookLocked(a.Budget.keyLocked(a.Key, now), now, points)
}

// lookLocked returns the bucket after points were taken, or what is short.
func (a Account) lookLocked(key string, now span, points float64) (bucket, *Shortage) {
	b := a.Budget
	before := b.buckets[key].bucket
	after, wait := before.take(now, b.rate.spanOf(points), b.size)
	if wait > 0 {
		available := b.rate.pointsOf(b.size - before.used(now))
		return before, &Shortage{Cost: points, Available: available, Rate: b.rate, RetryAfter: wait, Of: a}
	}
	return after, nil
}

// Settle replaces the reserved by the actual points: the rest goes back, as far as
// it and what else is held fit the size; more is taken, if need be into debt.
func (r *Reservation) Settle(actual float64) {
	for _, h := range r.held {
		h.budget.settle(h, h.budget.rate.spanOf(actual))
	}
	r.held = nil
}

// Cancel is Settle with nothing spent.
func (r *Reservation) Cancel() { r.Settle(0) }
