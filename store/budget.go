package store

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"headroom/timesheet"
)

const budgetColumns = `b.project_id, b.seconds, b.minor, b.currency, b.period, b.alerts`

type projectBudget struct {
	project timesheet.ProjectID
	timesheet.Budget
}

func scanBudget(row pgx.CollectableRow) (b projectBudget, err error) {
	var minor *int64
	var currency *string
	err = row.Scan(&b.project, &b.Seconds, &minor, &currency, &b.Period, &b.Alerts)
	if minor != nil {
		b.Money = &timesheet.Money{Minor: *minor, Currency: *currency}
	}
	return b, err
}

const budgetsByProject = `/* budgetsByProject */
SELECT ` + budgetColumns + `
FROM budget b
WHERE b.workspace_id = $1
  AND b.project_id = ANY ($2)`

// Budgets are those of projects, for people who see rates; a project without
// one is absent.
func (s *Store) Budgets(ctx context.Context, v timesheet.Viewer, ids []timesheet.ProjectID) (map[timesheet.ProjectID]timesheet.Budget, error) {
	budgets := map[timesheet.ProjectID]timesheet.Budget{}
	if !v.SeesRates() {
		return budgets, nil
	}
	found, err := list(ctx, s, scanBudget, budgetsByProject, v.Workspace.ID, ids)
	if err != nil {
		return nil, fmt.Errorf("read budgets: %w", err)
	}
	for _, b := range found {
		budgets[b.project] = b.Budget
	}
	return budgets, nil
}

// What was spent is in the rollup, or where that is known to be wrong ($8) in
// the entries; the pace of the last days is read from the project's index.
const spentOnBudgets = `/* spentOnBudgets */
SELECT coalesce(r.secs, 0), coalesce(r.amount, 0), coalesce(e.secs, 0), coalesce(e.amount, 0), ` + budgetColumns + `
FROM budget b
LEFT JOIN LATERAL (
  SELECT sum(s.secs)::bigint AS secs, sum(s.amount_x3600) FILTER (WHERE s.currency = b.currency) AS amount
  FROM (
    SELECT r.secs, r.amount_x3600, r.currency
    FROM rollup r
    WHERE r.workspace_id = b.workspace_id
      AND r.project_id = b.project_id
      AND NOT $8::boolean
      AND (b.period = 'TOTAL' OR r.month = $3)
    UNION ALL
    SELECT e.secs, e.amount_x3600, e.currency
    FROM time_entry e
    WHERE e.workspace_id = b.workspace_id
      AND e.project_id = b.project_id
      AND $8
      AND e.deleted_at IS NULL
      AND e.ended_at IS NOT NULL
      AND (b.period = 'TOTAL' OR date_trunc('month', e.day::timestamp) = $3)
  ) s
) r ON true
LEFT JOIN LATERAL (
  SELECT sum(e.secs) AS secs, sum(e.amount_x3600) FILTER (WHERE e.currency = b.currency) AS amount
  FROM time_entry e
  WHERE e.workspace_id = b.workspace_id
    AND e.project_id = b.project_id
    AND e.deleted_at IS NULL
    AND e.day >= $4
    AND e.day < $5
    AND e.started_at >= $6
    AND e.started_at < $7
) e ON true
WHERE b.workspace_id = $1
  AND b.project_id = ANY ($2)`

