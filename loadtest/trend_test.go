package loadtest

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The critical values are those of Kendall's distribution, counted by hand for
// 4 and 5 values: 1, 4, 9, 15 of 120 orders of 5 have 0, 1, 2, 3 inversions.
func TestKendallCut(t *testing.T) {
	for _, test := range []struct {
		n    int
		tail float64
		want int
	}{
		{3, 0.10, 0}, // 1 of 6 orders is in order
		{4, 0.10, 1}, // 1 of 24
		{5, 0.10, 2}, // 5 of 120
		{5, 0.12, 3}, // 14 of 120
		{5, 1.0 / 120, 1},
	} {
		if got := kendallCut(test.n, test.tail); got != test.want {
			t.Errorf("kendallCut(%d, %v) = %d, want %d", test.n, test.tail, got, test.want)
		}
	}
}

func TestFitTrendIgnoresOddPoints(t *testing.T) {
	x := []float64{0, 1, 2, 3, 4, 5, 6, 7}
	y := []float64{1, 3, 5, 7, 9, 11, 13, 15}
	got, ok := fitTrend(x, y)
	if !ok || got.Slope != 2 || got.At != 1 || got.Low != 2 || got.High != 2 {
		t.Errorf("the line 1 + 2x is read as %+v", got)
	}
	y[6] = 1000
	if got, _ = fitTrend(x, y); math.Abs(got.Slope-2) > 0.5 || got.Low > 2 || got.High < 2 {
		t.Errorf("one odd point makes of 1 + 2x: %+v", got)
	}
	if _, ok := fitTrend(x[:1], y[:1]); ok {
		t.Error("one point has a line")
	}
	if got, _ := fitTrend(x[:3], y[:3]); !math.IsInf(got.High, 1) || !math.IsInf(got.Low, -1) {
		t.Errorf("three points have an interval: %+v", got)
	}
}

// At least 80 % of the intervals hold the slope that the points were drawn by.
func TestFitTrendInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const trials, weeks = 1000, 20
	held := 0
	for range trials {
		var x, y []float64
		for w := range weeks {
			x, y = append(x, float64(w)), append(y, 0.01*float64(w)+0.1*rng.NormFloat64())
		}
		if got, _ := fitTrend(x, y); got.Low <= 0.01 && 0.01 <= got.High {
			held++
		}
	}
	if share := float64(held) / trials; share < 0.77 || share > 0.88 {
		t.Errorf("%.1f %% of the intervals hold the slope, want about 80 %%", share*100)
	}
}
