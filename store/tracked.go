package store

import (
	"context"
	"fmt"
	"strings"

	"headroom/timesheet"
)

// A running timer has no seconds yet; a condition on its end would only keep the
// statement from its index.
const trackedEntries = `/* trackedEntries */
SELECT e.project_id, e.secs
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.project_id = ANY ($2)
  AND e.deleted_at IS NULL`

// Sums that are kept ready: those of projects, in all or by month, with the rests
// that are not in them yet, and those of one person by month.
const (
	trackedTotals = `/* trackedTotals */
SELECT e.project_id, e.secs
FROM project_total e
WHERE e.workspace_id = $1
  AND e.project_id = ANY ($2)`

	trackedSums = `/* trackedSums */
SELECT e.project_id, e.secs
FROM project_rollup e
WHERE e.workspace_id = $1
  AND e.project_id = ANY ($2)`

	trackedRests = `/* trackedRests */
SELECT e.project_id, e.secs - e.folded_secs
FROM rollup e
WHERE e.workspace_id = $1
  AND e.project_id = ANY ($2)
  AND e.unfolded`

	trackedOwnSums = `/* trackedOwnSums */
SELECT e.project_id, e.secs
FROM rollup e
WHERE e.workspace_id = $1
  AND e.project_id = ANY ($2)
  AND e.entries <> 0`
)

// TrackedSeconds sums the finished entries on each project that the viewer may
// see, of a period or, with nil, of all time. All time and whole months are read from the sums
// that are kept, unless a check has found these wrong, and the days beside them
// from the entries. Projects without time are absent or zero.
func (s *Store) TrackedSeconds(ctx context.Context, v timesheet.Viewer, ids []timesheet.ProjectID, period *timesheet.Period) (map[timesheet.ProjectID]int64, error) {
	if period != nil {
		if err := period.Check("period"); err != nil {
			return nil, err
		}
	}
	sql, args := trackedStatement(v, ids, period)
	if v.ReadsEverybody() && !v.Workspace.RollupDrifted {
		s.rests.note(v.Workspace.ID)
	}
	seconds, err := perParent[timesheet.ProjectID, int64](ctx, s, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("sum tracked seconds: %w", err)
	}
	return seconds, nil
}

func trackedStatement(v timesheet.Viewer, ids []timesheet.ProjectID, period *timesheet.Period) (string, arguments) {
	args := arguments{v.Workspace.ID, ids}
	mine := ""
	if !v.ReadsEverybody() {
		mine = "\n  AND e.user_id = " + args.add(v.User)
	}
	var arms []string
	sums := func(whole, months string) {
		if v.ReadsEverybody() {
			arms = append(arms, whole+months, trackedRests+months)
		} else {
			arms = append(arms, trackedOwnSums+mine+months)
		}
	}
	entries := func(p timesheet.Period) {
		arms = append(arms, trackedEntries+mine+"\n  AND e.day >= "+args.add(p.From)+"\n  AND e.day <= "+args.add(p.To)+startRange(p, &args))
	}
	switch {
	case period == nil && v.Workspace.RollupDrifted:
		arms = append(arms, trackedEntries+mine)
	case period == nil:
		sums(trackedTotals, "")
	case v.Workspace.RollupDrifted:
		entries(*period)
	default:
		months, days := period.Months()
		if months != nil {
			sums(trackedSums, "\n  AND e.month >= "+args.add(months.From)+"\n  AND e.month <= "+args.add(months.To))
		}
		for _, p := range days {
			entries(p)
		}
	}
	return "/* trackedSeconds */\nSELECT t.project_id, coalesce(sum(t.secs), 0)::bigint\nFROM (\n" + strings.Join(arms, "\nUNION ALL\n") + "\n) t\nGROUP BY t.project_id", args
}
