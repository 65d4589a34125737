package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// RollupCheck is what a comparison of a workspace's sums with its entries found.
type RollupCheck struct {
	Workspace timesheet.Workspace
	Rows      int // of the rollup that are not what the entries add up to, and of the sums of projects that are not what is folded
	Days      int // entries that lie on another day than their start does in the workspace's zone
}

// Drifted tells whether anything was wrong.
func (c RollupCheck) Drifted() bool { return c.Rows > 0 || c.Days > 0 }

// A check of millions of entries takes longer than statements may, and its
// groups fit into this much memory.
const prepareCheck = `/* prepareCheck */
SELECT set_config('statement_timeout', '0', true),
       set_config('work_mem', '64MB', true)`

const countDrift = `/* countDrift */
SELECT count(*)
FROM rollup_drift($1)`

const repairRollup = `/* repairRollup */
SELECT repair_rollup($1)`

// Rows that no entry is left of, and none is in the sums of projects.
const sweepRollup = `/* sweepRollup */
DELETE FROM rollup
WHERE workspace_id = $1
  AND entries = 0 AND secs = 0 AND amount_x3600 = 0
  AND NOT unfolded`

// Invoiced entries keep the day that they were invoiced on.
const readDays = `/* readDays */
SELECT e.id, e.version, e.started_at, e.day, coalesce(e.day_zone, $2)
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.deleted_at IS NULL
  AND e.invoiced_at IS NULL`

// Whoever changes an entry meanwhile gives it its day.
const moveDays = `/* moveDays */
UPDATE time_entry AS e
SET day = u.day
FROM unnest($2::uuid[], $3::int[], $4::date[]) AS u (id, version, day)
WHERE e.workspace_id = $1
  AND e.id = u.id
  AND e.version = u.version`

// What was repaired counts as a change, so that no report of before is given
// again.
const countRepair = `/* countRepair */
INSERT INTO activity AS a (workspace_id, user_id, changes, last)
VALUES ($1, 0, 1, pg_current_xact_id())
ON CONFLICT ON CONSTRAINT activity_pk DO UPDATE SET changes = a.changes + 1, last = excluded.last`

const setDrifted = `/* setDrifted */
UPDATE workspace AS w
SET rollup_drifted = $2
WHERE w.workspace_id = $1
  AND w.rollup_drifted <> $2`

// CheckRollup compares a workspace's rollup with its entries, and the entries'
// days with its zone, or with the former one that they were kept in. Those that
// are invoiced, or where the books of either day are closed, are left alone. From the moment that rows of the rollup are found to
// differ, reports read the entries instead. It is for operators.
func (s *Store) CheckRollup(ctx context.Context, w timesheet.Workspace) (RollupCheck, error) {
	found := RollupCheck{Workspace: w}
	err := s.overRollup(ctx, w, func(ctx context.Context, tx pgx.Tx) error {
		w, err := books(ctx, tx, w.ID)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, countDrift, w.ID).Scan(&found.Rows); err != nil {
			return err
		}
		var projects int
		if err := tx.QueryRow(ctx, countFoldDrift, w.ID).Scan(&projects); err != nil {
			return err
		}
		found.Rows += projects
		stray, err := strayDays(ctx, tx, w)
		if found.Days = len(stray.ids); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, setDrifted, w.ID, found.Rows > 0)
		return err
	})
	if err != nil {
		return found, fmt.Errorf("check the rollup of workspace %d: %w", w.ID, err)
	}
	return found, nil
}

// RebuildRollup brings the days of entries and then the rollup in order, and
// returns what was wrong. Nobody has to wait for it but those who write what it
// repairs. It is for operators.
func (s *Store) RebuildRollup(ctx context.Context, w timesheet.Workspace) (RollupCheck, error) {
	found := RollupCheck{Workspace: w}
	err := s.overRollup(ctx, w, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockMoves, w.ID); err != nil {
			return err
		}
		w, err := books(ctx, tx, w.ID)
		if err != nil {
			return err
		}
		stray, err := strayDays(ctx, tx, w)
		if found.Days = len(stray.ids); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, moveDays, w.ID, stray.ids, stray.versions, stray.days); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, repairRollup, w.ID).Scan(&found.Rows); err != nil {
			return err
		}
		projects, err := repairFolded(ctx, tx, w.ID)
		if found.Rows += projects; err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sweepRollup, w.ID); err != nil {
			return err
		}
		if found.Drifted() {
			if _, err := tx.Exec(ctx, countRepair, w.ID); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, setDrifted, w.ID, false)
		return err
	})
	if err != nil {
		return found, fmt.Errorf("rebuild the rollup of workspace %d: %w", w.ID, err)
	}
	return found, nil
}

// overRollup runs fn in a transaction without the time limits of requests.
func (s *Store) overRollup(ctx context.Context, w timesheet.Workspace, fn func(context.Context, pgx.Tx) error) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	defer s.views.forget(w.ID)
	return s.insist(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, prepareCheck); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
}

// stray are entries that lie on a wrong day, with the right ones, one at each
// index.
type stray struct {
	ids      []timesheet.EntryID
	versions []int
	days     []timesheet.Date
}

// strayDays finds what lies on a wrong day and may be moved. Zones are Go's to
// judge.
func strayDays(ctx context.Context, tx pgx.Tx, w timesheet.Workspace) (found stray, err error) {
	rows, err := tx.Query(ctx, readDays, w.ID, w.TimeZone)
	if err != nil {
		return found, err
	}
	var id timesheet.EntryID
	var version int
	var start time.Time
	var day timesheet.Date
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &version, &start, &day, &name}, func() error {
		zone, err := zoneNamed(name)
		if err != nil {
			return fmt.Errorf("read the zone of entry %s: %w", id, err)
		}
		if right := timesheet.DayOf(start, zone); right != day && !w.Locked(min(day, right)) {
			found.ids, found.versions, found.days = append(found.ids, id), append(found.versions, version), append(found.days, right)
		}
		return nil
	})
	return found, err
}
