package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const projectColumns = `p.id, p.client_id, p.name, p.code, p.color, p.archived_at IS NOT NULL, p.deleted_at IS NOT NULL, p.billable, ` + ownRateOrder + `, p.version`

// ownRateOrder is null for [timesheet.RateOrder], which nearly all projects have: to
// read five words takes longer than the rest of a project.
const ownRateOrder = `nullif(p.rate_order, '{TASK,PROJECT_MEMBER,PROJECT,MEMBER,WORKSPACE}')`

func scanProject(row pgx.CollectableRow) (p timesheet.Project, err error) {
	err = row.Scan(projectFields(&p)...)
	return scannedProject(p), err
}

// scannedProject is a project that was read as everybody else has it.
func scannedProject(p timesheet.Project) timesheet.Project {
	if p.RateOrder == nil {
		p.RateOrder = slices.Clip(timesheet.RateOrder)
	}
	return p
}

// projectFields are where projectColumns are scanned into.
func projectFields(p *timesheet.Project) []any {
	return []any{(*int64)(&p.ID), optional(&p.ClientID), &p.Name, &p.Code, &p.Color, &p.Archived, &p.Deleted, &p.Billable, &p.RateOrder, &p.Version}
}

const lockProject = `/* lockProject */
SELECT pm.user_id IS NOT NULL, coalesce(pm.lead, false), ` + projectColumns + `
FROM project p
LEFT JOIN project_member pm ON pm.workspace_id = p.workspace_id AND pm.project_id = p.id AND pm.user_id = $3
WHERE p.workspace_id = $1
  AND p.id = $2
  AND p.deleted_at IS NULL
FOR NO KEY UPDATE OF p`

var projects = thing[timesheet.ProjectID, timesheet.Project]{
	entity: "Project", noun: "project", alias: "p", lock: lockProject, scan: scanProject,
	head: func(p timesheet.Project) (timesheet.ProjectID, string, int) { return p.ID, p.Name, p.Version },
	byID: (*Store).ProjectsByID,
}

// leads is the right to change a project, its tasks and its members.
func leads(v timesheet.Viewer, leads bool) bool { return v.MayEditProject(leads) }

// projectsSeen is the part of a WHERE clause that leaves the projects the
// viewer may see, by the column that holds their key: a member those they
// belong to.
func projectsSeen(v timesheet.Viewer, column string, args *arguments) string {
	if v.ReadsEverybody() {
		return ""
	}
	return `
  AND EXISTS (
    SELECT FROM project_member pm
    WHERE pm.workspace_id = $1 AND pm.project_id = ` + column + ` AND pm.user_id = ` + args.add(v.User) + `)`
}

const listedProjects = `
FROM project p
WHERE p.workspace_id = $1
  AND p.deleted_at IS NULL`

const listProjects = `/* listProjects */
SELECT ` + projectColumns + listedProjects

const countProjects = `/* countProjects */
SELECT count(*)
FROM project p
WHERE p.workspace_id = $1
  AND p.deleted_at IS NULL`

// Projects lists the projects that the viewer may see, archived ones too unless
// the filter says otherwise.
func (s *Store) Projects(ctx context.Context, v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder, p timesheet.Page) (timesheet.Connection[timesheet.Project], error) {
	q, err := projectSelection(v, f, o)
	if err != nil {
		return timesheet.Connection[timesheet.Project]{}, err
	}
	page, err := q.read(ctx, s, p)
	if err != nil {
		return page, fmt.Errorf("list projects: %w", err)
	}
	return page, nil
}

func projectSelection(v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder) (selection[timesheet.Project], error) {
	args := arguments{v.Workspace.ID}
	where, err := projectFilter(v, f, &args)
	return selection[timesheet.Project]{
		rows: listProjects, count: countProjects, where: where, args: args,
		order: projects.order(o), scan: scanProject,
	}, err
}

// projectFilter leaves the projects that the viewer may see and the filter
// asks for.
func projectFilter(v timesheet.Viewer, f timesheet.ListFilter, args *arguments) (string, error) {
	where := projectsSeen(v, "p.id", args)
	if f.Client != nil {
		where += "\n  AND p.client_id = " + args.add(*f.Client)
	}
	narrowed, err := projects.filter(f, args)
	return where + narrowed, err
}

