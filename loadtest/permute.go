package loadtest

import (
	"math"
	"slices"
)

// A shift is how much greater the values of one set of runs are than those of
// another, as a ratio. The unit is the run: requests within a run share their
// fate, and a test over requests calls most identical pairs different.
type shift struct {
	Ratio float64 `json:"ratio"` // of the geometric means, new / base
	Low   float64 `json:"low"`   // 95 % sure that the true ratio is above
	High  float64 `json:"high"`  // 95 % sure that it is below
	P     float64 `json:"p"`     // the chance of a ratio as great or greater if the two are the same
}

// compareRuns tests whether next is greater than base by the exact permutation
// of the runs' labels. Values must be positive.
//
// Both bounds come from the same relabelings: shifting next by d makes the
// relabeling that exchanges S of next for T of base as extreme as what was
// observed exactly when d = mean(S) - mean(T). So the values of d that the test
// does not refuse lie between two order statistics of those differences.
func compareRuns(base, next []float64) shift {
	x, y := logs(base), logs(next)
	all := slices.Concat(x, y)
	observed := mean(y) - mean(x)
	var asGreat, relabelings int
	var moves []float64
	splits(len(all), len(y), func(labels []bool) {
		relabelings++
		if difference(all, labels) >= observed-rounding {
			asGreat++
		}
		if move, ok := exchanged(all, labels, len(x)); ok {
			moves = append(moves, move)
		}
	})
	slices.Sort(moves)
	s := shift{Ratio: math.Exp(observed), P: float64(asGreat) / float64(relabelings), High: math.Inf(1)}
	if cut := int(significance * float64(relabelings)); cut > 0 {
		s.Low, s.High = math.Exp(moves[cut-1]), math.Exp(moves[len(moves)-cut])
	}
	return s
}

// rounding is what sums of the same numbers in another order may differ by.
const rounding = 1e-12

// exchanged is the mean of what a relabeling takes out of the second set less
// the mean of what it brings in; false for the labels as they were.
func exchanged(all []float64, labels []bool, first int) (float64, bool) {
	var out, in float64
	n := 0
	for i, labelled := range labels {
		switch {
		case i < first && labelled:
			in += all[i]
			n++
		case i >= first && !labelled:
			out += all[i]
		}
	}
	if n == 0 {
		return 0, false
	}
	return (out - in) / float64(n), true
}

// maxT tests many quantities over the same runs at once, base[j] and next[j]
// being the values of quantity j by run. Each p is the chance that any of them
// would come out so extreme if the two were the same, so that a wrong alarm
// about one of twenty operations stays as rare as about one.
func maxT(base, next [][]float64) []float64 {
	var all [][]float64
	for j := range base {
		all = append(all, slices.Concat(logs(base[j]), logs(next[j])))
	}
	if len(all) == 0 {
		return nil
	}
	runs, second := len(all[0]), len(next[0])
	observed := make([]float64, len(all))
	asIs := make([]bool, runs)
	for i := runs - second; i < runs; i++ {
		asIs[i] = true
	}
	for j, values := range all {
		observed[j] = studentized(values, asIs)
	}
	p := make([]float64, len(all))
	relabelings := 0.0
	splits(runs, second, func(labels []bool) {
		relabelings++
		greatest := math.Inf(-1)
		for _, values := range all {
			greatest = math.Max(greatest, studentized(values, labels))
		}
		for j := range p {
			if greatest >= observed[j]-rounding {
				p[j]++
			}
		}
	})
	for j := range p {
		p[j] /= relabelings
	}
	return p
}

// studentized is the difference of the means by the labels over its standard
// error, so that quantities with much noise and with little can be compared.
func studentized(values []float64, labels []bool) float64 {
	var sums, squares, n [2]float64
	for i, v := range values {
		set := 0
		if labels[i] {
			set = 1
		}
		n[set]++
		sums[set] += v
		squares[set] += v * v
	}
	var variance float64
	for set := range n {
		within := math.Max(0, squares[set]-sums[set]*sums[set]/n[set])
		variance += within / n[set] / math.Max(1, n[set]-1)
	}
	// Runs that agree to the last digit must not divide by zero.
	return (sums[1]/n[1] - sums[0]/n[0]) / math.Sqrt(variance+1e-18)
}

// difference is the mean of the labelled values less that of the others.
func difference(values []float64, labels []bool) float64 {
	var with, without, n float64
	for i, v := range values {
		if labels[i] {
			with += v
			n++
		} else {
			without += v
		}
	}
	return with/n - without/(float64(len(values))-n)
}

// splits calls yield with every way to label k of n things.
func splits(n, k int, yield func([]bool)) {
	labels := make([]bool, n)
	var choose func(from, left int)
	choose = func(from, left int) {
		if left == 0 {
			yield(labels)
			return
		}
		for i := from; i <= n-left; i++ {
			labels[i] = true
			choose(i+1, left-1)
			labels[i] = false
		}
	}
	choose(0, k)
}

func logs(values []float64) []float64 {
	list := make([]float64, len(values))
	for i, v := range values {
		list[i] = math.Log(v)
	}
	return list
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// A look is what a comparison may conclude after so many pairs of runs.
type look struct {
	pairs int
	alpha float64 // the p at or below which the new one is slower
	clear float64 // the p above which it is not; between the two more runs are needed
}

// looks spend the error of 5 % over two looks at the data. At 4 + 4 only a
// complete separation counts, whose chance is 1 in 70; the rest of the 5 % is
// left for 8 + 8. Ending early because nothing is slower costs nothing.
var looks = []look{
	{pairs: 4, alpha: 1.0 / 70, clear: 0.5},
	{pairs: 8, alpha: significance - 1.0/70, clear: significance - 1.0/70},
}

// decide says whether the new one is slower, the same, or not yet known.
func (l look) decide(p float64) Decision {
	switch {
	case p <= l.alpha+rounding:
		return Violated
	case p > l.clear:
		return Met
	}
	return Undecided
}
