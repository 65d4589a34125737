package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// UpdateTimeEntry changes what the input gives and leaves the rest: editing an
// end never moves the start, and editing a description asks no rule about an
// overlap or an archived project that was there before, also where the times
// are given as they are. A given end stops a
// running timer. A new project without a task takes the old task away.
func (s *Store) UpdateTimeEntry(ctx context.Context, v timesheet.Viewer, id timesheet.EntryID, in timesheet.EntryInput, expected *int, ch Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
	now := time.Now()
	return s.edit(ctx, v, id, expected, ch, func(tx pgx.Tx, before timesheet.TimeEntry) (timesheet.TimeEntry, []*timesheet.Error, error) {
		e := applied(before, in)
		if err := checkDescription(e.Description); err != nil {
			return e, nil, err
		}
		if _, err := checkWork(ctx, tx, v, e, before); err != nil {
			return e, nil, err
		}
		if sameTimes(e, before) {
			e, err := save(ctx, tx, v, e)
			return e, nil, err
		}
		if before.EndedAt == nil && e.EndedAt != nil && e.EndedAt.After(now.Add(timesheet.ClockTolerance)) {
			return e, nil, timesheet.Errorf(timesheet.CodeInFuture, "endedAt", "a timer cannot be stopped in the future")
		}
		return moved(ctx, tx, v, e, now)
	})
}

// applied is the entry with what the input gives.
func applied(e timesheet.TimeEntry, in timesheet.EntryInput) timesheet.TimeEntry {
	if in.Project.Given && !in.Task.Given && differs(e.ProjectID, in.Project.Value) {
		e.TaskID = nil
	}
	e.ProjectID, e.TaskID = in.Project.Or(e.ProjectID), in.Task.Or(e.TaskID)
	e.TagIDs = tagSet(in.Tags.Or(e.TagIDs))
	e.Description, e.Billable = in.Description.Or(e.Description), in.Billable.Or(e.Billable)
	if in.Start.Given {
		e.StartedAt = wholeSecond(in.Start.Value)
	}
	if in.End.Given {
		end := wholeSecond(in.End.Value)
		e.EndedAt = &end
	}
	return e
}

func sameTimes(a, b timesheet.TimeEntry) bool {
	if a.EndedAt == nil || b.EndedAt == nil {
		return a.StartedAt.Equal(b.StartedAt) && a.EndedAt == b.EndedAt
	}
	return a.StartedAt.Equal(b.StartedAt) && a.EndedAt.Equal(*b.EndedAt)
}

// edit changes one entry: it is locked, looked at, and given to change.
func (s *Store) edit(ctx context.Context, v timesheet.Viewer, id timesheet.EntryID, expected *int, ch Change,
	change func(pgx.Tx, timesheet.TimeEntry) (timesheet.TimeEntry, []*timesheet.Error, error),
) (timesheet.TimeEntry, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.TimeEntry, Ref, error) {
		if err := ownerAtATime(ctx, tx, v, id); err != nil {
			return timesheet.TimeEntry{}, Ref{}, err
		}
		before, err := editable(ctx, tx, v, id)
		if err == nil {
			err = notInvoiced(before)
		}
		if err == nil {
			err = checkVersion(expected, before.Version)
		}
		if err != nil {
			return before, entryRef(before, nil), err
		}
		e, warnings, err := change(tx, before)
		return e, entryRef(e, warnings), err
	}, s.entryAgain(v))
}

// notInvoiced refuses to change what a customer was billed.
func notInvoiced(e timesheet.TimeEntry) error {
	if e.Invoiced {
		return timesheet.Errorf(timesheet.CodeInvoiced, "id", "the entry is invoiced; bulkEditTimeEntries takes the mark away")
	}
	return nil
}

const readOwnerOfEntry = `/* readOwnerOfEntry */
SELECT e.user_id
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.id = $2`

// ownerAtATime is [oneAtATime] for the person of an entry. The entry itself is
// locked after that, as everywhere, or two writers could wait for each other.
func ownerAtATime(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.EntryID) error {
	if v.Workspace.OverlapPolicy != timesheet.OverlapReject {
		return nil
	}
	rows, err := tx.Query(ctx, readOwnerOfEntry, v.Workspace.ID, id)
	if err != nil {
		return fmt.Errorf("find an entry's person: %w", err)
	}
	users, err := pgx.CollectRows(rows, pgx.RowTo[timesheet.UserID])
	if err != nil {
		return fmt.Errorf("find an entry's person: %w", err)
	}
	if len(users) == 0 {
		return timesheet.NotFound("id", "time entry")
	}
	return oneAtATime(ctx, tx, v, users[0])
}

// DeleteTimeEntry leaves a tombstone of an entry, a running timer's too.
func (s *Store) DeleteTimeEntry(ctx context.Context, v timesheet.Viewer, id timesheet.EntryID, expected *int, ch Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
	return s.edit(ctx, v, id, expected, ch, func(tx pgx.Tx, e timesheet.TimeEntry) (timesheet.TimeEntry, []*timesheet.Error, error) {
		e.Deleted = true
		e, err := save(ctx, tx, v, e)
		return e, nil, err
	})
}

// restorable is how long a deleted entry can be brought back.
const restorable = 30 * 24 * time.Hour

const readDeletion = `/* readDeletion */
SELECT e.deleted_at
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.id = $2`

// RestoreTimeEntry brings a deleted entry back within 30 days. What was a
// running timer comes back ended at the instant it was deleted. An entry that
// is not deleted is returned unchanged.
func (s *Store) RestoreTimeEntry(ctx context.Context, v timesheet.Viewer, id timesheet.EntryID, ch Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
	now := time.Now()
	return write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.TimeEntry, Ref, error) {
		if err := ownerAtATime(ctx, tx, v, id); err != nil {
			return timesheet.TimeEntry{}, Ref{}, err
		}
		e, warnings, err := restore(ctx, tx, v, id, now)
		return e, entryRef(e, warnings), err
	}, s.entryAgain(v))
}

func restore(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.EntryID, now time.Time) (e timesheet.TimeEntry, warnings []*timesheet.Error, err error) {
	e, ok, err := entryIn(ctx, tx, lockEntry, v.Workspace.ID, id)
	if err != nil {
		return e, nil, fmt.Errorf("lock an entry: %w", err)
	}
	if !ok {
		return e, nil, timesheet.NotFound("id", "time entry")
	}
	if err := mayEdit(v, e); err != nil || !e.Deleted {
		return e, nil, err
	}
	var deleted time.Time
	if err := tx.QueryRow(ctx, readDeletion, v.Workspace.ID, id).Scan(&deleted); err != nil {
		return e, nil, fmt.Errorf("read when an entry was deleted: %w", err)
	}
	if now.Sub(deleted) > restorable {
		return e, nil, timesheet.Errorf(timesheet.CodeNotFound, "id", "the entry was deleted more than 30 days ago")
	}
	if e.EndedAt == nil {
		end, notes := stopTime(e, wholeSecond(deleted))
		e.EndedAt, warnings = &end, notes
	}
	if warnings, err = withoutOverlap(ctx, tx, v, e, now, warnings); err != nil {
		return e, nil, err
	}
	e.Deleted = false
	e, err = save(ctx, tx, v, e)
	return e, warnings, err
}
