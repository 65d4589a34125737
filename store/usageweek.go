package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// UsageWeek is what a tenant did in a week.
type UsageWeek struct {
	Week       time.Time             // its Monday, UTC
	Workspace  timesheet.WorkspaceID // 0: all tenants together
	PeakMinute int64                 // operations in the busiest minute, refused ones too
	Entries    int64                 // finished ones held when it was last looked at
}

const addUsage = `/* addUsage */
INSERT INTO usage_minute AS u (workspace_id, minute, operations, work_ms)
SELECT w, $1, n, work
FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS t (w, n, work)
ORDER BY w
ON CONFLICT (workspace_id, minute)
DO UPDATE SET operations = u.operations + excluded.operations, work_ms = u.work_ms + excluded.work_ms`

// Demand is what was asked for in a minute.
type Demand struct {
	Operations int64
	Work       time.Duration // that those took which ran
}

// AddUsage adds the demand of a minute on this replica, by tenant.
func (s *Store) AddUsage(ctx context.Context, minute time.Time, demand map[timesheet.WorkspaceID]Demand) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	var workspaces, counts, work []int64
	for w, d := range demand {
		workspaces, counts, work = append(workspaces, int64(w)), append(counts, d.Operations), append(work, d.Work.Milliseconds())
	}
	if _, err := s.exec(ctx, addUsage, minute.Truncate(time.Minute).UTC(), workspaces, counts, work); err != nil {
		return fmt.Errorf("add usage: %w", err)
	}
	return nil
}

// foldUsage empties the minutes that no replica adds to any more, and keeps the
// greatest of each tenant and of all together.
const foldUsage = `/* foldUsage */
WITH done AS (
  DELETE FROM usage_minute
  WHERE minute < date_trunc('minute', now()) - interval '5 minutes'
  RETURNING workspace_id, minute, operations, work_ms
), every AS (
  SELECT workspace_id, minute, operations, work_ms
  FROM done
  UNION ALL
  SELECT 0, minute, sum(operations)::bigint, sum(work_ms)::bigint
  FROM done
  GROUP BY minute
)
INSERT INTO usage_week AS u (workspace_id, week, peak_minute, peak_work_ms)
SELECT workspace_id, date_trunc('week', minute AT TIME ZONE 'UTC')::date, max(operations), max(work_ms)
FROM every
GROUP BY 1, 2
ORDER BY 1, 2
ON CONFLICT (workspace_id, week)
DO UPDATE SET peak_minute = greatest(u.peak_minute, excluded.peak_minute), peak_work_ms = greatest(u.peak_work_ms, excluded.peak_work_ms)`

// countUsage notes what tenants hold, from the sums of months.
const countUsage = `/* countUsage */
WITH held AS (
  SELECT workspace_id, sum(entries)::bigint AS entries
  FROM rollup
  GROUP BY workspace_id
), every AS (
  SELECT workspace_id, entries
  FROM held
  UNION ALL
  SELECT 0, coalesce(sum(entries), 0)::bigint
  FROM held
)
UPDATE usage_week AS u
SET entries = e.entries
FROM every e
WHERE u.workspace_id = e.workspace_id
  AND u.week = date_trunc('week', now() AT TIME ZONE 'UTC')::date
  AND u.entries <> e.entries`

// FoldUsage turns minutes that are over into weeks. Several replicas may do it
// at once: each minute is deleted by one.
func (s *Store) FoldUsage(ctx context.Context) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	for _, sql := range []string{foldUsage, countUsage} {
		if _, err := s.exec(ctx, sql); err != nil {
			return fmt.Errorf("fold usage: %w", err)
		}
	}
	return nil
}

const usageWeeks = `/* usageWeeks */
SELECT week, workspace_id, peak_minute, entries
FROM usage_week
ORDER BY week, workspace_id`

// UsageWeeks lists what all tenants did, oldest first, all together before each.
func (s *Store) UsageWeeks(ctx context.Context) ([]UsageWeek, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	weeks, err := list(ctx, s, pgx.RowToStructByPos[UsageWeek], usageWeeks)
	if err != nil {
		return nil, fmt.Errorf("list usage: %w", err)
	}
	return weeks, nil
}

// PeakWork is the work of a week's busiest minute, of all tenants together.
type PeakWork struct {
	Week time.Time // its Monday, UTC
	Work time.Duration
}

// peakWork looks at the minutes too that are not folded yet.
const peakWork = `/* peakWork */
SELECT week, max(work)::bigint
FROM (
  SELECT week, peak_work_ms AS work
  FROM usage_week
  WHERE workspace_id = 0
    AND week > now() - interval '13 weeks'
  UNION ALL
  SELECT date_trunc('week', minute AT TIME ZONE 'UTC')::date, sum(work_ms)
  FROM usage_minute
  GROUP BY minute
) minutes
GROUP BY week
ORDER BY week DESC`

// PeakWorks are the last weeks' busiest minutes, the latest week first; weeks in
// which nothing was asked are left out.
func (s *Store) PeakWorks(ctx context.Context) ([]PeakWork, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	weeks, err := list(ctx, s, func(row pgx.CollectableRow) (w PeakWork, err error) {
		var ms int64
		err = row.Scan(&w.Week, &ms)
		w.Work = time.Duration(ms) * time.Millisecond
		return w, err
	}, peakWork)
	if err != nil {
		return nil, fmt.Errorf("read the peak work: %w", err)
	}
	return weeks, nil
}
