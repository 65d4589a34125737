package loadtest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestShapeDues(t *testing.T) {
	const sec = time.Second
	tests := []struct {
		name        string
		shape       Shape
		want        int
		first, last time.Duration
	}{
		{"constant", constant(500, 2*sec), 1000, 0, 1998 * time.Millisecond},
		{"a rate of 0 sends nothing", constant(0, 10*sec), 0, 0, 0},
		{"no time sends nothing", constant(100, 0), 0, 0, 0},
		{"less than one a second", constant(0.1, 30*sec), 3, 0, 20 * sec},
		{"ramp up", Shape{100, 300, 4 * sec}, 800, 0, 3996670 * time.Microsecond},
		{"ramp up from 0", Shape{0, 100, 2 * sec}, 100, 0, 1989974 * time.Microsecond},
		{"ramp down to 0", Shape{100, 0, 2 * sec}, 100, 0, 1800 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.shape.dues(nil)
			if len(got) != tt.want {
				t.Fatalf("%d arrivals, want %d", len(got), tt.want)
			}
			if len(got) == 0 {
				return
			}
			if got[0] != tt.first || (got[len(got)-1]-tt.last).Abs() > time.Millisecond {
				t.Errorf("first due at %v, last at %v, want %v and %v", got[0], got[len(got)-1], tt.first, tt.last)
			}
			if !slices.IsSorted(got) {
				t.Error("dues are not ascending")
			}
		})
	}
}

// The inverse must undo the integral, which is the number of arrivals by then.
func TestShapeWhenInvertsTheIntegral(t *testing.T) {
	for _, s := range []Shape{{50, 50, 3 * time.Second}, {0, 200, 5 * time.Second}, {300, 20, 7 * time.Second}, {80, 0, time.Second}} {
		for i := range 100 {
			k := s.total() * float64(i) / 100
			at := s.when(k).Seconds()
			back := s.From*at + (s.To-s.From)*at*at/(2*s.For.Seconds())
			if math.Abs(back-k) > 1e-5 {
				t.Errorf("%+v: by the due time of arrival %.3f come %.3f", s, k, back)
			}
		}
	}
}

func TestShapePoisson(t *testing.T) {
	shape := Shape{From: 200, To: 600, For: 20 * time.Second}
	draw := func(seed uint64) []time.Duration { return shape.dues(rand.New(rand.NewPCG(seed, 0))) }
	got := draw(1)
	if sigma := math.Sqrt(8000); math.Abs(float64(len(got))-8000) > 4*sigma {
		t.Errorf("%d arrivals, want 8000 within four standard deviations of %.0f", len(got), sigma)
	}
	half := 0
	for _, due := range got {
		if due < 10*time.Second {
			half++
		}
	}
	if math.Abs(float64(half)-3000) > 4*math.Sqrt(3000) {
		t.Errorf("%d arrivals in the first half, want about 3000", half)
	}
	if !slices.IsSorted(got) || got[len(got)-1] >= shape.For {
		t.Error("dues are not ascending within the shape's time")
	}
	if !slices.Equal(got, draw(1)) {
		t.Error("the same seed gives other arrivals")
	}
	if slices.Equal(got, draw(2)) {
		t.Error("another seed gives the same arrivals")
	}
}

func TestShapeCheck(t *testing.T) {
	for _, s := range []Shape{{-1, 1, time.Second}, {1, math.NaN(), time.Second}, {math.Inf(1), 1, time.Second}, {1, 1, -1}} {
		if s.check() == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}
