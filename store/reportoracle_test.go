package store_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
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
	bucharest := zone(t, "Europe/Bucharest")
	for i := range n {
		f := fact{
			user: w.users[random.IntN(len(w.users))].User, start: instant(t, "2023-06-01T00:00:00Z").Add(time.Duration(random.IntN(730*86400)) * time.Second),
			seconds: int64(random.ExpFloat64() * 5000), billable: random.IntN(3) > 0, rate: []int64{0, 1, 33, 9_999, 1_000_000_000}[random.IntN(5)],
			currency: []string{"EUR", "JPY"}[random.IntN(8)/7], description: fmt.Sprintf("Work %d", random.IntN(20)), deleted: random.IntN(15) == 0,
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
	columns := []string{"workspace_id", "id", "user_id", "project_id", "task_id", "tag_ids", "started_at", "ended_at", "day", "billable", "rate_minor", "currency", "description", "deleted_at"}
	_, err := conn.CopyFrom(t.Context(), pgx.Identifier{"time_entry"}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) {
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
			f.start.In(bucharest).Format(time.DateOnly), f.billable, f.rate, f.currency, f.description, deleted,
		}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
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

// expected is what the report must say: the totals of each row by its path of
// key|label, and of the whole by the empty path.
func (w *world) expected(t testing.TB, v timesheet.Viewer, in timesheet.ReportInput) map[string]timesheet.Totals {
	t.Helper()
	bucharest := zone(t, "Europe/Bucharest")
	sums := map[string]*oracleSum{"": {}}
	for _, f := range w.facts {
		day := f.start.In(bucharest)
		if f.deleted || f.seconds < 0 || !w.wanted(v, in, f, day.Format(time.DateOnly)) {
			continue
		}
		paths := map[string]bool{"": true}
		level := []string{""}
		for _, key := range in.GroupBy {
			var next []string
			for _, value := range w.values(key, f, day) {
				for _, path := range level {
					next = append(next, path+"/"+value)
					paths[path+"/"+value] = true
				}
			}
			level = next
		}
		for path := range paths {
			if sums[path] == nil {
				sums[path] = &oracleSum{}
			}
			sums[path].add(f)
		}
	}
	totals := map[string]timesheet.Totals{}
	for path, sum := range sums {
		totals[path] = sum.totals()
	}
	return totals
}

func (w *world) wanted(v timesheet.Viewer, in timesheet.ReportInput, f fact, day string) bool {
	within := func(p timesheet.Period) bool { return p.From.String() <= day && day <= p.To.String() }
	among := func(n int, found bool) bool { return n == 0 || found }
	c := in.Filter
	return (v.Role != timesheet.RoleMember || v.User == f.user) &&
		within(in.Period) && (c.Period == nil || within(*c.Period)) &&
		among(len(c.Users), slices.Contains(c.Users, f.user)) &&
		among(len(c.Projects), slices.Contains(c.Projects, f.project)) &&
		among(len(c.Tasks), slices.Contains(c.Tasks, f.task)) &&
		among(len(c.Clients), slices.Contains(c.Clients, w.clientOf[f.project])) &&
		among(len(c.Tags), slices.ContainsFunc(f.tags, func(g timesheet.TagID) bool { return slices.Contains(c.Tags, g) })) &&
		(c.Billable == nil || *c.Billable == f.billable) &&
		strings.Contains(strings.ToLower(f.description), strings.ToLower(c.Text))
}

// values are the key|label of the rows of one key that a fact counts in.
func (w *world) values(key timesheet.GroupKey, f fact, day time.Time) []string {
	thing := func(kind string, id int64) []string {
		if id == 0 {
			return []string{kind + ":none|(none)"}
		}
		row := kind + ":" + fmt.Sprint(id)
		return []string{row + "|" + w.names[row]}
	}
	date := func(kind, form string) []string {
		return []string{kind + ":" + day.Format(form) + "|" + day.Format(form)}
	}
	switch key {
	case timesheet.GroupUser:
		return thing("User", int64(f.user))
	case timesheet.GroupProject:
		return thing("Project", int64(f.project))
	case timesheet.GroupClient:
		return thing("Client", int64(w.clientOf[f.project]))
	case timesheet.GroupTask:
		return thing("Task", int64(f.task))
	case timesheet.GroupTag:
		if len(f.tags) == 0 {
			return thing("Tag", 0)
		}
		var all []string
		for _, tag := range f.tags {
			all = append(all, thing("Tag", int64(tag))...)
		}
		return all
	case timesheet.GroupBillable:
		return []string{map[bool]string{true: "Billable:true|billable", false: "Billable:false|not billable"}[f.billable]}
	case timesheet.GroupDay:
		return date("Day", "2006-01-02")
	case timesheet.GroupMonth:
		return date("Month", "2006-01")
	case timesheet.GroupYear:
		return date("Year", "2006")
	case timesheet.GroupWeek:
		for day.Weekday() != w.owner.Workspace.WeekStart {
			day = day.AddDate(0, 0, -1)
		}
		return date("Week", "2006-01-02")
	}
	return nil
}

// oracleSum adds facts up in fractions of the minor unit.
type oracleSum struct {
	seconds, billable, entries int64
	money                      map[string]*big.Rat
}

func (o *oracleSum) add(f fact) {
	o.entries++
	o.seconds += f.seconds
	if o.money == nil {
		o.money = map[string]*big.Rat{}
	}
	if o.money[f.currency] == nil {
		o.money[f.currency] = new(big.Rat)
	}
	if f.billable {
		o.billable += f.seconds
		o.money[f.currency].Add(o.money[f.currency], big.NewRat(f.seconds*f.rate, 3600))
	}
}

func (o *oracleSum) totals() timesheet.Totals {
	t := timesheet.Totals{ExactSeconds: o.seconds, Seconds: o.seconds, BillableSeconds: o.billable, EntryCount: o.entries, Amounts: []timesheet.Money{}}
	for _, currency := range []string{"EUR", "JPY"} {
		if exact := o.money[currency]; exact != nil {
			t.Amounts = append(t.Amounts, timesheet.Money{Minor: halfEven(exact), Currency: currency})
		}
	}
	return t
}

// halfEven rounds to the nearest whole number, and to the even one of two.
func halfEven(exact *big.Rat) int64 {
	below := new(big.Int).Div(exact.Num(), exact.Denom())
	rest := new(big.Rat).Sub(exact, new(big.Rat).SetInt(below))
	up := rest.Cmp(big.NewRat(1, 2))
	if up > 0 || up == 0 && below.Bit(0) == 1 {
		below.Add(below, big.NewInt(1))
	}
	return below.Int64()
}
