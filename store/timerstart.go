package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// timer is a timer about to start.
type timer struct {
	entry     timesheet.TimeEntry // without an end
	billable  *bool               // nil: as its work
	ifRunning timesheet.IfRunning
	minted    bool // by the client, who may repeat it
}

// StartTimer starts a timer of the viewer and stops the one that runs, if any,
// at the new one's start. Timers stand in the order of their starts: one that
// began before the running one ends where that begins, with the warning
// ALREADY_RUNNING. A repeat of the same id starts nothing and moves the start
// only to an earlier instant, so that a start that arrives late never revives
// a stopped timer.
func (s *Store) StartTimer(ctx context.Context, v timesheet.Viewer, in timesheet.TimerInput, ch Change) (started timesheet.TimeEntry, stopped *timesheet.TimeEntry, warnings []*timesheet.Error, err error) {
	done, warnings, err := s.StartTimerJoined(ctx, v, in, ch, Joins{})
	return done.Timer, done.Stopped, warnings, err
}

// StartTimerJoined is [Store.StartTimer] together with what the timers refer to,
// where that came with them.
func (s *Store) StartTimerJoined(ctx context.Context, v timesheet.Viewer, in timesheet.TimerInput, ch Change, joins Joins) (Started, []*timesheet.Error, error) {
	now := time.Now()
	done, warnings, ok, err := s.startAtOnce(ctx, v, in, ch, now, joins)
	if ok || err != nil {
		return done, warnings, err
	}
	return s.startStepwise(ctx, v, in, ch, now)
}

// startStepwise asks for each rule in turn, so that it can say which is broken.
func (s *Store) startStepwise(ctx context.Context, v timesheet.Viewer, in timesheet.TimerInput, ch Change, now time.Time) (Started, []*timesheet.Error, error) {
	return s.start(ctx, v, ch, now, func(pgx.Tx) (timer, error) { return newTimer(v, in, now) })
}

func newTimer(v timesheet.Viewer, in timesheet.TimerInput, now time.Time) (t timer, err error) {
	t = timer{billable: in.Billable, ifRunning: in.IfRunning, minted: in.ID != nil}
	t.entry = timesheet.TimeEntry{
		UserID: v.User, ProjectID: in.Project, TaskID: in.Task, TagIDs: tagSet(in.Tags),
		StartedAt: wholeSecond(now), Description: in.Description,
	}
	if in.Start != nil {
		t.entry.StartedAt = wholeSecond(*in.Start)
	}
	if t.entry.ID, err = mint(in.ID); err != nil {
		return t, err
	}
	return t, checkDescription(in.Description)
}

// ContinueEntry starts a timer for the same work as one of the viewer's
// entries, at the hourly rates of today. Tags that are no longer in use are
// left out.
func (s *Store) ContinueEntry(ctx context.Context, v timesheet.Viewer, id timesheet.EntryID, ch Change) (started timesheet.TimeEntry, stopped *timesheet.TimeEntry, warnings []*timesheet.Error, err error) {
	now := time.Now()
	done, warnings, err := s.start(ctx, v, ch, now, func(tx pgx.Tx) (timer, error) { return timerLike(ctx, tx, v, id, now) })
	return done.Timer, done.Stopped, warnings, err
}

const readUsedTags = `/* readUsedTags */
SELECT g.id
FROM tag g
WHERE g.workspace_id = $1
  AND g.id = ANY ($2)
  AND g.deleted_at IS NULL
  AND g.archived_at IS NULL
ORDER BY g.id`

func timerLike(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.EntryID, now time.Time) (t timer, err error) {
	e, err := readable(ctx, tx, v, id)
	if err != nil {
		return t, err
	}
	if e.UserID != v.User {
		return t, timesheet.Errorf(timesheet.CodeForbidden, "id", "you can continue your own entries only")
	}
	t = timer{entry: e, billable: &e.Billable, ifRunning: timesheet.IfRunningStop}
	rows, err := tx.Query(ctx, readUsedTags, v.Workspace.ID, tagKeys(e.TagIDs))
	if err != nil {
		return t, fmt.Errorf("read the tags of an entry: %w", err)
	}
	if t.entry.TagIDs, err = pgx.CollectRows(rows, pgx.RowTo[timesheet.TagID]); err != nil {
		return t, fmt.Errorf("read the tags of an entry: %w", err)
	}
	t.entry.StartedAt, t.entry.EndedAt = wholeSecond(now), nil
	t.entry.ID, err = mint(nil)
	return t, err
}

func (s *Store) start(ctx context.Context, v timesheet.Viewer, ch Change, now time.Time, prepare func(pgx.Tx) (timer, error),
) (Started, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (Started, Ref, error) {
		if err := tracks(v); err != nil {
			return Started{}, Ref{}, err
		}
		if err := oneAtATime(ctx, tx, v, v.User); err != nil {
			return Started{}, Ref{}, err
		}
		t, err := prepare(tx)
		if err != nil {
			return Started{}, Ref{}, err
		}
		done, warnings, err := t.start(ctx, tx, v, now)
		ref := entryRef(done.Timer, warnings)
		if done.Stopped != nil {
			ref.Also = done.Stopped.ID.String()
		}
		return done, ref, err
	}, s.timersAgain(v))
}

