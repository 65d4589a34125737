package server

import (
	"testing"
	"time"

	"headroom/timesheet"
)

// A clock that is wrong foretells neither years of entries nor a day without any: what
// a counting says of the days after it holds as long as the counting itself.
func TestEstimatesUnderAWrongClock(t *testing.T) {
	c := company()
	all := given(reportArgs("2025-01-01", "2199-12-31", []any{"TASK"}, nil))
	price := func(today timesheet.Date) (reads, entries int64) {
		e := estimatorOf(c, timesheet.RoleOwner, busy)
		e.today = within(today, c)
		return e.report(all).Reads, e.day().Rows
	}
	reads, entries := price(c.AsOf + 3)
	if entries, _ := price(c.AsOf + 3); entries == 0 || reads == 0 {
		t.Fatal("nothing is expected on a right clock")
	}
	for _, today := range []string{"2026-06-01", "2125-12-31", "9999-12-31"} {
		if r, d := price(date(today)); r != reads || d != entries {
			t.Errorf("on %s %d rows are read and a day has %d entries; three days after the counting %d and %d", today, r, d, reads, entries)
		}
	}
	if r, d := price(date("1999-01-01")); r == 0 || d == 0 {
		t.Errorf("before the counting %d rows are read and a day has %d entries", r, d)
	}
}

// Counts of a day to come were made under a wrong clock: the schema's prices hold.
func TestCountsOfADayToCome(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	for days, want := range map[timesheet.Date]bool{0: true, 1: true, 2: false, 400: false} {
		c := company()
		c.AsOf = timesheet.DayOf(time.Now(), time.UTC) + days
		r.server.statistics.know(r.owner.Workspace.ID, c, time.Now())
		if got := r.server.estimatorFor(r.owner) != nil; got != want {
			t.Errorf("counted %d days ahead: used %t, want %t", days, got, want)
		}
	}
}
