package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// dayRows are the rows of a day, whole, for [Joins.statement].
const dayRows = `d.*
FROM (
(SELECT e.*
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.user_id = $2
  AND e.deleted_at IS NULL
  AND e.ended_at IS NOT NULL
  AND e.started_at >= $3
  AND e.started_at < $4
ORDER BY e.started_at, e.id
LIMIT $5)
UNION ALL
SELECT e.*
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.user_id = $2
  AND e.deleted_at IS NULL
  AND e.ended_at IS NULL
) AS d`

// MyDay is a day of the viewer's own: the finished entries that start on it,
// their totals, and the running timer, whenever that started. The day is that
// of zone, the workspace's where zone is nil, and today's where date is nil;
// the entries keep the day of the workspace, by which reports count them.
func (s *Store) MyDay(ctx context.Context, v timesheet.Viewer, date *timesheet.Date, zone *time.Location, now time.Time) (timesheet.Day, error) {
	day, _, err := s.MyDayJoined(ctx, v, date, zone, now, Joins{})
	return day, err
}

// MyDayJoined is [Store.MyDay] together with what its entries refer to.
func (s *Store) MyDayJoined(ctx context.Context, v timesheet.Viewer, date *timesheet.Date, zone *time.Location, now time.Time, joins Joins) (timesheet.Day, Referred, error) {
	var refs Referred
	if zone == nil {
		var err error
		if zone, err = zoneOf(v.Workspace); err != nil {
			return timesheet.Day{}, refs, err
		}
	}
	day := timesheet.Day{Day: timesheet.DayOf(now, zone)}
	if date != nil {
		day.Day = *date
	}
	from, to := day.Day.Start(zone), (day.Day + 1).Start(zone)
	args := arguments{v.Workspace.ID, v.User, from, to, timesheet.MaxDayEntries + 1}
	sql := joins.statement("readDay", v, dayRows, "", &args)
	rows, err := list(ctx, s, joins.scan(v, &refs), sql, args...)
	if err != nil {
		return timesheet.Day{}, refs, fmt.Errorf("read a day: %w", err)
	}
	for _, e := range rows {
		if e.EndedAt == nil {
			day.Running = &e
		} else {
			day.Entries = append(day.Entries, e)
		}
	}
	slices.SortFunc(day.Entries, func(a, b timesheet.TimeEntry) int {
		if c := a.StartedAt.Compare(b.StartedAt); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	day, err = s.totalDay(ctx, v, day, from, to)
	return day, refs, err
}

const sumDay = `/* sumDay */
SELECT e.currency, count(*), sum(e.secs), coalesce(sum(e.secs) FILTER (WHERE e.billable), 0), sum(e.amount_x3600)::text
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.user_id = $2
  AND e.deleted_at IS NULL
  AND e.ended_at IS NOT NULL
  AND e.started_at >= $3
  AND e.started_at < $4
GROUP BY e.currency`

// totalDay adds the entries up, and has the database do it for a day of more
// entries than are shown.
func (s *Store) totalDay(ctx context.Context, v timesheet.Viewer, day timesheet.Day, from, to time.Time) (timesheet.Day, error) {
	var sum tally
	var err error
	if day.Truncated = len(day.Entries) > timesheet.MaxDayEntries; day.Truncated {
		day.Entries = day.Entries[:timesheet.MaxDayEntries]
		parts, err := list(ctx, s, scanTally, sumDay, v.Workspace.ID, v.User, from, to)
		if err != nil {
			return timesheet.Day{}, fmt.Errorf("sum up a day: %w", err)
		}
		for _, part := range parts {
			sum.add(part)
		}
	} else {
		for _, e := range day.Entries {
			sum.add(tallyOf(e))
		}
	}
	day.Totals, err = sum.totals()
	return day, err
}

func scanTally(row pgx.CollectableRow) (t tally, err error) {
	var currency, amount string
	if err := row.Scan(&currency, &t.entries, &t.seconds, &t.billable, &amount); err != nil {
		return t, err
	}
	t.exact = t.seconds
	return t, t.setAmount(currency, amount)
}
