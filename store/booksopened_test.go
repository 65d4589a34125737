package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// pauseWrites lets statements that write entries wait, after they have seen the
// books as they are, until resume is called.
func pauseWrites(t *testing.T, conn *pgx.Conn) (resume func()) {
	t.Helper()
	mustExec(t, conn, `CREATE OR REPLACE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$`)
	mustExec(t, conn, `CREATE OR REPLACE TRIGGER pause BEFORE INSERT OR UPDATE ON time_entry FOR EACH STATEMENT EXECUTE FUNCTION pause()`)
	mustExec(t, conn, `SELECT pg_advisory_lock(4711)`)
	return func() { mustExec(t, conn, `SELECT pg_advisory_unlock(4711)`) }
}

// A write that closed books have refused, and that finds them open when it asks
// why, is done after all.
func TestBooksOpenedMeanwhile(t *testing.T) {
	t.Parallel()
	b := newClosedBooks(t)
	s, v, ctx := b.s, b.owner, t.Context()
	watch := connectTo(t, b.conn.Config().ConnString())
	told := timesheet.EntryInput{Description: timesheet.Some("told later")}
	writes := map[string]func() error{
		"create": func() error {
			_, _, err := s.CreateTimeEntry(ctx, v, spanOn("2024-05-14", 1), change("createTimeEntry"))
			return err
		},
		"update": func() error {
			_, _, err := s.UpdateTimeEntry(ctx, v, b.may.ID, told, nil, change("updateTimeEntry"))
			return err
		},
		"move out": func() error {
			_, _, err := s.UpdateTimeEntry(ctx, v, b.may.ID, spanOn("2024-06-20", 1), nil, change("updateTimeEntry"))
			return err
		},
		"delete and restore": func() error {
			if _, _, err := s.DeleteTimeEntry(ctx, v, b.may.ID, nil, change("deleteTimeEntry")); err != nil {
				return err
			}
			_, _, err := s.RestoreTimeEntry(ctx, v, b.may.ID, change("restoreTimeEntry"))
			return err
		},
	}
	before, covers := day(t, "2024-04-30"), day(t, "2024-05-20")
	for name, write := range writes {
		for _, keep := range []*timesheet.Date{nil, &before, &covers} {
			mustExec(t, b.conn, `UPDATE time_entry SET started_at = '2024-05-14T08:00:00Z', ended_at = '2024-05-14T09:00:00Z', day = '2024-05-14' WHERE id = $1`, b.may.ID)
			done[timesheet.Workspace](t)(s.LockPeriod(ctx, v, day(t, "2024-05-31"), change("lockPeriod")))
			resume := pauseWrites(t, b.conn)
			written := make(chan error, 1)
			go func() { written <- write() }()
			waitsForLock(t, watch)
			done[timesheet.Workspace](t)(s.UnlockPeriod(ctx, v, keep, change("unlockPeriod")))
			resume()
			err := <-written
			if keep != &covers {
				if err != nil {
					t.Errorf("%s, books kept closed through %v: %v", name, keep, err)
				}
				continue
			}
			wantCode(t, err, timesheet.CodePeriodLocked)
			if err != nil && !strings.Contains(err.Error(), "closed through 2024-05-20") {
				t.Errorf("%s is refused by other books than those that are closed: %v", name, err)
			}
		}
	}
}
