package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

func TestZoneChangeKeepsClosedAndInvoicedDays(t *testing.T) {
	t.Parallel()
	z := newZoned(t)
	z.create("2026-01-31T23:30:00Z", "into closed books")
	z.create("2026-01-31T02:00:00Z", "in closed books")
	invoiced := z.create("2026-03-02T02:00:00Z", "invoiced")
	z.create("2026-03-03T02:00:00Z", "moves")
	mark := timesheet.EntryInput{Invoiced: timesheet.Some(true)}
	if results, _, err := z.s.BulkEditTimeEntries(t.Context(), z.v, []timesheet.EntryID{invoiced.ID}, mark, change("bulkEditTimeEntries")); err != nil || results[0].Error != nil {
		t.Fatal(results, err)
	}
	done[timesheet.Workspace](t)(z.s.LockPeriod(t.Context(), z.v, day(t, "2026-01-31"), change("lockPeriod")))
	if _, err := z.moveTo("America/New_York"); err != nil {
		t.Fatal(err)
	}
	z.arrive("America/New_York")
	wrong := z.wrong("America/New_York")
	if len(wrong) != 3 || wrong[0] != "in closed books" || wrong[1] != "into closed books" || wrong[2] != "invoiced" {
		t.Errorf("case31: these kept their day: %v; want what is closed, what would move there, and what is invoiced", wrong)
	}
	wantRollup(t, z.conn, z.v, "the change")
	// The viewer's workspace is still in Bucharest, as a list of workspaces that
	// was read before the change.
	for name, run := range map[string]func(context.Context, timesheet.Workspace) (store.RollupCheck, error){
		"check": z.s.CheckRollup, "rebuild": z.s.RebuildRollup,
	} {
		if found, err := run(t.Context(), z.v.Workspace); err != nil || found.Drifted() {
			t.Errorf("the %s found %d rows and %d days wrong, %v", name, found.Rows, found.Days, err)
		}
	}
	if after := z.wrong("America/New_York"); !slices.Equal(after, wrong) {
		t.Errorf("after a rebuild these kept their day: %v, want %v", after, wrong)
	}
}

// What kept its day goes on keeping it when the books are open again and the mark
// is gone: until it is moved, or the zone changes once more.
func TestKeptDaysStayWhenBooksAreOpened(t *testing.T) {
	t.Parallel()
	z := newZoned(t)
	closed, edited := z.create("2026-01-31T02:00:00Z", "closed"), z.create("2026-01-30T02:00:00Z", "edited")
	invoiced, again := z.create("2026-03-02T02:00:00Z", "invoiced"), z.create("2026-01-29T02:00:00Z", "closed again")
	z.create("2026-01-29T06:00:00Z", "late")
	marked := func(mark bool) {
		t.Helper()
		in := timesheet.EntryInput{Invoiced: timesheet.Some(mark)}
		if results, _, err := z.s.BulkEditTimeEntries(t.Context(), z.v, []timesheet.EntryID{invoiced.ID}, in, change("bulkEditTimeEntries")); err != nil || results[0].Error != nil {
			t.Fatal(results, err)
		}
	}
	sound := func(when string, days int) {
		t.Helper()
		for name, run := range map[string]func(context.Context, timesheet.Workspace) (store.RollupCheck, error){
			"check": z.s.CheckRollup, "second check": z.s.CheckRollup,
		} {
			if found, err := run(t.Context(), z.v.Workspace); err != nil || found.Days != days || found.Rows != 0 {
				t.Errorf("%s, a %s found %d rows and %d days wrong, want %d days (%v)", when, name, found.Rows, found.Days, days, err)
			}
		}
		if found, err := z.s.RebuildRollup(t.Context(), z.v.Workspace); err != nil || found.Days != days {
			t.Errorf("%s, a rebuild moved %d days, want %d (%v)", when, found.Days, days, err)
		}
		wantRollup(t, z.conn, z.v, when)
	}
	wantWrong := func(when, zone string, want ...string) {
		t.Helper()
		if got := z.wrong(zone); !slices.Equal(got, want) {
			t.Errorf("%s, not on their day of %s: %v, want %v", when, zone, got, want)
		}
	}
	marked(true)
	done[timesheet.Workspace](t)(z.s.LockPeriod(t.Context(), z.v, day(t, "2026-01-31"), change("lockPeriod")))
	if _, err := z.moveTo("America/New_York"); err != nil {
		t.Fatal(err)
	}
	z.arrive("America/New_York")
	if moved, alone := z.heard.counts(); moved+alone != 0 {
		t.Errorf("%d entries are told to have moved", moved+alone)
	}
	marked(false)
	done[timesheet.Workspace](t)(z.s.UnlockPeriod(t.Context(), z.v, nil, change("unlockPeriod")))
	sound("with open books", 0)
	wantWrong("with open books", "America/New_York", "closed again", "edited", "closed", "invoiced")
	wantWrong("with open books", "Europe/Bucharest")

	mustExec(t, z.conn, `UPDATE time_entry SET day = day + 1 WHERE id = $1`, closed.ID)
	sound("after a fault", 1)
	wantWrong("after a fault was repaired", "Europe/Bucharest")

	text := timesheet.EntryInput{Description: timesheet.Some("described")}
	done[timesheet.TimeEntry](t)(z.s.UpdateTimeEntry(t.Context(), z.v, closed.ID, text, nil, change("updateTimeEntry")))
	later := timesheet.EntryInput{Start: timesheet.Some(edited.StartedAt.Add(time.Minute))}
	if e := done[timesheet.TimeEntry](t)(z.s.UpdateTimeEntry(t.Context(), z.v, edited.ID, later, nil, change("updateTimeEntry"))); e.Day != day(t, "2026-01-29") {
		t.Errorf("moved by a minute it is on %s", e.Day)
	}
	sound("after edits", 0)
	wantWrong("after edits", "America/New_York", "closed again", "described", "invoiced")

	done[timesheet.Workspace](t)(z.s.LockPeriod(t.Context(), z.v, again.Day, change("lockPeriod")))
	if _, err := z.moveTo("America/Los_Angeles"); err != nil {
		t.Fatal(err)
	}
	z.arrive("America/Los_Angeles")
	wantWrong("after another change", "America/Los_Angeles", "closed again", "late")
	done[timesheet.Workspace](t)(z.s.UnlockPeriod(t.Context(), z.v, nil, change("unlockPeriod")))
	sound("after another change", 0)
	kept := ask[[]string](t, z.conn, `SELECT array_agg(description || ' ' || day_zone ORDER BY started_at) FROM time_entry WHERE workspace_id = $1 AND day_zone IS NOT NULL`, z.v.Workspace.ID)
	if want := []string{"closed again Europe/Bucharest", "late America/New_York"}; !slices.Equal(kept, want) {
		t.Errorf("these keep their day: %v, want %v", kept, want)
	}
	if _, err := z.moveTo("UTC"); err != nil {
		t.Fatal(err)
	}
	z.arrive("UTC")
	sound("with nothing closed", 0)
	wantWrong("with nothing closed", "UTC")
	if n := ask[int](t, z.conn, `SELECT count(*) FROM time_entry WHERE workspace_id = $1 AND day_zone IS NOT NULL`, z.v.Workspace.ID); n != 0 {
		t.Errorf("%d entries keep a day of a former zone", n)
	}
}
