package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// A report is given again until somebody changes something, and an older one
// only to those who take it and have changed nothing themselves.
func TestReportsAreKept(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	ctx := t.Context()
	owner := in(t, s.Store, "UTC")
	manager := addViewer(t, s.Store, owner, "max", timesheet.RoleManager)
	member := addViewer(t, s.Store, owner, "mia", timesheet.RoleMember)
	create(t, s.Store, owner, hour(t))
	now := time.Now()
	june := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: []timesheet.GroupKey{timesheet.GroupUser}, MaxRows: 10}
	old := june
	old.Freshness = &timesheet.Freshness{MaxAgeSeconds: 60}
	ask := func(v timesheet.Viewer, in timesheet.ReportInput, at time.Time, seconds int64, from timesheet.ReportSource, asOf time.Time) {
		t.Helper()
		r, err := s.Report(ctx, v, in, at)
		if err != nil || r.Totals.ExactSeconds != seconds || r.Source != from || !r.AsOf.Equal(asOf) {
			t.Errorf("got %d seconds from %s as of %s (%v), want %d from %s as of %s", r.Totals.ExactSeconds, r.Source, r.AsOf, err, seconds, from, asOf)
		}
	}
	later := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	ask(owner, june, now, 3600, timesheet.SourceRollup, now)
	ask(manager, june, later(9), 3600, timesheet.SourceCache, now)   // who sees the same
	ask(member, june, later(9), 0, timesheet.SourceRollup, later(9)) // who sees less
	create(t, s.Store, member, hour(t))
	ask(manager, old, later(10), 3600, timesheet.SourceCache, now)        // old, but taken
	ask(member, old, later(10), 3600, timesheet.SourceRollup, later(10))  // never older than one's own change
	ask(manager, old, later(61), 7200, timesheet.SourceRollup, later(61)) // too old
	ask(owner, june, later(62), 7200, timesheet.SourceCache, later(61))
	create(t, s.Store, member, hour(t))
	ask(owner, june, later(63), 10800, timesheet.SourceRollup, later(63))
	running := june
	running.IncludeRunning = true
	for range 2 {
		ask(owner, running, later(64), 10800, timesheet.SourceRollup, later(64))
	}
	done[timesheet.User](t)(s.SetRole(ctx, owner, manager.User, timesheet.RoleViewer, change("setRole")))
	ask(owner, june, later(65), 10800, timesheet.SourceRollup, later(65)) // a name could have changed
}

// Who asks for what somebody else is waiting for waits with them: one statement
// sums up. Who leaves does not take it away from the others, and the last one
// ends it.
func TestEqualReportsAreOneQuery(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	owner := in(t, s.Store, "UTC")
	create(t, s.Store, owner, hour(t))
	watch := connectTo(t, s.conn.Config().ConnString())
	june := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: []timesheet.GroupKey{timesheet.GroupUser}, MaxRows: 10}
	const waiting = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%reportGroups%' AND query NOT LIKE '%pg_stat_activity%' AND state = 'active'`
	busy := func() int { return ask[int](t, watch, waiting) }
	for name, stay := range map[string]int{"some leave": 3, "all leave": 0} {
		t.Run(name, func(t *testing.T) {
			mustExec(t, s.conn, `BEGIN; LOCK TABLE rollup IN ACCESS EXCLUSIVE MODE`)
			var all sync.WaitGroup
			ops := make([]*store.Operation, 6)
			errs := make([]error, len(ops))
			var leave []context.CancelFunc
			for i := range ops {
				ctx, cancel := context.WithCancel(t.Context())
				leave = append(leave, cancel)
				ops[i] = store.NewOperation(1)
				all.Go(func() {
					defer ops[i].Close() // as a request ends: no statement may need its seat any more
					_, errs[i] = s.Report(store.WithOperation(ctx, ops[i]), owner, june, time.Now())
				})
			}
			waitUntil(t, "all to wait", func() bool { return s.Waiting() == len(ops) })
			waitUntil(t, "the statement", func() bool { return busy() > 0 })
			if n := busy(); n != 1 {
				t.Errorf("%d statements sum up, want one", n)
			}
			for _, cancel := range leave[stay:] {
				cancel()
			}
			waitUntil(t, "some to leave", func() bool { return s.Waiting() == stay })
			if stay == 0 {
				all.Wait()
				if n := busy(); n != 0 {
					t.Errorf("%d statements run for nobody", n)
				}
			} else if n := busy(); n != 1 {
				t.Errorf("%d statements run after some have left, want one", n)
			}
			mustExec(t, s.conn, `COMMIT`)
			all.Wait()
			for i, err := range errs {
				if left := i >= stay; errors.Is(err, context.Canceled) != left || !left && err != nil {
					t.Errorf("caller %d got %v; has left: %v", i, err, left)
				}
			}
			create(t, s.Store, owner, hour(t)) // another version
		})
	}
}
