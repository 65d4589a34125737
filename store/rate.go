package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const rateColumns = `r.id, r.kind, r.scope, r.user_id, r.project_id, r.task_id, nullif(r.effective_from, '-infinity'), r.minor, r.currency`

func scanRate(row pgx.CollectableRow) (r timesheet.Rate, err error) {
	return r, row.Scan(&r.ID, &r.Kind, &r.Scope, &r.User, &r.Project, &r.Task, &r.From, &r.Minor, &r.Currency)
}

// Newest first: a rate that is set again keeps its place.
var rateList = keyset[timesheet.Rate]{
	name: "rates", columns: []string{"r.id"}, types: []string{"bigint"}, desc: true,
	values: func(r timesheet.Rate) []string { return []string{strconv.FormatInt(r.ID, 10)} },
}

const listRates = `/* listRates */
SELECT ` + rateColumns + `
FROM rate r
WHERE r.workspace_id = $1`

const countRates = `/* countRates */
SELECT count(*)
FROM rate r
WHERE r.workspace_id = $1`

// Rates lists the rates that the viewer may see, those set last first: costs
// are for owners, admins and managers, and members see none.
func (s *Store) Rates(ctx context.Context, v timesheet.Viewer, f timesheet.RateFilter, p timesheet.Page) (timesheet.Connection[timesheet.Rate], error) {
	if !v.SeesRates() {
		return timesheet.Connection[timesheet.Rate]{}, timesheet.Errorf(timesheet.CodeForbidden, "", "your role does not see rates")
	}
	page, err := rateSelection(v, f).read(ctx, s, p)
	if err != nil {
		return page, fmt.Errorf("list rates: %w", err)
	}
	return page, nil
}

func rateSelection(v timesheet.Viewer, f timesheet.RateFilter) selection[timesheet.Rate] {
	args := arguments{v.Workspace.ID}
	where := ""
	if !v.SeesCosts() {
		where += "\n  AND r.kind = 'BILL'"
	}
	if f.Kind != nil {
		where += "\n  AND r.kind = " + args.add(*f.Kind)
	}
	if f.User != nil {
		where += "\n  AND r.user_id = " + args.add(*f.User)
	}
	if f.Project != nil {
		where += "\n  AND r.project_id = " + args.add(*f.Project)
	}
	if f.Task != nil {
		where += "\n  AND r.task_id = " + args.add(*f.Task)
	}
	return selection[timesheet.Rate]{rows: listRates, count: countRates, where: where, args: args, order: rateList, scan: scanRate}
}

const ratesByID = `/* ratesByID */
SELECT ` + rateColumns + `
FROM rate r
WHERE r.workspace_id = $1
  AND r.id = $2`

const storeRate = `/* storeRate */
INSERT INTO rate AS r (workspace_id, kind, user_id, project_id, task_id, effective_from, minor, currency)
VALUES ($1, $2, $3, $4, $5, coalesce($6::date, '-infinity'), $7, $8)
ON CONFLICT ON CONSTRAINT rate_once DO UPDATE SET minor = excluded.minor, currency = excluded.currency
RETURNING ` + rateColumns

// SetRate sets the hourly rate of a task, of a person on a project, of a
// project, a person or the whole workspace, from a day on. Entries that are
// there keep their rates unless in.Apply says otherwise, and always where the
// books are closed or the entry is invoiced; their new amounts become visible
// all at once. Owners and admins set any; managers what is billed on the
// projects they lead.
func (s *Store) SetRate(ctx context.Context, v timesheet.Viewer, in timesheet.RateInput, ch Change) (timesheet.RateSet, []*timesheet.Error, error) {
	return s.setRate(ctx, v, in, ch, maxRepriced)
}

// maxRepriced bounds a repricing by the entries that it looks at, of which each
// takes 65 us of a core: 13 s, of the minute that it has on a busy machine.
const maxRepriced = 200_000

func (s *Store) setRate(ctx context.Context, v timesheet.Viewer, in timesheet.RateInput, ch Change, most int) (timesheet.RateSet, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (done timesheet.RateSet, ref Ref, err error) {
		if err := maySetRate(ctx, tx, v, in); err != nil {
			return done, ref, err
		}
		if err := in.Check(v.Workspace); err != nil {
			return done, ref, err
		}
		if in.Apply != timesheet.ApplyFuture {
			if _, err := tx.Exec(ctx, lockMoves, v.Workspace.ID); err != nil {
				return done, ref, fmt.Errorf("wait for others who move entries: %w", err)
			}
		}
		currency := v.Workspace.Currency
		if in.Currency != nil {
			currency = *in.Currency
		}
		rows, err := tx.Query(ctx, storeRate, v.Workspace.ID, in.Kind, in.User, in.Project, in.Task, in.From, in.Minor, currency)
		if err != nil {
			return done, ref, err
		}
		if done.Rate, err = pgx.CollectExactlyOneRow(rows, scanRate); err != nil {
			return done, ref, err
		}
		done.Repriced, err = s.reprice(ctx, tx, v, in, most)
		return done, Ref{Entity: "Rate", ID: strconv.FormatInt(done.Rate.ID, 10), Version: int(done.Repriced)}, err
	}, s.rateAgain(v))
}

// rateAgain loads the rate for the repeat of what has set it. The reference
// keeps the number of entries where others keep a version.
func (s *Store) rateAgain(v timesheet.Viewer) func(context.Context, Ref) (timesheet.RateSet, error) {
	return func(ctx context.Context, ref Ref) (done timesheet.RateSet, err error) {
		id, err := strconv.ParseInt(ref.ID, 10, 64)
		if err != nil {
			return done, fmt.Errorf("read the key of a rate: %w", err)
		}
		done.Repriced = int64(ref.Version)
		done.Rate, _, err = one(ctx, s, scanRate, ratesByID, v.Workspace.ID, id)
		return done, err
	}
}

