package loadtest

import (
	"math"
	"math/rand/v2"
	"testing"

	"headroom/proof"
)

func TestCompareRunsKnownAnswers(t *testing.T) {
	for _, test := range []struct {
		name       string
		base, next []float64
		p, ratio   float64
	}{
		{"two and two apart", []float64{1, 2}, []float64{3, 4}, 1.0 / 6, math.Sqrt(12.0 / 2)},
		{"four and four apart", []float64{1, 1.1, 1.2, 1.3}, []float64{2, 2.1, 2.2, 2.3}, 1.0 / 70, math.Pow(2*2.1*2.2*2.3/(1.1*1.2*1.3), 0.25)},
		{"four and four, one pair crossed", []float64{1, 2, 4, 16}, []float64{8, 32, 64, 128}, 2.0 / 70, math.Exp2(14.0 / 4)},
		{"the other way round", []float64{3, 4}, []float64{1, 2}, 1, math.Sqrt(2.0 / 12)},
		{"all alike", []float64{5, 5, 5}, []float64{5, 5, 5}, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := compareRuns(test.base, test.next)
			if math.Abs(got.P-test.p) > 1e-12 {
				t.Errorf("p = %v, want %v", got.P, test.p)
			}
			if math.Abs(got.Ratio-test.ratio) > 1e-9 {
				t.Errorf("ratio = %v, want %v", got.Ratio, test.ratio)
			}
		})
	}
}

// The interval holds exactly the ratios that the test does not refuse.
func TestCompareRunsInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		base, next := runsOf(rng, 5, 1, 0.05), runsOf(rng, 5, 1.2, 0.05)
		s := compareRuns(base, next)
		if !(s.Low < s.Ratio && s.Ratio < s.High) {
			t.Fatalf("%+v: the ratio lies outside of its interval", s)
		}
		if p := compareRuns(base, scaled(next, 1/(s.Low*0.9999))).P; p > significance {
			t.Errorf("a ratio just below the interval has p = %v", p)
		}
		if p := compareRuns(base, scaled(next, 1/(s.Low*1.0001))).P; p <= significance {
			t.Errorf("a ratio just within the interval has p = %v", p)
		}
		if p := compareRuns(scaled(next, 1/(s.High*1.0001)), base).P; p > significance {
			t.Errorf("a ratio just above the interval has p = %v", p)
		}
	}
}

func TestMaxT(t *testing.T) {
	base := [][]float64{{1, 1.1, 1.2, 1.3}, {5, 6, 7, 8}}
	next := [][]float64{{2, 2.1, 2.2, 2.3}, {6.5, 5.5, 7.5, 6.6}}
	p := maxT(base, next)
	if math.Abs(p[0]-1.0/70) > 1e-12 {
		t.Errorf("what lies apart has p = %v, want 1/70", p[0])
	}
	alone := maxT(base[1:], next[1:])[0]
	if p[1] < alone || alone < 0.2 {
		t.Errorf("what does not has p = %v among two, %v alone", p[1], alone)
	}
	if maxT(nil, nil) != nil {
		t.Error("nothing to compare has a p")
	}
}

// Of pairs that are the same, at most one in twenty is called slower, over
// both looks; of pairs that differ by 10 %, at least nine in ten.
func TestLooksKeepTheirError(t *testing.T) {
	trials := proof.Size(t, 15000, 300)
	const group = 30
	calm := 0 // groups of pairs with at most two alarms
	alarms := func(ratio float64) float64 {
		rng := rand.New(rand.NewPCG(11, uint64(ratio*100)))
		found, ofGroup := 0, 0
		for trial := range trials {
			if trial%group == 0 {
				ofGroup = found
			}
			base, next := runsOf(rng, 8, 1, 0.05), runsOf(rng, 8, ratio, 0.05)
			for _, l := range looks {
				d := l.decide(compareRuns(base[:l.pairs], next[:l.pairs]).P)
				if d == Violated {
					found++
				}
				if d != Undecided {
					break
				}
			}
			if trial%group == group-1 && ratio == 1 && found-ofGroup <= 2 {
				calm++
			}
		}
		return float64(found) / float64(trials)
	}
	luck := 3 * math.Sqrt(significance*(1-significance)/float64(trials))
	same, slower := alarms(1), alarms(1.10)
	if same > significance+luck {
		t.Errorf("%.1f %% of the pairs that are the same were called slower", same*100)
	}
	if slower < 0.90 {
		t.Errorf("%.1f %% of the pairs that differ by 10 %% were found", slower*100)
	}
	proof.Result(t, "of %d pairs that are the same %.1f %% were called slower, and at most two in %.0f %% of the groups of %d; of as many that differ by 10 %% %.1f %%",
		trials, same*100, 100*float64(calm)/float64(trials/group), group, slower*100)
}

// runsOf draws runs around a mean with a relative noise.
func runsOf(rng *rand.Rand, n int, at, noise float64) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = at * math.Exp(noise*rng.NormFloat64())
	}
	return list
}

func scaled(values []float64, by float64) []float64 {
	list := make([]float64, len(values))
	for i, v := range values {
		list[i] = v * by
	}
	return list
}
