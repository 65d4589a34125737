package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const readWork = `/* readWork */
SELECT p.id, p.archived_at IS NOT NULL, p.billable, t.id, t.archived_at IS NOT NULL, t.billable,
       ARRAY (SELECT g.id FROM tag g WHERE g.workspace_id = $1 AND g.id = ANY ($4) AND g.deleted_at IS NULL AND g.archived_at IS NULL),
       ARRAY (SELECT g.id FROM tag g WHERE g.workspace_id = $1 AND g.id = ANY ($4) AND g.deleted_at IS NULL AND g.archived_at IS NOT NULL)
FROM (VALUES (true)) AS always
LEFT JOIN project p ON p.workspace_id = $1 AND p.id = $2 AND p.deleted_at IS NULL
  AND ($5::bigint IS NULL OR EXISTS (SELECT FROM project_member m WHERE m.workspace_id = $1 AND m.project_id = p.id AND m.user_id = $5))
LEFT JOIN task t ON t.workspace_id = $1 AND t.project_id = p.id AND t.id = $3 AND t.deleted_at IS NULL`

// work is what readWork found of what time is to be spent on.
type work struct {
	project         *timesheet.ProjectID
	projectArchived bool
	projectBillable *bool
	task            *timesheet.TaskID
	taskArchived    bool
	taskBillable    *bool
	tags, archived  []timesheet.TagID
}

// checkWork checks that the viewer may put an entry on its project, task and
// tags. What the entry had before is not asked again, so that old entries of
// archived projects can be edited. It returns whether such work is billable by
// default; with nothing new, it does not know and returns false.
func checkWork(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, e, before timesheet.TimeEntry) (billable bool, err error) {
	newTags := slices.DeleteFunc(slices.Clone(e.TagIDs), func(id timesheet.TagID) bool { return slices.Contains(before.TagIDs, id) })
	newProject, newTask := differs(e.ProjectID, before.ProjectID), differs(e.TaskID, before.TaskID)
	switch {
	case len(e.TagIDs) > timesheet.MaxTags:
		return false, timesheet.Errorf(timesheet.CodeInvalid, "tagIds", "an entry has at most %d tags", timesheet.MaxTags)
	case e.TaskID != nil && e.ProjectID == nil:
		return false, timesheet.Errorf(timesheet.CodeInvalid, "taskId", "a task needs its project")
	case !newProject && !newTask && len(newTags) == 0:
		return false, nil
	}
	w, err := findWork(ctx, tx, v, e.ProjectID, e.TaskID, newTags)
	if err != nil {
		return false, err
	}
	if err := w.check(newProject, newTask, e, newTags); err != nil {
		return false, err
	}
	return w.billable(), nil
}

func findWork(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, project *timesheet.ProjectID, task *timesheet.TaskID, tags []timesheet.TagID) (w work, err error) {
	err = tx.QueryRow(ctx, readWork, v.Workspace.ID, project, task, tags, ownOnly(v)).Scan(
		&w.project, &w.projectArchived, &w.projectBillable, &w.task, &w.taskArchived, &w.taskBillable, &w.tags, &w.archived)
	if err != nil {
		return w, fmt.Errorf("find a project, a task and tags: %w", err)
	}
	return w, nil
}

func (w work) check(newProject, newTask bool, e timesheet.TimeEntry, tags []timesheet.TagID) error {
	switch {
	case newProject && e.ProjectID != nil && w.project == nil:
		return timesheet.NotFound("projectId", "project")
	case newProject && w.projectArchived:
		return timesheet.Errorf(timesheet.CodeArchived, "projectId", "the project is archived")
	case newTask && e.TaskID != nil && w.task == nil:
		return timesheet.NotFound("taskId", "task of this project")
	case newTask && w.taskArchived:
		return timesheet.Errorf(timesheet.CodeArchived, "taskId", "the task is archived")
	case len(w.tags)+len(w.archived) < len(tags):
		return timesheet.NotFound("tagIds", "tag")
	case len(w.archived) > 0:
		return timesheet.Errorf(timesheet.CodeArchived, "tagIds", "a tag is archived")
	}
	return nil
}

// billable is the task's default, else the project's; time without a project
// is nobody's to pay.
func (w work) billable() bool {
	switch {
	case w.taskBillable != nil:
		return *w.taskBillable
	case w.projectBillable != nil:
		return *w.projectBillable
	}
	return false
}

func differs[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a != b
	}
	return *a != *b
}

// tagSet sorts tags and drops repeats.
func tagSet(ids []timesheet.TagID) []timesheet.TagID {
	set := slices.Clone(ids)
	slices.Sort(set)
	return slices.Compact(set)
}
