package resolvers

import (
	"context"

	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Tags lists the labels of entries.
func (q query) Tags(ctx context.Context, filter *timesheet.ListFilter, order timesheet.ListOrder, first *int, after *string, last *int, before *string) (*graph.TagConnection, error) {
	return page(ctx, first, after, last, before, nil, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.Tag], error) {
		return q.Store.Tags(ctx, v, orZero(filter), order, p)
	})
}

// CreateTag makes a tag.
func (m mutation) CreateTag(ctx context.Context, in graph.CreateTagInput) (*graph.TagPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Tag, []*timesheet.Error, error) {
		return m.Store.CreateTag(ctx, v, timesheet.TagInput{Name: timesheet.Some(in.Name)}, ch)
	})
}

// UpdateTag changes a tag.
func (m mutation) UpdateTag(ctx context.Context, in graph.UpdateTagInput) (*graph.TagPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Tag, []*timesheet.Error, error) {
		return m.Store.UpdateTag(ctx, v, in.ID, timesheet.TagInput{Name: some(in.Name)}, in.ExpectedVersion.Value(), ch)
	})
}

// ArchiveTag takes a tag out of use, or back into it.
func (m mutation) ArchiveTag(ctx context.Context, in graph.ArchiveTagInput) (*graph.TagPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Tag, []*timesheet.Error, error) {
		return m.Store.ArchiveTag(ctx, v, in.ID, in.Archived, in.ExpectedVersion.Value(), ch)
	})
}

// DeleteTag deletes a tag.
func (m mutation) DeleteTag(ctx context.Context, in graph.DeleteTagInput) (*graph.TagDeleted, error) {
	return remove(ctx, &in.ID, func(v timesheet.Viewer, ch store.Change) (timesheet.Tag, []*timesheet.Error, error) {
		return m.Store.DeleteTag(ctx, v, in.ID, in.ExpectedVersion.Value(), ch)
	})
}
