package store_test

import (
	"testing"

	"headroom/store"
	"headroom/timesheet"
)

const flagged = `SELECT rollup_drifted FROM workspace WHERE workspace_id = $1`

// A check finds what a lost trigger let drift and marks the workspace, and a
// rebuild brings sums and days in order.
func TestCheckFindsDrift(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	ctx := t.Context()
	v, other := in(t, s.Store, "Europe/Bucharest"), in(t, s.Store, "UTC")
	for _, v := range []timesheet.Viewer{v, other} {
		for range 3 {
			create(t, s.Store, v, hour(t))
		}
	}
	check := func(w timesheet.Workspace, rows, days int) {
		t.Helper()
		got, err := s.CheckRollup(ctx, w)
		if err != nil || got.Rows != rows || got.Days != days {
			t.Errorf("%s: %d rows and %d days are wrong (%v), want %d and %d", w.Name, got.Rows, got.Days, err, rows, days)
		}
		if got, want := ask[bool](t, s.conn, flagged, w.ID), rows > 0; got != want {
			t.Errorf("%s: marked as drifted: %v, want %v", w.Name, got, want)
		}
	}
	check(v.Workspace, 0, 0)
	mustExec(t, s.conn, `DROP TRIGGER time_entry_added ON time_entry`)
	late := span(t, "2024-06-30T22:30:00Z", "2024-06-30T23:30:00Z") // on the 1st of July in Bucharest
	create(t, s.Store, v, late)
	create(t, s.Store, v, hour(t))
	check(v.Workspace, 2, 0)
	check(other.Workspace, 0, 0)
	mustExec(t, s.conn, `UPDATE time_entry SET day = '2024-06-30' WHERE workspace_id = $1 AND day = '2024-07-01'`, v.Workspace.ID)
	check(v.Workspace, 2, 1) // June lacks one and has one too many from July: -1 there
	got, err := s.RebuildRollup(ctx, v.Workspace)
	if err != nil || got.Rows == 0 || got.Days != 1 {
		t.Errorf("the rebuild repaired %d rows and %d days (%v)", got.Rows, got.Days, err)
	}
	check(v.Workspace, 0, 0)
	wantRollup(t, s.conn, v, "the rebuild")
	if n := ask[int](t, s.conn, `SELECT count(*) FROM rollup WHERE workspace_id = $1 AND entries = 0`, v.Workspace.ID); n > 0 {
		t.Errorf("%d rows of no entries are left", n)
	}
}

// The nightly check repairs what drifted and says so; while another replica
// does it, it does nothing.
func TestNightlyCheck(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	create(t, s.Store, v, hour(t))
	mustExec(t, s.conn, `UPDATE rollup SET secs = secs + 1`)
	night := func() []store.RollupCheck {
		t.Helper()
		found, err := s.CheckRollups(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	const lock = `SELECT pg_advisory_lock(hashtext('headroom rollup check'))`
	mustExec(t, s.conn, lock)
	if found := night(); found != nil {
		t.Errorf("two replicas check at once: %+v", found)
	}
	mustExec(t, s.conn, `SELECT pg_advisory_unlock_all()`)
	found := night()
	if len(found) != 1 || found[0].Rows != 1 || found[0].Workspace.ID != v.Workspace.ID {
		t.Errorf("the check found %+v, want one row of %d", found, v.Workspace.ID)
	}
	wantRollup(t, s.conn, v, "the night")
	if ask[bool](t, s.conn, flagged, v.Workspace.ID) {
		t.Error("the workspace is still marked as drifted")
	}
	if found := night(); len(found) > 0 {
		t.Errorf("the next night finds %+v", found)
	}
	mustExec(t, s.conn, lock) // the last night has given its own back
}
