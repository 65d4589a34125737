package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type root struct{ db *pgxpool.Pool }

type (
	query     struct{ *root }
	mutation  struct{ *root }
	viewer    struct{ *root }
	day       struct{ *root }
	project   struct{ *root }
	timeEntry struct{ *root }
)

func (r *root) Query() QueryResolver         { return query{r} }
func (r *root) Mutation() MutationResolver   { return mutation{r} }
func (r *root) Viewer() ViewerResolver       { return viewer{r} }
func (r *root) Day() DayResolver             { return day{r} }
func (r *root) Project() ProjectResolver     { return project{r} }
func (r *root) TimeEntry() TimeEntryResolver { return timeEntry{r} }

const entryColumns = `id::text, description, started_at, ended_at, billable, user_id, project_id, task_id`

func scanEntry(row pgx.CollectableRow) (*TimeEntry, error) {
	e := &TimeEntry{}
	err := row.Scan(&e.ID, &e.Description, &e.StartedAt, &e.EndedAt, &e.Billable, &e.UserID, &e.ProjectID, &e.TaskID)
	e.StartedAt = e.StartedAt.UTC()
	if e.EndedAt != nil {
		end := e.EndedAt.UTC()
		seconds := int64(end.Sub(e.StartedAt).Seconds())
		e.EndedAt, e.Seconds = &end, &seconds
	}
	return e, err
}

func (r *root) entries(ctx context.Context, sql string, args ...any) ([]*TimeEntry, error) {
	rows, err := r.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanEntry)
}

// entry is the only row, nil for none.
func (r *root) entry(ctx context.Context, sql string, args ...any) (*TimeEntry, error) {
	found, err := r.entries(ctx, sql, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

const workspaceOf = `(SELECT workspace_id FROM textbook.app_user WHERE id = $1)`

func (query) Viewer(context.Context) (*Viewer, error) { return &Viewer{}, nil }

func (viewer) User(ctx context.Context, _ *Viewer) (*User, error) {
	return loadersOf(ctx).users.Load(ctx, userOf(ctx))
}

func (query) MyDay(_ context.Context, date string) (*Day, error) { return &Day{Date: date}, nil }

func (r day) Entries(ctx context.Context, d *Day) ([]*TimeEntry, error) {
	from, err := time.Parse(time.DateOnly, d.Date)
	if err != nil {
		return nil, err
	}
	return r.entries(ctx, `SELECT `+entryColumns+` FROM textbook.time_entry WHERE user_id = $1 AND started_at >= $2 AND started_at < $3 AND ended_at IS NOT NULL ORDER BY started_at, id`,
		userOf(ctx), from, from.AddDate(0, 0, 1))
}

func (r query) Projects(ctx context.Context, first int64) ([]*Project, error) {
	rows, err := r.db.Query(ctx, `SELECT id, name, client_id FROM textbook.project WHERE workspace_id = `+workspaceOf+` ORDER BY name, id LIMIT $2`, userOf(ctx), first)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []*Project
	for rows.Next() {
		_, p, err := scanProject(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, rows.Err()
}

func (r query) TimeEntries(ctx context.Context, first int64) ([]*TimeEntry, error) {
	return r.entries(ctx, `SELECT `+entryColumns+` FROM textbook.time_entry WHERE workspace_id = `+workspaceOf+` ORDER BY started_at DESC, id DESC LIMIT $2`, userOf(ctx), first)
}

func (r query) RunningTimer(ctx context.Context) (*TimeEntry, error) {
	return r.entry(ctx, `SELECT `+entryColumns+` FROM textbook.time_entry WHERE user_id = $1 AND ended_at IS NULL`, userOf(ctx))
}

func (r query) Clients(ctx context.Context, first int64) ([]*Client, error) {
	rows, err := r.db.Query(ctx, `SELECT id::text, name FROM textbook.client WHERE workspace_id = `+workspaceOf+` ORDER BY name, id LIMIT $2`, userOf(ctx), first)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[Client])
}

func (r query) Tags(ctx context.Context, first int64) ([]*Tag, error) {
	rows, err := r.db.Query(ctx, `SELECT id::text, name FROM textbook.tag WHERE workspace_id = `+workspaceOf+` ORDER BY name, id LIMIT $2`, userOf(ctx), first)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[Tag])
}

func (r query) MonthByProject(ctx context.Context, from, to string) ([]*ProjectSeconds, error) {
	rows, err := r.db.Query(ctx, `SELECT p.name, sum(extract(epoch FROM e.ended_at - e.started_at))::bigint
FROM textbook.time_entry e JOIN textbook.project p ON p.id = e.project_id
WHERE e.workspace_id = `+workspaceOf+` AND e.started_at >= $2::date AND e.started_at < $3::date + 1 AND e.ended_at IS NOT NULL
GROUP BY p.id ORDER BY p.name, p.id`, userOf(ctx), from, to)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[ProjectSeconds])
}

func (r query) YearByWeek(ctx context.Context, from, to string, first int64) ([]*WeekSeconds, error) {
	rows, err := r.db.Query(ctx, `SELECT p.name, u.name, date_trunc('week', e.started_at)::date::text, sum(extract(epoch FROM e.ended_at - e.started_at))::bigint AS seconds
FROM textbook.time_entry e JOIN textbook.project p ON p.id = e.project_id JOIN textbook.app_user u ON u.id = e.user_id
WHERE e.workspace_id = `+workspaceOf+` AND e.started_at >= $2::date AND e.started_at < $3::date + 1 AND e.ended_at IS NOT NULL
GROUP BY p.id, u.id, 3 ORDER BY 1, 2, 3 LIMIT $4`, userOf(ctx), from, to, first)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[WeekSeconds])
}

