package loadtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// A Shape is a rate of arrivals a second that changes evenly from From to To
// within For. A rate of 0 means that nobody comes.
type Shape struct {
	From, To float64
	For      time.Duration
}

// constant is the shape of rate arrivals a second for the time d.
func constant(rate float64, d time.Duration) Shape { return Shape{From: rate, To: rate, For: d} }

func (s Shape) check() error {
	for _, rate := range []float64{s.From, s.To} {
		if math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
			return fmt.Errorf("a rate of %v arrivals a second makes no sense", rate)
		}
	}
	if s.For < 0 {
		return fmt.Errorf("a duration of %v makes no sense", s.For)
	}
	return nil
}

// total is the integral of the rate: the number of arrivals expected.
func (s Shape) total() float64 { return (s.From + s.To) / 2 * s.For.Seconds() }

// when inverts the integral: the time at which k arrivals are expected to have
// come. The quadratic's root is taken in the form that does not cancel.
func (s Shape) when(k float64) time.Duration {
	if k <= 0 {
		return 0
	}
	slope := (s.To - s.From) / s.For.Seconds() / 2
	root := math.Sqrt(math.Max(0, s.From*s.From+4*slope*k))
	return time.Duration(2 * k / (s.From + root) * float64(time.Second))
}

// dues lists when arrivals are due, ascending: arrival k at the inverse of k,
// or, where rng is given, at the inverse of a sum of k exponential steps, which
// makes a Poisson process of the same rate.
func (s Shape) dues(rng *rand.Rand) []time.Duration {
	total := s.total()
	list := make([]time.Duration, 0, int(total)+1)
	if rng == nil {
		const rounding = 1e-9 // 0.1 * 30 s is 3 arrivals, not 4
		for k := 0.0; k < total-rounding; k++ {
			list = append(list, s.when(k))
		}
		return list
	}
	for sum := rng.ExpFloat64(); sum < total; sum += rng.ExpFloat64() {
		list = append(list, s.when(sum))
	}
	return list
}
