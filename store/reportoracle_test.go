package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

// fact is an entry as the oracle knows it.
type fact struct {
	user        timesheet.UserID
	project     timesheet.ProjectID // 0: none
	task        timesheet.TaskID    // 0: none
	tags        []timesheet.TagID
	start       time.Time
	seconds     int64 // -1: it runs
	billable    bool
	rate        int64
	currency    string
	description string
	deleted     bool
	dayZone     string // the zone of its day, where that is not the workspace's
}

// world is a workspace of random entries, and what the oracle needs to know of
// it.
type world struct {
	owner    timesheet.Viewer
	users    []timesheet.Viewer
	names    map[string]string // of users, projects, clients, tasks, tags, by key of a row
	clientOf map[timesheet.ProjectID]timesheet.ClientID
	projects []timesheet.ProjectID
	tasksOf  map[timesheet.ProjectID][]timesheet.TaskID
	tags     []timesheet.TagID
	facts    []fact
	home     string      // the zone that days were written in; empty: Bucharest
	near     []time.Time // half of the entries begin within two days of one of these
}

// newWorld makes a workspace with people, projects, tasks and tags, some of
// them deleted after their entries were made, and n entries of two years.
func newWorld(t testing.TB, s *store.Store, conn *pgx.Conn, n int) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{
		owner: addWorkspace(t, s, "world"), names: map[string]string{},
		clientOf: map[timesheet.ProjectID]timesheet.ClientID{}, tasksOf: map[timesheet.ProjectID][]timesheet.TaskID{},
	}
	w.owner.Workspace.WeekStart = time.Saturday
	w.users = []timesheet.Viewer{w.owner}
	w.names["User:"+idText(w.owner.User)] = "Olga"
	for _, name := range []string{"mia", "noa", "zoe"} {
		v := addViewer(t, s, w.owner, name, timesheet.RoleMember)
		w.users = append(w.users, v)
		w.names["User:"+idText(v.User)] = name
	}
	clients := []*timesheet.ClientID{nil}
	for _, name := range []string{"acme", "beta"} {
		c := addClient(t, s, w.owner, name)
		clients = append(clients, &c.ID)
		w.names["Client:"+idText(c.ID)] = name
	}
	for i := range 7 {
		p := addProject(t, s, w.owner, fmt.Sprintf("project %d", i), clients[i%3])
		w.projects = append(w.projects, p.ID)
		w.names["Project:"+idText(p.ID)] = p.Name
		if p.ClientID != nil {
			w.clientOf[p.ID] = *p.ClientID
		}
		for j := range i % 3 {
			task := addTask(t, s, w.owner, p.ID, fmt.Sprintf("task %d of %d", j, i))
			w.tasksOf[p.ID] = append(w.tasksOf[p.ID], task.ID)
			w.names["Task:"+idText(task.ID)] = task.Name
		}
	}
	for _, name := range []string{"blue", "green", "red"} {
		tag := addTag(t, s, w.owner, name)
		w.tags = append(w.tags, tag.ID)
		w.names["Tag:"+idText(tag.ID)] = name
	}
	w.fill(t, conn, n)
	folded(t, s, instant(t, "2024-10-15T00:00:00Z")) // the later months not, and of the others not what follows
	w.deleteSome(t, s)
	// Somebody else's time must not show.
	foreign := addWorkspace(t, s, "foreign")
	if _, _, err := s.CreateTimeEntry(ctx, foreign, span(t, "2024-06-03T08:00:00Z", "2024-06-05T08:00:00Z"), change("createTimeEntry")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) fill(t testing.TB, conn *pgx.Conn, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(11, 12))
	for i := range n {
		f := fact{
			user: w.users[random.IntN(len(w.users))].User, start: instant(t, "2023-06-01T00:00:00Z").Add(time.Duration(random.IntN(730*86400)) * time.Second),
			seconds: int64(random.ExpFloat64() * 5000), billable: random.IntN(3) > 0, rate: []int64{0, 1, 33, 9_999, 1_000_000_000}[random.IntN(5)],
			currency: []string{"EUR", "JPY"}[random.IntN(8)/7], description: fmt.Sprintf("Work %d", random.IntN(20)), deleted: random.IntN(15) == 0,
		}
		if len(w.near) > 0 && random.IntN(2) == 0 {
			f.start = w.near[random.IntN(len(w.near))].Add(time.Duration(random.IntN(4*86400)-2*86400) * time.Second)
		}
		if random.IntN(12) == 0 {
			f.seconds = random.Int64N(7*86400 + 1)
		}
		if i < len(w.users) {
			f.user, f.seconds, f.deleted = w.users[i].User, -1, false // one timer for each
		}
		if random.IntN(8) > 0 {
			f.project = w.projects[random.IntN(len(w.projects))]
			if tasks := w.tasksOf[f.project]; len(tasks) > 0 && random.IntN(4) > 0 {
				f.task = tasks[random.IntN(len(tasks))]
			}
		}
		for _, tag := range w.tags {
			if random.IntN(4) == 0 {
				f.tags = append(f.tags, tag)
			}
		}
		w.facts = append(w.facts, f)
	}
	w.keep(t, conn)
}

// keep writes the facts as entries.
func (w *world) keep(t testing.TB, conn *pgx.Conn) {
	t.Helper()
	home := zone(t, w.homeZone())
	columns := []string{"workspace_id", "id", "user_id", "project_id", "task_id", "tag_ids", "started_at", "ended_at", "day", "billable", "rate_minor", "currency", "description", "deleted_at"}
	_, err := conn.CopyFrom(t.Context(), pgx.Identifier{"time_entry"}, columns, pgx.CopyFromSlice(len(w.facts), func(i int) ([]any, error) {
		f := w.facts[i]
		var end, deleted any
		if f.seconds >= 0 {
			end = f.start.Add(time.Duration(f.seconds) * time.Second)
		}
		if f.deleted {
			deleted = f.start
		}
		tags := append([]timesheet.TagID{}, f.tags...)
		return []any{
			w.owner.Workspace.ID, newID(t), f.user, orNull(f.project), orNull(f.task), tags, f.start, end,
			f.start.In(home).Format(time.DateOnly), f.billable, f.rate, f.currency, f.description, deleted,
		}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) homeZone() string {
	if w.home == "" {
		return "Europe/Bucharest"
	}
	return w.home
}

func orNull[T ~int64](id T) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

// deleteSome deletes one thing of each kind: their time stays in reports.
func (w *world) deleteSome(t testing.TB, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	gone := func(key string) { w.names[key] += " (deleted)" }
	project := w.projects[1]
	done[timesheet.Project](t)(s.DeleteProject(ctx, w.owner, project, nil, change("deleteProject")))
	gone("Project:" + idText(project))
	done[timesheet.Client](t)(s.DeleteClient(ctx, w.owner, w.clientOf[w.projects[2]], nil, change("deleteClient")))
	gone("Client:" + idText(w.clientOf[w.projects[2]]))
	task := w.tasksOf[w.projects[5]][0]
	done[timesheet.Task](t)(s.DeleteTask(ctx, w.owner, task, nil, change("deleteTask")))
	gone("Task:" + idText(task))
	done[timesheet.Tag](t)(s.DeleteTag(ctx, w.owner, w.tags[1], nil, change("deleteTag")))
	gone("Tag:" + idText(w.tags[1]))
}
