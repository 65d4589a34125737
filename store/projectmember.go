package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const listMembersOfProjects = `/* listMembersOfProjects */
SELECT p.id, child.*
FROM project p
CROSS JOIN LATERAL (
  SELECT ` + memberColumns + `
  FROM project_member pm
  JOIN membership m ON m.workspace_id = pm.workspace_id AND m.user_id = pm.user_id
  WHERE pm.workspace_id = $1
  AND pm.project_id = p.id
  AND m.deleted_at IS NULL`

const endMembersOfProjects = `
) child
WHERE p.workspace_id = $1
  AND p.id = ANY ($2)
  AND p.deleted_at IS NULL`

const countMembersOfProjects = `/* countMembersOfProjects */
SELECT p.id, count(*)
FROM project p
JOIN project_member pm ON pm.workspace_id = p.workspace_id AND pm.project_id = p.id
JOIN membership m ON m.workspace_id = pm.workspace_id AND m.user_id = pm.user_id
WHERE p.workspace_id = $1
  AND p.id = ANY ($2)
  AND p.deleted_at IS NULL
  AND m.deleted_at IS NULL`

// MembersOfProjects returns a page of each project's people, in alphabetical
// order, in one statement.
func (s *Store) MembersOfProjects(ctx context.Context, v timesheet.Viewer, ids []timesheet.ProjectID, p timesheet.Page) (map[timesheet.ProjectID]timesheet.Connection[timesheet.User], error) {
	pages, err := memberFamily(v, ids).read(ctx, s, ids, p)
	if err != nil {
		return nil, fmt.Errorf("list members of projects: %w", err)
	}
	return pages, nil
}

func memberFamily(v timesheet.Viewer, ids []timesheet.ProjectID) family[timesheet.ProjectID, timesheet.User] {
	args := arguments{v.Workspace.ID, ids}
	return family[timesheet.ProjectID, timesheet.User]{
		rows: listMembersOfProjects, rowsEnd: endMembersOfProjects, count: countMembersOfProjects,
		outer: projectsSeen(v, "p.id", &args), args: args, scan: memberRow(v),
		order: byName("Project.members", "m.name_key", "m.user_id", func(u timesheet.User) (string, string) {
			return u.Name, key(u.ID)
		}),
	}
}

const setProjectMember = `/* setProjectMember */
INSERT INTO project_member (workspace_id, project_id, user_id, lead)
SELECT m.workspace_id, $2, m.user_id, $4
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = $3
  AND m.deleted_at IS NULL
FOR SHARE OF m
ON CONFLICT ON CONSTRAINT project_member_pk
DO UPDATE SET lead = excluded.lead`

// SetProjectMember lets a person track time on a project, and makes them lead
// it or not. Owners and admins may, and managers who lead it.
func (s *Store) SetProjectMember(ctx context.Context, v timesheet.Viewer, project timesheet.ProjectID, user timesheet.UserID, lead bool, ch Change) (timesheet.Project, []*timesheet.Error, error) {
	return changeMember(ctx, s, v, project, ch, setProjectMember, user, lead)
}

const removeProjectMember = `/* removeProjectMember */
DELETE FROM project_member
WHERE workspace_id = $1
  AND project_id = $2
  AND user_id = $3`

// RemoveProjectMember takes a person off a project; their entries stay. Owners
// and admins may, and managers who lead it.
func (s *Store) RemoveProjectMember(ctx context.Context, v timesheet.Viewer, project timesheet.ProjectID, user timesheet.UserID, ch Change) (timesheet.Project, []*timesheet.Error, error) {
	return changeMember(ctx, s, v, project, ch, removeProjectMember, user)
}

// changeMember runs a statement that changes one person's part in a project.
func changeMember(ctx context.Context, s *Store, v timesheet.Viewer, id timesheet.ProjectID, ch Change, sql string, args ...any) (timesheet.Project, []*timesheet.Error, error) {
	return projects.mutate(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Project, error) {
		project, err := projects.locked(ctx, tx, v, "projectId", id, leads)
		if err != nil {
			return timesheet.Project{}, err
		}
		tag, err := tx.Exec(ctx, sql, append([]any{v.Workspace.ID, id}, args...)...)
		if err == nil && tag.RowsAffected() == 0 {
			err = timesheet.NotFound("userId", "user")
		}
		if err != nil {
			return timesheet.Project{}, err
		}
		return project, nil
	})
}
