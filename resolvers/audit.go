package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/timesheet"
)

// AuditLog lists what was changed, newest first.
func (q query) AuditLog(ctx context.Context, first *int, after *string, last *int, before *string) (*graph.AuditConnection, error) {
	return page(ctx, first, after, last, before, actors, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[graph.AuditEvent], error) {
		log, err := q.Store.AuditLog(ctx, v, p)
		return timesheet.Connection[graph.AuditEvent]{
			Nodes: auditEvents(log.Nodes), Cursor: log.Cursor, Total: log.Total,
			HasNextPage: log.HasNextPage, HasPreviousPage: log.HasPreviousPage,
		}, err
	})
}

func auditEvents(events []timesheet.AuditEvent) []graph.AuditEvent {
	shown := make([]graph.AuditEvent, len(events))
	for i, e := range events {
		shown[i] = graph.AuditEvent{AuditEvent: e}
	}
	return shown
}

// actors announces who made the changes of a page.
func actors(set *dataloader.Set, events []graph.AuditEvent) {
	var users []timesheet.UserID
	for _, e := range events {
		if e.ActorID != nil {
			users = append(users, *e.ActorID)
		}
	}
	set.Users.Expect(users)
}

// Actor is who made the change; nil for the command line.
func (audit) Actor(ctx context.Context, e *graph.AuditEvent) (*timesheet.User, error) {
	return load(ctx, dataloader.From(ctx).Users, e.ActorID)
}
