package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Viewer is who asks.
func (q query) Viewer(ctx context.Context) (*timesheet.Viewer, error) {
	v, err := asker(ctx)
	return &v, err
}

// User is the person who asks.
func (viewer) User(ctx context.Context, v *timesheet.Viewer) (*timesheet.User, error) {
	return load(ctx, dataloader.From(ctx).Users, &v.User)
}

// Budget is what the person may still spend.
func (r viewer) Budget(ctx context.Context, _ *timesheet.Viewer) (*graph.CostBudget, error) {
	available, size, restore := r.Config.Budget(ctx)
	return &graph.CostBudget{MaximumAvailable: size, CurrentlyAvailable: available, RestoreRate: restore}, nil
}

// UpdateWorkspace changes the workspace's settings.
func (m mutation) UpdateWorkspace(ctx context.Context, in graph.UpdateWorkspaceInput) (*graph.WorkspacePayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Workspace, []*timesheet.Error, error) {
		settings := timesheet.WorkspaceInput{Name: some(in.Name), WeekStart: some(in.WeekStart), OverlapPolicy: some(in.OverlapPolicy), TimeZone: some(in.TimeZone)}
		return m.Store.UpdateWorkspace(ctx, v, settings, in.ExpectedVersion.Value(), ch)
	})
}
