package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const closeBooks = `/* closeBooks */
UPDATE workspace AS w
SET locked_through = $2, version = version + 1
WHERE w.workspace_id = $1
RETURNING ` + workspaceColumns

// LockPeriod closes the books through a day: entries up to it are no longer
// created, changed, deleted, restored, moved in or out, imported or repriced.
// It is for owners and admins. A writer that is under way is waited for, and
// named with BUSY where it takes too long; no writer that comes after is done
// in a closed period.
func (s *Store) LockPeriod(ctx context.Context, v timesheet.Viewer, through timesheet.Date, ch Change) (timesheet.Workspace, []*timesheet.Error, error) {
	now := time.Now()
	return s.setBooks(ctx, v, ch, func(tx pgx.Tx) (w timesheet.Workspace, err error) {
		err = s.aloneWithBooks(ctx, tx, v, booksPatience, func(tx pgx.Tx) error {
			if w, err = workspaceLocked(ctx, tx, v); err != nil {
				return err
			}
			if err := mayLock(w, through, now); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, lockMoves, v.Workspace.ID); err != nil {
				return err
			}
			return takeAlone(ctx, tx, v.Workspace.ID)
		})
		if err != nil {
			return w, err
		}
		return storeBooks(ctx, tx, v, &through)
	})
}

// UnlockPeriod opens the books again, but for the days through keep, where one
// is given.
func (s *Store) UnlockPeriod(ctx context.Context, v timesheet.Viewer, keep *timesheet.Date, ch Change) (timesheet.Workspace, []*timesheet.Error, error) {
	return s.setBooks(ctx, v, ch, func(tx pgx.Tx) (timesheet.Workspace, error) {
		w, err := workspaceLocked(ctx, tx, v)
		switch {
		case err != nil:
			return w, err
		case w.LockedThrough == nil:
			return w, timesheet.Errorf(timesheet.CodeInvalid, "", "the books are open")
		case keep != nil && *keep >= *w.LockedThrough:
			return w, timesheet.Errorf(timesheet.CodeInvalid, "keepThrough", "the books are closed through %s; keep an earlier day, or use lockPeriod", w.LockedThrough)
		}
		return storeBooks(ctx, tx, v, keep)
	})
}

func (s *Store) setBooks(ctx context.Context, v timesheet.Viewer, ch Change, do func(pgx.Tx) (timesheet.Workspace, error)) (timesheet.Workspace, []*timesheet.Error, error) {
	w, warnings, err := write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Workspace, Ref, error) {
		if !v.Admin() {
			return timesheet.Workspace{}, Ref{}, timesheet.Errorf(timesheet.CodeForbidden, "", "only owners and admins close and open the books")
		}
		w, err := do(tx)
		return w, workspaceRef(w), err
	}, s.workspaceAgain(v))
	s.views.forget(v.Workspace.ID)
	return w, warnings, err
}

// mayLock refuses days that are still to come, and what is no step forward.
func mayLock(w timesheet.Workspace, through timesheet.Date, now time.Time) error {
	zone, err := zoneOf(w)
	if err != nil {
		return err
	}
	today := timesheet.DayOf(now, zone)
	switch {
	case through > today:
		return timesheet.Errorf(timesheet.CodeInFuture, "through", "%s is still to come: today is %s in %s", through, today, w.TimeZone)
	case through < timesheet.DayOf(timesheet.FirstStart, time.UTC)-1:
		return timesheet.Errorf(timesheet.CodeOutOfRange, "through", "there are no entries before 1970")
	case w.LockedThrough != nil && through < *w.LockedThrough:
		return timesheet.Errorf(timesheet.CodeInvalid, "through", "the books are closed through %s; unlockPeriod opens them", w.LockedThrough)
	case w.PendingTimeZone != nil:
		return timesheet.Errorf(timesheet.CodeBusy, "", "entries are being moved to their days in %s; try again when that is done", *w.PendingTimeZone)
	}
	return nil
}

func storeBooks(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, through *timesheet.Date) (timesheet.Workspace, error) {
	rows, err := tx.Query(ctx, closeBooks, v.Workspace.ID, through)
	if err != nil {
		return timesheet.Workspace{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanWorkspace)
}
