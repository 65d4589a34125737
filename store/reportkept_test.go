package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/proof"
	"headroom/timesheet"
)

// move changes the workspace's zone while its books are closed up to a day, and
// opens them again. What lies in them, or would come to lie there, keeps its day.
func (w *world) move(t *testing.T, s database, to string, closed timesheet.Date) {
	t.Helper()
	done[timesheet.Workspace](t)(s.LockPeriod(t.Context(), w.owner, closed, change("lockPeriod")))
	if _, _, err := s.UpdateWorkspace(t.Context(), w.owner, timesheet.WorkspaceInput{TimeZone: timesheet.Some(to)}, nil, change("updateWorkspace")); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the zone "+to, func() bool {
		return ask[string](t, s.conn, `SELECT time_zone FROM workspace WHERE workspace_id = $1`, w.owner.Workspace.ID) == to
	})
	done[timesheet.Workspace](t)(s.UnlockPeriod(t.Context(), w.owner, nil, change("unlockPeriod")))
	from, there := w.homeZone(), zone(t, to)
	w.home, w.owner.Workspace.TimeZone = to, to
	for i := range w.facts {
		f := &w.facts[i]
		has := from
		if f.dayZone != "" {
			has = f.dayZone
		}
		was, is := timesheet.DayOf(f.start, zone(t, has)), timesheet.DayOf(f.start, there)
		switch keeps := min(was, is) <= closed; {
		case !keeps || f.dayZone == "" && was == is:
			f.dayZone = ""
		default:
			f.dayZone = has
		}
	}
}

// After two changes of zone, entries keep the days of three zones. In the
// workspace's own a report goes by those days; in another, and split, by times
// alone.
func TestReportsOfKeptDaysAgainstOracle(t *testing.T) {
	n := proof.Size(t, 3000, 150)
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 10)
	for month := day(t, "2023-07-01"); month < day(t, "2025-05-01"); month = (month + 31).Month() {
		w.near = append(w.near, month.Start(time.UTC))
	}
	mustExec(t, s.conn, `DELETE FROM time_entry WHERE workspace_id = $1`, w.owner.Workspace.ID)
	w.facts = nil
	w.fill(t, s.conn, 600)
	mustExec(t, s.conn, `DELETE FROM time_entry WHERE workspace_id = $1`, w.owner.Workspace.ID)
	w.facts[0].start = instant(t, "2023-11-30T16:00:00Z") // a timer that keeps its day of November, in Tokyo it is December
	w.keep(t, s.conn)
	w.move(t, s, "America/New_York", day(t, "2024-06-10"))
	w.move(t, s, "Asia/Tokyo", day(t, "2023-12-20"))
	kept := 0
	for _, f := range w.facts {
		if f.dayZone != "" {
			kept++
		}
	}
	if got := ask[int](t, s.conn, `SELECT count(*) FROM time_entry WHERE workspace_id = $1 AND day_zone IS NOT NULL`, w.owner.Workspace.ID); got != kept || kept < 20 {
		t.Fatalf("%d entries keep their day, want %d, and 20 at least", got, kept)
	}
	r, all, sources := proof.Rand(t, 0), groupings(), map[timesheet.ReportSource]int{}
	now := instant(t, "2025-07-01T10:00:00Z")
	for range n {
		in := anyReport(r, all)
		if r.IntN(3) == 0 {
			in.TimeZone = new(pick(r, "Asia/Tokyo", "America/New_York"))
		}
		if r.IntN(2) == 0 { // what a wrong day shows in, that of a timer too
			in.GroupBy, in.Period = []timesheet.GroupKey{pick(r, timesheet.GroupMonth, timesheet.GroupWeek)}, period(t, "2023-06-01", "2025-06-30")
		}
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
	proof.Result(t, "%d reports over %d entries, %d of which keep the day of a former zone, equal the oracle, by source %v", n, len(w.facts), kept, sources)
	for range n / 10 {
		wantFileOf(t, s, w.owner, w.anyFile(r, all), now)
	}
	if len(sources) < 3 {
		t.Errorf("the sources were %v, want all three", sources)
	}
}
