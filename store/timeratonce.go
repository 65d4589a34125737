package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Started is what starting a timer returns: the timer, the one that it stopped, and
// what they refer to, where that came with them.
type Started struct {
	Timer   timesheet.TimeEntry
	Stopped *timesheet.TimeEntry
	Refs    Referred
}

// Where the books are closed, as the last column of a timer that is stopped.
const startIsClosed = `coalesce(e.day <= (SELECT w.locked_through FROM workspace w WHERE w.workspace_id = $1), false)`

// stopRunning stops a person's running timer at an instant, as [stopTime] does.
const stopRunning = `stopped AS (
UPDATE time_entry AS e
SET ended_at = greatest(e.started_at, least(%[1]s, e.started_at + interval '168 hours')), version = e.version + 1%[2]s
WHERE e.workspace_id = $1
  AND e.user_id = $2
  AND e.ended_at IS NULL
  AND e.deleted_at IS NULL`

// switchTimer writes a timer behind the running one, which it stops, and the audit
// row, and reads both. Nothing is written where any rule is in the way, or where a later timer runs. Who
// has just taken the id makes it fail, and the running one runs on.
func switchTimer(v timesheet.Viewer, a atOnce) (string, arguments) {
	args := a.arguments(v)
	row := a.row(v, &args) + `
  AND NOT EXISTS (SELECT FROM time_entry t WHERE t.workspace_id = $1 AND t.user_id = $2 AND t.ended_at IS NULL AND t.deleted_at IS NULL AND t.started_at > $4)`
	if a.minted {
		row += "\n  AND NOT EXISTS (SELECT FROM time_entry t WHERE t.workspace_id = $1 AND t.id = $3)"
	}
	columns, joined := a.joins.parts(a.joins.seen(v, &args))
	both := "SELECT " + columns + ",\n       " + startIsClosed + "\nFROM %s e" + joined
	return "/* switchTimer */\nWITH place AS (\n" + row + "\n), " + fmt.Sprintf(stopRunning, "$4::timestamptz", "\nFROM place") + "\nRETURNING e.*\n), " +
		insertAtOnce + "SELECT place.*" + "\nFROM place\nLEFT JOIN stopped ON true\nRETURNING *\n), " + a.audited(v, "written", &args) + fmt.Sprintf(both, "written") + "\nUNION ALL\n" + fmt.Sprintf(both, "stopped"), args
}

// startAtOnce starts a timer in one round trip where none runs, and else stops that
// one in another. Nothing was written where ok is false: whatever is not plain is
// for the steps.
func (s *Store) startAtOnce(ctx context.Context, v timesheet.Viewer, in timesheet.TimerInput, ch Change, now time.Time, joins Joins) (done Started, warnings []*timesheet.Error, ok bool, err error) {
	a, ok := plainTimer(v, in, ch, now)
	if !ok {
		return done, nil, false, nil
	}
	a.joins = joins
	if a.record, err = newRecord(ch); err != nil {
		return done, nil, false, err
	}
	var clash *timesheet.Error
	done.Timer, done.Refs, clash, ok, err = s.createPlain(ctx, v, a, ch)
	if clash != nil {
		warnings = append(warnings, clash)
	}
	if ok || err != nil || in.IfRunning == timesheet.IfRunningFail || v.Workspace.OverlapPolicy != timesheet.OverlapAllow {
		return done, warnings, ok, err
	}
	return s.switchAtOnce(ctx, v, a, ch)
}

// plainTimer is a new timer that breaks none of the rules that can be told without
// the database, and is asked for without a key.
func plainTimer(v timesheet.Viewer, in timesheet.TimerInput, ch Change, now time.Time) (a atOnce, ok bool) {
	t, err := newTimer(v, in, now)
	if err != nil || ch.Key != nil || !v.Tracks() || len(t.entry.TagIDs) > timesheet.MaxTags {
		return a, false
	}
	if _, err := checkSpan(t.entry, now); err != nil {
		return a, false
	}
	zone, err := zoneOf(v.Workspace)
	if err != nil {
		return a, false
	}
	t.entry.Day = timesheet.DayOf(t.entry.StartedAt, zone)
	return atOnce{entry: t.entry, counted: countedEnd(t.entry, now), billable: t.billable, minted: t.minted}, true
}

