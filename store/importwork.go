package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const readImportProjects = `/* readImportProjects */
SELECT p.id, coalesce(p.client_id, 0), p.name_key, p.billable
FROM project p
WHERE p.workspace_id = $1
  AND p.deleted_at IS NULL
  AND p.name_key = ANY ($2)`

const insertImportProjects = `/* insertImportProjects */
INSERT INTO project (workspace_id, client_id, name, name_key)
SELECT $1, nullif(u.client_id, 0), u.name, u.name_key
FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS u (client_id, name, name_key, n)
ORDER BY u.n
ON CONFLICT (workspace_id, coalesce(client_id, 0), name_key) WHERE deleted_at IS NULL DO NOTHING`

func (im *importer) resolveProjects(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	var projects wants[projectKey]
	for _, it := range items {
		if it.project.name != "" {
			projects.add(im.projectOf(it), it.row.Project, "")
		}
	}
	known := im.known.projects
	err := lookup[projectKey, foundProject]{
		known: known,
		read:  func(all []wanted[projectKey]) error { return im.readProjects(ctx, tx, all) },
		insert: func(all []wanted[projectKey]) error {
			_, err := tx.Exec(ctx, insertImportProjects, im.v.Workspace.ID,
				valuesOf(all, func(w wanted[projectKey]) timesheet.ClientID { return w.key.client }),
				valuesOf(all, func(w wanted[projectKey]) string { return w.name }),
				valuesOf(all, func(w wanted[projectKey]) string { return w.key.name }))
			return err
		},
		imagine: func(id int64) foundProject { return foundProject{timesheet.ProjectID(id), true} },
	}.ensure(im, projects)
	for _, it := range items {
		if it.project.name == "" {
			continue
		}
		found, ok := known[im.projectOf(it)]
		if !ok {
			it.unknown(timesheet.FieldProject, "project")
		}
		it.entry.ProjectID, it.entry.Billable = &found.id, found.billable
	}
	return err
}

func (im *importer) projectOf(it *importItem) projectKey {
	return projectKey{im.known.clients[it.project.client], it.project.name}
}

// readProjects finds projects by client and name. One that is wanted without a
// client is the one without a client, else the only one of its name.
func (im *importer) readProjects(ctx context.Context, tx pgx.Tx, all []wanted[projectKey]) error {
	named := map[string][]foundProject{}
	var k projectKey
	var p foundProject
	rows, err := tx.Query(ctx, readImportProjects, im.v.Workspace.ID, valuesOf(all, func(w wanted[projectKey]) string { return w.key.name }))
	err = each(rows, err, []any{&p.id, &k.client, &k.name, &p.billable}, func() {
		im.known.projects[k] = p
		named[k.name] = append(named[k.name], p)
	})
	for _, w := range all {
		_, found := im.known.projects[w.key]
		if same := named[w.key.name]; !found && w.key.client == 0 && len(same) == 1 {
			im.known.projects[w.key] = same[0]
		}
	}
	return err
}

const readImportTasks = `/* readImportTasks */
SELECT t.id, t.project_id, t.name_key, t.billable
FROM task t
WHERE t.workspace_id = $1
  AND t.deleted_at IS NULL
  AND t.project_id = ANY ($2)
  AND t.name_key = ANY ($3)`

const insertImportTasks = `/* insertImportTasks */
INSERT INTO task (workspace_id, project_id, name, name_key)
SELECT $1, u.project_id, u.name, u.name_key
FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS u (project_id, name, name_key, n)
ORDER BY u.n
ON CONFLICT (workspace_id, project_id, name_key) WHERE deleted_at IS NULL DO NOTHING`

// resolveTasks also settles whether the entries are billable: as the row says,
// else as the task, else as the project.
func (im *importer) resolveTasks(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	var tasks wants[taskKey]
	for _, it := range items {
		if it.task != "" {
			tasks.add(taskKey{*it.entry.ProjectID, it.task}, it.row.Task, "")
		}
	}
	known := im.known.tasks
	projectOf := func(w wanted[taskKey]) timesheet.ProjectID { return w.key.project }
	keyOf := func(w wanted[taskKey]) string { return w.key.name }
	err := lookup[taskKey, foundTask]{
		known: known,
		read: func(all []wanted[taskKey]) error {
			var k taskKey
			var t foundTask
			rows, err := tx.Query(ctx, readImportTasks, im.v.Workspace.ID, valuesOf(all, projectOf), valuesOf(all, keyOf))
			return each(rows, err, []any{&t.id, &k.project, &k.name, &t.billable}, func() { known[k] = t })
		},
		insert: func(all []wanted[taskKey]) error {
			_, err := tx.Exec(ctx, insertImportTasks, im.v.Workspace.ID, valuesOf(all, projectOf),
				valuesOf(all, func(w wanted[taskKey]) string { return w.name }), valuesOf(all, keyOf))
			return err
		},
		imagine: func(id int64) foundTask { return foundTask{id: timesheet.TaskID(id)} },
	}.ensure(im, tasks)
	for _, it := range items {
		if it.task != "" {
			found, ok := known[taskKey{*it.entry.ProjectID, it.task}]
			if !ok {
				it.unknown(timesheet.FieldTask, "task of this project")
			}
			if it.entry.TaskID = &found.id; found.billable != nil {
				it.entry.Billable = *found.billable
			}
		}
		if it.row.Billable != nil {
			it.entry.Billable = *it.row.Billable
		}
	}
	return err
}

const insertImportMembers = `/* insertImportMembers */
INSERT INTO project_member (workspace_id, project_id, user_id)
SELECT $1, u.project_id, u.user_id
FROM unnest($2::bigint[], $3::bigint[]) AS u (project_id, user_id)
ORDER BY u.project_id, u.user_id
ON CONFLICT ON CONSTRAINT project_member_pk DO NOTHING`

// joinProjects makes people members of the projects they have worked on.
func (im *importer) joinProjects(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	var projects []timesheet.ProjectID
	var users []timesheet.UserID
	for _, it := range items {
		if it.entry.ProjectID == nil {
			continue
		}
		k := memberKey{*it.entry.ProjectID, it.entry.UserID}
		if !im.known.members[k] {
			im.known.members[k] = true
			projects, users = append(projects, k.project), append(users, k.user)
		}
	}
	if im.o.Preview || len(users) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, insertImportMembers, im.v.Workspace.ID, projects, users)
	return err
}
