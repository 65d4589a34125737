package resolvers

import (
	"context"
	"slices"
	"time"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// TimeEntries lists entries, newest first.
func (q query) TimeEntries(ctx context.Context, filter *timesheet.EntryFilter, first *int, after *string, last *int, before *string) (*graph.TimeEntryConnection, error) {
	return page(ctx, first, after, last, before, (*dataloader.Set).LevelOfEntries, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.TimeEntry], error) {
		entries, refs, err := q.Store.TimeEntriesJoined(ctx, v, orZero(filter), p, joins(ctx))
		dataloader.From(ctx).Know(refs)
		return entries, err
	})
}

// MyDay is a day of whoever asks.
func (q query) MyDay(ctx context.Context, date *timesheet.Date, timeZone *string) (*timesheet.Day, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	var zone *time.Location // nil: the workspace's
	if timeZone != nil {
		if zone, err = timesheet.LoadZone(*timeZone); err != nil {
			return nil, err
		}
	}
	day, refs, err := q.Store.MyDayJoined(ctx, v, date, zone, q.Now(), joins(ctx))
	if err != nil {
		return nil, err
	}
	dataloader.From(ctx).Know(refs)
	shown := day.Entries
	if day.Running != nil {
		shown = append(slices.Clip(shown), *day.Running)
	}
	dataloader.From(ctx).LevelOfEntries(shown)
	return &day, nil
}

// CreateTimeEntry keeps a span of finished work.
func (m mutation) CreateTimeEntry(ctx context.Context, in graph.CreateTimeEntryInput) (*graph.TimeEntryPayload, error) {
	entry := timesheet.EntryInput{
		ID: in.ID.Value(), User: in.UserID.Value(),
		Project: opt(in.ProjectID), Task: opt(in.TaskID), Tags: opt(in.TagIds),
		Start: timesheet.Some(in.StartedAt), End: timesheet.Some(in.EndedAt),
		Description: timesheet.Some(in.Description), Billable: some(in.Billable),
	}
	var refs store.Referred
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (e timesheet.TimeEntry, warnings []*timesheet.Error, err error) {
		e, refs, warnings, err = m.Store.CreateTimeEntryJoined(ctx, v, entry, ch, joins(ctx))
		return e, warnings, err
	})
	if err != nil {
		return nil, err
	}
	dataloader.From(ctx).Know(refs)
	return done, nil
}

// UpdateTimeEntry changes an entry.
func (m mutation) UpdateTimeEntry(ctx context.Context, in graph.UpdateTimeEntryInput) (*graph.TimeEntryPayload, error) {
	entry := timesheet.EntryInput{
		Project: opt(in.ProjectID), Task: opt(in.TaskID), Tags: opt(in.TagIds),
		Start: some(in.StartedAt), End: some(in.EndedAt),
		Description: some(in.Description), Billable: some(in.Billable),
	}
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
		return m.Store.UpdateTimeEntry(ctx, v, in.ID, entry, in.ExpectedVersion.Value(), ch)
	})
}

// DeleteTimeEntry deletes an entry.
func (m mutation) DeleteTimeEntry(ctx context.Context, in graph.DeleteTimeEntryInput) (*graph.TimeEntryDeleted, error) {
	return remove(ctx, &in.ID, func(v timesheet.Viewer, ch store.Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
		return m.Store.DeleteTimeEntry(ctx, v, in.ID, in.ExpectedVersion.Value(), ch)
	})
}

// RestoreTimeEntry brings a deleted entry back.
func (m mutation) RestoreTimeEntry(ctx context.Context, in graph.RestoreTimeEntryInput) (*graph.TimeEntryPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.TimeEntry, []*timesheet.Error, error) {
		return m.Store.RestoreTimeEntry(ctx, v, in.ID, ch)
	})
}

// BulkEditTimeEntries changes many entries alike.
func (m mutation) BulkEditTimeEntries(ctx context.Context, in graph.BulkEditTimeEntriesInput) (*graph.BulkEditPayload, error) {
	ids := make([]timesheet.EntryID, len(in.Ids))
	for i, id := range in.Ids {
		ids[i], _ = id.Key().(timesheet.EntryID)
	}
	edit := timesheet.EntryInput{
		Project: opt(in.ProjectID), Task: opt(in.TaskID), Tags: opt(in.TagIds),
		Description: some(in.Description), Billable: some(in.Billable), Invoiced: some(in.Invoiced),
	}
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) ([]timesheet.BulkResult, []*timesheet.Error, error) {
		return m.Store.BulkEditTimeEntries(ctx, v, ids, edit, ch)
	})
	if err != nil {
		return nil, err
	}
	return &graph.BulkEditPayload{Results: bulkResults(in.Ids, orZero(done.Value)), UserErrors: done.UserErrors, Warnings: done.Warnings}, nil
}

// bulkResults names the results by the ids that were sent, which stand in the
// same order.
func bulkResults(ids []graph.ID, done []timesheet.BulkResult) []graph.BulkEditResult {
	results := make([]graph.BulkEditResult, len(done))
	for i, d := range done {
		results[i] = graph.BulkEditResult{ID: ids[i], TimeEntry: d.Entry}
		if d.Error != nil {
			results[i].UserErrors = userErrors(d.Error)
		}
	}
	return results
}

// User is whose work it was.
func (timeEntry) User(ctx context.Context, e *timesheet.TimeEntry) (*timesheet.User, error) {
	return load(ctx, dataloader.From(ctx).Users, &e.UserID)
}

// Project is what the work was for.
func (timeEntry) Project(ctx context.Context, e *timesheet.TimeEntry) (*timesheet.Project, error) {
	return load(ctx, dataloader.From(ctx).Projects, e.ProjectID)
}

// Task is the part of the project.
func (timeEntry) Task(ctx context.Context, e *timesheet.TimeEntry) (*timesheet.Task, error) {
	return load(ctx, dataloader.From(ctx).Tasks, e.TaskID)
}

// Tags are the entry's labels.
func (timeEntry) Tags(ctx context.Context, e *timesheet.TimeEntry) ([]timesheet.Tag, error) {
	return dataloader.From(ctx).Tags.LoadMany(ctx, e.TagIDs)
}

// Amount is what the entry is billed at.
func (timeEntry) Amount(_ context.Context, e *timesheet.TimeEntry) (*timesheet.Money, error) {
	if e.AmountX3600 == nil {
		return nil, nil
	}
	return new(timesheet.MoneyFromX3600(*e.AmountX3600, e.Currency)), nil
}

// Cost is what the entry costs, for those who may know.
func (timeEntry) Cost(ctx context.Context, e *timesheet.TimeEntry) (*timesheet.Money, error) {
	v, err := asker(ctx)
	if err != nil || !v.SeesCosts() || e.EndedAt == nil {
		return nil, err
	}
	return new(timesheet.MoneyFromX3600(e.CostX3600, v.Workspace.Currency)), nil
}