// switchAtOnce locks the running timer before the books, as everybody does.
func (s *Store) switchAtOnce(ctx context.Context, v timesheet.Viewer, a atOnce, ch Change) (done Started, warnings []*timesheet.Error, ok bool, err error) {
	sql, args := switchTimer(v, a)
	found, err := s.timersAtOnce(ctx, v, ch, a.joins, &done.Refs, func(batch *pgx.Batch) *pgx.QueuedQuery {
		batch.Queue(lockRunning, v.Workspace.ID, v.User)
		batch.Queue(shareBooks, v.Workspace.ID)
		return batch.Queue(sql, args...)
	})
	if _, rule := timesheet.AsError(err); rule { // which, the steps find
		return Started{}, nil, false, nil
	}
	for _, t := range found {
		if t.entry.ID == a.entry.ID {
			done.Timer, ok = t.entry, true
		} else {
			done.Stopped, warnings = &t.entry, t.warnings(a.entry.StartedAt)
		}
	}
	return done, warnings, ok, err
}

// stopTimer is the statement that stops a person's running timer, the one of an id,
// if that is given, and at an instant that an entry may end at, if one was told.
func stopTimer(v timesheet.Viewer, id *timesheet.EntryID, at time.Time, told bool, r record, joins Joins) (string, arguments) {
	args := arguments{int64(v.Workspace.ID), int64(v.User), at}
	where := ""
	if told {
		where = "\n  AND e.started_at BETWEEN $3::timestamptz - interval '168 hours' AND $3"
	}
	if id != nil {
		where += "\n  AND e.id = " + args.add([16]byte(*id))
	}
	columns, joined := joins.parts(joins.seen(v, &args))
	return "/* stopTimer */\nWITH " + fmt.Sprintf(stopRunning, "$3::timestamptz", "") + where + "\nRETURNING *\n), " + r.audited(v, "stopped", &args) +
		"SELECT " + columns + ",\n       " + startIsClosed + "\nFROM stopped e" + joined, args
}

// stopAtOnce stops the viewer's own timer in one round trip. Nothing was written
// where ok is false: whatever is not plain is for the steps.
func (s *Store) stopAtOnce(ctx context.Context, v timesheet.Viewer, id *timesheet.EntryID, at *time.Time, ch Change, now time.Time, joins Joins) (e timesheet.TimeEntry, refs Referred, warnings []*timesheet.Error, ok bool, err error) {
	end := wholeSecond(now)
	if at != nil {
		end = wholeSecond(*at)
	}
	if ch.Key != nil || !v.Tracks() || v.Workspace.OverlapPolicy != timesheet.OverlapAllow || end.After(now.Add(timesheet.ClockTolerance)) {
		return e, refs, nil, false, nil
	}
	r, err := newRecord(ch)
	if err != nil {
		return e, refs, nil, false, err
	}
	sql, args := stopTimer(v, id, end, at != nil, r, joins)
	found, err := s.timersAtOnce(ctx, v, ch, joins, &refs, func(batch *pgx.Batch) *pgx.QueuedQuery { return batch.Queue(sql, args...) })
	if err != nil || len(found) == 0 {
		return e, refs, nil, false, err
	}
	return found[0].entry, refs, found[0].warnings(end), true, nil
}

// timerWritten is a timer as it was started or stopped, and whether the books are
// closed where it started.
type timerWritten struct {
	entry  timesheet.TimeEntry
	closed bool
}

// warnings are those of stopping it at an instant.
func (t timerWritten) warnings(at time.Time) []*timesheet.Error {
	_, warnings := stopTime(t.entry, at)
	if t.closed {
		warnings = append(warnings, startedInClosedBooks(t.entry))
	}
	return warnings
}

// timersAtOnce sends a mutation of timers as one transaction; of its statements, the
// one that queue returns reads them.
func (s *Store) timersAtOnce(ctx context.Context, v timesheet.Viewer, ch Change, joins Joins, refs *Referred, queue func(*pgx.Batch) *pgx.QueuedQuery) (found []timerWritten, err error) {
	err = rerun(ctx, func() error {
		batch := &pgx.Batch{}
		queue(batch).Query(func(rows pgx.Rows) (err error) {
			scan := joins.scan(v, refs)
			found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t timerWritten, err error) {
				t.entry, err = scan(longer{row, []any{&t.closed}})
				return t, err
			})
			return err
		})
		return s.together(ctx, v, ch, batch)
	})
	if err != nil {
		return nil, fmt.Errorf("%s at once: %w", ch.Action, err)
	}
	return found, nil
}
