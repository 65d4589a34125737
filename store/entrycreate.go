package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// CreateTimeEntry writes a finished entry, of the viewer unless another person
// is named. A repeat of the same id and content returns the entry that is
// there.
func (s *Store) CreateTimeEntry(ctx context.Context, v timesheet.Viewer, in timesheet.EntryInput, ch Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
	e, _, warnings, err := s.CreateTimeEntryJoined(ctx, v, in, ch, Joins{})
	return e, warnings, err
}

// CreateTimeEntryJoined is [Store.CreateTimeEntry] together with what the entry
// refers to, where that came with it.
func (s *Store) CreateTimeEntryJoined(ctx context.Context, v timesheet.Viewer, in timesheet.EntryInput, ch Change, joins Joins) (e timesheet.TimeEntry, refs Referred, warnings []*timesheet.Error, err error) {
	now := time.Now()
	e, refs, warnings, ok, err := s.createAtOnce(ctx, v, in, ch, now, joins)
	if ok || err != nil {
		return e, refs, warnings, err
	}
	e, warnings, err = s.createStepwise(ctx, v, in, ch, now)
	return e, Referred{}, warnings, err
}

// createStepwise asks for each rule in turn, so that it can say which is broken.
func (s *Store) createStepwise(ctx context.Context, v timesheet.Viewer, in timesheet.EntryInput, ch Change, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.TimeEntry, Ref, error) {
		e, err := newEntry(v, in)
		if err != nil {
			return timesheet.TimeEntry{}, Ref{}, err
		}
		e, warnings, err := create(ctx, tx, v, e, in, now)
		return e, entryRef(e, warnings), err
	}, s.entryAgain(v))
}

// newEntry is what the input says, as far as that can be checked without the
// database.
func newEntry(v timesheet.Viewer, in timesheet.EntryInput) (e timesheet.TimeEntry, err error) {
	if !in.Start.Given || !in.End.Given {
		return e, timesheet.Errorf(timesheet.CodeInvalid, "endedAt", "an entry needs its start and its end; startTimer starts a timer")
	}
	zone, err := zoneOf(v.Workspace)
	if err != nil {
		return e, err
	}
	end := wholeSecond(in.End.Value)
	e = timesheet.TimeEntry{
		UserID: v.User, ProjectID: in.Project.Value, TaskID: in.Task.Value, TagIDs: tagSet(in.Tags.Value),
		StartedAt: wholeSecond(in.Start.Value), EndedAt: &end, Description: in.Description.Value, Billable: in.Billable.Value,
	}
	e.Day = timesheet.DayOf(e.StartedAt, zone)
	if in.User != nil {
		e.UserID = *in.User
	}
	if e.ID, err = mint(in.ID); err != nil {
		return e, err
	}
	return e, checkDescription(e.Description)
}

func create(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry, in timesheet.EntryInput, now time.Time) (timesheet.TimeEntry, []*timesheet.Error, error) {
	if err := mayTrackFor(ctx, tx, v, e.UserID); err != nil {
		return timesheet.TimeEntry{}, nil, err
	}
	if err := oneAtATime(ctx, tx, v, e.UserID); err != nil {
		return timesheet.TimeEntry{}, nil, err
	}
	if in.ID != nil {
		before, ok, err := sameEntry(ctx, tx, v, e, in)
		if ok || err != nil {
			return before, nil, err
		}
	}
	warnings, err := checkSpan(e, now)
	if err != nil {
		return timesheet.TimeEntry{}, nil, err
	}
	billable, err := checkWork(ctx, tx, v, e, timesheet.TimeEntry{})
	if err != nil {
		return timesheet.TimeEntry{}, nil, err
	}
	e.Billable = in.Billable.Or(billable)
	if warnings, err = withoutOverlap(ctx, tx, v, e, now, warnings); err != nil {
		return timesheet.TimeEntry{}, nil, err
	}
	created, ok, err := insert(ctx, tx, v, e)
	if ok || err != nil {
		return created, warnings, err
	}
	before, ok, err := sameEntry(ctx, tx, v, e, in)
	if err == nil && !ok {
		err = idTaken()
	}
	return before, nil, err
}

const readMember = `/* readMember */
SELECT true
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = $2
  AND m.deleted_at IS NULL`

// mayTrackFor refuses entries of people whose time the viewer may not keep.
func mayTrackFor(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, user timesheet.UserID) error {
	if user == v.User {
		return tracks(v)
	}
	rows, err := tx.Query(ctx, readMember, v.Workspace.ID, user)
	if err != nil {
		return fmt.Errorf("find a member: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	switch {
	case err != nil:
		return fmt.Errorf("find a member: %w", err)
	case len(found) == 0:
		return timesheet.NotFound("userId", "user")
	case !v.MayEditEntriesOf(user):
		return timesheet.Errorf(timesheet.CodeForbidden, "userId", "your role may not track time for others")
	}
	return nil
}

// sameEntry finds the entry that an earlier call with the same id and content
// has made. ok is false where the id is free, and an id that is taken by
// anything else is refused.
func sameEntry(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e timesheet.TimeEntry, in timesheet.EntryInput) (before timesheet.TimeEntry, ok bool, err error) {
	before, ok, err = entryIn(ctx, tx, lockEntry, v.Workspace.ID, e.ID)
	if err != nil {
		return before, false, fmt.Errorf("look for an entry of this id: %w", err)
	}
	if !ok {
		return before, false, nil
	}
	same := before.UserID == e.UserID && !before.Deleted &&
		!differs(before.ProjectID, e.ProjectID) && !differs(before.TaskID, e.TaskID) && slices.Equal(before.TagIDs, e.TagIDs) &&
		before.StartedAt.Equal(e.StartedAt) && before.EndedAt != nil && before.EndedAt.Equal(*e.EndedAt) &&
		before.Description == e.Description && before.Billable == in.Billable.Or(before.Billable)
	if !same {
		return timesheet.TimeEntry{}, false, idTaken()
	}
	return before, true, nil
}