// Burns tell how much of the budgets of projects is used by now, for people who
// see rates; a project without a budget is absent.
func (s *Store) Burns(ctx context.Context, v timesheet.Viewer, ids []timesheet.ProjectID, now time.Time) (map[timesheet.ProjectID]timesheet.Burn, error) {
	burns := map[timesheet.ProjectID]timesheet.Burn{}
	if !v.SeesRates() {
		return burns, nil
	}
	zone, err := zoneOf(v.Workspace)
	if err != nil {
		return nil, err
	}
	today := timesheet.DayOf(now, zone)
	from := today - timesheet.PaceDays
	type spending struct {
		projectBudget
		timesheet.Spent
	}
	found, err := list(ctx, s, func(row pgx.CollectableRow) (b spending, err error) {
		var amount, pace pgtype.Numeric
		b.projectBudget, err = scanBudget(wider{row, []any{&b.Spent.Seconds, &amount, &b.PaceSeconds, &pace}})
		b.X3600, b.PaceX3600 = whole(amount), whole(pace)
		return b, err
	}, spentOnBudgets, v.Workspace.ID, ids, today.Month(), from, today, time.Unix(int64(from-1)*86400, 0).UTC(), time.Unix(int64(today+1)*86400, 0).UTC(), v.Workspace.RollupDrifted)
	if err != nil {
		return nil, fmt.Errorf("read what was spent on budgets: %w", err)
	}
	for _, b := range found {
		if burns[b.project], err = b.Burn(b.Spent, today); err != nil {
			return nil, err
		}
	}
	return burns, nil
}

// whole is a number of the database's that has no fraction.
func whole(n pgtype.Numeric) *big.Int {
	if n.Int == nil {
		return new(big.Int)
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n.Exp)), nil)
	return new(big.Int).Mul(n.Int, scale)
}

const storeBudget = `/* storeBudget */
INSERT INTO budget (workspace_id, project_id, seconds, minor, currency, period, alerts)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT ON CONSTRAINT budget_pk
DO UPDATE SET seconds = excluded.seconds, minor = excluded.minor, currency = excluded.currency, period = excluded.period, alerts = excluded.alerts`

func insertBudget(ctx context.Context, tx pgx.Tx, ws timesheet.WorkspaceID, id timesheet.ProjectID, b timesheet.Budget) (err error) {
	if b.Money != nil {
		_, err = tx.Exec(ctx, storeBudget, ws, id, nil, b.Money.Minor, b.Money.Currency, b.Period, b.Alerts)
	} else {
		_, err = tx.Exec(ctx, storeBudget, ws, id, b.Seconds, nil, nil, b.Period, b.Alerts)
	}
	return err
}

const dropBudget = `/* dropBudget */
DELETE FROM budget b
WHERE b.workspace_id = $1
  AND b.project_id = $2`

// SetBudget gives a project a budget or takes it away; owners and admins may,
// and managers who lead it.
func (s *Store) SetBudget(ctx context.Context, v timesheet.Viewer, id timesheet.ProjectID, in timesheet.BudgetInput, ch Change) (timesheet.Project, []*timesheet.Error, error) {
	return projects.mutate(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Project, error) {
		project, err := projects.locked(ctx, tx, v, "projectId", id, leads)
		if err != nil {
			return timesheet.Project{}, err
		}
		budget, err := in.Budget(v.Workspace)
		switch {
		case err != nil:
			return timesheet.Project{}, err
		case budget == nil:
			_, err = tx.Exec(ctx, dropBudget, v.Workspace.ID, id)
		default:
			err = insertBudget(ctx, tx, v.Workspace.ID, id, *budget)
		}
		return project, err
	})
}

const budgeted = `
  AND EXISTS (SELECT FROM budget b WHERE b.workspace_id = $1 AND b.project_id = p.id)`

// ProjectBudgets lists the projects that have a budget, in alphabetical order,
// for people who see rates.
func (s *Store) ProjectBudgets(ctx context.Context, v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.Project], error) {
	if !v.SeesRates() {
		return timesheet.Connection[timesheet.Project]{}, timesheet.Errorf(timesheet.CodeForbidden, "", "your role does not see budgets")
	}
	page, err := budgetedProjects(v).read(ctx, s, p)
	if err != nil {
		return page, fmt.Errorf("list budgets: %w", err)
	}
	return page, nil
}

func budgetedProjects(v timesheet.Viewer) selection[timesheet.Project] {
	return selection[timesheet.Project]{
		rows: listProjects, count: countProjects, where: budgeted, args: arguments{v.Workspace.ID},
		order: projects.order(timesheet.OrderName), scan: scanProject,
	}
}
