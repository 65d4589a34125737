package resolvers

import (
	"context"

	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// LockPeriod closes the books through a day.
func (m mutation) LockPeriod(ctx context.Context, in graph.LockPeriodInput) (*graph.WorkspacePayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Workspace, []*timesheet.Error, error) {
		return m.Store.LockPeriod(ctx, v, in.Through, ch)
	})
}

// UnlockPeriod opens closed books.
func (m mutation) UnlockPeriod(ctx context.Context, in graph.UnlockPeriodInput) (*graph.WorkspacePayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Workspace, []*timesheet.Error, error) {
		return m.Store.UnlockPeriod(ctx, v, in.KeepThrough.Value(), ch)
	})
}
