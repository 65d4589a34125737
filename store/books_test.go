package store_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

// closedBooks is a workspace whose books are closed through the last day of
// May 2024, with an entry of May and one of June.
type closedBooks struct {
	s         *store.Store
	owner     timesheet.Viewer
	conn      *pgx.Conn
	may, june timesheet.TimeEntry
}

func spanOn(day string, hours int) timesheet.EntryInput {
	start, err := time.Parse(time.RFC3339, day+"T08:00:00Z")
	if err != nil {
		panic(err)
	}
	return timesheet.EntryInput{Start: timesheet.Some(start), End: timesheet.Some(start.Add(time.Duration(hours) * time.Hour))}
}

func newClosedBooks(t *testing.T) closedBooks {
	t.Helper()
	s, owner, conn := newDatabase(t)
	b := closedBooks{s: s, owner: owner, conn: conn}
	b.may = done[timesheet.TimeEntry](t)(s.CreateTimeEntry(t.Context(), owner, spanOn("2024-05-14", 1), change("createTimeEntry")))
	b.june = done[timesheet.TimeEntry](t)(s.CreateTimeEntry(t.Context(), owner, spanOn("2024-06-14", 1), change("createTimeEntry")))
	done[timesheet.Workspace](t)(s.LockPeriod(t.Context(), owner, day(t, "2024-05-31"), change("lockPeriod")))
	return b
}

// No way of writing an entry leads into closed books or out of them.
func TestClosedBooks(t *testing.T) {
	t.Parallel()
	b := newClosedBooks(t)
	s, v, ctx := b.s, b.owner, t.Context()
	gone := done[timesheet.TimeEntry](t)(s.CreateTimeEntry(ctx, v, spanOn("2024-06-03", 1), change("createTimeEntry")))
	done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, v, gone.ID, nil, change("deleteTimeEntry")))
	mustExec(t, b.conn, `UPDATE time_entry SET day = '2024-05-31' WHERE id = $1`, gone.ID)
	before := rowsOf(t, b.conn, v.Workspace.ID)["time_entry"]
	told := timesheet.EntryInput{Description: timesheet.Some("told later")}
	refused := func(e timesheet.TimeEntry, _ []*timesheet.Error, err error) func(*testing.T) {
		return func(t *testing.T) { wantCode(t, err, timesheet.CodePeriodLocked) }
	}
	t.Run("case31_create", refused(s.CreateTimeEntry(ctx, v, spanOn("2024-05-31", 1), change("createTimeEntry"))))
	t.Run("case31_create_over_its_last_midnight", refused(s.CreateTimeEntry(ctx, v, spanOn("2024-05-31", 20), change("createTimeEntry"))))
	t.Run("case31_edit", refused(s.UpdateTimeEntry(ctx, v, b.may.ID, told, nil, change("updateTimeEntry"))))
	t.Run("case31_move_out", refused(s.UpdateTimeEntry(ctx, v, b.may.ID, spanOn("2024-06-01", 1), nil, change("updateTimeEntry"))))
	t.Run("case31_move_in", refused(s.UpdateTimeEntry(ctx, v, b.june.ID, spanOn("2024-05-31", 1), nil, change("updateTimeEntry"))))
	t.Run("case31_delete", refused(s.DeleteTimeEntry(ctx, v, b.may.ID, nil, change("deleteTimeEntry"))))
	t.Run("case31_restore", refused(s.RestoreTimeEntry(ctx, v, gone.ID, change("restoreTimeEntry"))))
	start := b.may.StartedAt
	started, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{Start: &start}, change("startTimer"))
	t.Run("case31_start_there", refused(started, nil, err))
	t.Run("case31_import", func(t *testing.T) {
		var bad []*timesheet.RowError
		counts, err := s.Import(ctx, v, oneRow(b.may.StartedAt), store.ImportOptions{Bad: func(e *timesheet.RowError) error { bad = append(bad, e); return nil }})
		if err != nil || counts.Created != 0 || len(bad) != 1 || bad[0].Code != timesheet.RowPeriodLocked || bad[0].Field != timesheet.FieldStart {
			t.Errorf("got %+v, %v, bad %v", counts, err, bad)
		}
	})
	if after := rowsOf(t, b.conn, v.Workspace.ID)["time_entry"]; after != before {
		t.Errorf("entries changed from\n%s\nto\n%s", before, after)
	}
	t.Run("case31_bulk_edit_tells_each", func(t *testing.T) {
		results, _, err := s.BulkEditTimeEntries(ctx, v, []timesheet.EntryID{b.may.ID, b.june.ID}, told, change("bulkEditTimeEntries"))
		if err != nil || results[1].Error != nil || results[1].Entry.Description != "told later" {
			t.Fatalf("got %+v, %v, want the entry of June changed", results, err)
		}
		if results[0].Entry != nil || results[0].Error == nil || results[0].Error.Code != timesheet.CodePeriodLocked {
			t.Errorf("got %+v, want the entry of May refused", results[0])
		}
	})
	t.Run("case31_the_day_after_is_open", func(t *testing.T) {
		done[timesheet.TimeEntry](t)(s.CreateTimeEntry(ctx, v, spanOn("2024-06-01", 1), change("createTimeEntry")))
		done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, b.june.ID, spanOn("2024-06-01", 2), nil, change("updateTimeEntry")))
	})
	t.Run("opened_again", func(t *testing.T) {
		keep := day(t, "2024-05-13")
		if w := done[timesheet.Workspace](t)(s.UnlockPeriod(ctx, v, &keep, change("unlockPeriod"))); w.LockedThrough == nil || *w.LockedThrough != keep {
			t.Errorf("the books are closed through %v, want %v", w.LockedThrough, keep)
		}
		done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, b.may.ID, told, nil, change("updateTimeEntry")))
		if w := done[timesheet.Workspace](t)(s.UnlockPeriod(ctx, v, nil, change("unlockPeriod"))); w.LockedThrough != nil {
			t.Errorf("the books are closed through %v, want open", w.LockedThrough)
		}
	})
}

