package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Projects lists the projects that whoever asks may see.
func (q query) Projects(ctx context.Context, filter *timesheet.ListFilter, order timesheet.ListOrder, first *int, after *string, last *int, before *string) (*graph.ProjectConnection, error) {
	return page(ctx, first, after, last, before, (*dataloader.Set).LevelOfProjects, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.Project], error) {
		projects, beside, err := q.Store.ProjectsJoined(ctx, v, orZero(filter), order, p, projectJoins(ctx))
		dataloader.From(ctx).KnowBeside(beside)
		return projects, err
	})
}

// CreateProject makes a project.
func (m mutation) CreateProject(ctx context.Context, in graph.CreateProjectInput) (*graph.ProjectPayload, error) {
	project := timesheet.ProjectInput{
		Name: timesheet.Some(in.Name), Client: opt(in.ClientID),
		Code: opt(in.Code), Color: opt(in.Color), Billable: timesheet.Some(in.Billable),
	}
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Project, []*timesheet.Error, error) {
		return m.Store.CreateProject(ctx, v, project, ch)
	})
}

// UpdateProject changes a project.
func (m mutation) UpdateProject(ctx context.Context, in graph.UpdateProjectInput) (*graph.ProjectPayload, error) {
	project := timesheet.ProjectInput{
		Name: some(in.Name), Client: opt(in.ClientID),
		Code: opt(in.Code), Color: opt(in.Color), Billable: some(in.Billable),
		RateOrder: timesheet.Opt[[]timesheet.RateScope]{Value: in.RateOrder.Value(), Given: in.RateOrder.Value() != nil},
	}
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Project, []*timesheet.Error, error) {
		return m.Store.UpdateProject(ctx, v, in.ID, project, in.ExpectedVersion.Value(), ch)
	})
}

// ArchiveProject takes a project out of use, or back into it.
func (m mutation) ArchiveProject(ctx context.Context, in graph.ArchiveProjectInput) (*graph.ProjectPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Project, []*timesheet.Error, error) {
		return m.Store.ArchiveProject(ctx, v, in.ID, in.Archived, in.ExpectedVersion.Value(), ch)
	})
}

// DeleteProject deletes a project.
func (m mutation) DeleteProject(ctx context.Context, in graph.DeleteProjectInput) (*graph.ProjectDeleted, error) {
	return remove(ctx, &in.ID, func(v timesheet.Viewer, ch store.Change) (timesheet.Project, []*timesheet.Error, error) {
		return m.Store.DeleteProject(ctx, v, in.ID, in.ExpectedVersion.Value(), ch)
	})
}

// SetProjectMember lets a person track time on a project, or lead it.
func (m mutation) SetProjectMember(ctx context.Context, in graph.SetProjectMemberInput) (*graph.ProjectPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Project, []*timesheet.Error, error) {
		return m.Store.SetProjectMember(ctx, v, in.ProjectID, in.UserID, in.Lead, ch)
	})
}

// RemoveProjectMember takes a person off a project.
func (m mutation) RemoveProjectMember(ctx context.Context, in graph.RemoveProjectMemberInput) (*graph.ProjectPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Project, []*timesheet.Error, error) {
		return m.Store.RemoveProjectMember(ctx, v, in.ProjectID, in.UserID, ch)
	})
}

// Client is whom the project is done for.
func (project) Client(ctx context.Context, p *timesheet.Project) (*timesheet.Client, error) {
	return load(ctx, dataloader.From(ctx).Clients, p.ClientID)
}

// Tasks lists the parts of the project.
func (project) Tasks(ctx context.Context, p *timesheet.Project, filter *timesheet.ListFilter, first *int, after *string, last *int, before *string) (*graph.TaskConnection, error) {
	part, err := slice(first, after, last, before)
	if err != nil {
		return nil, err
	}
	tasks, _, err := dataloader.From(ctx).TasksOfProject.Load(ctx, p.ID, dataloader.ListOf(orZero(filter), part))
	return (*graph.TaskConnection)(&tasks), err
}

// Members lists who may track time on the project.
func (project) Members(ctx context.Context, p *timesheet.Project, first *int, after *string, last *int, before *string) (*graph.UserConnection, error) {
	part, err := slice(first, after, last, before)
	if err != nil {
		return nil, err
	}
	members, _, err := dataloader.From(ctx).MembersOfProject.Load(ctx, p.ID, part)
	return (*graph.UserConnection)(&members), err
}

// TrackedSeconds is the time tracked on the project, zero where none was.
func (project) TrackedSeconds(ctx context.Context, p *timesheet.Project, period *timesheet.Period) (*int64, error) {
	span := timesheet.Opt[timesheet.Period]{Value: orZero(period), Given: period != nil}
	seconds, _, err := dataloader.From(ctx).TrackedSeconds.Load(ctx, p.ID, span)
	return &seconds, err
}
