package dataloader_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/dataloader"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// company is a workspace of clients that have two projects each, of which each
// has a task and an entry of the owner's with a tag.
type company struct {
	store    *store.Store
	owner    timesheet.Viewer
	clients  []timesheet.Client
	projects []timesheet.Project
	entries  []timesheet.TimeEntry
}

func made[T any](t testing.TB) func(T, []*timesheet.Error, error) T {
	return func(value T, _ []*timesheet.Error, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func newCompany(t testing.TB, clients int) company {
	t.Helper()
	ctx := t.Context()
	c := company{store: storetest.Open(t)}
	var err error
	c.owner, err = c.store.CreateWorkspace(ctx, store.NewWorkspace{
		Name: "Acme", TimeZone: "UTC", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Olga", Email: "olga@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range clients {
		client := made[timesheet.Client](t)(c.store.CreateClient(ctx, c.owner, timesheet.ClientInput{Name: timesheet.Some(fmt.Sprintf("client %03d", i))}, store.Change{}))
		c.clients = append(c.clients, client)
		tag := made[timesheet.Tag](t)(c.store.CreateTag(ctx, c.owner, timesheet.TagInput{Name: timesheet.Some(fmt.Sprint("tag ", i))}, store.Change{}))
		for _, name := range []string{"a", "b"} {
			c.addProject(t, name, client, tag)
		}
	}
	return c
}

func (c *company) addProject(t testing.TB, name string, client timesheet.Client, tag timesheet.Tag) {
	t.Helper()
	ctx := t.Context()
	project := made[timesheet.Project](t)(c.store.CreateProject(ctx, c.owner, timesheet.ProjectInput{Name: timesheet.Some(name), Client: timesheet.Some(&client.ID)}, store.Change{}))
	c.projects = append(c.projects, project)
	task := made[timesheet.Task](t)(c.store.CreateTask(ctx, c.owner, timesheet.TaskInput{Project: project.ID, Name: timesheet.Some("task of " + name)}, store.Change{}))
	made[timesheet.Project](t)(c.store.SetProjectMember(ctx, c.owner, project.ID, c.owner.User, false, store.Change{}))
	start := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	c.entries = append(c.entries, made[timesheet.TimeEntry](t)(c.store.CreateTimeEntry(ctx, c.owner, timesheet.EntryInput{
		Project: timesheet.Some(&project.ID), Task: timesheet.Some(&task.ID), Tags: timesheet.Some([]timesheet.TagID{tag.ID}),
		Start: timesheet.Some(start), End: timesheet.Some(start.Add(time.Hour)),
	}, store.Change{})))
}

// request is the context of one request with loaders for a viewer.
func (c *company) request(t testing.TB, v timesheet.Viewer) (context.Context, *dataloader.Set, *store.Operation) {
	op := store.NewOperation(1)
	ctx := dataloader.With(store.WithOperation(t.Context(), op), dataloader.New(c.store, v))
	return ctx, dataloader.From(ctx), op
}

// each runs resolve for every row at once, as the executor does.
func each[T any](t testing.TB, rows []T, resolve func(T) error) {
	t.Helper()
	var all sync.WaitGroup
	for _, row := range rows {
		all.Go(func() {
			if err := resolve(row); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

var errMissing = errors.New("not found")

// must adds an error where a look-up found nothing.
func must[T any](value T, found bool, err error) (T, error) {
	if err == nil && !found {
		err = errMissing
	}
	return value, err
}

// The day view: entries with user, project, client, task and tags.
func TestStatementsOfEntriesDoNotGrowWithRows(t *testing.T) {
	t.Parallel()
	c := newCompany(t, 20)
	for _, rows := range []int{1, 10, 40} {
		ctx, set, op := c.request(t, c.owner)
		entries := c.entries[:rows]
		set.LevelOfEntries(entries)
		each(t, entries, func(e timesheet.TimeEntry) error {
			_, noUser := must(set.Users.Load(ctx, e.UserID))
			project, noProject := must(set.Projects.Load(ctx, *e.ProjectID))
			if noProject != nil {
				return noProject
			}
			_, noClient := must(set.Clients.Load(ctx, *project.ClientID))
			task, noTask := must(set.Tasks.Load(ctx, *e.TaskID))
			_, noOwner := must(set.Projects.Load(ctx, task.ProjectID))
			tags, noTags := set.Tags.LoadMany(ctx, e.TagIDs)
			if len(tags) != 1 {
				t.Errorf("%d tags, want 1", len(tags))
			}
			return errors.Join(noUser, noClient, noTask, noOwner, noTags)
		})
		if got := op.Statements(); got != 5 {
			t.Errorf("%d entries took %d statements, want 5: one for each kind\n%v", rows, got, set.Sent())
		}
	}
}

// Three levels of lists: clients with projects with tasks, members and time.
func TestStatementsOfListsDoNotGrowWithRows(t *testing.T) {
	t.Parallel()
	c := newCompany(t, 20)
	for _, rows := range []int{1, 20} {
		ctx, set, op := c.request(t, c.owner)
		page := timesheet.Page{First: 10}
		set.LevelOfClients(c.clients[:rows])
		var mu sync.Mutex
		names := map[string]int{}
		each(t, c.clients[:rows], func(client timesheet.Client) error {
			projects, err := must(set.ProjectsOfClient.Load(ctx, client.ID, dataloader.ListOf(timesheet.ListFilter{}, page)))
			each(t, projects.Nodes, func(p timesheet.Project) error {
				tasks, noTasks := must(set.TasksOfProject.Load(ctx, p.ID, dataloader.ListOf(timesheet.ListFilter{}, page)))
				members, noMembers := must(set.MembersOfProject.Load(ctx, p.ID, page))
				seconds, noSeconds := must(set.TrackedSeconds.Load(ctx, p.ID, timesheet.Opt[timesheet.Period]{}))
				total, noTotal := tasks.Total(ctx)
				if len(members.Nodes) != 1 || seconds != 3600 || total != 1 {
					t.Errorf("project %s: members %v, %d seconds, %d tasks", p.Name, members.Nodes, seconds, total)
				}
				_, noParent := must(set.Projects.Load(ctx, tasks.Nodes[0].ProjectID))
				_, noClient := must(set.Clients.Load(ctx, *p.ClientID))
				mu.Lock()
				defer mu.Unlock()
				names[tasks.Nodes[0].Name]++
				return errors.Join(noTasks, noMembers, noSeconds, noTotal, noParent, noClient)
			})
			return err
		})
		if diff := cmp.Diff(map[string]int{"task of a": rows, "task of b": rows}, names); diff != "" {
			t.Errorf("tasks (-want +got):\n%s", diff)
		}
		if got := op.Statements(); got != 5 {
			t.Errorf("%d clients took %d statements, want 5: projects, tasks, members, seconds and totals\n%v", rows, got, set.Sent())
		}
	}
}

func TestHundredLoadsAreOneStatement(t *testing.T) {
	t.Parallel()
	c := newCompany(t, 50)
	ids := make([]timesheet.ProjectID, len(c.projects))
	for i, p := range c.projects {
		ids[i] = p.ID
	}
	ctx, set, op := c.request(t, c.owner)
	set.Projects.Expect(ids)
	each(t, c.projects, func(p timesheet.Project) error {
		got, err := must(set.Projects.Load(ctx, p.ID))
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return err
	})
	if got := op.Statements(); got != 1 {
		t.Errorf("100 loads took %d statements, want 1", got)
	}
	if diff := cmp.Diff([]dataloader.Count{{Loader: "projects", Batches: 1, Keys: 100}}, set.Sent()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// Filters, pages and periods reach the store, and each has its own batch.
func TestArgumentsReachTheStore(t *testing.T) {
	t.Parallel()
	c := newCompany(t, 1)
	project, client := c.projects[0], c.clients[0]
	ctx, set, op := c.request(t, c.owner)
	no, other := false, timesheet.ClientID(1)
	lists := []struct {
		name   string
		filter timesheet.ListFilter
		want   int
	}{
		{"all", timesheet.ListFilter{}, 2},
		{"by text", timesheet.ListFilter{Text: "A"}, 1},
		{"in use", timesheet.ListFilter{Archived: &no}, 2},
		{"of another client", timesheet.ListFilter{Client: &other}, 0},
	}
	for _, tt := range lists {
		page, err := must(set.ProjectsOfClient.Load(ctx, client.ID, dataloader.ListOf(tt.filter, timesheet.Page{First: 5})))
		if err != nil || len(page.Nodes) != tt.want {
			t.Errorf("projects %s: %d, %v, want %d", tt.name, len(page.Nodes), err, tt.want)
		}
	}
	february := timesheet.Period{From: timesheet.NewDate(2026, time.February, 1), To: timesheet.NewDate(2026, time.February, 28)}
	if seconds, found, err := set.TrackedSeconds.Load(ctx, project.ID, timesheet.Some(february)); seconds != 0 || found || err != nil {
		t.Errorf("february: %d, %t, %v, want nothing", seconds, found, err)
	}
	if _, _, err := set.MembersOfProject.Load(ctx, project.ID, timesheet.Page{}); err == nil {
		t.Error("a page without a size is no error")
	} else if broken, ok := timesheet.AsError(err); !ok || broken.Code != timesheet.CodeInvalid {
		t.Errorf("a page without a size: %v, want %s", err, timesheet.CodeInvalid)
	}
	if got := op.Statements(); got != len(lists)+1 {
		t.Errorf("took %d statements, want %d", got, len(lists)+1)
	}
}

// Loaders see with the eyes of their viewer.
func TestLoadersHideWhatTheViewerMayNotSee(t *testing.T) {
	t.Parallel()
	c := newCompany(t, 1)
	user, err := c.store.EnsureMember(t.Context(), c.owner, "Mia", "mia@example.com", timesheet.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	member := timesheet.Viewer{Workspace: c.owner.Workspace, User: user.ID, Role: timesheet.RoleMember}
	made[timesheet.Project](t)(c.store.SetProjectMember(t.Context(), c.owner, c.projects[0].ID, user.ID, false, store.Change{}))
	ctx, set, _ := c.request(t, member)
	for i, want := range []bool{true, false} {
		if _, found, err := set.Projects.Load(ctx, c.projects[i].ID); found != want || err != nil {
			t.Errorf("project %d: found %t, %v, want %t", i, found, err, want)
		}
	}
	if _, found, err := set.Entries.Load(ctx, c.entries[0].ID); found || err != nil {
		t.Errorf("somebody else's entry: found %t, %v", found, err)
	}
	owner, err := must(set.Users.Load(ctx, c.owner.User))
	if err != nil || owner.Name != "Olga" || owner.Email != nil {
		t.Errorf("the owner as a member sees them: %+v, %v", owner, err)
	}
}

// After a mutation the same request reads anew.
func TestClearAfterAMutation(t *testing.T) {
	t.Parallel()
	c := newCompany(t, 1)
	ctx, set, _ := c.request(t, c.owner)
	id := c.projects[0].ID
	name := func() string {
		p, err := must(set.Projects.Load(ctx, id))
		if err != nil {
			t.Error(err)
		}
		return p.Name
	}
	before := name()
	made[timesheet.Project](t)(c.store.UpdateProject(ctx, c.owner, id, timesheet.ProjectInput{Name: timesheet.Some("new")}, nil, store.Change{}))
	if got := name(); got != before {
		t.Errorf("read twice in one request: %q and %q", before, got)
	}
	set.Clear()
	if got := name(); got != "new" {
		t.Errorf("after Clear: %q, want new", got)
	}
	made[timesheet.Project](t)(c.store.DeleteProject(ctx, c.owner, id, nil, store.Change{}))
	set.Clear()
	if p, err := must(set.Projects.Load(ctx, id)); err != nil || !p.Deleted {
		t.Errorf("after Clear: %+v, %v, want the tombstone", p, err)
	}
}

// The end of a request ends its statements, and says so to who waits.
func TestEndOfTheRequest(t *testing.T) {
	t.Parallel()
	c := newCompany(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	set := dataloader.New(c.store, c.owner)
	dataloader.With(ctx, set)
	cancel()
	if _, _, err := set.Projects.Load(t.Context(), c.projects[0].ID); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func BenchmarkHundredProjects(b *testing.B) {
	c := newCompany(b, 50)
	ids := make([]timesheet.ProjectID, len(c.projects))
	for i, p := range c.projects {
		ids[i] = p.ID
	}
	for _, announced := range []bool{true, false} {
		b.Run(fmt.Sprintf("announced=%t", announced), func(b *testing.B) {
			b.ReportAllocs()
			statements := 0
			for b.Loop() {
				ctx, set, op := c.request(b, c.owner)
				if announced {
					set.Projects.Expect(ids)
				}
				each(b, ids, func(id timesheet.ProjectID) error {
					_, err := must(set.Projects.Load(ctx, id))
					return err
				})
				statements += op.Statements()
			}
			b.ReportMetric(float64(statements)/float64(b.N), "statements/op")
		})
	}
}
