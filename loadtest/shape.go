package loadtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// A Shape is a rate of arrivals a second that changes over time. It is given
// by its integral, so that the number of arrivals is exact and shapes add up. A
// rate of 0 means that nobody comes.
type Shape interface {
	length() time.Duration
	by(t float64) float64 // how many are expected within the first t seconds, t up to the length
	peak() float64        // the greatest rate
	check() error
}

// total is the number of arrivals expected in all.
func total(s Shape) float64 { return s.by(s.length().Seconds()) }

// dues lists when arrivals are due, ascending: arrival k at the inverse of k,
// or, where rng is given, at the inverse of a sum of k exponential steps, which
// makes a Poisson process of the same rate.
func dues(s Shape, rng *rand.Rand) []time.Duration {
	if given, ok := s.(script); ok {
		return given.dues()
	}
	all := total(s)
	list := make([]time.Duration, 0, int(all)+1)
	from := 0.0
	at := func(k float64) {
		from = when(s, k, from)
		list = append(list, time.Duration(from*float64(time.Second)))
	}
	if rng == nil {
		const rounding = 1e-9 // 0.1 * 30 s is 3 arrivals, not 4
		for k := 0.0; k < all-rounding; k++ {
			at(k)
		}
		return list
	}
	for sum := rng.ExpFloat64(); sum < all; sum += rng.ExpFloat64() {
		at(sum)
	}
	return list
}

// when inverts the integral: the first time, in seconds and not before from, by
// which k arrivals are expected to have come.
func when(s Shape, k, from float64) float64 {
	if line, ok := s.(Line); ok {
		return line.when(k)
	}
	lo, hi := from, s.length().Seconds()
	const nanosecond = 1e-9
	for hi-lo > nanosecond {
		if middle := (lo + hi) / 2; s.by(middle) < k {
			lo = middle
		} else {
			hi = middle
		}
	}
	return lo
}

// A Line changes evenly from one rate to another.
type Line struct {
	From, To float64
	For      time.Duration
}

// constant is the shape of rate arrivals a second for the time d.
func constant(rate float64, d time.Duration) Line { return Line{From: rate, To: rate, For: d} }

func (s Line) length() time.Duration { return s.For }
func (s Line) peak() float64         { return max(s.From, s.To) }

func (s Line) by(t float64) float64 {
	if s.For == 0 {
		return 0
	}
	return s.From*t + (s.To-s.From)*t*t/(2*s.For.Seconds())
}

// when takes the quadratic's root in the form that does not cancel.
func (s Line) when(k float64) float64 {
	if k <= 0 {
		return 0
	}
	slope := (s.To - s.From) / s.For.Seconds() / 2
	return 2 * k / (s.From + math.Sqrt(math.Max(0, s.From*s.From+4*slope*k)))
}

func (s Line) check() error {
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

// A Row is one shape after the other.
type Row []Shape

func (r Row) length() (sum time.Duration) {
	for _, s := range r {
		sum += s.length()
	}
	return sum
}

func (r Row) by(t float64) (sum float64) {
	for _, s := range r {
		long := s.length().Seconds()
		if t <= long {
			return sum + s.by(max(0, t))
		}
		sum += s.by(long)
		t -= long
	}
	return sum
}

func (r Row) peak() (peak float64) {
	for _, s := range r {
		peak = max(peak, s.peak())
	}
	return peak
}

func (r Row) check() error { return checkAll(r) }

// A Sum is shapes at the same time, each as long as the first.
type Sum []Shape

func (s Sum) length() time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s[0].length()
}

func (s Sum) by(t float64) (sum float64) {
	for _, part := range s {
		sum += part.by(t)
	}
	return sum
}

func (s Sum) peak() (peak float64) {
	for _, part := range s {
		peak += part.peak()
	}
	return peak
}

func (s Sum) check() error {
	for _, part := range s {
		if part.length() != s.length() {
			return fmt.Errorf("shapes of %v and %v cannot be summed", s.length(), part.length())
		}
	}
	return checkAll(s)
}

func checkAll(shapes []Shape) error {
	for _, s := range shapes {
		if err := s.check(); err != nil {
			return err
		}
	}
	return nil
}

// A Sine swings around a mean, and starts at its lowest: a day begins quietly.
type Sine struct {
	Mean, Amplitude float64
	Period, For     time.Duration
}

func (s Sine) length() time.Duration { return s.For }
func (s Sine) peak() float64         { return s.Mean + s.Amplitude }

func (s Sine) by(t float64) float64 {
	w := 2 * math.Pi / s.Period.Seconds()
	return s.Mean*t - s.Amplitude/w*math.Sin(w*t)
}

func (s Sine) check() error {
	switch {
	case s.Period <= 0:
		return fmt.Errorf("a period of %v makes no sense", s.Period)
	case !(s.Amplitude >= 0 && s.Amplitude <= s.Mean):
		return fmt.Errorf("an amplitude of %v is not between 0 and the mean, %v", s.Amplitude, s.Mean)
	}
	return constant(s.Mean, s.For).check()
}

// spike is a rate that rises to another, stays there, and falls back.
func spike(base, to float64, at, rise, hold, fall, d time.Duration) (Shape, error) {
	rest := d - at - rise - hold - fall
	if at < 0 || rise < 0 || hold < 0 || fall < 0 || rest < 0 {
		return nil, fmt.Errorf("a spike from %v that lasts %v does not fit into %v", at, rise+hold+fall, d)
	}
	return Row{constant(base, at), Line{base, to, rise}, constant(to, hold), Line{to, base, fall}, constant(base, rest)}, nil
}

// outage is a rate that falls to nothing for a while.
func outage(base float64, at, gone, d time.Duration) (Shape, error) {
	if at < 0 || gone < 0 || at+gone > d {
		return nil, fmt.Errorf("an outage from %v that lasts %v does not fit into %v", at, gone, d)
	}
	return Row{constant(base, at), constant(0, gone), constant(base, d-at-gone)}, nil
}

// steps are rates of the same length, one after the other.
func steps(rates []float64, d time.Duration) Shape {
	row := make(Row, 0, len(rates))
	for i, rate := range rates {
		from, to := d*time.Duration(i)/time.Duration(len(rates)), d*time.Duration(i+1)/time.Duration(len(rates))
		row = append(row, constant(rate, to-from))
	}
	return row
}
