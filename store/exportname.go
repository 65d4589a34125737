package store

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// maxExportNames bounds the names that an export holds.
const maxExportNames = 50_000

// exportNames are the names that an export has met, read in its snapshot. As in
// reports, people keep seeing the names of what they have worked on.
type exportNames struct {
	tx     pgx.Tx
	viewer timesheet.Viewer
	known  map[timesheet.GroupKey]names
	emails map[int64]string
	held   int
}

// read looks up those of some ids that are not known.
func (n *exportNames) read(ctx context.Context, kind timesheet.GroupKey, ids map[int64]bool) error {
	delete(ids, 0)
	for id := range n.known[kind] {
		delete(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	if n.known[kind] == nil {
		n.known[kind] = names{}
	}
	n.held += len(ids)
	if kind == timesheet.GroupUser {
		return n.readPeople(ctx, ids)
	}
	rows, err := n.tx.Query(ctx, dimensions[kind].names, n.viewer.Workspace.ID, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, scanName)
	for _, name := range found {
		n.known[kind][name.id] = name
	}
	return err
}

func (n *exportNames) readPeople(ctx context.Context, ids map[int64]bool) error {
	rows, err := n.tx.Query(ctx, usersByID, n.viewer.Workspace.ID, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, memberRow(n.viewer))
	for _, u := range found {
		n.known[timesheet.GroupUser][int64(u.ID)] = name{id: int64(u.ID), text: u.Name}
		if u.Email != nil {
			n.emails[int64(u.ID)] = *u.Email
		}
	}
	return err
}

// begin forgets what is known when it has become too much.
func (n *exportNames) begin() {
	if n.known == nil || n.held > maxExportNames {
		n.known, n.emails, n.held = map[timesheet.GroupKey]names{}, map[int64]string{}, 0
	}
}

// ofEntries reads the names that entries refer to.
func (n *exportNames) ofEntries(ctx context.Context, entries []timesheet.TimeEntry) error {
	n.begin()
	users, projects, tasks, tags := map[int64]bool{}, map[int64]bool{}, map[int64]bool{}, map[int64]bool{}
	for i := range entries {
		e := &entries[i]
		users[int64(e.UserID)] = true
		projects[idOrZero(e.ProjectID)] = true
		tasks[idOrZero(e.TaskID)] = true
		for _, tag := range e.TagIDs {
			tags[int64(tag)] = true
		}
	}
	clients := map[int64]bool{}
	for _, step := range []struct {
		kind timesheet.GroupKey
		ids  map[int64]bool
	}{
		{timesheet.GroupUser, users},
		{timesheet.GroupProject, projects},
		{timesheet.GroupTask, tasks},
		{timesheet.GroupTag, tags},
		{timesheet.GroupClient, clients},
	} {
		if step.kind == timesheet.GroupClient {
			for _, p := range n.known[timesheet.GroupProject] {
				clients[p.client] = true
			}
		}
		if err := n.read(ctx, step.kind, step.ids); err != nil {
			return err
		}
	}
	return nil
}

func idOrZero[K ~int64](id *K) int64 {
	if id == nil {
		return 0
	}
	return int64(*id)
}

func (n *exportNames) entry(e timesheet.TimeEntry) timesheet.ExportEntry {
	project := n.known[timesheet.GroupProject][idOrZero(e.ProjectID)]
	x := timesheet.ExportEntry{
		TimeEntry: e, User: n.known[timesheet.GroupUser][int64(e.UserID)].text, Email: n.emails[int64(e.UserID)],
		Client: n.known[timesheet.GroupClient][project.client].text, Project: project.text,
		Task: n.known[timesheet.GroupTask][idOrZero(e.TaskID)].text,
	}
	for _, tag := range e.TagIDs {
		x.Tags = append(x.Tags, n.known[timesheet.GroupTag][int64(tag)].text)
	}
	return x
}

// ofGroups reads the names of a report's leaves.
func (n *exportNames) ofGroups(ctx context.Context, by []timesheet.GroupKey, groups []exportGroup) error {
	n.begin()
	for i, key := range by {
		if dimensions[key].names == "" {
			continue
		}
		ids := map[int64]bool{}
		for _, g := range groups {
			ids[g.keys[i]] = true
		}
		if err := n.read(ctx, key, ids); err != nil {
			return err
		}
	}
	return nil
}

// label is how a group is called, as in reports.
func (n *exportNames) label(key timesheet.GroupKey, value int64) string {
	return labels{names: n.known, weekStart: n.viewer.Workspace.WeekStart}.of(key, value).text
}
