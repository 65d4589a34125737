package loadtest

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// stepsOf are the steps of a server that follows the law, with noise.
func stepsOf(law scaling, noise float64, concurrency ...float64) []step {
	rng := rand.New(rand.NewPCG(5, 5))
	var steps []step
	for _, n := range concurrency {
		x := law.at(n)
		s := step{Goodput: x, Mean: n / x}
		s.Mean *= math.Exp(noise * rng.NormFloat64())
		s.Goodput = n / s.Mean
		steps = append(steps, s)
	}
	return steps
}

func TestFitScaling(t *testing.T) {
	law := scaling{Lambda: 100, Sigma: 0.05, Kappa: 0.001} // greatest at 30.8 in flight
	peak := law.at(law.peak())
	past := []float64{1, 2, 4, 8, 12, 16, 24, 32, 40, 60}
	got, err := fitScaling(stepsOf(law, 0, past...))
	if err != nil || math.Abs(got.Lambda-100) > 1e-6 || math.Abs(got.Sigma-0.05) > 1e-9 || math.Abs(got.Kappa-0.001) > 1e-9 {
		t.Fatalf("points on the law are read as %+v, %v", got, err)
	}
	if math.Abs(got.Most-peak) > 1e-6 || math.Abs(got.Low-peak) > 1e-3 || math.Abs(got.High-peak) > 1e-3 {
		t.Errorf("the greatest goodput is %v (%v to %v), want %v", got.Most, got.Low, got.High, peak)
	}
	got, err = fitScaling(stepsOf(law, 0.03, past...))
	if err != nil || got.Low > peak*1.02 || got.High < peak*0.98 || math.Abs(got.Most/peak-1) > 0.10 {
		t.Errorf("with 3 %% of noise: %+v, %v; want %v", got, err, peak)
	}
}

func TestFitScalingRefuses(t *testing.T) {
	law := scaling{Lambda: 100, Sigma: 0.05, Kappa: 0.001}
	for _, test := range []struct {
		name  string
		steps []step
		want  error
	}{
		{"few steps", stepsOf(law, 0, 1, 2, 4, 8, 64), errFewSteps},
		{"steps before the knee", stepsOf(law, 0, 1, 2, 3, 4, 6, 8, 10, 12), errNoKnee},
		{"a server without a knee", stepsOf(scaling{Lambda: 100, Sigma: 0.1}, 0, 1, 2, 4, 8, 16, 32, 64), errNoKnee},
		{"much noise", stepsOf(law, 0.35, 1, 2, 4, 8, 16, 24, 32, 40), errWideKnee},
		{"the same step again and again", stepsOf(scaling{Lambda: 100}, 0, 1, 1, 1, 1, 1, 1), errNoKnee},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := fitScaling(test.steps); !errors.Is(err, test.want) {
				t.Errorf("got %+v, %v; want %v", got, err, test.want)
			}
		})
	}
}
