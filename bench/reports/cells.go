package main

import (
	"context"
	"errors"
	"fmt"
	"headroom/store"
	"headroom/timesheet"
	"strings"
	"time"

	"bench/lab"

	"github.com/jackc/pgx/v5"
)

// cell is what is measured: one way to ask one question.
type cell struct {
	name  string
	class timesheet.Class
	ask   func(context.Context, *store.Store) error
	naive string // the statement of a textbook server; empty: it is not compared
}

// busiest is who has most entries on a day of the last month, and that day: what
// an app shows them at start is never little.
func busiest(ctx context.Context, conn *pgx.Conn, owner timesheet.Viewer) (person timesheet.Viewer, day timesheet.Date, err error) {
	person = owner
	last := lab.Since.AddDate(0, lab.Months-1, 0)
	return person, day, conn.QueryRow(ctx, `SELECT user_id, day FROM time_entry WHERE workspace_id = $1 AND started_at >= $2
GROUP BY user_id, day ORDER BY count(*) DESC, user_id, day LIMIT 1`, owner.Workspace.ID, last).Scan(&person.User, &day)
}

// cells are the questions, of one workspace, and of one person and day.
func cells(owner, person timesheet.Viewer, day timesheet.Date) []cell {
	last := lab.Since.AddDate(0, lab.Months, -1)
	lastMonth := timesheet.Period{From: timesheet.NewDate(last.Year(), last.Month(), 1), To: timesheet.DayOf(last, time.UTC)}
	lastYear := timesheet.Period{From: timesheet.NewDate(last.Year(), time.January, 1), To: timesheet.DayOf(last, time.UTC)}
	all := timesheet.Period{From: timesheet.DayOf(lab.Since, time.UTC), To: timesheet.DayOf(last, time.UTC)}
	asked := func(name, naive string, in timesheet.ReportInput) cell {
		in.MaxRows = timesheet.MaxReportRows
		return cell{name: name, class: timesheet.ClassReport, naive: naive, ask: func(ctx context.Context, s *store.Store) error {
			in.MaxRows-- // another report than before, so that none is given again from memory
			found, err := s.Report(ctx, owner, in, time.Now())
			if err == nil && found.Totals.EntryCount == 0 {
				err = fmt.Errorf("%s: the report is empty", name)
			}
			if err == nil && found.Source == timesheet.SourceCache {
				err = fmt.Errorf("%s: the report was not made but given again", name)
			}
			return err
		}}
	}
	report := func(name string, p timesheet.Period, naive string, by ...timesheet.GroupKey) cell {
		return asked(name, naive, timesheet.ReportInput{Period: p, GroupBy: by})
	}
	noon := day.Start(time.UTC).Add(12 * time.Hour)
	return []cell{
		report("one month by project", lastMonth, naiveReport("p.name", lastMonth), timesheet.GroupProject),
		report("one year by client, project, user", lastYear, naiveReport("c.name, p.name, m.name", lastYear), timesheet.GroupClient, timesheet.GroupProject, timesheet.GroupUser),
		report("36 months, project x month", all, naiveReport("p.name, date_trunc('month', e.started_at AT TIME ZONE 'Europe/Bucharest')", all), timesheet.GroupProject, timesheet.GroupMonth),
		report("one year by task", lastYear, naiveReport("t.name, t.id", lastYear), timesheet.GroupTask),
		asked("one year by project, entries rounded to 6 minutes", "", timesheet.ReportInput{
			Period: lastYear, GroupBy: []timesheet.GroupKey{timesheet.GroupProject},
			Rounding: &timesheet.Rounding{Mode: timesheet.RoundUp, Minutes: 6, Scope: timesheet.RoundEntry},
		}),
		{name: "summary of 36 months", class: timesheet.ClassReport, ask: func(ctx context.Context, s *store.Store) error {
			found, err := s.Summary(ctx, owner, all, time.Now())
			if err == nil && found.Totals.EntryCount == 0 {
				err = errors.New("the summary is empty")
			}
			return err
		}},
		{name: "myDay", ask: func(ctx context.Context, s *store.Store) error {
			found, err := s.MyDay(ctx, person, &day, nil, noon)
			if err == nil && len(found.Entries) == 0 {
				err = errors.New("the day is empty")
			}
			return err
		}},
		{name: "weekGrid", ask: func(ctx context.Context, s *store.Store) error {
			found, err := s.WeekGrid(ctx, owner, person.User, &day, noon)
			if err == nil && len(found.Rows) == 0 {
				err = errors.New("the week is empty")
			}
			return err
		}},
		{name: "runningTimer", ask: func(ctx context.Context, s *store.Store) error {
			found, err := s.RunningTimer(ctx, owner)
			if err == nil && found == nil {
				err = errors.New("no timer runs")
			}
			return err
		}},
		{name: "page of 50", ask: func(ctx context.Context, s *store.Store) error {
			_, err := s.TimeEntries(ctx, owner, timesheet.EntryFilter{}, timesheet.Page{First: 50})
			return err
		}},
	}
}

// naiveReport is what a server by the book sends: rows joined with their names,
// the day from the start in the workspace's zone, the hours as numeric.
func naiveReport(by string, p timesheet.Period) string {
	return `SELECT ` + by + `, count(*), sum(extract(epoch FROM e.ended_at - e.started_at)),
       sum(CASE WHEN e.billable THEN extract(epoch FROM e.ended_at - e.started_at) * e.rate_minor / 3600 ELSE 0 END), e.currency
FROM time_entry e` + joins(by) + `
WHERE e.workspace_id = $1
  AND e.deleted_at IS NULL
  AND e.ended_at IS NOT NULL
  AND (e.started_at AT TIME ZONE 'Europe/Bucharest')::date BETWEEN '` + p.From.String() + `' AND '` + p.To.String() + `'
GROUP BY ` + by + `, e.currency`
}

// joins are those that a statement needs for its names.
func joins(by string) (sql string) {
	for _, j := range []struct{ alias, join string }{
		{"m.", "JOIN membership m ON m.workspace_id = e.workspace_id AND m.user_id = e.user_id"},
		{"p.", "LEFT JOIN project p ON p.workspace_id = e.workspace_id AND p.id = e.project_id"},
		{"c.", "LEFT JOIN client c ON c.workspace_id = p.workspace_id AND c.id = p.client_id"},
		{"t.", "LEFT JOIN task t ON t.workspace_id = e.workspace_id AND t.id = e.task_id"},
	} {
		if strings.Contains(by, j.alias) {
			sql += "\n" + j.join
		}
	}
	return sql
}

// askNaive runs a textbook statement and reads all of its rows.
func askNaive(ctx context.Context, conn *pgx.Conn, sql string, ws timesheet.WorkspaceID) error {
	rows, err := conn.Query(ctx, sql, ws)
	if err != nil {
		return err
	}
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("the statement found nothing:\n%s", sql)
	}
	return nil
}

// connectNaive is a connection without parallel workers, as ours are.
func connectNaive(ctx context.Context, dsn string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	cfg.RuntimeParams["jit"] = "off"
	cfg.RuntimeParams["work_mem"] = "32MB"
	cfg.RuntimeParams["timezone"] = "UTC"
	return pgx.ConnectConfig(ctx, cfg)
}
