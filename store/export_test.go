package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// FoldAfter is how often rests are read before they are folded.
const FoldAfter = foldAfter

// RunSQL runs a statement of a test as list runs those of the product.
func (s *Store) RunSQL(ctx context.Context, sql string, args ...any) error {
	_, err := list(ctx, s, pgx.RowToMap, sql, args...)
	return err
}

// Transact runs a transaction of a test as write runs those of the product.
func (s *Store) Transact(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.transact(ctx, fn)
}

// Snapshot runs what a report reads.
func (s *Store) Snapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.snapshot(ctx, fn)
}

// Insist is Transact for what may run again.
func (s *Store) Insist(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.insist(ctx, fn)
}

// CreateAtOnce is the first of the two ways to create an entry.
func CreateAtOnce(ctx context.Context, s *Store, v timesheet.Viewer, in timesheet.EntryInput, ch Change) (e timesheet.TimeEntry, warnings []*timesheet.Error, ok bool, err error) {
	e, _, warnings, ok, err = s.createAtOnce(ctx, v, in, ch, time.Now(), Joins{})
	return e, warnings, ok, err
}

// CreateStepwise is the second.
func CreateStepwise(ctx context.Context, s *Store, v timesheet.Viewer, in timesheet.EntryInput, ch Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
	return s.createStepwise(ctx, v, in, ch, time.Now())
}

// StartAtOnce, SwitchAtOnce and StartStepwise are the ways to start a timer.
func StartAtOnce(ctx context.Context, s *Store, v timesheet.Viewer, in timesheet.TimerInput, ch Change, now time.Time) (Started, []*timesheet.Error, bool, error) {
	return s.startAtOnce(ctx, v, in, ch, now, Joins{})
}

// SwitchAtOnce is the second.
func SwitchAtOnce(ctx context.Context, s *Store, v timesheet.Viewer, in timesheet.TimerInput, ch Change, now time.Time) (Started, bool, error) {
	a, ok := plainTimer(v, in, ch, now)
	if !ok {
		return Started{}, false, nil
	}
	var err error
	if a.record, err = newRecord(ch); err != nil {
		return Started{}, false, err
	}
	done, _, ok, err := s.switchAtOnce(ctx, v, a, ch)
	return done, ok, err
}

// StartStepwise is the third.
func StartStepwise(ctx context.Context, s *Store, v timesheet.Viewer, in timesheet.TimerInput, ch Change, now time.Time) (Started, []*timesheet.Error, error) {
	return s.startStepwise(ctx, v, in, ch, now)
}

// StopAtOnce is the first of the two ways to stop one.
func StopAtOnce(ctx context.Context, s *Store, v timesheet.Viewer, id *timesheet.EntryID, at *time.Time, ch Change, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, bool, error) {
	e, _, warnings, ok, err := s.stopAtOnce(ctx, v, id, at, ch, now, Joins{})
	return e, warnings, ok, err
}

// StopStepwise is the second.
func StopStepwise(ctx context.Context, s *Store, v timesheet.Viewer, id *timesheet.EntryID, at *time.Time, ch Change, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, error) {
	return s.stopStepwise(ctx, v, id, at, ch, now)
}
