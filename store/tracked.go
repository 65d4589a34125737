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
	sql := trackedSeconds
	if !v.ReadsEverybody() {
		sql += "\n  AND e.user_id = " + args.add(v.User)
	}
	if period != nil {
		sql += "\n  AND e.day >= " + args.add(period.From) + "\n  AND e.day <= " + args.add(period.To) + startRange(*period, &args)
	}
	return sql + "\nGROUP BY e.project_id", args
}
