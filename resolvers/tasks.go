package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// CreateTask makes a task.
func (m mutation) CreateTask(ctx context.Context, in graph.CreateTaskInput) (*graph.TaskPayload, error) {
	task := timesheet.TaskInput{
		Project: in.ProjectID, Name: timesheet.Some(in.Name),
		Billable: opt(in.Billable), EstimateSeconds: opt(in.EstimateSeconds),
	}
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Task, []*timesheet.Error, error) {
		return m.Store.CreateTask(ctx, v, task, ch)
	})
}

// UpdateTask changes a task.
func (m mutation) UpdateTask(ctx context.Context, in graph.UpdateTaskInput) (*graph.TaskPayload, error) {
	task := timesheet.TaskInput{
		Name: some(in.Name), Done: some(in.Done),
		Billable: opt(in.Billable), EstimateSeconds: opt(in.EstimateSeconds),
	}
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Task, []*timesheet.Error, error) {
		return m.Store.UpdateTask(ctx, v, in.ID, task, in.ExpectedVersion.Value(), ch)
	})
}

// ArchiveTask takes a task out of use, or back into it.
func (m mutation) ArchiveTask(ctx context.Context, in graph.ArchiveTaskInput) (*graph.TaskPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Task, []*timesheet.Error, error) {
		return m.Store.ArchiveTask(ctx, v, in.ID, in.Archived, in.ExpectedVersion.Value(), ch)
	})
}

// DeleteTask deletes a task.
func (m mutation) DeleteTask(ctx context.Context, in graph.DeleteTaskInput) (*graph.TaskDeleted, error) {
	return remove(ctx, &in.ID, func(v timesheet.Viewer, ch store.Change) (timesheet.Task, []*timesheet.Error, error) {
		return m.Store.DeleteTask(ctx, v, in.ID, in.ExpectedVersion.Value(), ch)
	})
}

// Project is what the task is a part of.
func (task) Project(ctx context.Context, t *timesheet.Task) (*timesheet.Project, error) {
	return load(ctx, dataloader.From(ctx).Projects, &t.ProjectID)
}
