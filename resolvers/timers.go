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
	return start(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.TimeEntry, *timesheet.TimeEntry, []*timesheet.Error, error) {
		return m.Store.StartTimer(ctx, v, timer, ch)
	})
}

// ContinueEntry starts a timer for the same work as an entry.
func (m mutation) ContinueEntry(ctx context.Context, in graph.ContinueEntryInput) (*graph.StartTimerPayload, error) {
	return start(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.TimeEntry, *timesheet.TimeEntry, []*timesheet.Error, error) {
		return m.Store.ContinueEntry(ctx, v, in.ID, ch)
	})
}

// start runs a mutation that starts a timer, and keeps the one that it stopped.
func start(ctx context.Context, do func(timesheet.Viewer, store.Change) (started timesheet.TimeEntry, stopped *timesheet.TimeEntry, warnings []*timesheet.Error, err error)) (*graph.StartTimerPayload, error) {
	p := &graph.StartTimerPayload{}
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (started timesheet.TimeEntry, warnings []*timesheet.Error, err error) {
		started, p.Stopped, warnings, err = do(v, ch)
		return started, warnings, err
	})
	if err != nil {
		return nil, err
	}
	if p.Stopped != nil && done.Value != nil {
		dataloader.From(ctx).LevelOfEntries([]timesheet.TimeEntry{*done.Value, *p.Stopped})
	}
	p.TimeEntryPayload = *done
	return p, nil
}

// StopTimer ends a timer.
func (m mutation) StopTimer(ctx context.Context, in graph.StopTimerInput) (*graph.TimeEntryPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
		return m.Store.StopTimer(ctx, v, in.ID.Value(), in.EndedAt.Value(), ch)
	})
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
