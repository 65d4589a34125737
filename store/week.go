package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// The membership makes a row for a person who has no entries, and none for one
// who is not there. Finished entries are those that have seconds: so the index by
// person answers alone.
const sumWeek = `/* sumWeek */
SELECT coalesce(e.project_id, 0), coalesce(e.task_id, 0), coalesce(e.day, $3), coalesce(e.currency, ''),
       count(e.id), coalesce(sum(e.secs), 0), coalesce(sum(e.secs) FILTER (WHERE e.billable), 0), coalesce(sum(e.amount_x3600), 0)::text
FROM membership m
LEFT JOIN time_entry e ON e.workspace_id = $1
  AND e.user_id = m.user_id
  AND e.deleted_at IS NULL
  AND e.secs IS NOT NULL
  AND e.day >= $3
  AND e.day <= $4
  AND e.started_at >= $5
  AND e.started_at < $6
WHERE m.workspace_id = $1
  AND m.user_id = $2
GROUP BY 1, 2, 3, 4`

type weekKey struct{ project, task int64 }

// weekSum is a row of sumWeek.
type weekSum struct {
	weekKey
	day      timesheet.Date
	currency string
	sum      tally
}

func scanWeekSum(row pgx.CollectableRow) (w weekSum, err error) {
	var amount string
	err = row.Scan(&w.project, &w.task, &w.day, &w.currency, &w.sum.entries, &w.sum.exact, &w.sum.billable, &amount)
	if err != nil {
		return w, err
	}
	w.sum.seconds = w.sum.exact
	return w, w.sum.setAmount(w.currency, amount)
}

// WeekGrid is a person's week of finished entries by project and task, those of
// the most time first: the week of a date, today's where that is nil. It is nil
// for a person whom the viewer may not see.
func (s *Store) WeekGrid(ctx context.Context, v timesheet.Viewer, user timesheet.UserID, date *timesheet.Date, now time.Time) (*timesheet.Week, error) {
	zone, err := zoneOf(v.Workspace)
	if err != nil || !v.ReadsEverybody() && user != v.User {
		return nil, err
	}
	day := timesheet.DayOf(now, zone)
	if date != nil {
		day = *date
	}
	week := timesheet.Week{First: day.Week(v.Workspace.WeekStart)}
	args := arguments{v.Workspace.ID, user, week.First, week.First + 6}
	startRange(timesheet.Period{From: week.First, To: week.First + 6}, &args)
	found, err := list(ctx, s, scanWeekSum, sumWeek, args...)
	if err != nil {
		return nil, fmt.Errorf("sum up a week: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &week, fillWeek(&week, found)
}

func fillWeek(week *timesheet.Week, found []weekSum) (err error) {
	var all tally
	rows := map[weekKey]*timesheet.WeekRow{}
	for _, f := range found {
		if f.sum.entries == 0 {
			continue
		}
		all.add(f.sum)
		row := rows[f.weekKey]
		if row == nil {
			row = &timesheet.WeekRow{ProjectID: some[timesheet.ProjectID](f.project), TaskID: some[timesheet.TaskID](f.task), Days: make([]int64, 7)}
			rows[f.weekKey] = row
		}
		row.Days[f.day-week.First] += f.sum.exact
		row.Seconds += f.sum.exact
	}
	for _, row := range rows {
		week.Rows = append(week.Rows, *row)
	}
	slices.SortFunc(week.Rows, func(a, b timesheet.WeekRow) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), compareSome(a.ProjectID, b.ProjectID), compareSome(a.TaskID, b.TaskID))
	})
	if week.Truncated = len(week.Rows) > timesheet.MaxWeekRows; week.Truncated {
		week.Rows = week.Rows[:timesheet.MaxWeekRows]
	}
	week.Totals, err = all.totals()
	return err
}

// some is a reference, nil for 0.
func some[K ~int64](id int64) *K {
	if id == 0 {
		return nil
	}
	return new(K(id))
}

// compareSome orders references, none first.
func compareSome[K ~int64](a, b *K) int {
	var x, y K
	if a != nil {
		x = *a
	}
	if b != nil {
		y = *b
	}
	return cmp.Compare(x, y)
}