const listProjectsOfClients = `/* listProjectsOfClients */
SELECT c.id, child.*
FROM client c
CROSS JOIN LATERAL (
  SELECT ` + projectColumns + `
  FROM project p
  WHERE p.workspace_id = $1
  AND p.client_id = c.id
  AND p.deleted_at IS NULL`

const endProjectsOfClients = `
) child
WHERE c.workspace_id = $1
  AND c.id = ANY ($2)`

const countProjectsOfClients = `/* countProjectsOfClients */
SELECT p.client_id, count(*)
FROM project p
WHERE p.workspace_id = $1
  AND p.client_id = ANY ($2)
  AND p.deleted_at IS NULL`

// ProjectsOfClients returns a page of each client's projects, in alphabetical
// order, in one statement.
func (s *Store) ProjectsOfClients(ctx context.Context, v timesheet.Viewer, ids []timesheet.ClientID, f timesheet.ListFilter, p timesheet.Page) (map[timesheet.ClientID]timesheet.Connection[timesheet.Project], error) {
	q, err := projectFamily(v, ids, f)
	if err != nil {
		return nil, err
	}
	pages, err := q.read(ctx, s, ids, p)
	if err != nil {
		return nil, fmt.Errorf("list projects of clients: %w", err)
	}
	return pages, nil
}

func projectFamily(v timesheet.Viewer, ids []timesheet.ClientID, f timesheet.ListFilter) (family[timesheet.ClientID, timesheet.Project], error) {
	args := arguments{v.Workspace.ID, ids}
	inner, err := projectFilter(v, f, &args)
	return family[timesheet.ClientID, timesheet.Project]{
		rows: listProjectsOfClients, rowsEnd: endProjectsOfClients, count: countProjectsOfClients,
		inner: inner, args: args, order: projects.order(timesheet.OrderName), scan: scanProject,
	}, err
}

const projectsByID = `/* projectsByID */
SELECT ` + projectColumns + `
FROM project p
WHERE p.workspace_id = $1
  AND p.id = ANY ($2)`

// ProjectsByID returns the projects among ids that the viewer may see, deleted
// ones too.
func (s *Store) ProjectsByID(ctx context.Context, v timesheet.Viewer, ids []timesheet.ProjectID) (map[timesheet.ProjectID]timesheet.Project, error) {
	args := arguments{v.Workspace.ID, ids}
	sql := projectsByID + projectsSeen(v, "p.id", &args)
	return byKey(ctx, s, "projects", scanProject, func(p timesheet.Project) timesheet.ProjectID { return p.ID }, sql, args...)
}

const insertProject = `/* insertProject */
INSERT INTO project AS p (workspace_id, client_id, name, name_key, code, color, billable, rate_order)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING ` + projectColumns

// CreateProject makes a project; owners, admins and managers may, and a manager
// leads what they have made.
func (s *Store) CreateProject(ctx context.Context, v timesheet.Viewer, in timesheet.ProjectInput, ch Change) (timesheet.Project, []*timesheet.Error, error) {
	return projects.mutate(ctx, s, v, ch, func(tx pgx.Tx) (project timesheet.Project, err error) {
		if err := mayCreate(v, "projects"); err != nil {
			return project, err
		}
		refusal, err := clientForUse(ctx, tx, v, in.Client.Value)
		if err != nil {
			return project, err
		}
		if refusal != nil {
			return project, refusal
		}
		in.Billable = timesheet.Some(in.Billable.Or(true))
		in.RateOrder = timesheet.Some(timesheet.RateOrder)
		project, err = storeProject(ctx, tx, insertProject, []any{v.Workspace.ID}, project, in)
		if err != nil || v.Admin() {
			return project, err
		}
		_, err = tx.Exec(ctx, setProjectMember, v.Workspace.ID, project.ID, v.User, true)
		return project, err
	})
}

const updateProject = `/* updateProject */
UPDATE project AS p
SET client_id = $3, name = $4, name_key = $5, code = $6, color = $7, billable = $8, rate_order = $9, version = p.version + 1
WHERE p.workspace_id = $1
  AND p.id = $2
RETURNING ` + projectColumns