func (mutation) key(id *string) (*int64, error) {
	if id == nil {
		return nil, nil
	}
	n, err := strconv.ParseInt(*id, 10, 64)
	return &n, err
}

func (r mutation) CreateTimeEntry(ctx context.Context, in CreateTimeEntryInput) (*TimeEntry, error) {
	project, err := r.key(in.ProjectID)
	task, err2 := r.key(in.TaskID)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return r.entry(ctx, `INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, task_id, started_at, ended_at, description, billable)
SELECT workspace_id, $1, $2, $3, $4, $5, $6, true FROM textbook.app_user WHERE id = $1 RETURNING `+entryColumns,
		userOf(ctx), project, task, in.StartedAt, in.EndedAt, in.Description)
}

// StartTimer stops the one that runs.
func (r mutation) StartTimer(ctx context.Context, in StartTimerInput) (*TimeEntry, error) {
	project, err := r.key(in.ProjectID)
	if err != nil {
		return nil, err
	}
	if _, err := r.StopTimer(ctx, in.StartedAt); err != nil {
		return nil, err
	}
	return r.entry(ctx, `INSERT INTO textbook.time_entry (workspace_id, user_id, project_id, started_at, description, billable)
SELECT workspace_id, $1, $2, $3, $4, true FROM textbook.app_user WHERE id = $1 RETURNING `+entryColumns,
		userOf(ctx), project, in.StartedAt, in.Description)
}

func (r mutation) StopTimer(ctx context.Context, at time.Time) (*TimeEntry, error) {
	return r.entry(ctx, `UPDATE textbook.time_entry SET ended_at = $2 WHERE user_id = $1 AND ended_at IS NULL RETURNING `+entryColumns, userOf(ctx), at)
}

func (project) Client(ctx context.Context, p *Project) (*Client, error) {
	if p.ClientID == nil {
		return nil, nil
	}
	return loadersOf(ctx).clients.Load(ctx, *p.ClientID)
}

func (project) TrackedSeconds(ctx context.Context, p *Project) (int64, error) {
	id, err := strconv.ParseInt(p.ID, 10, 64)
	if err != nil {
		return 0, err
	}
	return loadersOf(ctx).totals.Load(ctx, id)
}

func (timeEntry) User(ctx context.Context, e *TimeEntry) (*User, error) {
	return loadersOf(ctx).users.Load(ctx, e.UserID)
}

func (timeEntry) Project(ctx context.Context, e *TimeEntry) (*Project, error) {
	if e.ProjectID == nil {
		return nil, nil
	}
	return loadersOf(ctx).projects.Load(ctx, *e.ProjectID)
}

func (timeEntry) Task(ctx context.Context, e *TimeEntry) (*Task, error) {
	if e.TaskID == nil {
		return nil, nil
	}
	return loadersOf(ctx).tasks.Load(ctx, *e.TaskID)
}

func (timeEntry) Tags(ctx context.Context, e *TimeEntry) ([]*Tag, error) {
	return loadersOf(ctx).tags.Load(ctx, e.ID)
}
