package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// The last column is missing: whether the task is deleted.
const (
	taskFacts   = `t.id, t.project_id, t.name, t.done_at IS NOT NULL, t.archived_at IS NOT NULL, t.billable, t.estimate_seconds, t.version, `
	taskColumns = taskFacts + `t.deleted_at IS NOT NULL`
)

func scanTask(row pgx.CollectableRow) (t timesheet.Task, err error) {
	return t, row.Scan(taskFields(&t)...)
}

// taskFields are where taskColumns are scanned into.
func taskFields(t *timesheet.Task) []any {
	return []any{(*int64)(&t.ID), (*int64)(&t.ProjectID), &t.Name, &t.Done, &t.Archived, &t.Billable, &t.EstimateSeconds, &t.Version, &t.Deleted}
}

const lockTask = `/* lockTask */
SELECT pm.user_id IS NOT NULL, coalesce(pm.lead, false), ` + taskColumns + `
FROM task t
JOIN project p ON p.workspace_id = t.workspace_id AND p.id = t.project_id
LEFT JOIN project_member pm ON pm.workspace_id = p.workspace_id AND pm.project_id = p.id AND pm.user_id = $3
WHERE t.workspace_id = $1
  AND t.id = $2
  AND t.deleted_at IS NULL
  AND p.deleted_at IS NULL
FOR NO KEY UPDATE OF t`

var tasks = thing[timesheet.TaskID, timesheet.Task]{
	entity: "Task", noun: "task", alias: "t", lock: lockTask, scan: scanTask,
	head: func(t timesheet.Task) (timesheet.TaskID, string, int) { return t.ID, t.Name, t.Version },
	byID: (*Store).TasksByID,
}

const listTasksOfProjects = `/* listTasksOfProjects */
SELECT p.id, child.*
FROM project p
CROSS JOIN LATERAL (
  SELECT ` + taskColumns + `
  FROM task t
  WHERE t.workspace_id = $1
  AND t.project_id = p.id
  AND t.deleted_at IS NULL`

const endTasksOfProjects = `
) child
WHERE p.workspace_id = $1
  AND p.id = ANY ($2)
  AND p.deleted_at IS NULL`

const countTasksOfProjects = `/* countTasksOfProjects */
SELECT p.id, count(*)
FROM project p
JOIN task t ON t.workspace_id = p.workspace_id AND t.project_id = p.id
WHERE p.workspace_id = $1
  AND p.id = ANY ($2)
  AND p.deleted_at IS NULL
  AND t.deleted_at IS NULL`

// TasksOfProjects returns a page of each project's tasks, in alphabetical
// order, in one statement.
func (s *Store) TasksOfProjects(ctx context.Context, v timesheet.Viewer, ids []timesheet.ProjectID, f timesheet.ListFilter, p timesheet.Page) (map[timesheet.ProjectID]timesheet.Connection[timesheet.Task], error) {
	q, err := taskFamily(v, ids, f)
	if err != nil {
		return nil, err
	}
	pages, err := q.read(ctx, s, ids, p)
	if err != nil {
		return nil, fmt.Errorf("list tasks of projects: %w", err)
	}
	return pages, nil
}

func taskFamily(v timesheet.Viewer, ids []timesheet.ProjectID, f timesheet.ListFilter) (family[timesheet.ProjectID, timesheet.Task], error) {
	args := arguments{v.Workspace.ID, ids}
	inner, err := tasks.filter(f, &args)
	return family[timesheet.ProjectID, timesheet.Task]{
		rows: listTasksOfProjects, rowsEnd: endTasksOfProjects, count: countTasksOfProjects,
		inner: inner, outer: projectsSeen(v, "p.id", &args), args: args,
		order: tasks.order(timesheet.OrderName), scan: scanTask,
	}, err
}

const tasksByID = `/* tasksByID */
SELECT ` + taskFacts + `coalesce(t.deleted_at, p.deleted_at) IS NOT NULL
FROM task t
JOIN project p ON p.workspace_id = t.workspace_id AND p.id = t.project_id
WHERE t.workspace_id = $1
  AND t.id = ANY ($2)`

