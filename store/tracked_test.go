package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

// track makes a finished entry that starts at an instant.
func track(t testing.TB, s *store.Store, v timesheet.Viewer, project timesheet.ProjectID, start string, length time.Duration) timesheet.TimeEntry {
	t.Helper()
	from, err := time.Parse(time.RFC3339, start)
	if err != nil {
		t.Fatal(err)
	}
	return done[timesheet.TimeEntry](t)(s.CreateTimeEntry(t.Context(), v, timesheet.EntryInput{
		Project: timesheet.Some(&project), Start: timesheet.Some(from), End: timesheet.Some(from.Add(length)),
	}, change("createTimeEntry")))
}

func TestTrackedSeconds(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	foreign := addWorkspace(t, s, "Other")
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	first, second := addProject(t, s, owner, "first", nil), addProject(t, s, owner, "second", nil)
	running, empty := addProject(t, s, owner, "running", nil), addProject(t, s, owner, "empty", nil)
	elsewhere := addProject(t, s, foreign, "elsewhere", nil)
	addMember(t, s, owner, first.ID, member.User, false)

	track(t, s, owner, first.ID, "2026-01-31T21:30:00Z", time.Minute)  // 31 January in Bucharest
	track(t, s, owner, first.ID, "2026-01-31T22:30:00Z", time.Hour)    // 1 February there
	track(t, s, member, first.ID, "2026-02-28T21:59:59Z", time.Second) // 28 February
	track(t, s, owner, second.ID, "2026-02-10T10:00:00Z", 2*time.Hour)
	track(t, s, foreign, elsewhere.ID, "2026-02-10T10:00:00Z", time.Hour)
	gone := track(t, s, owner, second.ID, "2026-02-11T10:00:00Z", time.Hour)
	done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(t.Context(), owner, gone.ID, nil, change("deleteTimeEntry")))
	if _, _, _, err := s.StartTimer(t.Context(), owner, timesheet.TimerInput{Project: &running.ID}, change("startTimer")); err != nil {
		t.Fatal(err)
	}

	february := &timesheet.Period{From: timesheet.NewDate(2026, time.February, 1), To: timesheet.NewDate(2026, time.February, 28)}
	ids := []timesheet.ProjectID{first.ID, second.ID, running.ID, empty.ID, elsewhere.ID}
	tests := []struct {
		name   string
		who    timesheet.Viewer
		period *timesheet.Period
		want   map[timesheet.ProjectID]int64
	}{
		{"all time", owner, nil, map[timesheet.ProjectID]int64{first.ID: 3661, second.ID: 7200}},
		{"all time of a member", member, nil, map[timesheet.ProjectID]int64{first.ID: 1}},
		{"february", owner, february, map[timesheet.ProjectID]int64{first.ID: 3601, second.ID: 7200}},
		{"february of a member", member, february, map[timesheet.ProjectID]int64{first.ID: 1}},
		{"a day before everything", owner, &timesheet.Period{From: 1, To: 1}, map[timesheet.ProjectID]int64{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op := store.NewOperation(1)
			got, err := s.TrackedSeconds(store.WithOperation(t.Context(), op), tt.who, ids, tt.period)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("(-want +got):\n%s, error %v", diff, err)
			}
			if got := op.Statements(); got != 1 {
				t.Errorf("took %d statements, want 1", got)
			}
		})
	}
	_, err := s.TrackedSeconds(t.Context(), owner, ids, &timesheet.Period{From: 2, To: 1})
	wantCode(t, err, timesheet.CodeInvalid)
}

// Whole months come from the sums and other days from the entries, and both from
// the entries where the sums are known to be wrong.
func TestTrackedSecondsOfAnyPeriod(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 700)
	member, drifted := w.users[1], w.owner
	member.Workspace, drifted.Workspace.RollupDrifted = w.owner.Workspace, true
	ids := ask[[]timesheet.ProjectID](t, s.conn, `SELECT array_agg(id) FROM project WHERE workspace_id = $1`, w.owner.Workspace.ID)
	first, last := day(t, "2023-12-01"), day(t, "2024-04-30")
	var periods []*timesheet.Period
	for from := first; from <= last; from += 9 {
		for to := from; to <= last; to += 13 {
			periods = append(periods, &timesheet.Period{From: from, To: to})
		}
	}
	total := func(v timesheet.Viewer, p *timesheet.Period) (sum int64) {
		t.Helper()
		found, err := s.TrackedSeconds(t.Context(), v, ids, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, seconds := range found {
			sum += seconds
		}
		return sum
	}
	const raw = `SELECT coalesce(sum(secs), 0) FROM time_entry
		WHERE workspace_id = $1 AND project_id IS NOT NULL AND deleted_at IS NULL AND day BETWEEN $2 AND $3 AND ($4 = 0 OR user_id = $4)`
	whole := &timesheet.Period{From: day(t, "1970-01-01"), To: day(t, "2069-12-31")}
	for _, p := range append(periods, whole) {
		for only, v := range map[timesheet.UserID]timesheet.Viewer{0: w.owner, member.User: member} {
			want := ask[int64](t, s.conn, raw, v.Workspace.ID, p.From, p.To, only)
			if got := total(v, p); got != want {
				t.Errorf("%v of %d: %d seconds, want %d", p, only, got, want)
			}
		}
	}
	if sum := total(w.owner, whole); sum == 0 || total(w.owner, nil) != sum {
		t.Fatalf("all time is %d seconds, a century with all entries %d", total(w.owner, nil), sum)
	}
	right := total(w.owner, nil)
	// The sums of projects do not have the changes yet: these are read as rests.
	mustExec(t, s.conn, `UPDATE rollup SET secs = secs + 1 WHERE entries <> 0 AND project_id <> 0 AND workspace_id = $1`, w.owner.Workspace.ID)
	rows := ask[int64](t, s.conn, `SELECT count(*) FROM rollup WHERE entries <> 0 AND project_id <> 0 AND workspace_id = $1`, w.owner.Workspace.ID)
	if got := total(w.owner, nil); got != right+rows {
		t.Errorf("%d seconds of all time, want those of the sums, %d", got, right+rows)
	}
	for _, p := range []*timesheet.Period{nil, whole} {
		if got := total(drifted, p); got != right {
			t.Errorf("%d seconds where sums have drifted, want those of the entries, %d", got, right)
		}
	}
}
