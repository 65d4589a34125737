package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Entries move when what they were given by a rule changes: their day with the
// workspace's zone, their rates with a table of rates. That is one transaction
// in two passes. The first moves finished entries, for as long as that takes:
// who edits one of these rows waits for it, nobody else. The second takes the
// books alone and moves what was written since the first began, and the running
// timers, so that what is written after it follows the new rule.
//
// The rollup's triggers are off meanwhile, and what they would have added is
// added once, with the books: a row of the rollup that was touched in the first
// pass would keep everybody waiting who adds to it.

// Whoever moves entries holds this lock from the first pass on, and whoever
// closes the books takes it too: what the first pass has moved must not lie in
// closed books when the second one ends.
const lockMoves = `/* lockMoves */
SELECT pg_advisory_xact_lock(hashint8extended($1, 2))`

// moveFound moves the entries of a common table expression named found, which
// tells their old and new values, and returns how many it moved and what that
// adds to the rollup. A row that somebody has changed since it was found is
// left to the second pass. During that one only a timer can change, by being
// stopped, which changes nothing that was found. Versions stay: nobody has
// edited these entries.
const moveFound = `,
moved AS (
  UPDATE time_entry AS e
  SET day = f.to_day, day_zone = f.to_zone, rate_minor = f.to_rate, cost_minor = f.to_cost, currency = f.to_currency
  FROM found f
  WHERE e.workspace_id = $1
    AND e.id = f.id
    AND ($2 OR e.version = f.version)
  RETURNING e.project_id, e.user_id, e.billable, e.secs, e.amount_x3600, e.day, e.currency, f.was_day, f.was_rate, f.was_currency,
            (f.to_day, f.to_rate, f.to_cost, f.to_currency) IS DISTINCT FROM (f.was_day, f.was_rate, f.was_cost, f.was_currency) AS goes,
            e.deleted_at IS NULL AND e.ended_at IS NOT NULL AS counts
), folded AS (
  SELECT date_trunc('month', m.day::timestamp)::date AS month, coalesce(m.project_id, 0) AS project_id, m.user_id, m.billable, m.currency, m.secs, m.amount_x3600, 1 AS n
  FROM moved m
  WHERE m.counts
  UNION ALL
  SELECT date_trunc('month', m.was_day::timestamp)::date, coalesce(m.project_id, 0), m.user_id, m.billable, m.was_currency, m.secs, CASE WHEN m.billable THEN m.secs * m.was_rate ELSE 0 END, -1
  FROM moved m
  WHERE m.counts
), delta AS (
  SELECT d.month, d.project_id, d.user_id, d.billable, d.currency, sum(d.n) AS entries, sum(d.n * d.secs) AS secs, sum(d.n * d.amount_x3600)::text AS amount_x3600
  FROM folded d
  GROUP BY 1, 2, 3, 4, 5
  HAVING sum(d.n) <> 0 OR sum(d.n * d.secs) <> 0 OR sum(d.n * d.amount_x3600) <> 0
)
SELECT (SELECT count(*) FROM moved m WHERE m.goes), d.month, d.project_id, d.user_id, d.billable, d.currency, d.entries, d.secs, d.amount_x3600
FROM (VALUES (true)) AS always
LEFT JOIN delta d ON true`

// foldDelta adds what moves have changed to the rollup, in the order of its
// key, as the triggers do.
const foldDelta = `/* foldDelta */
INSERT INTO rollup AS r (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600)
SELECT $1, u.month, u.project_id, u.user_id, u.billable, u.currency, sum(u.entries), sum(u.secs), sum(u.amount_x3600)
FROM unnest($2::date[], $3::bigint[], $4::bigint[], $5::boolean[], $6::text[], $7::bigint[], $8::bigint[], $9::text[]::numeric[])
  AS u (month, project_id, user_id, billable, currency, entries, secs, amount_x3600)
GROUP BY 2, 3, 4, 5, 6
ORDER BY 2, 3, 4, 5, 6
ON CONFLICT ON CONSTRAINT rollup_pk
DO UPDATE SET entries = r.entries + excluded.entries, secs = r.secs + excluded.secs, amount_x3600 = r.amount_x3600 + excluded.amount_x3600`

// delta is what is added to the rollup, one row at each index.
type delta struct {
	months              []timesheet.Date
	projects, users     []int64
	billable            []bool
	currencies, amounts []string
	entries, secs       []int64
}

// move is a change of what entries follow. Its statement finds the entries of
// one pass in a common table expression and ends with [moveFound]; its first
// parameters are the workspace, whether it is the second pass, and the stamp
// from which that one looks.
type move struct {
	sql  string
	args []any
}

// moveCounts are the entries of both passes.
type moveCounts struct{ first, alone int64 }

const beginMove = `/* beginMove */
SELECT set_config('headroom.fold', 'off', true),
       stamp() - pg_current_xact_id()::text::bigint + pg_snapshot_xmin(pg_current_snapshot())::text::bigint`

// run moves entries and, when it has the books, calls settle, which makes the
// new rule known. patience is how long it tries to take the books.
func (m move) run(ctx context.Context, s *Store, tx pgx.Tx, v timesheet.Viewer, patience time.Duration, settle func(pgx.Tx) error) (n moveCounts, err error) {
	var since int64
	if err := tx.QueryRow(ctx, beginMove).Scan(nil, &since); err != nil {
		return n, err
	}
	var first delta
	if n.first, err = m.pass(ctx, tx, v, false, since, &first); err != nil {
		return n, err
	}
	return n, s.aloneWithBooks(ctx, tx, v, patience, func(tx pgx.Tx) error {
		if err := takeAlone(ctx, tx, v.Workspace.ID); err != nil {
			return err
		}
		all := first
		if n.alone, err = m.pass(ctx, tx, v, true, since, &all); err != nil {
			return err
		}
		if err := all.fold(ctx, tx, v); err != nil {
			return err
		}
		return settle(tx)
	})
}

// pass runs the statement once and appends to the delta.
func (m move) pass(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, alone bool, since int64, d *delta) (n int64, err error) {
	rows, err := tx.Query(ctx, m.sql, append([]any{v.Workspace.ID, alone, since}, m.args...)...)
	if err != nil {
		return 0, fmt.Errorf("move entries: %w", err)
	}
	var month *timesheet.Date
	var project, user, entries, secs *int64
	var billable *bool
	var currency, amount *string
	_, err = pgx.ForEachRow(rows, []any{&n, &month, &project, &user, &billable, &currency, &entries, &secs, &amount}, func() error {
		if month == nil {
			return nil
		}
		d.months, d.projects, d.users, d.billable = append(d.months, *month), append(d.projects, *project), append(d.users, *user), append(d.billable, *billable)
		d.currencies, d.entries, d.secs, d.amounts = append(d.currencies, *currency), append(d.entries, *entries), append(d.secs, *secs), append(d.amounts, *amount)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("move entries: %w", err)
	}
	return n, nil
}

func (d delta) fold(ctx context.Context, tx pgx.Tx, v timesheet.Viewer) error {
	if len(d.months) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, foldDelta, v.Workspace.ID, d.months, d.projects, d.users, d.billable, d.currencies, d.entries, d.secs, d.amounts); err != nil {
		return fmt.Errorf("add to the rollup: %w", err)
	}
	return nil
}
