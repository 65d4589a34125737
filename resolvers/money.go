package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Rates lists the hourly rates that whoever asks may see.
func (q query) Rates(ctx context.Context, filter *timesheet.RateFilter, first *int, after *string, last *int, before *string) (*graph.RateConnection, error) {
	return page(ctx, first, after, last, before, (*dataloader.Set).LevelOfRates, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.Rate], error) {
		return q.Store.Rates(ctx, v, orZero(filter), p)
	})
}

// SetRate sets an hourly rate from a day on.
func (m mutation) SetRate(ctx context.Context, in graph.SetRateInput) (*graph.SetRatePayload, error) {
	set := timesheet.RateInput{
		Kind: in.Kind, User: in.UserID.Value(), Project: in.ProjectID.Value(), Task: in.TaskID.Value(),
		From: in.EffectiveFrom.Value(), Minor: in.Minor.Value(), Currency: in.Currency.Value(),
		Apply: in.ApplyTo, ApplyFrom: in.ApplyFrom.Value(), ApplyThrough: in.ApplyThrough.Value(),
	}
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.RateSet, []*timesheet.Error, error) {
		return m.Store.SetRate(ctx, v, set, ch)
	})
	if err != nil {
		return nil, err
	}
	p := &graph.SetRatePayload{UserErrors: done.UserErrors, Warnings: done.Warnings}
	if done.Value != nil {
		p.Rate, p.Repriced = &done.Value.Rate, new(int(done.Value.Repriced))
	}
	return p, nil
}

// ProjectBudgets lists the projects that have a budget.
func (q query) ProjectBudgets(ctx context.Context, first *int, after *string, last *int, before *string) (*graph.ProjectConnection, error) {
	return page(ctx, first, after, last, before, (*dataloader.Set).LevelOfProjects, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.Project], error) {
		return q.Store.ProjectBudgets(ctx, v, p)
	})
}

// SetBudget gives a project a budget, or takes it away.
func (m mutation) SetBudget(ctx context.Context, in graph.SetBudgetInput) (*graph.ProjectPayload, error) {
	budget := timesheet.BudgetInput{
		Seconds: in.Seconds.Value(), Minor: in.Minor.Value(), Currency: in.Currency.Value(), Period: in.Period, Alerts: in.Alerts,
	}
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Project, []*timesheet.Error, error) {
		return m.Store.SetBudget(ctx, v, in.ProjectID, budget, ch)
	})
}

// Budget is what the project may take.
func (project) Budget(ctx context.Context, p *timesheet.Project) (*timesheet.Budget, error) {
	return load(ctx, dataloader.From(ctx).Budgets, &p.ID)
}

// Burn is how much of the budget is used.
func (project) Burn(ctx context.Context, p *timesheet.Project) (*timesheet.Burn, error) {
	if graph.Sheds(ctx) {
		return nil, nil
	}
	return load(ctx, dataloader.From(ctx).Burns, &p.ID)
}

// User is whose rate it is.
func (rate) User(ctx context.Context, r *timesheet.Rate) (*timesheet.User, error) {
	return load(ctx, dataloader.From(ctx).Users, r.User)
}

// Project is what the rate is for.
func (rate) Project(ctx context.Context, r *timesheet.Rate) (*timesheet.Project, error) {
	return load(ctx, dataloader.From(ctx).Projects, r.Project)
}

// Task is what the rate is for.
func (rate) Task(ctx context.Context, r *timesheet.Rate) (*timesheet.Task, error) {
	return load(ctx, dataloader.From(ctx).Tasks, r.Task)
}
