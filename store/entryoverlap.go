package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const lockPerson = `/* lockPerson */
SELECT pg_advisory_xact_lock(hashint8extended($2, $1))`

// oneAtATime makes writers of one person's entries wait for each other where
// overlaps are refused: two that do not see each other's entries could both
// find their place free. It comes before any lock on a row.
func oneAtATime(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, user timesheet.UserID) error {
	if v.Workspace.OverlapPolicy != timesheet.OverlapReject {
		return nil
	}
	if _, err := tx.Exec(ctx, lockPerson, v.Workspace.ID, user); err != nil {
		return fmt.Errorf("lock a person's entries: %w", err)
	}
	return nil
}

// overlapping is an entry of a person that shares a moment with another one, for
// workspace, person, that one's id, start and end. No entry is longer than 7 days,
// which bounds how far back the index is read.
const overlapping = `e.started_at
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.user_id = $2
  AND e.deleted_at IS NULL
  AND e.started_at >= $4::timestamptz - interval '7 days'
  AND e.started_at < $5
  AND e.ended_at > $4
  AND e.ended_at > e.started_at
  AND e.id <> $3
UNION ALL
SELECT e.started_at
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.user_id = $2
  AND e.deleted_at IS NULL
  AND e.ended_at IS NULL
  AND e.started_at < $5
  AND e.id <> $3
  AND now() > $4
LIMIT 1`

const findOverlap = `/* findOverlap */
SELECT ` + overlapping

// overlap looks for another entry of the same person that shares a moment with
// this one, and returns nil where there is none or the workspace does not
// mind. Intervals are half-open: one that ends when the next starts does not
// overlap it, and one of no length overlaps nothing. A running timer counts
// until now.
func overlap(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry, now time.Time) (*timesheet.Error, error) {
	if v.Workspace.OverlapPolicy == timesheet.OverlapAllow {
		return nil, nil
	}
	end := countedEnd(e, now)
	if !end.After(e.StartedAt) {
		return nil, nil
	}
	rows, err := tx.Query(ctx, findOverlap, v.Workspace.ID, e.UserID, e.ID, e.StartedAt, end)
	if err != nil {
		return nil, fmt.Errorf("look for overlaps: %w", err)
	}
	starts, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil || len(starts) == 0 {
		return nil, err
	}
	return overlaps(v, starts[0])
}

// countedEnd is until when an entry counts for overlaps: a running timer until now,
// and for a second at least.
func countedEnd(e timesheet.TimeEntry, now time.Time) time.Time {
	end := wholeSecond(now)
	if e.EndedAt != nil {
		end = *e.EndedAt
	} else if !end.After(e.StartedAt) {
		end = e.StartedAt.Add(time.Second)
	}
	return end
}

// overlaps tells of the entry that another one shares a moment with.
func overlaps(v timesheet.Viewer, start time.Time) (*timesheet.Error, error) {
	zone, err := zoneOf(v.Workspace)
	if err != nil {
		return nil, err
	}
	return timesheet.Errorf(timesheet.CodeOverlap, "startedAt", "it overlaps the entry that starts at %s", start.In(zone).Format("2006-01-02 15:04:05 MST")), nil
}

// withoutOverlap refuses an entry that overlaps another where the workspace
// does not allow that, and else adds what it found to the warnings.
func withoutOverlap(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry, now time.Time, warnings []*timesheet.Error) ([]*timesheet.Error, error) {
	found, err := overlap(ctx, tx, v, e, now)
	switch {
	case err != nil || found == nil:
		return warnings, err
	case v.Workspace.OverlapPolicy == timesheet.OverlapReject:
		return nil, found
	}
	return append(warnings, found), nil
}