// UpdateProject changes a project; owners and admins may, and managers who lead
// it.
func (s *Store) UpdateProject(ctx context.Context, v timesheet.Viewer, id timesheet.ProjectID, in timesheet.ProjectInput, expected *int, ch Change) (timesheet.Project, []*timesheet.Error, error) {
	return projects.mutate(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Project, error) {
		refusal, err := clientForUse(ctx, tx, v, in.Client.Value)
		if err != nil {
			return timesheet.Project{}, err
		}
		before, err := projects.locked(ctx, tx, v, "id", id, leads)
		if err == nil {
			err = projects.expect(before, expected)
		}
		if err != nil {
			return before, err
		}
		if refusal != nil && (before.ClientID == nil || *before.ClientID != *in.Client.Value) {
			return timesheet.Project{}, refusal
		}
		return storeProject(ctx, tx, updateProject, []any{v.Workspace.ID, id}, before, in)
	})
}

// storeProject runs a statement with the fields of before and in after args.
func storeProject(ctx context.Context, tx pgx.Tx, sql string, args []any, before timesheet.Project, in timesheet.ProjectInput) (timesheet.Project, error) {
	name, key, err := renamed(in.Name, before.Name)
	if err != nil {
		return timesheet.Project{}, err
	}
	code, err := cleanCode(in.Code.Or(before.Code))
	if err != nil {
		return timesheet.Project{}, err
	}
	color, err := cleanColor(in.Color.Or(before.Color))
	if err != nil {
		return timesheet.Project{}, err
	}
	order := in.RateOrder.Or(before.RateOrder)
	if err := timesheet.CheckRateOrder("rateOrder", order); err != nil {
		return timesheet.Project{}, err
	}
	return projects.row(ctx, tx, sql, append(args, in.Client.Or(before.ClientID), name, key, code, color, in.Billable.Or(before.Billable), order)...)
}

// maxCode is the longest code, in characters.
const maxCode = 50

func cleanCode(code *string) (*string, error) {
	if code == nil {
		return nil, nil
	}
	clean, err := cleanText("code", *code, maxCode)
	if err == nil && clean == "" {
		err = timesheet.Errorf(timesheet.CodeInvalid, "code", "a code is not empty")
	}
	return &clean, err
}

var colorForm = regexp.MustCompile(`^#[0-9a-f]{6}$`)

func cleanColor(color *string) (*string, error) {
	if color == nil {
		return nil, nil
	}
	clean := strings.ToLower(*color)
	if !colorForm.MatchString(clean) {
		return nil, timesheet.Errorf(timesheet.CodeInvalid, "color", "a colour is written as #1a2b3c")
	}
	return &clean, nil
}

const archiveProject = `/* archiveProject */
UPDATE project AS p
SET archived_at = CASE WHEN $3 THEN coalesce(p.archived_at, now()) END, version = p.version + 1
WHERE p.workspace_id = $1
  AND p.id = $2
RETURNING ` + projectColumns

// ArchiveProject takes a project out of use or back into it; owners and admins
// may, and managers who lead it.
func (s *Store) ArchiveProject(ctx context.Context, v timesheet.Viewer, id timesheet.ProjectID, archived bool, expected *int, ch Change) (timesheet.Project, []*timesheet.Error, error) {
	return projects.run(ctx, s, v, id, expected, ch, leads, archiveProject, archived)
}

const deleteProject = `/* deleteProject */
UPDATE project AS p
SET deleted_at = now(), version = p.version + 1
WHERE p.workspace_id = $1
  AND p.id = $2
RETURNING ` + projectColumns

// DeleteProject leaves a tombstone: entries keep the project and its tasks, and
// their names. Owners and admins may, and managers who lead it.
func (s *Store) DeleteProject(ctx context.Context, v timesheet.Viewer, id timesheet.ProjectID, expected *int, ch Change) (timesheet.Project, []*timesheet.Error, error) {
	return projects.run(ctx, s, v, id, expected, ch, leads, deleteProject)
}
