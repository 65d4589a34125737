package loadtest

import (
	"math"
)

// A Decision is what the samples say about an objective.
type Decision string

// Met and Violated each hold with 95 % confidence; Undecided wants more samples.
const (
	Met       Decision = "met"
	Violated  Decision = "violated"
	Undecided Decision = "undecided"
)

// significance is the chance of calling it wrongly that a decision may carry.
const significance = 0.05

// decide compares bad of n independent samples with the allowed share. n and
// bad may be fractions, as effective sample sizes are. An allowance of 0 admits
// no bad sample and needs no statistics.
func decide(bad, n, allowed float64) Decision {
	switch {
	case n <= 0:
		return Undecided
	case allowed == 0 && bad > 0:
		return Violated
	case allowed == 0:
		return Met
	case atMost(bad, n, allowed) <= significance:
		return Met
	case atLeast(bad, n, allowed) <= significance:
		return Violated
	}
	return Undecided
}

// atMost is the chance of x or fewer bad samples of n when the true share is p.
func atMost(x, n, p float64) float64 {
	if x >= n {
		return 1
	}
	return 1 - beta(p, x+1, n-x)
}

// atLeast is the chance of x or more bad samples of n when the true share is p.
func atLeast(x, n, p float64) float64 {
	if x <= 0 {
		return 1
	}
	return beta(p, x, n-x+1)
}

// samplesFor is how many samples without a bad one it takes to meet an allowed
// share: the least a run must send for a chance to pass.
func samplesFor(allowed float64) int {
	if allowed <= 0 {
		return 1
	}
	return int(math.Ceil(math.Log(significance) / math.Log1p(-allowed)))
}

// beta is the regularised incomplete beta function I_x(a, b), by the continued
// fraction of DLMF 8.17.22 evaluated with Lentz's method; it mirrors the
// arguments where the fraction converges slowly.
func beta(x, a, b float64) float64 {
	switch {
	case x <= 0:
		return 0
	case x >= 1:
		return 1
	case x > (a+1)/(a+b+2):
		return 1 - beta(1-x, b, a)
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log1p(-x)) / a

	const tiny, close, most = 1e-300, 1e-13, 10_000
	f, c, d := 1.0, 1.0, 0.0
	for i := range most {
		d = keep(1+betaTerm(i, x, a, b)*d, tiny)
		c = keep(1+betaTerm(i, x, a, b)/c, tiny)
		d = 1 / d
		f *= c * d
		if math.Abs(1-c*d) < close {
			break
		}
	}
	return front * (f - 1)
}

// betaTerm is the i-th numerator of the continued fraction.
func betaTerm(i int, x, a, b float64) float64 {
	m := float64(i / 2)
	switch {
	case i == 0:
		return 1
	case i%2 == 0:
		return m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
	}
	return -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
}

// keep moves a value that is all but zero away from it.
func keep(v, tiny float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}

// cluster counts samples and bad ones within one second.
type cluster struct{ n, bad float64 }

// spread is the design effect of samples that come in clusters: how many times
// the variance of the bad share exceeds that of independent samples. Answers
// within a second share their fate, so 9,000 of them may weigh like 900.
func spread(seconds []cluster) float64 {
	var n, bad float64
	for _, s := range seconds {
		n += s.n
		bad += s.bad
	}
	m := float64(len(seconds))
	independent := bad * (1 - bad/n)
	if m < 2 || n == 0 || independent <= 0 {
		return 1
	}
	var variance float64
	for _, s := range seconds {
		off := s.bad - s.n*bad/n
		variance += off * off
	}
	return math.Max(1, variance*m/(m-1)/independent)
}
