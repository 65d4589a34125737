package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

func (l *load) writeRates(ctx context.Context, tx pgx.Tx) error {
	columns := []string{"workspace_id", "id", "kind", "user_id", "project_id", "minor", "currency"}
	_, err := l.copyRows(ctx, tx, "rate", columns, len(l.c.Rates), func(i int, id int64) ([]any, error) {
		r := l.c.Rates[i]
		project, err := keyAt(l.projects, r.Project)
		if err != nil {
			return nil, err
		}
		var user any
		if r.User != -1 {
			if r.User < 0 || r.User >= len(l.users) {
				return nil, outOfCompany(r.User, len(l.users))
			}
			user = l.users[r.User].ID
		}
		return []any{l.owner.Workspace.ID, id, r.Kind, user, project, r.Minor, l.c.Currency}, nil
	})
	return err
}

func (l *load) writeBudgets(ctx context.Context, tx pgx.Tx) error {
	for i, p := range l.c.Projects {
		if p.Budget == nil {
			continue
		}
		if err := insertBudget(ctx, tx, l.owner.Workspace.ID, timesheet.ProjectID(l.projects[i]), *p.Budget); err != nil {
			return fmt.Errorf("write the budget of %s: %w", p.Name, err)
		}
	}
	return nil
}

// duty is what the rates of a company tell apart: a person on a project, by
// their indexes.
type duty struct{ user, project int }

// price finds the hourly rates of a chunk's work, as every other write of
// entries does. A company's rates count from ever on, on any day and task.
func (l *load) price(ctx context.Context, tx pgx.Tx, chunk []timesheet.CompanyEntry) error {
	var asked []duty
	var people []timesheet.UserID
	var projects []any
	for _, e := range chunk {
		w := duty{e.User, e.Project}
		if _, ok := l.rates[w]; ok {
			continue
		}
		if e.User < 0 || e.User >= len(l.users) {
			return outOfCompany(e.User, len(l.users))
		}
		project, err := keyAt(l.projects, e.Project)
		if err != nil {
			return err
		}
		l.rates[w] = hourly{}
		asked, people, projects = append(asked, w), append(people, l.users[e.User].ID), append(projects, project)
	}
	if len(asked) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, readRatesOn, l.owner.Workspace.ID, people, projects, make([]*timesheet.TaskID, len(asked)), make([]timesheet.Date, len(asked)))
	if err != nil {
		return fmt.Errorf("read rates: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[hourly])
	if err != nil {
		return fmt.Errorf("read rates: %w", err)
	}
	for i, w := range asked {
		l.rates[w] = found[i]
	}
	return nil
}