// TasksByID returns the tasks among ids that the viewer may see, deleted ones
// and those of deleted projects too, both marked as deleted.
func (s *Store) TasksByID(ctx context.Context, v timesheet.Viewer, ids []timesheet.TaskID) (map[timesheet.TaskID]timesheet.Task, error) {
	args := arguments{v.Workspace.ID, ids}
	sql := tasksByID + projectsSeen(v, "t.project_id", &args)
	return byKey(ctx, s, "tasks", scanTask, func(t timesheet.Task) timesheet.TaskID { return t.ID }, sql, args...)
}

const insertTask = `/* insertTask */
INSERT INTO task AS t (workspace_id, project_id, name, name_key, done_at, billable, estimate_seconds)
VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END, $6, $7)
RETURNING ` + taskColumns

// CreateTask makes a task of a project; who may change the project may.
func (s *Store) CreateTask(ctx context.Context, v timesheet.Viewer, in timesheet.TaskInput, ch Change) (timesheet.Task, []*timesheet.Error, error) {
	return tasks.mutate(ctx, s, v, ch, func(tx pgx.Tx) (none timesheet.Task, err error) {
		project, err := projects.locked(ctx, tx, v, "projectId", in.Project, leads)
		if err != nil {
			return none, err
		}
		if project.Archived {
			return none, timesheet.Errorf(timesheet.CodeArchived, "projectId", "this project is archived")
		}
		return storeTask(ctx, tx, insertTask, v.Workspace.ID, in.Project, none, in)
	})
}

const updateTask = `/* updateTask */
UPDATE task AS t
SET name = $3, name_key = $4, done_at = CASE WHEN $5 THEN coalesce(t.done_at, now()) END, billable = $6,
  estimate_seconds = $7, version = t.version + 1
WHERE t.workspace_id = $1
  AND t.id = $2
RETURNING ` + taskColumns

// UpdateTask changes a task; who may change its project may. A task stays in
// its project.
func (s *Store) UpdateTask(ctx context.Context, v timesheet.Viewer, id timesheet.TaskID, in timesheet.TaskInput, expected *int, ch Change) (timesheet.Task, []*timesheet.Error, error) {
	return tasks.edit(ctx, s, v, id, expected, ch, leads, func(tx pgx.Tx, before timesheet.Task) (timesheet.Task, error) {
		return storeTask(ctx, tx, updateTask, v.Workspace.ID, id, before, in)
	})
}

// storeTask inserts the fields of before and in into a project, or stores them
// in a task: the owner of the statement's second parameter.
func storeTask[K timesheet.ProjectID | timesheet.TaskID](ctx context.Context, tx pgx.Tx, sql string, ws timesheet.WorkspaceID, into K, before timesheet.Task, in timesheet.TaskInput) (timesheet.Task, error) {
	name, key, err := renamed(in.Name, before.Name)
	if err != nil {
		return timesheet.Task{}, err
	}
	return tasks.row(ctx, tx, sql, ws, into, name, key, in.Done.Or(before.Done), in.Billable.Or(before.Billable), in.EstimateSeconds.Or(before.EstimateSeconds))
}

const archiveTask = `/* archiveTask */
UPDATE task AS t
SET archived_at = CASE WHEN $3 THEN coalesce(t.archived_at, now()) END, version = t.version + 1
WHERE t.workspace_id = $1
  AND t.id = $2
RETURNING ` + taskColumns

// ArchiveTask takes a task out of use or back into it; who may change its
// project may.
func (s *Store) ArchiveTask(ctx context.Context, v timesheet.Viewer, id timesheet.TaskID, archived bool, expected *int, ch Change) (timesheet.Task, []*timesheet.Error, error) {
	return tasks.run(ctx, s, v, id, expected, ch, leads, archiveTask, archived)
}

const deleteTask = `/* deleteTask */
UPDATE task AS t
SET deleted_at = now(), version = t.version + 1
WHERE t.workspace_id = $1
  AND t.id = $2
RETURNING ` + taskColumns

// DeleteTask leaves a tombstone: entries keep the task and its name. Who may
// change its project may.
func (s *Store) DeleteTask(ctx context.Context, v timesheet.Viewer, id timesheet.TaskID, expected *int, ch Change) (timesheet.Task, []*timesheet.Error, error) {
	return tasks.run(ctx, s, v, id, expected, ch, leads, deleteTask)
}
