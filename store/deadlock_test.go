package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"headroom/timesheet"
)

// A bulk edit that is the victim of a deadlock takes its turn afterwards, once
// and with all that it returns.
func TestVictimOfADeadlockRunsAgain(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	watch := connectTo(t, conn.Config().ConnString())
	ids := many(t, s, owner, 2) // the first is locked first
	lock := func(id timesheet.EntryID) {
		t.Helper()
		mustExec(t, conn, `SELECT FROM time_entry WHERE workspace_id = $1 AND id = $2 FOR UPDATE`, owner.Workspace.ID, id)
	}
	mustExec(t, conn, `SET deadlock_timeout = '1min'`) // so that the other one is the victim
	mustExec(t, conn, `BEGIN`)
	lock(ids[1])
	type answer struct {
		results []timesheet.BulkResult
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		in := timesheet.EntryInput{Description: timesheet.Some("again")}
		results, _, err := s.BulkEditTimeEntries(t.Context(), owner, ids, in, withKey("k", "again"))
		answers <- answer{results, err}
	}()
	waitUntil(t, "the edit to wait", func() bool {
		return ask[int](t, watch, `SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0
	})
	lock(ids[0])
	mustExec(t, conn, `COMMIT`)
	got := <-answers
	if got.err != nil || len(got.results) != 2 {
		t.Fatalf("got %d results, error %v", len(got.results), got.err)
	}
	for i, r := range got.results {
		if r.Entry == nil || r.Entry.Version != 2 || r.Entry.Description != "again" {
			t.Errorf("result %d is %+v, want version 2", i, r)
		}
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM audit WHERE entity = 'TimeEntry' AND entity_id = $1 AND changes = '"again"'`, ids[0].String()); n != 1 {
		t.Errorf("%d audit rows of the edit, want 1", n)
	}
}

// What gets in the way every time is told in the end, after three runs; what
// cannot get better is told at once.
func TestRunsOfATransaction(t *testing.T) {
	t.Parallel()
	s, _ := newWorkspace(t)
	for name, tt := range map[string]struct {
		state string
		free  int // the run that nothing gets in the way of
		want  int
		fails bool
	}{
		"a deadlock":               {state: "40P01", free: 2, want: 2},
		"two deadlocks":            {state: "40P01", free: 3, want: 3},
		"deadlocks for ever":       {state: "40P01", want: 3, fails: true},
		"not serializable":         {state: "40001", free: 2, want: 2},
		"not serializable, ever":   {state: "40001", want: 3, fails: true},
		"a lock that took so long": {state: "55P03", free: 2, want: 1, fails: true},
		"nothing":                  {free: 1, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			err := s.Insist(t.Context(), func(pgx.Tx) error {
				if runs++; runs == tt.free {
					return nil
				}
				return &pgconn.PgError{Code: tt.state}
			})
			if runs != tt.want || (err != nil) != tt.fails {
				t.Errorf("%d runs, error %v; want %d runs, an error: %v", runs, err, tt.want, tt.fails)
			}
		})
	}
	t.Run("its caller leaves", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		runs := 0
		err := s.Insist(ctx, func(pgx.Tx) error {
			runs++
			leave()
			return &pgconn.PgError{Code: "40P01"}
		})
		if runs != 1 || err == nil {
			t.Errorf("%d runs, error %v; want one and an error", runs, err)
		}
	})
}

// A bulk edit locks a person's timer before a newer entry; whoever continues that
// entry must not lock it before the timer.
func TestBulkEditBesideContinue(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	startAt(t, s, owner, ago(time.Hour))
	for round := range 40 {
		running, err := s.RunningTimer(t.Context(), owner)
		if err != nil || running == nil {
			t.Fatalf("round %d: the running timer is %v, error %v", round, running, err)
		}
		newer := create(t, s, owner, hour(t)).ID
		var edited, continued error
		var both sync.WaitGroup
		both.Go(func() {
			in := timesheet.EntryInput{Description: timesheet.Some("both")}
			_, _, edited = s.BulkEditTimeEntries(t.Context(), owner, []timesheet.EntryID{running.ID, newer}, in, change("bulkEditTimeEntries"))
		})
		both.Go(func() {
			_, _, _, continued = s.ContinueEntry(t.Context(), owner, newer, change("continueEntry"))
		})
		both.Wait()
		for name, err := range map[string]error{"the edit": edited, "continuing": continued} {
			if _, rule := timesheet.AsError(err); err != nil && !rule {
				t.Errorf("round %d: %s: %v", round, name, err)
			}
		}
	}
}
