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
INSERT INTO usage_minute AS u (workspace_id, minute, operations)
SELECT w, $1, n
FROM unnest($2::bigint[], $3::bigint[]) AS t (w, n)
ORDER BY w
ON CONFLICT (workspace_id, minute)
DO UPDATE SET operations = u.operations + excluded.operations`

// AddUsage adds the operations of a minute on this replica, by tenant.
func (s *Store) AddUsage(ctx context.Context, minute time.Time, operations map[timesheet.WorkspaceID]int64) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	var workspaces, counts []int64
	for w, n := range operations {
		workspaces, counts = append(workspaces, int64(w)), append(counts, n)
	}
	if _, err := s.exec(ctx, addUsage, minute.Truncate(time.Minute).UTC(), workspaces, counts); err != nil {
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
  RETURNING workspace_id, minute, operations
), every AS (
  SELECT workspace_id, minute, operations
  FROM done
  UNION ALL
  SELECT 0, minute, sum(operations)::bigint
  FROM done
  GROUP BY minute
)
INSERT INTO usage_week AS u (workspace_id, week, peak_minute)
SELECT workspace_id, date_trunc('week', minute AT TIME ZONE 'UTC')::date, max(operations)
FROM every
GROUP BY 1, 2
ORDER BY 1, 2
ON CONFLICT (workspace_id, week)
DO UPDATE SET peak_minute = greatest(u.peak_minute, excluded.peak_minute)`

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
