package loadtest

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// weeksOf are weeks whose peak and data grow by so much a week.
func weeksOf(n int, peak, growth, entries, more float64) []Week {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	var weeks []Week
	for w := range n {
		weeks = append(weeks, Week{
			Start: start.AddDate(0, 0, 7*w),
			Peak:  peak * math.Exp(growth*float64(w-n)), Entries: entries * math.Exp(more*float64(w-n)),
		})
	}
	return weeks
}

// A peak of 100 that doubles every 20 weeks meets a capacity of 800, halved by
// a failover, after 40 weeks.
func TestProjectKnownDate(t *testing.T) {
	weeks := weeksOf(30, 100, math.Ln2/20, 1000, 0)
	slices.Reverse(weeks)
	p, err := project(weeks, []CapacityAt{{1, 800}}, 100, 2)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(p.Headroom-4) > 1e-9 {
		t.Errorf("headroom = %v, want 4", p.Headroom)
	}
	want := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*(30+40))
	for name, date := range map[string]*time.Time{"earliest": p.Earliest, "median": p.Median, "latest": p.Latest} {
		if date == nil || date.Sub(want).Abs() > week {
			t.Errorf("%s = %v, want %v", name, date, want)
		}
	}
	if want := math.Exp2(52.0/20) - 1; math.Abs(p.Growth-want) > 1e-6 {
		t.Errorf("growth = %v a year, want %v", p.Growth, want)
	}
}

// Data that grow take capacity away: with capacity falling as the square root
// of the data, and data growing like the peak, the date comes sooner.
func TestProjectDataGrow(t *testing.T) {
	capacity := []CapacityAt{{10, 800 / math.Sqrt(10)}, {1, 800}, {3, 800 / math.Sqrt(3)}}
	p, err := project(weeksOf(30, 100, math.Ln2/20, 1000, math.Ln2/20), capacity, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []float64{1, 2, 3, 7, 10, 20} {
		if got, want := p.bears(data), 800/math.Sqrt(data); math.Abs(got-want) > 1e-6 {
			t.Errorf("with %v x the data it bears %v, want %v", data, got, want)
		}
	}
	// The last week's peak is a week old; from there 8 x = 2^(1.5 w/20): 40 weeks.
	want := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*(30+41))
	if p.Median == nil || p.Median.Sub(want).Abs() > 2*week {
		t.Errorf("median = %v, want about %v", p.Median, want)
	}
}

func TestProjectEnds(t *testing.T) {
	capacity := []CapacityAt{{1, 800}}
	p, err := project(weeksOf(30, 100, 0, 1000, 0), capacity, 100, 1)
	if err != nil || p.Earliest != nil || p.Median != nil || p.Latest != nil || p.Growth != 0 {
		t.Errorf("without growth: %+v, %v", p, err)
	}
	if p, err = project(weeksOf(30, 100, 0, 1000, 0), capacity, 900, 1); err != nil || p.Headroom >= 1 || p.Median == nil || !p.Median.Equal(p.now) {
		t.Errorf("with no headroom left: %+v, %v", p, err)
	}
	for _, test := range []struct {
		name     string
		weeks    []Week
		capacity []CapacityAt
		factor   float64
		want     error
	}{
		{"no breakpoint", weeksOf(9, 1, 0, 1, 0), nil, 1, errNoCapacity},
		{"few weeks", weeksOf(3, 1, 0, 1, 0), capacity, 1, errFewWeeks},
		{"weeks without work", weeksOf(9, 0, 0, 1, 0), capacity, 1, errFewWeeks},
		{"a factor below 1", weeksOf(9, 1, 0, 1, 0), capacity, 0.5, errFactor},
		{"no number", weeksOf(9, 1, 0, 1, 0), capacity, math.NaN(), errFactor},
	} {
		if _, err := project(test.weeks, test.capacity, 1, test.factor); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}
