package resolvers

import (
	"context"

	"golang.org/x/sync/errgroup"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/timesheet"
)

// Node is the object of an id, nil where there is none.
func (q query) Node(ctx context.Context, id graph.ID) (graph.Node, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	return node(ctx, v, id)
}

// maxNodes is how many ids nodes takes: one batch of a loader.
const maxNodes = 100

// Nodes are the objects of several ids, nil in the place of each that is not
// there. They are asked for at once, so that a type is one statement.
func (q query) Nodes(ctx context.Context, ids []graph.ID) ([]graph.Node, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) > maxNodes {
		return nil, timesheet.Errorf(timesheet.CodeInvalid, "ids", "at most %d ids", maxNodes)
	}
	expect(dataloader.From(ctx), ids)
	found := make([]graph.Node, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	for i, id := range ids {
		group.Go(func() (err error) {
			found[i], err = node(ctx, v, id)
			return err
		})
	}
	return found, group.Wait()
}

// expect announces ids by type.
func expect(set *dataloader.Set, ids []graph.ID) {
	set.Users.Expect(keys[timesheet.UserID](ids))
	set.Clients.Expect(keys[timesheet.ClientID](ids))
	set.Projects.Expect(keys[timesheet.ProjectID](ids))
	set.Tasks.Expect(keys[timesheet.TaskID](ids))
	set.Tags.Expect(keys[timesheet.TagID](ids))
	set.Entries.Expect(keys[timesheet.EntryID](ids))
}

// keys are those of one type.
func keys[K any](ids []graph.ID) (found []K) {
	for _, id := range ids {
		if key, ok := id.Key().(K); ok {
			found = append(found, key)
		}
	}
	return found
}

// node reads what an id names. Deleted things are not there.
func node(ctx context.Context, v timesheet.Viewer, id graph.ID) (graph.Node, error) {
	set := dataloader.From(ctx)
	switch key := id.Key().(type) {
	case timesheet.WorkspaceID:
		if key == v.Workspace.ID {
			return v.Workspace, nil
		}
	case timesheet.UserID:
		return kept(ctx, set.Users, key, func(u *timesheet.User) bool { return u.Deleted })
	case timesheet.ClientID:
		return kept(ctx, set.Clients, key, func(c *timesheet.Client) bool { return c.Deleted })
	case timesheet.ProjectID:
		return kept(ctx, set.Projects, key, func(p *timesheet.Project) bool { return p.Deleted })
	case timesheet.TaskID:
		return kept(ctx, set.Tasks, key, func(t *timesheet.Task) bool { return t.Deleted })
	case timesheet.TagID:
		return kept(ctx, set.Tags, key, func(t *timesheet.Tag) bool { return t.Deleted })
	case timesheet.EntryID:
		return kept(ctx, set.Entries, key, func(e *timesheet.TimeEntry) bool { return e.Deleted })
	}
	return nil, nil
}

// kept loads what was not deleted.
func kept[K comparable, V any](ctx context.Context, l dataloader.Loader[K, V], key K, deleted func(*V) bool) (graph.Node, error) {
	v, err := load(ctx, l, &key)
	if err != nil || v == nil || deleted(v) {
		return nil, err
	}
	return v, nil
}
