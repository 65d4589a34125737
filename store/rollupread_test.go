package store_test

import (
	"slices"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// Sums that were read as often as it takes to fold them are folded, those of the last
// months too, and say the same as before.
func TestSumsReadOftenAreFolded(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v, other := in(t, s.Store, "UTC"), in(t, s.Store, "UTC")
	project := addProject(t, s.Store, v, "one", nil)
	now := time.Now().UTC().Truncate(time.Hour)
	work := func(v timesheet.Viewer, p *timesheet.ProjectID, before time.Duration) {
		create(t, s.Store, v, timesheet.EntryInput{
			Project: timesheet.Some(p), Start: timesheet.Some(now.Add(-before - time.Hour)), End: timesheet.Some(now.Add(-before)),
		})
	}
	work(v, &project.ID, 0)
	work(v, &project.ID, 40*24*time.Hour)
	work(other, nil, 0)
	ways := []func() int64{
		func() int64 {
			_, beside, err := s.ProjectsJoined(t.Context(), v, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 5}, store.ProjectJoins{Tracked: true})
			if err != nil {
				t.Fatal(err)
			}
			return beside.Seconds[project.ID]
		},
		func() int64 {
			seconds, err := s.TrackedSeconds(t.Context(), v, []timesheet.ProjectID{project.ID}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return seconds[project.ID]
		},
		func() int64 {
			span := timesheet.Period{From: timesheet.DayOf(now, time.UTC) - 100, To: timesheet.DayOf(now, time.UTC)}
			r, err := s.ReportOf(t.Context(), v, timesheet.ReportInput{Period: span, GroupBy: []timesheet.GroupKey{timesheet.GroupProject}, MaxRows: 5}, now, 5)
			if err != nil {
				t.Fatal(err)
			}
			return r.Totals.ExactSeconds
		},
	}
	foldOften := func(when string, want int) {
		t.Helper()
		select {
		case <-s.OftenRead():
			if want == 0 {
				t.Errorf("%s there is something to fold", when)
			}
		default:
			if want > 0 {
				t.Errorf("%s there is nothing to fold", when)
			}
		}
		if n, err := s.FoldOftenRead(t.Context()); n != want || err != nil {
			t.Errorf("%s %d sums were folded (%v), want %d", when, n, err, want)
		}
		wantRollup(t, s.conn, v, when)
	}
	read := func(n int) {
		t.Helper()
		for i := range n {
			if got := ways[i%len(ways)](); got != 2*3600 {
				t.Fatalf("read %d: %d seconds, want two hours", i, got)
			}
		}
	}
	read(store.FoldAfter - 1)
	foldOften("once short of often", 0)
	read(1)
	foldOften("often", 2)
	foldOften("at once again", 0)
	read(len(ways))
	work(v, &project.ID, 0)
	mustExec(t, s.conn, `UPDATE time_entry SET deleted_at = now() WHERE workspace_id = $1 AND started_at < now() - interval '30 days'`, v.Workspace.ID)
	read(store.FoldAfter)
	foldOften("after changes", 2)
	if left := ask[[]timesheet.WorkspaceID](t, s.conn, `SELECT array_agg(workspace_id) FROM rollup WHERE unfolded`); !slices.Equal(left, []timesheet.WorkspaceID{other.Workspace.ID}) {
		t.Errorf("sums of %v are not folded, want those of %d that nobody has read", left, other.Workspace.ID)
	}
}
