package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/timesheet"
)

// WeekGrid is a person's week.
func (q query) WeekGrid(ctx context.Context, userID *graph.ID, week *timesheet.Date) (*timesheet.Week, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	user := v.User
	if userID != nil {
		key, ok := userID.Key().(timesheet.UserID)
		if !ok {
			return nil, nil
		}
		user = key
	}
	grid, err := q.Store.WeekGrid(ctx, v, user, week, q.Now())
	if err != nil || grid == nil {
		return nil, err
	}
	dataloader.From(ctx).LevelOfWeek(grid.Rows)
	return grid, nil
}

// Project is what a row is about.
func (weekRow) Project(ctx context.Context, r *timesheet.WeekRow) (*timesheet.Project, error) {
	return load(ctx, dataloader.From(ctx).Projects, r.ProjectID)
}

// Task is the part of the project.
func (weekRow) Task(ctx context.Context, r *timesheet.WeekRow) (*timesheet.Task, error) {
	return load(ctx, dataloader.From(ctx).Tasks, r.TaskID)
}
