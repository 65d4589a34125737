package store

import (
	"math"
	"testing"

	"headroom/timesheet"
)

func day(text string) timesheet.Date {
	d, err := timesheet.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestMonthlyBetween(t *testing.T) {
	var m Monthly
	m = m.With(day("2026-01-01"), 310).With(day("2026-02-01"), 280).With(day("2026-04-01"), 30)
	for _, test := range []struct {
		name, from, to, asOf, today string
		want                        float64
	}{
		{"whole months", "2026-01-01", "2026-02-28", "2026-06-30", "2026-06-30", 590},
		{"a month without entries", "2026-03-01", "2026-03-31", "2026-06-30", "2026-06-30", 0},
		{"parts of two months", "2026-01-30", "2026-02-07", "2026-06-30", "2026-06-30", 20 + 70},
		{"a part of one", "2026-01-10", "2026-01-10", "2026-06-30", "2026-06-30", 10},
		{"all of it", "1990-01-01", "2089-12-31", "2026-06-30", "2026-06-30", 620},
		{"before all", "1990-01-01", "1999-12-31", "2026-06-30", "2026-06-30", 0},
		{"backwards", "2026-02-01", "2026-01-01", "2026-06-30", "2026-06-30", 0},
		{"the first of a month, counted on the day before", "2026-03-01", "2026-03-01", "2026-02-28", "2026-03-01", 9.9}, // January's 10 a day beat nothing
		{"the first of a month, counted on it", "2026-03-01", "2026-03-31", "2026-03-01", "2026-03-01", 10},              // February's rate for one day
		{"of the future what is there", "2026-03-02", "2026-12-31", "2026-03-01", "2026-03-01", 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := m.Between(timesheet.Period{From: day(test.from), To: day(test.to)}, day(test.asOf), day(test.today))
			if math.Abs(got-test.want) > 0.2 {
				t.Errorf("%v entries, want %v", got, test.want)
			}
		})
	}
	if got := (Monthly{}).Between(timesheet.Period{From: 0, To: 40000}, 20000, 20000); got != 0 {
		t.Errorf("nothing holds %v entries", got)
	}
}
