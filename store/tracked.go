package store

import (
	"context"
	"fmt"

	"headroom/timesheet"
)

const trackedSeconds = `/* trackedSeconds */
SELECT e.project_id, coalesce(sum(e.secs), 0)
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.project_id = ANY ($2)
  AND e.deleted_at IS NULL`

// trackedSums are the seconds of all time, of sums that are kept ready: projects'
// with the rests that are not in them yet, or those of one person.
const (
	trackedSums = `/* trackedSums */
SELECT e.project_id, sum(e.secs)::bigint
FROM (
  SELECT p.project_id, p.secs
  FROM project_rollup p
  WHERE p.workspace_id = $1
    AND p.project_id = ANY ($2)
  UNION ALL
  SELECT r.project_id, r.secs - r.folded_secs
  FROM rollup r
  WHERE r.workspace_id = $1
    AND r.project_id = ANY ($2)
    AND r.unfolded
) e
GROUP BY e.project_id`

	trackedOwnSums = `/* trackedOwnSums */
SELECT r.project_id, sum(r.secs)::bigint
FROM rollup r
WHERE r.workspace_id = $1
  AND r.project_id = ANY ($2)
  AND r.user_id = $3
GROUP BY r.project_id`
)

// TrackedSeconds sums the finished entries on each project that the viewer may
// see, of a period or, with nil, of all time. Projects without entries are
// absent. A running timer has no seconds yet; a condition on its end would only
// keep the statement from its index.
func (s *Store) TrackedSeconds(ctx context.Context, v timesheet.Viewer, ids []timesheet.ProjectID, period *timesheet.Period) (map[timesheet.ProjectID]int64, error) {
	if period != nil {
		if err := period.Check("period"); err != nil {
			return nil, err
		}
	}
	sql, args := trackedStatement(v, ids, period)
	seconds, err := perParent[timesheet.ProjectID, int64](ctx, s, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("sum tracked seconds: %w", err)
	}
	return seconds, nil
}

func trackedStatement(v timesheet.Viewer, ids []timesheet.ProjectID, period *timesheet.Period) (string, arguments) {
	args := arguments{v.Workspace.ID, ids}
	if period == nil && !v.Workspace.RollupDrifted {
		if v.ReadsEverybody() {
			return trackedSums, args
		}
		return trackedOwnSums, append(args, v.User)
	}
	sql := trackedSeconds
	if !v.ReadsEverybody() {
		sql += "\n  AND e.user_id = " + args.add(v.User)
	}
	if period != nil {
		sql += "\n  AND e.day >= " + args.add(period.From) + "\n  AND e.day <= " + args.add(period.To) + startRange(*period, &args)
	}
	return sql + "\nGROUP BY e.project_id", args
}
