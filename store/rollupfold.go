package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// foldSize is how many rows of the rollup are folded at once: who adds to one of
// them waits for as long as that takes, some milliseconds.
const foldSize = 500

const findUnfolded = `/* findUnfolded */
SELECT w.workspace_id
FROM workspace w
WHERE EXISTS (SELECT FROM rollup r WHERE r.workspace_id = w.workspace_id AND r.unfolded AND r.month < $1)`

// One at a time changes a workspace's sums of projects.
const (
	lockFold = `/* lockFold */
SELECT pg_advisory_xact_lock(hashint8extended($1, 3))`

	tryFold = `/* tryFold */
SELECT pg_try_advisory_xact_lock(hashint8extended($1, 3))`
)

// foldProjects passes over what somebody is adding to: it waits for nobody, and
// so is in nobody's circle. What it has locked nobody else changes, and how much
// of a row was folded before only who holds the lock of folding.
const foldProjects = `/* foldProjects */
WITH rest AS (
  SELECT r.month, r.project_id, r.user_id, r.billable, r.currency, r.folded_entries, r.folded_secs, r.folded_amount_x3600
  FROM rollup r
  WHERE r.workspace_id = $1
    AND r.unfolded
    AND r.month < $2
  ORDER BY r.month
  LIMIT $3
  FOR UPDATE SKIP LOCKED
), folded AS (
  UPDATE rollup AS r
  SET folded_entries = r.entries, folded_secs = r.secs, folded_amount_x3600 = r.amount_x3600
  FROM rest o
  WHERE r.workspace_id = $1
    AND r.month = o.month
    AND r.project_id = o.project_id
    AND r.user_id = o.user_id
    AND r.billable = o.billable
    AND r.currency = o.currency
  RETURNING r.month, r.project_id, r.billable, r.currency,
            r.entries - o.folded_entries AS entries, r.secs - o.folded_secs AS secs, r.amount_x3600 - o.folded_amount_x3600 AS amount_x3600
), added AS (
  INSERT INTO project_rollup AS p (workspace_id, month, project_id, billable, currency, entries, secs, amount_x3600)
  SELECT $1, f.month, f.project_id, f.billable, f.currency, sum(f.entries), sum(f.secs), sum(f.amount_x3600)
  FROM folded f
  GROUP BY f.month, f.project_id, f.billable, f.currency
  ORDER BY f.month, f.project_id, f.billable, f.currency
  ON CONFLICT ON CONSTRAINT project_rollup_pk
  DO UPDATE SET entries = p.entries + excluded.entries, secs = p.secs + excluded.secs, amount_x3600 = p.amount_x3600 + excluded.amount_x3600
)
SELECT count(*)
FROM folded`

// FoldRollups adds to the sums of projects what is not in them yet of the months
// before the last one, which hardly change any more, and returns how many rows of
// the rollup it has folded. Reports read the rest where it is, so that nobody
// depends on when this runs. Of several replicas one works on a workspace.
func (s *Store) FoldRollups(ctx context.Context, now time.Time) (rows int, err error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	before := hardlyChanging(now)
	behind, err := list(ctx, s, pgx.RowTo[timesheet.WorkspaceID], findUnfolded, before)
	for _, ws := range behind {
		if err == nil {
			var n int
			n, err = s.foldBefore(ctx, ws, before)
			rows += n
		}
	}
	if err != nil {
		return rows, fmt.Errorf("fold sums of months: %w", err)
	}
	return rows, nil
}

// hardlyChanging is the month before which months are folded.
func hardlyChanging(now time.Time) timesheet.Date {
	return (timesheet.DayOf(now, time.UTC).Month() - 1).Month()
}

// foldBefore folds a workspace's months before one.
func (s *Store) foldBefore(ctx context.Context, ws timesheet.WorkspaceID, month timesheet.Date) (rows int, err error) {
	for n := foldSize; n == foldSize && err == nil; rows += n {
		n, err = s.foldSome(ctx, ws, month)
	}
	return rows, err
}

// foldSome folds some rows of one workspace, none while somebody else does.
func (s *Store) foldSome(ctx context.Context, ws timesheet.WorkspaceID, before timesheet.Date) (rows int, err error) {
	err = s.transact(ctx, func(tx pgx.Tx) error {
		var ours bool
		if err := tx.QueryRow(ctx, tryFold, ws).Scan(&ours); err != nil || !ours {
			return err
		}
		return tx.QueryRow(ctx, foldProjects, ws, before, foldSize).Scan(&rows)
	})
	return rows, err
}

const (
	countFoldDrift = `/* countFoldDrift */
SELECT (SELECT count(*) FROM project_rollup_drift($1)) + (SELECT count(*) FROM project_total_drift($1))`

	repairProjects = `/* repairProjects */
INSERT INTO project_rollup AS p (workspace_id, month, project_id, billable, currency, entries, secs, amount_x3600)
SELECT $1, d.*
FROM project_rollup_drift($1) d
ORDER BY d.month, d.project_id, d.billable, d.currency
ON CONFLICT ON CONSTRAINT project_rollup_pk
DO UPDATE SET entries = p.entries + excluded.entries, secs = p.secs + excluded.secs, amount_x3600 = p.amount_x3600 + excluded.amount_x3600`

	repairTotals = `/* repairTotals */
INSERT INTO project_total AS t (workspace_id, project_id, secs)
SELECT $1, d.*
FROM project_total_drift($1) d
ORDER BY d.project_id
ON CONFLICT ON CONSTRAINT project_total_pk
DO UPDATE SET secs = t.secs + excluded.secs`

	sweepProjects = `/* sweepProjects */
DELETE FROM project_rollup
WHERE workspace_id = $1
  AND entries = 0 AND secs = 0 AND amount_x3600 = 0`
)

// repairFolded brings the sums of projects in order with what is folded of the
// rollup, and returns how many were wrong.
func repairFolded(ctx context.Context, tx pgx.Tx, ws timesheet.WorkspaceID) (rows int, err error) {
	if _, err := tx.Exec(ctx, lockFold, ws); err != nil {
		return 0, err
	}
	repaired, err := tx.Exec(ctx, repairProjects, ws)
	if err != nil {
		return 0, err
	}
	totals, err := tx.Exec(ctx, repairTotals, ws)
	if err == nil {
		_, err = tx.Exec(ctx, sweepProjects, ws)
	}
	return int(repaired.RowsAffected() + totals.RowsAffected()), err
}

// foldLoaded adds what a workspace's entries add up to to both rollups, for a
// transaction that has made the workspace.
const foldLoaded = `/* foldLoaded */
WITH loaded AS (
  INSERT INTO rollup (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600, folded_entries, folded_secs, folded_amount_x3600)
  SELECT $1, d.*, d.entries, d.secs, d.amount_x3600
  FROM rollup_drift($1) d
  ORDER BY d.month, d.project_id, d.user_id, d.billable, d.currency
  RETURNING month, project_id, billable, currency, entries, secs, amount_x3600
)
INSERT INTO project_rollup (workspace_id, month, project_id, billable, currency, entries, secs, amount_x3600)
SELECT $1, l.month, l.project_id, l.billable, l.currency, sum(l.entries), sum(l.secs), sum(l.amount_x3600)
FROM loaded l
GROUP BY l.month, l.project_id, l.billable, l.currency
ORDER BY l.month, l.project_id, l.billable, l.currency`
