package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const readRunning = `/* readRunning */
SELECT ` + entryColumns + `
FROM time_entry e
WHERE e.workspace_id = $1
  AND e.user_id = $2
  AND e.ended_at IS NULL
  AND e.deleted_at IS NULL`

// RunningTimer is the viewer's own running timer; nil when none runs.
func (s *Store) RunningTimer(ctx context.Context, v timesheet.Viewer) (*timesheet.TimeEntry, error) {
	e, ok, err := one(ctx, s, scanEntry, readRunning, v.Workspace.ID, v.User)
	if err != nil {
		return nil, fmt.Errorf("read the running timer: %w", err)
	}
	if !ok {
		return nil, nil
	}
	return &e, nil
}

const lockRunning = readRunning + `
FOR UPDATE`

// lockTimer locks the viewer's running timer; ok is false when none runs.
func lockTimer(ctx context.Context, tx pgx.Tx, v timesheet.Viewer) (timesheet.TimeEntry, bool, error) {
	e, ok, err := entryIn(ctx, tx, lockRunning, v.Workspace.ID, v.User)
	if err != nil {
		return e, false, fmt.Errorf("lock the running timer: %w", err)
	}
	return e, ok, nil
}

func notRunning() error {
	return timesheet.Errorf(timesheet.CodeNotRunning, "", "no timer is running")
}

// StopTimer ends a timer, the viewer's running one unless an id is given, now
// unless an instant is given. Stopping what is stopped returns it unchanged.
// A stop is never refused for an overlap, whatever the workspace's policy; it
// warns. It runs in the control class: whoever stops a timer waits for nobody.
func (s *Store) StopTimer(ctx context.Context, v timesheet.Viewer, id *timesheet.EntryID, at *time.Time, ch Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
	e, _, warnings, err := s.StopTimerJoined(ctx, v, id, at, ch, Joins{})
	return e, warnings, err
}

// StopTimerJoined is [Store.StopTimer] together with what the entry refers to,
// where that came with it.
func (s *Store) StopTimerJoined(ctx context.Context, v timesheet.Viewer, id *timesheet.EntryID, at *time.Time, ch Change, joins Joins) (e timesheet.TimeEntry, refs Referred, warnings []*timesheet.Error, err error) {
	service := timesheet.ServiceFrom(ctx)
	service.Class = timesheet.ClassControl
	ctx = timesheet.WithService(ctx, service)
	now := time.Now()
	e, refs, warnings, ok, err := s.stopAtOnce(ctx, v, id, at, ch, now, joins)
	if ok || err != nil {
		return e, refs, warnings, err
	}
	e, warnings, err = s.stopStepwise(ctx, v, id, at, ch, now)
	return e, Referred{}, warnings, err
}

// stopStepwise asks for each rule in turn, so that it can say which is broken.
func (s *Store) stopStepwise(ctx context.Context, v timesheet.Viewer, id *timesheet.EntryID, at *time.Time, ch Change, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.TimeEntry, Ref, error) {
		e, err := timerToStop(ctx, tx, v, id)
		if err != nil || e.EndedAt != nil {
			return e, entryRef(e, nil), err
		}
		e, warnings, err := stopAsTold(ctx, tx, v, e, at, now)
		return e, entryRef(e, warnings), err
	}, s.entryAgain(v))
}

func timerToStop(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id *timesheet.EntryID) (timesheet.TimeEntry, error) {
	if id != nil {
		return editable(ctx, tx, v, *id)
	}
	if err := tracks(v); err != nil {
		return timesheet.TimeEntry{}, err
	}
	e, ok, err := lockTimer(ctx, tx, v)
	if err == nil && !ok {
		err = notRunning()
	}
	return e, err
}

// stopAsTold checks an instant that the caller chose; one that the server
// takes from its clock breaks no rule.
func stopAsTold(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry, at *time.Time, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, error) {
	if at == nil {
		return stop(ctx, tx, v, e, now, now)
	}
	end := wholeSecond(*at)
	if end.After(now.Add(timesheet.ClockTolerance)) {
		return e, nil, timesheet.Errorf(timesheet.CodeInFuture, "endedAt", "a timer cannot be stopped in the future")
	}
	told := e
	told.EndedAt = &end
	if _, err := checkSpan(told, now); err != nil {
		return e, nil, err
	}
	return stop(ctx, tx, v, e, end, now)
}

// stop ends a locked timer.
func stop(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry, at, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, error) {
	until, warnings := stopTime(e, wholeSecond(at))
	e.EndedAt = &until
	found, err := overlap(ctx, tx, v, e, now)
	if err != nil {
		return e, nil, err
	}
	if found != nil {
		warnings = append(warnings, found)
	}
	e, locked, err := end(ctx, tx, v, e.ID, until)
	if locked {
		warnings = append(warnings, startedInClosedBooks(e))
	}
	return e, warnings, err
}

func startedInClosedBooks(e timesheet.TimeEntry) *timesheet.Error {
	return timesheet.Errorf(timesheet.CodePeriodLocked, "", "the timer started on %s, where the books are closed", e.Day)
}

// DiscardTimer throws the viewer's running timer away. It is restored as an
// entry that ended when it was discarded.
func (s *Store) DiscardTimer(ctx context.Context, v timesheet.Viewer, ch Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.TimeEntry, Ref, error) {
		e, err := timerToStop(ctx, tx, v, nil)
		if err != nil {
			return e, Ref{}, err
		}
		e.Deleted = true
		e, err = save(ctx, tx, v, e)
		return e, entryRef(e, nil), err
	}, s.entryAgain(v))
}