func oneRow(start time.Time) iter.Seq2[timesheet.ImportRow, *timesheet.RowError] {
	return func(yield func(timesheet.ImportRow, *timesheet.RowError) bool) {
		yield(timesheet.ImportRow{Line: 2, User: "Olga", Start: start, End: start.Add(time.Hour)}, nil)
	}
}

// A timer whose start lies in closed books stops at once, with a warning, also
// while somebody is closing them. It is not thrown away, since that would
// take it from a closed day.
func TestTimerFromClosedBooks(t *testing.T) {
	t.Parallel()
	s, v, conn := newDatabase(t)
	zone, err := timesheet.LoadZone("Europe/Bucharest")
	if err != nil {
		t.Fatal(err)
	}
	today := timesheet.DayOf(time.Now(), zone)
	for name, stop := range map[string]func() ([]*timesheet.Error, error){
		"case31_stop": func() ([]*timesheet.Error, error) {
			_, warnings, err := s.StopTimer(t.Context(), v, nil, nil, change("stopTimer"))
			return warnings, err
		},
		"case31_stop_by_starting_another": func() ([]*timesheet.Error, error) {
			_, stopped, warnings, err := s.StartTimer(t.Context(), v, timesheet.TimerInput{}, change("startTimer"))
			if err == nil && stopped == nil {
				err = errors.New("nothing was stopped")
			}
			return warnings, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			startAt(t, s, v, ago(30*time.Hour))
			done[timesheet.Workspace](t)(s.LockPeriod(t.Context(), v, today-1, change("lockPeriod")))
			_, _, err := s.DiscardTimer(t.Context(), v, change("discardTimer"))
			wantCode(t, err, timesheet.CodePeriodLocked)
			if name == "case31_stop" {
				mustExec(t, conn, `BEGIN`)
				mustExec(t, conn, `SELECT pg_advisory_xact_lock(hashint8extended($1, 1))`, v.Workspace.ID)
				defer mustExec(t, conn, `COMMIT`)
			}
			warnings, err := stop()
			if err != nil {
				t.Fatal(err)
			}
			wantWarnings(t, warnings, timesheet.CodeNeedsReview, timesheet.CodePeriodLocked)
		})
		done[timesheet.Workspace](t)(s.UnlockPeriod(t.Context(), v, nil, change("unlockPeriod")))
		if _, _, err := s.DiscardTimer(t.Context(), v, change("discardTimer")); err != nil {
			wantCode(t, err, timesheet.CodeNotRunning)
		}
	}
}