// timersAgain loads what starting a timer wrote, for its repeat.
func (s *Store) timersAgain(v timesheet.Viewer) func(context.Context, Ref) (Started, error) {
	return func(ctx context.Context, ref Ref) (done Started, err error) {
		if done.Timer, err = s.entryAgain(v)(ctx, ref); err != nil || ref.Also == "" {
			return done, err
		}
		stopped, err := s.entryAgain(v)(ctx, Ref{ID: ref.Also})
		done.Stopped = &stopped
		return done, err
	}
}

// startAttempts to place a timer: each that fails means that another device has
// just started one, so this is how many devices may start at the same moment.
const startAttempts = 10

func (t timer) start(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, now time.Time) (Started, []*timesheet.Error, error) {
	if done, warnings, known, err := t.repeat(ctx, tx, v, now); known || err != nil {
		return done, warnings, err
	}
	if _, err := checkSpan(t.entry, now); err != nil {
		return Started{}, nil, err
	}
	billable, err := checkWork(ctx, tx, v, t.entry, timesheet.TimeEntry{})
	if err != nil {
		return Started{}, nil, err
	}
	t.entry.Billable = billable
	if t.billable != nil {
		t.entry.Billable = *t.billable
	}
	for range startAttempts {
		done, warnings, ok, err := t.place(ctx, tx, v, now)
		if ok || err != nil {
			return done, warnings, err
		}
		if done, warnings, known, err := t.repeat(ctx, tx, v, now); known || err != nil {
			return done, warnings, err
		}
	}
	return Started{}, nil, timesheet.Errorf(timesheet.CodeAlreadyRunning, "", "other devices are starting timers at this moment; try again")
}

// place puts the timer among the person's others: behind the running one,
// which stops, or before it. ok is false where another device was faster.
func (t timer) place(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, now time.Time) (done Started, warnings []*timesheet.Error, ok bool, err error) {
	running, runs, err := lockTimer(ctx, tx, v)
	if err != nil {
		return done, nil, false, err
	}
	e := t.entry
	switch {
	case runs && t.ifRunning == timesheet.IfRunningFail:
		return done, nil, false, timesheet.Errorf(timesheet.CodeAlreadyRunning, "ifRunning", "a timer is running")
	case runs && running.StartedAt.After(e.StartedAt):
		e.EndedAt = &running.StartedAt
		if warnings, err = checkSpan(e, now); err != nil {
			return done, nil, false, err
		}
		warnings = append(warnings, timesheet.Errorf(timesheet.CodeAlreadyRunning, "startedAt", "a timer that started later is running; this one ends where that begins"))
	case runs:
		stopped, notes, err := stop(ctx, tx, v, running, e.StartedAt, now)
		if err != nil {
			return done, nil, false, err
		}
		done.Stopped, warnings = &stopped, notes
	}
	if warnings, err = withoutOverlap(ctx, tx, v, e, now, warnings); err != nil {
		return done, nil, false, err
	}
	zone, err := zoneOf(v.Workspace)
	if err != nil {
		return done, nil, false, err
	}
	e.Day = timesheet.DayOf(e.StartedAt, zone)
	done.Timer, ok, err = insert(ctx, tx, v, e)
	return done, warnings, ok, err
}

// repeat finds what an earlier start of the same id has made. known is false
// where there is nothing.
func (t timer) repeat(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, now time.Time) (done Started, warnings []*timesheet.Error, known bool, err error) {
	if !t.minted {
		return done, nil, false, nil
	}
	before, ok, err := entryIn(ctx, tx, lockEntry, v.Workspace.ID, t.entry.ID)
	if err != nil {
		return done, nil, false, fmt.Errorf("look for an entry of this id: %w", err)
	}
	if !ok {
		return done, nil, false, nil
	}
	if before.UserID != v.User || before.Deleted {
		return done, nil, true, idTaken()
	}
	done.Timer = before
	if !t.entry.StartedAt.Before(before.StartedAt) {
		return done, nil, true, nil
	}
	before.StartedAt = t.entry.StartedAt
	done.Timer, warnings, err = moved(ctx, tx, v, before, now)
	return done, warnings, true, err
}

func idTaken() error {
	return timesheet.Errorf(timesheet.CodeIDTaken, "id", "another entry has or had this id")
}

// moved writes an entry whose times were changed, if no rule minds.
func moved(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, error) {
	warnings, err := checkSpan(e, now)
	if err != nil {
		return e, nil, err
	}
	if warnings, err = withoutOverlap(ctx, tx, v, e, now, warnings); err != nil {
		return e, nil, err
	}
	zone, err := zoneOf(v.Workspace)
	if err != nil {
		return e, nil, err
	}
	e.Day = timesheet.DayOf(e.StartedAt, zone)
	e, err = save(ctx, tx, v, e)
	return e, warnings, err
}