// maySetRate finds what the rate is for. What the viewer does not see is not
// found.
func maySetRate(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, in timesheet.RateInput) error {
	led := false
	if in.Task != nil {
		task, err := tasks.locked(ctx, tx, v, "taskId", *in.Task, known)
		if err != nil {
			return err
		}
		in.Project = &task.ProjectID
	}
	if in.Project != nil {
		if _, err := projects.locked(ctx, tx, v, "projectId", *in.Project, func(_ timesheet.Viewer, leads bool) bool { led = leads; return true }); err != nil {
			return err
		}
	}
	if in.User != nil && *in.User != v.User {
		rows, err := tx.Query(ctx, readMember, v.Workspace.ID, in.User)
		if err != nil {
			return fmt.Errorf("find a member: %w", err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[bool])
		if err != nil {
			return fmt.Errorf("find a member: %w", err)
		}
		if len(found) == 0 {
			return timesheet.NotFound("userId", "user")
		}
	}
	if v.Admin() || in.Kind == timesheet.RateBill && in.Project != nil && v.MayEditProject(led) {
		return nil
	}
	return timesheet.Errorf(timesheet.CodeForbidden, "", "only owners and admins set rates, and managers what is billed on the projects they lead")
}

// known is the right to know of a thing.
func known(timesheet.Viewer, bool) bool { return true }

// mayReprice are the entries that a rate may reprice: deleted ones, those in closed
// books and invoiced ones keep theirs.
const mayReprice = `
    AND e.deleted_at IS NULL
    AND e.invoiced_at IS NULL
    AND (w.locked_through IS NULL OR e.day > w.locked_through)`

const countRepriced = `/* countRepriced */
SELECT count(*)
FROM (
  SELECT
  FROM workspace w
  JOIN time_entry e ON e.workspace_id = w.workspace_id
  WHERE w.workspace_id = $1` + mayReprice

// findRepriced finds the entries whose rates on their day are others than they
// have.
const findRepriced = `/* findRepriced */
WITH found AS (
  SELECT e.id, e.version, e.day AS was_day, e.day AS to_day, e.day_zone AS to_zone, e.rate_minor AS was_rate, e.cost_minor AS was_cost, e.currency AS was_currency,
         coalesce(r.bill_minor, 0) AS to_rate, coalesce(r.cost_minor, 0) AS to_cost, coalesce(r.bill_currency, w.currency) AS to_currency
  FROM workspace w
  JOIN time_entry e ON e.workspace_id = w.workspace_id
  CROSS JOIN LATERAL rate_on(w.workspace_id, e.user_id, e.project_id, e.task_id, e.day) r
  WHERE w.workspace_id = $1` + mayReprice + `
    AND CASE WHEN $2 THEN e.stamp >= $3 OR e.ended_at IS NULL ELSE e.ended_at IS NOT NULL END
    AND (e.rate_minor, e.cost_minor, e.currency) IS DISTINCT FROM (coalesce(r.bill_minor, 0), coalesce(r.cost_minor, 0), coalesce(r.bill_currency, w.currency))`

// reprice gives the entries of the rate's scope the rates of their days and
// returns how many had others. Of more than most it does none.
func (s *Store) reprice(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, in timesheet.RateInput, most int) (int64, error) {
	if in.Apply == timesheet.ApplyFuture {
		return 0, nil
	}
	sql, args := repriceCount(v, in, most)
	there := 0
	if err := tx.QueryRow(ctx, sql, args...).Scan(&there); err != nil {
		return 0, fmt.Errorf("count entries: %w", err)
	}
	if there > most {
		return 0, timesheet.Errorf(timesheet.CodeOutOfRange, "applyTo",
			"more than %d entries would get their rates at once: set the rate for a part of the time by ALL_FROM with applyFrom and applyThrough, then for the other parts, or name a project or a person", most)
	}
	sql, args = repriceStatement(v, in)
	n, err := move{sql, args[3:]}.run(ctx, s, tx, v, booksPatience, func(pgx.Tx) error { return nil })
	return n.first + n.alone, err
}

func repriceCount(v timesheet.Viewer, in timesheet.RateInput, most int) (string, arguments) {
	args := arguments{v.Workspace.ID}
	return countRepriced + repriceScope(in, &args) + fmt.Sprintf("\n  LIMIT %d\n) e", most+1), args
}

func repriceStatement(v timesheet.Viewer, in timesheet.RateInput) (string, arguments) {
	args := arguments{v.Workspace.ID, false, int64(0)}
	return findRepriced + repriceScope(in, &args) + "\n)" + moveFound, args
}

// repriceScope are the conditions on entries that a rate brings along.
func repriceScope(in timesheet.RateInput, args *arguments) (where string) {
	if in.Task != nil {
		where += "\n    AND e.task_id = " + args.add(*in.Task)
	}
	if in.Project != nil {
		where += "\n    AND e.project_id = " + args.add(*in.Project)
	}
	if in.User != nil {
		where += "\n    AND e.user_id = " + args.add(*in.User)
	}
	if in.ApplyFrom != nil {
		where += "\n    AND e.day >= " + args.add(*in.ApplyFrom)
	}
	if in.ApplyThrough != nil {
		where += "\n    AND e.day <= " + args.add(*in.ApplyThrough)
	}
	return where
}