func TestBooksAreNotClosed(t *testing.T) {
	t.Parallel()
	b := newClosedBooks(t)
	zone, err := timesheet.LoadZone("Europe/Bucharest")
	if err != nil {
		t.Fatal(err)
	}
	today := timesheet.DayOf(time.Now(), zone)
	for name, c := range map[string]struct {
		through timesheet.Date
		want    timesheet.Code
	}{
		"in the future":          {today + 2, timesheet.CodeInFuture},
		"in the year 9999":       {day(t, "9999-12-31"), timesheet.CodeInFuture},
		"back":                   {day(t, "2024-05-30"), timesheet.CodeInvalid},
		"before the first entry": {day(t, "1066-10-14"), timesheet.CodeOutOfRange},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := b.s.LockPeriod(t.Context(), b.owner, c.through, change("lockPeriod"))
			wantCode(t, err, c.want)
		})
	}
	keep := day(t, "2024-05-31")
	_, _, err = b.s.UnlockPeriod(t.Context(), b.owner, &keep, change("unlockPeriod"))
	wantCode(t, err, timesheet.CodeInvalid)
	done[timesheet.Workspace](t)(b.s.UnlockPeriod(t.Context(), b.owner, nil, change("unlockPeriod")))
	_, _, err = b.s.UnlockPeriod(t.Context(), b.owner, nil, change("unlockPeriod"))
	wantCode(t, err, timesheet.CodeInvalid)
}

