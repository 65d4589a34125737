package resolvers

import (
	"context"
	"maps"

	"github.com/99designs/gqlgen/graphql"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// change runs a mutation for whoever asks.
func change[T any](ctx context.Context, do func(timesheet.Viewer, store.Change) (T, []*timesheet.Error, error)) (*graph.Payload[T], error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	value, warnings, err := do(v, describe(ctx))
	set := dataloader.From(ctx)
	set.Clear() // what an earlier mutation has read may have changed
	announce(set, value)
	return answer(value, warnings, err)
}

// announce tells the loaders what a mutation answers with.
func announce(set *dataloader.Set, value any) {
	switch v := value.(type) {
	case timesheet.TimeEntry:
		set.LevelOfEntries([]timesheet.TimeEntry{v})
	case timesheet.Client:
		set.LevelOfClients([]timesheet.Client{v})
	case timesheet.Project:
		set.LevelOfProjects([]timesheet.Project{v})
	case timesheet.Task:
		set.LevelOfTasks([]timesheet.Task{v})
	case []timesheet.BulkResult:
		var entries []timesheet.TimeEntry
		for _, r := range v {
			if r.Entry != nil {
				entries = append(entries, *r.Entry)
			}
		}
		set.LevelOfEntries(entries)
	}
}

// remove runs a mutation that deletes what key names; key is read when it has
// run.
func remove[K, T any](ctx context.Context, key *K, do func(timesheet.Viewer, store.Change) (T, []*timesheet.Error, error)) (*graph.Payload[K], error) {
	done, err := change(ctx, do)
	if err != nil {
		return nil, err
	}
	p := &graph.Payload[K]{UserErrors: done.UserErrors, Warnings: done.Warnings}
	if len(done.UserErrors) == 0 {
		p.Value = key
	}
	return p, nil
}

// answer turns what the store returned into a payload. Of a version conflict
// it holds the thing as it is now.
func answer[T any](value T, warnings []*timesheet.Error, err error) (*graph.Payload[T], error) {
	p := &graph.Payload[T]{Warnings: userErrors(warnings...)}
	broken, isRule := timesheet.AsError(err)
	if err != nil && !isRule {
		return nil, err
	}
	if isRule {
		p.UserErrors = userErrors(broken)
	}
	if !isRule || broken.Code == timesheet.CodeVersionConflict {
		p.Value = &value
	}
	return p, nil
}

func userErrors(broken ...*timesheet.Error) []graph.UserError {
	errs := make([]graph.UserError, len(broken))
	for i, e := range broken {
		errs[i] = graph.UserError{Error: e}
	}
	return errs
}

// describe names the running mutation and its input, as the client sent it,
// to the audit log and to the store's memory of repeats.
func describe(ctx context.Context) store.Change {
	field := graphql.GetFieldContext(ctx).Field
	args := field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	input, _ := args["input"].(map[string]any)
	rest := maps.Clone(input)
	delete(rest, "idempotencyKey")
	ch := store.Change{Action: field.Name, Input: rest}
	if key, ok := input["idempotencyKey"].(string); ok {
		ch.Key = &key
	}
	return ch
}
