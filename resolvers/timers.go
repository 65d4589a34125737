package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// RunningTimer is the timer of whoever asks, nil where none runs.
func (q query) RunningTimer(ctx context.Context) (*timesheet.TimeEntry, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	timer, err := q.Store.RunningTimer(ctx, v)
	if timer != nil {
		dataloader.From(ctx).LevelOfEntries([]timesheet.TimeEntry{*timer})
	}
	return timer, err
}

// StartTimer starts a timer and stops the one that runs.
func (m mutation) StartTimer(ctx context.Context, in graph.StartTimerInput) (*graph.StartTimerPayload, error) {
	timer := timesheet.TimerInput{
		ID: in.ID.Value(), Project: in.ProjectID.Value(), Task: in.TaskID.Value(), Tags: in.TagIds.Value(),
		Description: in.Description, Billable: in.Billable.Value(), Start: in.StartedAt.Value(), IfRunning: in.IfRunning,
	}
	return start(ctx, func(v timesheet.Viewer, ch store.Change) (store.Started, []*timesheet.Error, error) {
		return m.Store.StartTimerJoined(ctx, v, timer, ch, joins(ctx))
	})
}

// ContinueEntry starts a timer for the same work as an entry.
func (m mutation) ContinueEntry(ctx context.Context, in graph.ContinueEntryInput) (*graph.StartTimerPayload, error) {
	return start(ctx, func(v timesheet.Viewer, ch store.Change) (done store.Started, warnings []*timesheet.Error, err error) {
		done.Timer, done.Stopped, warnings, err = m.Store.ContinueEntry(ctx, v, in.ID, ch)
		return done, warnings, err
	})
}

// start runs a mutation that starts a timer, and keeps the one that it stopped.
func start(ctx context.Context, do func(timesheet.Viewer, store.Change) (store.Started, []*timesheet.Error, error)) (*graph.StartTimerPayload, error) {
	var started store.Started
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (_ timesheet.TimeEntry, warnings []*timesheet.Error, err error) {
		started, warnings, err = do(v, ch)
		return started.Timer, warnings, err
	})
	if err != nil {
		return nil, err
	}
	set := dataloader.From(ctx)
	if started.Stopped != nil && done.Value != nil {
		set.LevelOfEntries([]timesheet.TimeEntry{*done.Value, *started.Stopped})
	}
	set.Know(started.Refs)
	return &graph.StartTimerPayload{TimeEntryPayload: *done, Stopped: started.Stopped}, nil
}

// StopTimer ends a timer.
func (m mutation) StopTimer(ctx context.Context, in graph.StopTimerInput) (*graph.TimeEntryPayload, error) {
	var refs store.Referred
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (e timesheet.TimeEntry, warnings []*timesheet.Error, err error) {
		e, refs, warnings, err = m.Store.StopTimerJoined(ctx, v, in.ID.Value(), in.EndedAt.Value(), ch, joins(ctx))
		return e, warnings, err
	})
	if err != nil {
		return nil, err
	}
	dataloader.From(ctx).Know(refs)
	return done, nil
}

// DiscardTimer throws the running timer away.
func (m mutation) DiscardTimer(ctx context.Context, _ graph.DiscardTimerInput) (*graph.TimeEntryDeleted, error) {
	var discarded timesheet.EntryID
	return remove(ctx, &discarded, func(v timesheet.Viewer, ch store.Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
		timer, warnings, err := m.Store.DiscardTimer(ctx, v, ch)
		discarded = timer.ID
		return timer, warnings, err
	})
}
