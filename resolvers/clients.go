package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Clients lists whom projects are done for.
func (q query) Clients(ctx context.Context, filter *timesheet.ListFilter, order timesheet.ListOrder, first *int, after *string, last *int, before *string) (*graph.ClientConnection, error) {
	return page(ctx, first, after, last, before, (*dataloader.Set).LevelOfClients, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.Client], error) {
		return q.Store.Clients(ctx, v, orZero(filter), order, p)
	})
}

// CreateClient makes a client.
func (m mutation) CreateClient(ctx context.Context, in graph.CreateClientInput) (*graph.ClientPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Client, []*timesheet.Error, error) {
		return m.Store.CreateClient(ctx, v, timesheet.ClientInput{Name: timesheet.Some(in.Name)}, ch)
	})
}

// UpdateClient changes a client.
func (m mutation) UpdateClient(ctx context.Context, in graph.UpdateClientInput) (*graph.ClientPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Client, []*timesheet.Error, error) {
		return m.Store.UpdateClient(ctx, v, in.ID, timesheet.ClientInput{Name: some(in.Name)}, in.ExpectedVersion.Value(), ch)
	})
}

// ArchiveClient takes a client out of use, or back into it.
func (m mutation) ArchiveClient(ctx context.Context, in graph.ArchiveClientInput) (*graph.ClientPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Client, []*timesheet.Error, error) {
		return m.Store.ArchiveClient(ctx, v, in.ID, in.Archived, in.ExpectedVersion.Value(), ch)
	})
}

// DeleteClient deletes a client.
func (m mutation) DeleteClient(ctx context.Context, in graph.DeleteClientInput) (*graph.ClientDeleted, error) {
	return remove(ctx, &in.ID, func(v timesheet.Viewer, ch store.Change) (timesheet.Client, []*timesheet.Error, error) {
		return m.Store.DeleteClient(ctx, v, in.ID, in.ExpectedVersion.Value(), ch)
	})
}

// Projects lists a client's projects.
func (client) Projects(ctx context.Context, c *timesheet.Client, filter *timesheet.ListFilter, first *int, after *string, last *int, before *string) (*graph.ProjectConnection, error) {
	p, err := slice(first, after, last, before)
	if err != nil {
		return nil, err
	}
	projects, _, err := dataloader.From(ctx).ProjectsOfClient.Load(ctx, c.ID, dataloader.ListOf(orZero(filter), p))
	return (*graph.ProjectConnection)(&projects), err
}
