package store_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/proof"
	"headroom/timesheet"
)

// pick is one of some values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// anyReport is a report of random keys, period and options.
func anyReport(r *rand.Rand, all [][]timesheet.GroupKey) timesheet.ReportInput {
	in := timesheet.ReportInput{
		GroupBy: pick(r, all...), MaxRows: timesheet.MaxReportRows,
		DayAttribution: pick(r, timesheet.AttributeStart, timesheet.AttributeSplit),
		IncludeRunning: r.IntN(3) == 0, FillGaps: r.IntN(4) == 0,
	}
	in.Period.From = timesheet.NewDate(2023, time.May, 1) + timesheet.Date(r.IntN(700))
	in.Period.To = in.Period.From + timesheet.Date(pick(r, 0, 6, 30, 100, 365, 800))
	if in.FillGaps { // of people, tags and days, so that no row is beyond MaxRows
		in.Period.To = min(in.Period.To, in.Period.From+100)
	}
	if r.IntN(3) == 0 { // whole months
		in.Period.From, in.Period.To = in.Period.From.Month(), (in.Period.To+31).Month()-1
	}
	if r.IntN(2) == 0 {
		in.TimeZone = new(pick(r, "Europe/Bucharest", "America/St_Johns", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Apia", "America/New_York", "Australia/Lord_Howe"))
	}
	if r.IntN(2) == 0 {
		in.WeekStart = new(time.Weekday(r.IntN(7)))
	}
	if r.IntN(3) > 0 {
		in.Rounding = &timesheet.Rounding{
			Mode:    pick(r, timesheet.RoundUp, timesheet.RoundDown, timesheet.RoundNearest),
			Minutes: pick(r, 1, 6, 7, 15, 60), Scope: pick(r, timesheet.RoundEntry, timesheet.RoundRow, timesheet.RoundDay),
		}
	}
	return in
}

// Reports with whatever options say what the oracle says.
func TestReportOptionsAgainstOracle(t *testing.T) {
	n := proof.Size(t, 4000, 150)
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 600)
	r := proof.Rand(t, 0)
	now := instant(t, "2025-07-01T10:00:00Z")
	all, sources := groupings(), map[timesheet.ReportSource]int{}
	for range n {
		in := anyReport(r, all)
		v := pick(r, w.owner, w.users[1])
		v.Workspace = w.owner.Workspace
		got, err := s.Report(t.Context(), v, in, now)
		if err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		sources[got.Source]++
		if diff := cmp.Diff(w.expected(t, v, in, now), flat(t, got)); diff != "" {
			t.Fatalf("%s, %+v, rounding %+v, from %s (-want +got):\n%s", v.Role, in, in.Rounding, got.Source, diff)
		}
	}
	proof.Result(t, "%d reports of random options over %d entries equal the oracle, by source %v", n, len(w.facts), sources)
	if len(sources) < 3 {
		t.Errorf("the sources were %v, want all three", sources)
	}
}