// waitsForLock waits until a backend of the test's own database waits for a
// lock.
func waitsForLock(t testing.TB, watch *pgx.Conn) {
	t.Helper()
	waitUntil(t, "a wait for a lock", func() bool {
		return ask[int](t, watch, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
	})
}

// A writer and a closer who meet: whoever has the books first is done first.
func TestClosingRace(t *testing.T) {
	t.Parallel()
	s, v, conn := newDatabase(t)
	ctx, through := t.Context(), day(t, "2024-05-31")
	watch := connectTo(t, conn.Config().ConnString())
	t.Run("case32_writer_first", func(t *testing.T) {
		commit := writeSlowly(t, conn, v, day(t, "2024-05-14"))
		closed := make(chan error, 1)
		go func() { _, _, err := s.LockPeriod(ctx, v, through, change("lockPeriod")); closed <- err }()
		waitsForLock(t, watch)
		commit()
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		done[timesheet.Workspace](t)(s.UnlockPeriod(ctx, v, nil, change("unlockPeriod")))
	})
	t.Run("case32_closer_first", func(t *testing.T) {
		mustExec(t, conn, `BEGIN`)
		mustExec(t, conn, `SELECT pg_advisory_xact_lock(hashint8extended($1, 1))`, v.Workspace.ID)
		written := make(chan error, 1)
		go func() {
			_, _, err := s.CreateTimeEntry(ctx, v, spanOn("2024-05-14", 1), change("createTimeEntry"))
			written <- err
		}()
		waitsForLock(t, watch)
		mustExec(t, conn, `UPDATE workspace SET locked_through = '2024-05-31' WHERE workspace_id = $1`, v.Workspace.ID)
		mustExec(t, conn, `COMMIT`)
		wantCode(t, <-written, timesheet.CodePeriodLocked)
	})
}

// waitingClosers counts who waits to have books alone.
const waitingClosers = `SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
	WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND NOT l.granted`

// writeSlowly holds the books in common and has written an entry of a day that
// others see once commit is called.
func writeSlowly(t testing.TB, conn *pgx.Conn, v timesheet.Viewer, day timesheet.Date) (commit func()) {
	t.Helper()
	mustExec(t, conn, `BEGIN`)
	mustExec(t, conn, `SELECT pg_advisory_xact_lock_shared(hashint8extended($1, 1))`, v.Workspace.ID)
	mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency)
		VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, false, 'EUR')`, v.Workspace.ID, v.User,
		time.Unix(int64(day)*86400, 0).Add(8*time.Hour), time.Unix(int64(day)*86400, 0).Add(9*time.Hour), day)
	return func() { mustExec(t, conn, `COMMIT`) }
}

// While eight people write, the books are closed again and again, each time
// under a writer who is not done: what is in them when that returns stays what
// is in them.
func TestNoEntrySlipsIntoClosedBooks(t *testing.T) {
	t.Parallel()
	s, v, conn := newDatabase(t)
	ctx := t.Context()
	first := day(t, "2024-01-01")
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for n := range 8 {
		person := addViewer(t, s, v, fmt.Sprintf("writer%d", n), timesheet.RoleMember)
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				_, _, err := s.CreateTimeEntry(ctx, person, spanOn((first+timesheet.Date((i*7+n)%60)).String(), 1), change("createTimeEntry"))
				if broken, ok := timesheet.AsError(err); err != nil && (!ok || broken.Code != timesheet.CodePeriodLocked) {
					t.Errorf("write: %v", err)
					return
				}
			}
		})
	}
	slow, watch := connectTo(t, conn.Config().ConnString()), connectTo(t, conn.Config().ConnString())
	sums := map[timesheet.Date]string{}
	const inBooks = `SELECT count(*) || ' ' || coalesce(md5(string_agg(e::text, '|' ORDER BY id)), '') FROM time_entry e WHERE day <= $1`
	for through := first; through < first+60; through += 6 {
		waitUntil(t, "entries of the next days", func() bool {
			return ask[int](t, conn, `SELECT count(*) FROM time_entry WHERE day BETWEEN $1 AND $2`, through, through+5) > 0
		})
		commit := writeSlowly(t, slow, v, through)
		closed := make(chan error, 1)
		go func() { _, _, err := s.LockPeriod(ctx, v, through, change("lockPeriod")); closed <- err }()
		waitUntil(t, "a closer who waits for the writer, or is done", func() bool {
			return len(closed) > 0 || ask[int](t, watch, waitingClosers) > 0
		})
		if len(closed) > 0 {
			t.Errorf("closing through %s did not wait for a writer who is not done", through)
		}
		commit()
		err := <-closed
		waitUntil(t, "closed books", func() bool {
			if err != nil {
				wantCode(t, err, timesheet.CodeBusy)
				_, _, err = s.LockPeriod(ctx, v, through, change("lockPeriod"))
			}
			return err == nil
		})
		sums[through] = ask[string](t, conn, inBooks, through)
	}
	close(stop)
	writers.Wait()
	for through, sum := range sums {
		if got := ask[string](t, conn, inBooks, through); got != sum || strings.HasPrefix(sum, "0 ") {
			t.Errorf("closed through %s with %s, now %s", through, sum, got)
		}
	}
}

// Who has waited in vain is told for whom.
func TestWhoHoldsTheBooks(t *testing.T) {
	t.Parallel()
	s, v, conn := newDatabase(t)
	ctx, through := t.Context(), day(t, "2024-05-31")
	message := func() string {
		t.Helper()
		_, _, err := s.LockPeriod(ctx, v, through, change("lockPeriod"))
		wantCode(t, err, timesheet.CodeBusy)
		return err.Error()
	}
	mustExec(t, conn, `SET application_name = 'a fix by hand'`)
	mustExec(t, conn, `BEGIN`)
	mustExec(t, conn, `SELECT pg_advisory_xact_lock_shared(hashint8extended($1, 1))`, v.Workspace.ID)
	if got := message(); !strings.Contains(got, "a fix by hand") {
		t.Errorf("another program holds them: %q", got)
	}
	mustExec(t, conn, `ROLLBACK`)
	// An entry of the same id, not committed, keeps a writer waiting.
	id := newID(t)
	mustExec(t, conn, `BEGIN`)
	mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, day, billable, currency)
		VALUES ($1, $2, $3, '2024-06-14 08:00Z', '2024-06-14', false, 'EUR')`, v.Workspace.ID, id, v.User)
	written := make(chan error, 1)
	in := spanOn("2024-06-14", 1)
	in.ID = &id
	background := timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	go func() { _, _, err := s.CreateTimeEntry(background, v, in, change("createTimeEntry")); written <- err }()
	watch := connectTo(t, conn.Config().ConnString())
	waitsForLock(t, watch)
	if got := message(); !strings.Contains(got, "createTimeEntry of Olga") {
		t.Errorf("Olga's own writer holds them: %q", got)
	}
	mustExec(t, conn, `ROLLBACK`)
	if err := <-written; err != nil {
		t.Error(err)
	}
}
