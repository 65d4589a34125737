package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// findMisplaced finds entries that are not on their day in a zone, which is
// given as the offsets from instants on. Where the books are closed and where
// an entry is invoiced, its day stays, and none comes to closed books: such an
// entry is told the zone of its day.
const findMisplaced = `/* findMisplaced */
WITH found AS (
  SELECT e.id, e.version, e.day AS was_day, CASE WHEN k.keeps THEN e.day ELSE d.day END AS to_day,
         CASE WHEN k.keeps THEN w.time_zone END AS to_zone, e.rate_minor AS was_rate, e.cost_minor AS was_cost, e.currency AS was_currency,
         e.rate_minor AS to_rate, e.cost_minor AS to_cost, e.currency AS to_currency
  FROM workspace w
  JOIN time_entry e ON e.workspace_id = w.workspace_id
  CROSS JOIN LATERAL (SELECT extract(epoch FROM e.started_at)::bigint AS seconds) s
  CROSS JOIN LATERAL (SELECT date '1970-01-01' + ((s.seconds + ($5::int[])[width_bucket(s.seconds::float8, $4::float8[])] + 86400) / 86400 - 1)::int AS day) d
  CROSS JOIN LATERAL (SELECT e.invoiced_at IS NOT NULL OR coalesce(w.locked_through >= least(e.day, d.day), false) AS keeps) k
  WHERE w.workspace_id = $1
    AND (e.day <> d.day OR e.day_zone IS NOT NULL)
    AND NOT (k.keeps AND e.day_zone IS NOT NULL)
    AND CASE WHEN $2 THEN e.stamp >= $3 OR e.ended_at IS NULL ELSE e.ended_at IS NOT NULL END
)` + moveFound

const storeZone = `/* storeZone */
UPDATE workspace AS w
SET time_zone = w.pending_time_zone, pending_time_zone = NULL, version = w.version + 1
WHERE w.workspace_id = $1
  AND w.pending_time_zone = $2`

// A change of zone takes as long as it takes.
const prepareZone = `/* prepareZone */
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '30s', true)`

// How a change of zone that fails is tried again, and how long it tries to take
// the books each time.
const (
	zoneTries    = 3
	zonePause    = time.Second
	zonePatience = time.Minute
)

// changeZone moves the workspace's entries to their days in the pending zone,
// beside the requests, and makes it the workspace's. What is killed in the
// middle leaves the old zone and the old days; the change stays pending.
func (s *Store) changeZone(ws timesheet.WorkspaceID) {
	if s.life.Err() != nil {
		return
	}
	s.ended.Go(func() {
		ctx := timesheet.WithService(s.life, timesheet.Service{Class: timesheet.ClassBackground})
		for try := 1; ; try++ {
			err := s.transact(ctx, func(tx pgx.Tx) error { return s.moveToZone(ctx, tx, ws) })
			if err == nil {
				s.views.forget(ws)
				return
			}
			s.log.Warn("a change of time zone has failed and has changed nothing", "workspace", ws, "try", try, "of", zoneTries, "error", err)
			if try == zoneTries || ctx.Err() != nil {
				return
			}
			wait(ctx, time.Duration(try)*zonePause)
		}
	})
}

func (s *Store) moveToZone(ctx context.Context, tx pgx.Tx, ws timesheet.WorkspaceID) error {
	if _, err := tx.Exec(ctx, prepareZone); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, lockMoves, ws); err != nil {
		return fmt.Errorf("wait for others who move entries: %w", err)
	}
	w, err := books(ctx, tx, ws)
	if err != nil || w.PendingTimeZone == nil {
		return err // another process has done it
	}
	v := timesheet.Viewer{Workspace: w, Role: timesheet.RoleOwner}
	defer s.sign(tx.Conn(), v, "a change of time zone")()
	zone, err := timesheet.LoadZone(*w.PendingTimeZone)
	if err != nil {
		return err
	}
	began, log := time.Now(), s.log.With("workspace", ws, "from", w.TimeZone, "to", *w.PendingTimeZone)
	log.Info("a change of time zone begins")
	n, err := misplaced(zone).run(ctx, s, tx, v, zonePatience, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, storeZone, ws, *w.PendingTimeZone)
		return err
	})
	if err == nil {
		log.Info("a change of time zone is complete", "moved", n.first, "movedAlone", n.alone, "seconds", int(time.Since(began).Seconds()))
	}
	return err
}

func misplaced(zone *time.Location) move {
	var since []float64
	var offsets []int32
	for _, span := range timesheet.Offsets(zone, timesheet.FirstStart, time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)) {
		since, offsets = append(since, float64(span.From.Unix())), append(offsets, int32(span.Seconds))
	}
	return move{findMisplaced, []any{since, offsets}}
}

const pendingZones = `/* pendingZones */
SELECT w.workspace_id
FROM workspace w
WHERE w.pending_time_zone IS NOT NULL`

// ResumeZoneChanges goes on with what a process that was killed had begun. It
// is for whoever serves.
func (s *Store) ResumeZoneChanges(ctx context.Context) error {
	pending, err := list(ctx, s, pgx.RowTo[timesheet.WorkspaceID], pendingZones)
	if err != nil {
		return fmt.Errorf("find changes of time zone: %w", err)
	}
	for _, ws := range pending {
		s.changeZone(ws)
	}
	return nil
}
