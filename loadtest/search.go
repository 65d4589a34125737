package loadtest

import (
	"math"
)

// How a search for the greatest rate goes. A ramp overshoots, because what it
// sees belongs to a rate that is already past; steps at a fixed rate do not.
const (
	bracketFactor = 1.6  // from step to step while nothing breaks
	bracketLeast  = 1.0  // arrivals a second, below which nothing is sought
	precise       = 1.03 // of the rate that breaks over the one that holds
	imprecise     = 1.06 // the same of a rough search
	steady        = 1.2  // by which the result is lowered at a time, at most, until it holds for longer
)

// A search finds the greatest rate at which something holds. holds sends a
// step of a kind at a rate and judges it.
type search struct {
	holds func(rate float64, kind stepKind) (bool, error)
	most  float64 // the greatest rate it may try

	rough bool // no promise depends on it
}

// stepKind is how long a step is sent.
type stepKind int

const (
	bracketing stepKind = iota
	bisecting
	confirming
)

// find searches upward from a rate; held says that it is known to hold, and
// broke, unless it is 0, is a rate known to break. It returns the greatest rate
// that held, 0 if none did, and the least that broke, 0 if none did.
func (s search) find(from float64, held bool, broke float64) (lo, hi float64, err error) {
	if lo, hi, err = s.bracket(from, held, broke); err != nil || hi == 0 || lo == 0 {
		return lo, hi, err
	}
	for hi/lo > s.precision() {
		middle := math.Sqrt(lo * hi)
		ok, err := s.holds(middle, bisecting)
		switch {
		case err != nil:
			return lo, hi, err
		case ok:
			lo = middle
		default:
			hi = middle
		}
	}
	if s.rough {
		return lo, hi, nil
	}
	return s.confirm(lo, hi)
}

// precision is how far apart the rates may be between which the result lies.
func (s search) precision() float64 {
	if s.rough {
		return imprecise
	}
	return precise
}

// bracket finds a rate that holds and one that breaks, a factor apart.
func (s search) bracket(from float64, held bool, broke float64) (lo, hi float64, err error) {
	rate := from
	if held {
		lo, rate = from, from*bracketFactor
	}
	hi = broke
	for hi == 0 {
		if rate = min(rate, s.most); rate <= lo {
			return lo, 0, nil // as far as it may go
		}
		ok, err := s.holds(rate, bracketing)
		if err != nil {
			return lo, hi, err
		}
		if !ok {
			hi = rate
			break
		}
		lo, rate = rate, rate*bracketFactor
	}
	for lo == 0 {
		if rate = hi / bracketFactor; rate < bracketLeast {
			return 0, hi, nil
		}
		ok, err := s.holds(rate, bracketing)
		switch {
		case err != nil:
			return lo, hi, err
		case ok:
			lo = rate
		default:
			hi = rate
		}
	}
	return lo, hi, nil
}

// confirm sends the result for longer, and lowers it while it breaks: by the
// precision at first, then each time by twice as much as before. What lies between a
// rate that holds and one that breaks is halved once more.
func (s search) confirm(lo, hi float64) (float64, float64, error) {
	drop := precise
	for {
		ok, err := s.holds(lo, confirming)
		switch {
		case err != nil:
			return lo, hi, err
		case ok:
			return s.between(lo, hi)
		case drop > steady:
			return lo, lo, stopf(ExitInvalid, "no rate is steady: what holds for a short while, down to %.0f/s, breaks within a longer one", lo)
		}
		lo, hi, drop = lo/drop, lo, drop*drop
	}
}

// between tries the middle of a gap that walking down has left.
func (s search) between(lo, hi float64) (float64, float64, error) {
	const rounding = 1e-9
	if hi/lo <= precise+rounding {
		return lo, hi, nil
	}
	middle := math.Sqrt(lo * hi)
	ok, err := s.holds(middle, confirming)
	switch {
	case err != nil:
		return lo, hi, err
	case ok:
		return middle, hi, nil
	}
	return lo, middle, nil
}
