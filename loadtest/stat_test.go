package loadtest

import (
	"math"
	"testing"
)

// The binomial tails by beta must equal the sums that they stand for.
func TestTailsEqualSums(t *testing.T) {
	for _, n := range []int{1, 5, 40, 300} {
		for _, p := range []float64{0.001, 0.01, 0.5, 0.93} {
			below := 0.0
			for x := range n + 1 {
				term := choose(n, x) + float64(x)*math.Log(p) + float64(n-x)*math.Log1p(-p)
				if got, want := atLeast(float64(x), float64(n), p), 1-below; math.Abs(got-want) > 1e-9 {
					t.Fatalf("P(X >= %d | %d, %g) = %g, want %g", x, n, p, got, want)
				}
				below += math.Exp(term)
				if got := atMost(float64(x), float64(n), p); math.Abs(got-below) > 1e-9 {
					t.Fatalf("P(X <= %d | %d, %g) = %g, want %g", x, n, p, got, below)
				}
			}
		}
	}
}

func choose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

func TestDecide(t *testing.T) {
	tests := []struct {
		name            string
		bad, n, allowed float64
		want            Decision
	}{
		{"nothing seen", 0, 0, 0.01, Undecided},
		{"one sample too few for p99", 0, 298, 0.01, Undecided},
		{"just enough for p99", 0, 299, 0.01, Met},
		{"just enough for 99.9 %", 0, 2995, 0.001, Met},
		{"one failure more than so few allow", 1, 2995, 0.001, Undecided},
		{"three failures of 9000", 3, 9000, 0.001, Met},
		{"as many as allowed", 9, 9000, 0.001, Undecided},
		{"clearly too many", 20, 9000, 0.001, Violated},
		{"a true 1.2 % must not pass as 1 %", 10, 1000, 0.01, Undecided},
		{"all bad", 50, 50, 0.01, Violated},
		{"median clearly kept", 100, 400, 0.5, Met},
		{"median clearly broken", 300, 400, 0.5, Violated},
		{"none allowed, none seen", 0, 3, 0, Met},
		{"none allowed, one seen", 1, 9000, 0, Violated},
		{"fractions, as effective sizes are", 0.4, 310.5, 0.01, Undecided},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decide(tt.bad, tt.n, tt.allowed); got != tt.want {
				t.Errorf("decide(%g, %g, %g) = %s, want %s", tt.bad, tt.n, tt.allowed, got, tt.want)
			}
		})
	}
}

func TestSamplesFor(t *testing.T) {
	for allowed, want := range map[float64]int{0.01: 299, 0.001: 2995, 0.5: 5, 0: 1} {
		got := samplesFor(allowed)
		if got != want {
			t.Errorf("samplesFor(%g) = %d, want %d", allowed, got, want)
		}
		if decide(0, float64(got), allowed) != Met {
			t.Errorf("%d samples without a bad one do not meet %g", got, allowed)
		}
	}
}

func TestSpread(t *testing.T) {
	even, burst := make([]cluster, 30), make([]cluster, 30)
	for i := range even {
		even[i] = cluster{300, 3}
		burst[i] = cluster{300, 0}
	}
	burst[7].bad = 90
	tests := []struct {
		name     string
		seconds  []cluster
		min, max float64
	}{
		{"nothing", nil, 1, 1},
		{"one second", []cluster{{300, 5}}, 1, 1},
		{"none bad", make([]cluster, 5), 1, 1},
		{"all bad", []cluster{{10, 10}, {20, 20}}, 1, 1},
		{"spread evenly", even, 1, 1},
		{"all in one second", burst, 80, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := spread(tt.seconds); got < tt.min || got > tt.max {
				t.Errorf("spread = %g, want %g to %g", got, tt.min, tt.max)
			}
		})
	}
}
