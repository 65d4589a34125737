package store

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Joins says what a statement reads beside entries: what they refer to. A client
// comes with its project, and a task is seen where its project is.
type Joins struct{ User, Project, Client, Task bool }

// Referred is what entries refer to, by key. A zero value stands for what is
// there and may not be seen.
type Referred struct {
	Users    map[timesheet.UserID]timesheet.User
	Projects map[timesheet.ProjectID]timesheet.Project
	Clients  map[timesheet.ClientID]timesheet.Client
	Tasks    map[timesheet.TaskID]timesheet.Task
}

// The columns of the others, with values for the rows where there are none.
const (
	joinedProject = `coalesce(p.id, 0), p.client_id, coalesce(p.name, ''), p.code, p.color, p.archived_at IS NOT NULL, p.deleted_at IS NOT NULL, coalesce(p.billable, false), ` + ownRateOrder + `, coalesce(p.version, 0)`
	joinedClient  = `coalesce(c.id, 0), coalesce(c.name, ''), c.archived_at IS NOT NULL, c.deleted_at IS NOT NULL, coalesce(c.version, 0)`
	joinedTask    = `coalesce(t.id, 0), coalesce(t.project_id, 0), coalesce(t.name, ''), t.done_at IS NOT NULL, t.archived_at IS NOT NULL, t.billable, t.estimate_seconds, coalesce(t.version, 0), coalesce(t.deleted_at, p.deleted_at) IS NOT NULL`
)

// statement joins what is wanted to the rows e of a query, which is given without
// its SELECT and whose first argument is the workspace. Whoever sees a project sees its client.
func (j Joins) statement(name string, v timesheet.Viewer, query, tail string, args *arguments) string {
	columns, joins := j.parts(j.seen(v, args))
	return "/* " + name + " */\nSELECT " + columns + "\nFROM (\nSELECT " + query + ") AS e" + joins + tail
}

// parts are the columns of entries e with what is wanted, and the joins that
// bring it, of the projects that are seen.
func (j Joins) parts(seen string) (list, joins string) {
	columns := []string{entryColumns}
	if j.User {
		columns = append(columns, memberColumns)
		joins += "\nJOIN membership m ON m.workspace_id = $1 AND m.user_id = e.user_id"
	}
	if j.projects() {
		joins += "\nLEFT JOIN project p ON p.workspace_id = $1 AND p.id = e.project_id" + seen
	}
	if j.Project {
		columns = append(columns, joinedProject)
	}
	if j.Client {
		columns = append(columns, joinedClient)
		joins += "\nLEFT JOIN client c ON c.workspace_id = $1 AND c.id = p.client_id"
	}
	if j.Task {
		columns = append(columns, joinedTask)
		joins += "\nLEFT JOIN task t ON t.workspace_id = $1 AND t.project_id = p.id AND t.id = e.task_id"
	}
	return strings.Join(columns, ",\n       "), joins
}

// seen is the condition of the projects that the viewer may see, where they are
// wanted.
func (j Joins) seen(v timesheet.Viewer, args *arguments) string {
	if !j.projects() {
		return ""
	}
	return projectsSeen(v, "e.project_id", args)
}

func (j Joins) projects() bool { return j.Project || j.Client || j.Task }

// scan reads the rows of statement, one after the other, all into the same place.
func (j Joins) scan(v timesheet.Viewer, into *Referred) pgx.RowToFunc[timesheet.TimeEntry] {
	*into = Referred{
		Users: map[timesheet.UserID]timesheet.User{}, Projects: map[timesheet.ProjectID]timesheet.Project{},
		Clients: map[timesheet.ClientID]timesheet.Client{}, Tasks: map[timesheet.TaskID]timesheet.Task{},
	}
	var e timesheet.TimeEntry
	var u timesheet.User
	var p timesheet.Project
	var c timesheet.Client
	var t timesheet.Task
	columns := entryFields(&e)
	if j.User {
		columns = append(columns, memberFields(&u)...)
	}
	if j.Project {
		columns = append(columns, projectFields(&p)...)
	}
	if j.Client {
		columns = append(columns, clientFields(&c)...)
	}
	if j.Task {
		columns = append(columns, taskFields(&t)...)
	}
	return func(row pgx.CollectableRow) (timesheet.TimeEntry, error) {
		e, u, p, c, t = timesheet.TimeEntry{}, timesheet.User{}, timesheet.Project{}, timesheet.Client{}, timesheet.Task{}
		if err := row.Scan(columns...); err != nil {
			return e, err
		}
		if j.User {
			into.Users[e.UserID] = asSeen(v, u)
		}
		if j.Project && e.ProjectID != nil {
			into.Projects[*e.ProjectID] = scannedProject(p)
		}
		if c.ID != 0 {
			into.Clients[c.ID] = c
		}
		if j.Task && e.TaskID != nil {
			into.Tasks[*e.TaskID] = t
		}
		return scannedEntry(e), nil
	}
}
