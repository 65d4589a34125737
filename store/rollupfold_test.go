package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// folded folds the months that are over by a moment, and returns how many sums.
func folded(t testing.TB, s *store.Store, now time.Time) int {
	t.Helper()
	n, err := s.FoldRollups(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// byMonth is a report by project and month as text, of what it has read.
func byMonth(t testing.TB, s *store.Store, v timesheet.Viewer, f timesheet.EntryFilter) (rows []string) {
	t.Helper()
	r, err := s.Report(t.Context(), v, timesheet.ReportInput{
		Period: period(t, "2024-01-01", "2026-12-31"), GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupMonth}, Filter: f, MaxRows: 100,
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Rows {
		for _, m := range p.Children {
			rows = append(rows, fmt.Sprint(p.Label, " ", m.Label, " ", m.Totals.EntryCount, " ", m.Totals.Seconds))
		}
	}
	return rows
}

// What is folded, what is changed in folded months afterwards, and what is not
// folded yet are one sum at any moment, also where it comes to nothing.
func TestSumsOfProjectsFollowEntries(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	ana := addViewer(t, s.Store, v, "ana", timesheet.RoleMember)
	one, two := addProject(t, s.Store, v, "one", nil), addProject(t, s.Store, v, "two", nil)
	addMember(t, s.Store, v, one.ID, ana.User, false)
	work := func(v timesheet.Viewer, p timesheet.ProjectID, start, end string) timesheet.TimeEntry {
		input := span(t, start, end)
		input.Project = timesheet.Some(&p)
		return create(t, s.Store, v, input)
	}
	now := instant(t, "2024-09-15T00:00:00Z")
	june := work(v, one.ID, "2024-06-03T08:00:00Z", "2024-06-03T09:00:00Z")
	work(v, two.ID, "2024-06-03T08:00:00Z", "2024-06-03T10:00:00Z")
	work(ana, one.ID, "2024-07-03T08:00:00Z", "2024-07-03T08:30:00Z")
	work(ana, one.ID, "2024-08-03T08:00:00Z", "2024-08-03T08:10:00Z")
	want := func(after string, rows ...string) {
		t.Helper()
		if got := byMonth(t, s.Store, v, timesheet.EntryFilter{}); !slices.Equal(got, rows) {
			t.Errorf("after %s the report has %q, want %q", after, got, rows)
		}
		wantRollup(t, s.conn, v, after)
	}
	want("nothing", "one 2024-06 1 3600", "one 2024-07 1 1800", "one 2024-08 1 600", "two 2024-06 1 7200")
	if n := folded(t, s.Store, now); n != 3 {
		t.Errorf("%d sums were folded, want the three of June and July: August is the last month", n)
	}
	want("folding", "one 2024-06 1 3600", "one 2024-07 1 1800", "one 2024-08 1 600", "two 2024-06 1 7200")
	if n := folded(t, s.Store, now); n != 0 {
		t.Errorf("%d sums were folded twice", n)
	}
	work(ana, one.ID, "2024-06-05T08:00:00Z", "2024-06-05T08:20:00Z")
	done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(t.Context(), v, june.ID, timesheet.EntryInput{Project: timesheet.Some(&two.ID)}, nil, change("updateTimeEntry")))
	want("a change of what is folded", "one 2024-06 1 1200", "one 2024-07 1 1800", "one 2024-08 1 600", "two 2024-06 2 10800")
	if n := folded(t, s.Store, now); n != 3 {
		t.Errorf("%d sums were folded, want the three that have changed", n)
	}
	done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(t.Context(), v, june.ID, nil, change("deleteTimeEntry")))
	mustExec(t, s.conn, `UPDATE time_entry SET deleted_at = now() WHERE workspace_id = $1 AND day < '2024-07-01' AND project_id = $2`, v.Workspace.ID, two.ID)
	want("deleting all of one sum", "one 2024-06 1 1200", "one 2024-07 1 1800", "one 2024-08 1 600")
	if got := byMonth(t, s.Store, ana, timesheet.EntryFilter{}); !slices.Equal(got, []string{"one 2024-06 1 1200", "one 2024-07 1 1800", "one 2024-08 1 600"}) {
		t.Errorf("ana has %q", got)
	}
	if got := byMonth(t, s.Store, v, timesheet.EntryFilter{Users: []timesheet.UserID{v.User}}); len(got) > 0 {
		t.Errorf("who has deleted their work has %q", got)
	}
	if _, err := s.RebuildRollup(t.Context(), v.Workspace); err != nil {
		t.Fatal(err)
	}
	want("a rebuild", "one 2024-06 1 1200", "one 2024-07 1 1800", "one 2024-08 1 600")
}

// Folding waits for nobody: what somebody is adding to is left for the next
// time, and so is a workspace that somebody else folds.
func TestFoldingWaitsForNobody(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	ana := addViewer(t, s.Store, v, "ana", timesheet.RoleMember)
	create(t, s.Store, v, hour(t))
	create(t, s.Store, ana, hour(t))
	other := connectTo(t, s.conn.Config().ConnString())
	mustExec(t, other, `BEGIN`)
	mustExec(t, other, `UPDATE time_entry SET ended_at = ended_at + interval '1 hour' WHERE workspace_id = $1 AND user_id = $2`, v.Workspace.ID, ana.User)
	if n := folded(t, s.Store, time.Now()); n != 1 {
		t.Errorf("%d sums were folded, want the one that nobody is adding to", n)
	}
	mustExec(t, other, `COMMIT`)
	mustExec(t, other, `BEGIN`)
	mustExec(t, other, `SELECT pg_advisory_xact_lock(hashint8extended($1, 3))`, v.Workspace.ID)
	if n := folded(t, s.Store, time.Now()); n != 0 {
		t.Errorf("%d sums were folded while another server folds", n)
	}
	mustExec(t, other, `COMMIT`)
	if n := folded(t, s.Store, time.Now()); n != 1 {
		t.Errorf("%d sums were folded, want the other one", n)
	}
	wantRollup(t, s.conn, v, "folding")
}

// A check finds sums of projects that are not what was folded, and a rebuild
// mends them. What an older program deletes, which knows nothing of them, stays.
func TestCheckFindsDriftOfProjects(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	for range 3 {
		create(t, s.Store, v, hour(t))
	}
	folded(t, s.Store, time.Now())
	mustExec(t, s.conn, `UPDATE time_entry SET deleted_at = now()`)
	mustExec(t, s.conn, `DELETE FROM rollup WHERE entries = 0 AND secs = 0 AND amount_x3600 = 0`)
	wantRollup(t, s.conn, v, "an older program's rebuild")
	mustExec(t, s.conn, `UPDATE project_rollup SET secs = secs + 60`)
	got, err := s.CheckRollup(t.Context(), v.Workspace)
	if err != nil || got.Rows != 1 || !ask[bool](t, s.conn, flagged, v.Workspace.ID) {
		t.Errorf("the check found %d wrong rows (%v), want one, and the workspace marked", got.Rows, err)
	}
	got, err = s.RebuildRollup(t.Context(), v.Workspace)
	if err != nil || got.Rows != 1 || ask[bool](t, s.conn, flagged, v.Workspace.ID) {
		t.Errorf("the rebuild repaired %d rows (%v), want one, and the mark gone", got.Rows, err)
	}
	wantRollup(t, s.conn, v, "the rebuild")
	mustExec(t, s.conn, `UPDATE project_total SET secs = secs + 60`)
	if got, err = s.CheckRollup(t.Context(), v.Workspace); err != nil || got.Rows != 1 {
		t.Errorf("the check found %d wrong sums over all months (%v), want one", got.Rows, err)
	}
	if got, err = s.RebuildRollup(t.Context(), v.Workspace); err != nil || got.Rows != 1 {
		t.Errorf("the rebuild repaired %d sums over all months (%v), want one", got.Rows, err)
	}
	wantRollup(t, s.conn, v, "the second rebuild")
	folded(t, s.Store, time.Now())
	if _, err := s.RebuildRollup(t.Context(), v.Workspace); err != nil {
		t.Fatal(err)
	}
	if n := ask[int](t, s.conn, `SELECT (SELECT count(*) FROM rollup) + (SELECT count(*) FROM project_rollup)`); n > 0 {
		t.Errorf("%d rows of no entries are left", n)
	}
}
