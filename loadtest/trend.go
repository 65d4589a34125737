package loadtest

import (
	"math"
	"slices"
)

// A trend is a line through points that a few odd ones cannot bend: the median
// of the slopes of all pairs (Theil and Sen), with the interval that Kendall's
// exact distribution gives.
type trend struct {
	Slope     float64
	Low, High float64 // 80 % of such intervals hold the true slope; infinite where there are too few points
	At        float64 // the line's value at x = 0
}

// confidence of the intervals of a forecast. Dates years ahead with 95 % say
// nothing that a plan could use.
const forecastConfidence = 0.80

// fitTrend draws the line through y over x, which must ascend strictly. It is
// false for fewer than two points.
func fitTrend(x, y []float64) (trend, bool) {
	if len(x) < 2 {
		return trend{}, false
	}
	var slopes []float64
	for i := range x {
		for j := range i {
			slopes = append(slopes, (y[i]-y[j])/(x[i]-x[j]))
		}
	}
	slices.Sort(slopes)
	t := trend{Slope: medianOf(slopes), Low: math.Inf(-1), High: math.Inf(1)}
	if cut := kendallCut(len(x), (1-forecastConfidence)/2); cut > 0 {
		t.Low, t.High = slopes[cut-1], slopes[len(slopes)-cut]
	}
	rest := make([]float64, len(x))
	for i := range x {
		rest[i] = y[i] - t.Slope*x[i]
	}
	slices.Sort(rest)
	t.At = medianOf(rest)
	return t, true
}

// medianOf is the median of sorted values.
func medianOf(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// kendallCut is the greatest c for which fewer than c of the n(n-1)/2 pairs
// are out of order with a chance of at most tail, if all orders of n values are
// alike: the c-th slope from either end bounds the true one.
func kendallCut(n int, tail float64) int {
	// share[k] is the share of the orders of i values that have k inversions.
	share := []float64{1}
	for i := 2; i <= n; i++ {
		next := make([]float64, i*(i-1)/2+1)
		window := 0.0
		for k := range next {
			if k < len(share) {
				window += share[k]
			}
			if k >= i {
				window -= share[k-i]
			}
			next[k] = window / float64(i)
		}
		share = next
	}
	sum := 0.0
	for c, s := range share {
		if sum += s; sum > tail+rounding {
			return c
		}
	}
	return len(share)
}
