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
		{"ramp up", Line{100, 300, 4 * sec}, 800, 0, 3996670 * time.Microsecond},
		{"ramp up from 0", Line{0, 100, 2 * sec}, 100, 0, 1989974 * time.Microsecond},
		{"ramp down to 0", Line{100, 0, 2 * sec}, 100, 0, 1800 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := dues(tt.shape, nil)
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
	for _, s := range everyShape(t) {
		if err := s.check(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
		for i := range 100 {
			k := total(s) * float64(i) / 100
			if back := s.by(when(s, k, 0)); math.Abs(back-k) > 1e-5 {
				t.Errorf("%+v: by the due time of arrival %.3f come %.3f", s, k, back)
			}
		}
	}
}

// everyShape is one of each kind, with and without rates of 0.
func everyShape(t *testing.T) []Shape {
	t.Helper()
	const sec = time.Second
	tower, err := spike(100, 600, 10*sec, sec, 5*sec, 5*sec, 30*sec)
	if err != nil {
		t.Fatal(err)
	}
	hole, err := outage(50, 3*sec, 2*sec, 10*sec)
	if err != nil {
		t.Fatal(err)
	}
	return []Shape{
		Line{50, 50, 3 * sec},
		Line{0, 200, 5 * sec},
		Line{300, 20, 7 * sec},
		Line{80, 0, sec},
		tower, hole, steps([]float64{150, 0, 250}, 10*sec),
		Sine{150, 150, 60 * sec, 90 * sec},
		Sum{constant(20, 10*sec), hole, Sine{5, 3, 2 * sec, 10 * sec}},
	}
}

// What the shapes send follows from their areas.
func TestShapeTotals(t *testing.T) {
	want := []float64{150, 500, 1120, 40, 3000 + 500*(0.5+5+2.5), 400, 10 * 400 / 3.0, 150 * 90, 200 + 400 + 50}
	for i, s := range everyShape(t) {
		if got := total(s); math.Abs(got-want[i]) > 1e-6*want[i] {
			t.Errorf("%+v sends %.3f, want %.3f", s, got, want[i])
		}
		last := -time.Nanosecond
		list := dues(s, nil)
		if len(list) != int(math.Ceil(want[i]-1e-9)) {
			t.Errorf("%+v lists %d arrivals, want %.3f rounded up", s, len(list), want[i])
		}
		for _, due := range list {
			if due < last || due >= s.length() {
				t.Errorf("%+v: due %v after %v", s, due, last)
			}
			last = due
		}
	}
}

// Nobody is due while a shape is at 0.
func TestShapeOutage(t *testing.T) {
	hole, err := outage(200, 3*time.Second, 2*time.Second, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, rng := range []*rand.Rand{nil, rand.New(rand.NewPCG(1, 2))} {
		for _, due := range dues(hole, rng) {
			if due > 3*time.Second+time.Microsecond && due < 5*time.Second {
				t.Errorf("due %v, within the outage", due)
			}
		}
	}
	if _, err := outage(1, 9*time.Second, 2*time.Second, 10*time.Second); err == nil {
		t.Error("an outage beyond the end is accepted")
	}
	if _, err := spike(1, 2, 0, 0, 11*time.Second, 0, 10*time.Second); err == nil {
		t.Error("a spike beyond the end is accepted")
	}
}

func TestShapePoisson(t *testing.T) {
	shape := Line{From: 200, To: 600, For: 20 * time.Second}
	draw := func(seed uint64) []time.Duration { return dues(shape, rand.New(rand.NewPCG(seed, 0))) }
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
	for _, s := range []Shape{
		Line{-1, 1, time.Second},
		Line{1, math.NaN(), time.Second},
		Line{math.Inf(1), 1, time.Second},
		Line{1, 1, -1},
		Sine{10, 11, time.Second, time.Second},
		Sine{10, 5, 0, time.Second},
		Row{constant(-1, time.Second)},
		Sum{constant(1, time.Second), constant(1, 2*time.Second)},
	} {
		if s.check() == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}
