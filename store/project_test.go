package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

func addProject(t testing.TB, s *store.Store, v timesheet.Viewer, name string, client *timesheet.ClientID) timesheet.Project {
	t.Helper()
	in := timesheet.ProjectInput{Name: timesheet.Some(name), Client: timesheet.Some(client)}
	return done[timesheet.Project](t)(s.CreateProject(t.Context(), v, in, change("createProject")))
}

func projectNames(page timesheet.Connection[timesheet.Project]) []string {
	names := []string{}
	for _, p := range page.Nodes {
		names = append(names, p.Name)
	}
	return names
}

func TestProjectLife(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	client := addClient(t, s, owner, "Initech")

	project := done[timesheet.Project](t)(s.CreateProject(ctx, owner, timesheet.ProjectInput{
		Name: timesheet.Some("TPS reports"), Client: timesheet.Some(&client.ID),
		Code: timesheet.Some(new(" TPS ")), Color: timesheet.Some(new("#A1B2C3")),
	}, change("createProject")))
	want := timesheet.Project{
		ID: project.ID, ClientID: &client.ID, Name: "TPS reports", Code: new("TPS"), Color: new("#a1b2c3"),
		Billable: true, RateOrder: timesheet.RateOrder, Version: 1,
	}
	if diff := cmp.Diff(want, project); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	want.Billable, want.Version = false, 2
	project = done[timesheet.Project](t)(s.UpdateProject(ctx, owner, project.ID, timesheet.ProjectInput{Billable: timesheet.Some(false)}, new(1), change("updateProject")))
	if diff := cmp.Diff(want, project); diff != "" {
		t.Errorf("what was not given stays (-want +got):\n%s", diff)
	}
	want.ClientID, want.Code, want.Color, want.Version = nil, nil, nil, 3
	project = done[timesheet.Project](t)(s.UpdateProject(ctx, owner, project.ID, timesheet.ProjectInput{
		Client: timesheet.Some[*timesheet.ClientID](nil), Code: timesheet.Some[*string](nil), Color: timesheet.Some[*string](nil),
	}, nil, change("updateProject")))
	if diff := cmp.Diff(want, project); diff != "" {
		t.Errorf("null empties (-want +got):\n%s", diff)
	}
	want.Archived, want.Version = true, 4
	project = done[timesheet.Project](t)(s.ArchiveProject(ctx, owner, project.ID, true, nil, change("archiveProject")))
	if diff := cmp.Diff(want, project); diff != "" {
		t.Errorf("archived (-want +got):\n%s", diff)
	}
	want.Deleted, want.Version = true, 5
	project = done[timesheet.Project](t)(s.DeleteProject(ctx, owner, project.ID, new(4), change("deleteProject")))
	if diff := cmp.Diff(want, project); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	found, err := s.ProjectsByID(ctx, owner, []timesheet.ProjectID{project.ID})
	if diff := cmp.Diff(map[timesheet.ProjectID]timesheet.Project{project.ID: want}, found); err != nil || diff != "" {
		t.Errorf("the tombstone by id (-want +got):\n%s, error %v", diff, err)
	}
	_, _, err = s.UpdateProject(ctx, owner, project.ID, timesheet.ProjectInput{}, nil, change("updateProject"))
	wantCode(t, err, timesheet.CodeNotFound)
}

func TestProjectInputIsChecked(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	foreign := addClient(t, s, addWorkspace(t, s, "Other"), "foreign")
	client := addClient(t, s, owner, "c")
	addProject(t, s, owner, "taken", &client.ID)
	addProject(t, s, owner, "taken", nil) // another client, or none, has its own names
	name := timesheet.Some("fresh")
	tests := []struct {
		name  string
		in    timesheet.ProjectInput
		code  timesheet.Code
		field string
	}{
		{"no name", timesheet.ProjectInput{}, timesheet.CodeInvalid, "name"},
		{"blank name", timesheet.ProjectInput{Name: timesheet.Some(" \t")}, timesheet.CodeInvalid, "name"},
		{"taken name", timesheet.ProjectInput{Name: timesheet.Some("TAKEN"), Client: timesheet.Some(&client.ID)}, timesheet.CodeNameTaken, "name"},
		{"taken name without a client", timesheet.ProjectInput{Name: timesheet.Some("TAKEN")}, timesheet.CodeNameTaken, "name"},
		{"another workspace's client", timesheet.ProjectInput{Name: name, Client: timesheet.Some(&foreign.ID)}, timesheet.CodeNotFound, "clientId"},
		{"no such client", timesheet.ProjectInput{Name: name, Client: timesheet.Some(new(timesheet.ClientID(1 << 40)))}, timesheet.CodeNotFound, "clientId"},
		{"empty code", timesheet.ProjectInput{Name: name, Code: timesheet.Some(new(" "))}, timesheet.CodeInvalid, "code"},
		{"long code", timesheet.ProjectInput{Name: name, Code: timesheet.Some(new(strings.Repeat("é", 51)))}, timesheet.CodeInvalid, "code"},
		{"code with U+0000", timesheet.ProjectInput{Name: name, Code: timesheet.Some(new("a\x00"))}, timesheet.CodeInvalid, "code"},
		{"short colour", timesheet.ProjectInput{Name: name, Color: timesheet.Some(new("#fff"))}, timesheet.CodeInvalid, "color"},
		{"colour with U+0000", timesheet.ProjectInput{Name: name, Color: timesheet.Some(new("#00000\x00"))}, timesheet.CodeInvalid, "color"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := s.CreateProject(t.Context(), owner, tt.in, change("createProject"))
			wantCode(t, err, tt.code)
			if broken, ok := timesheet.AsError(err); ok && broken.Field != tt.field {
				t.Errorf("got field %q, want %q", broken.Field, tt.field)
			}
		})
	}
	done[timesheet.Project](t)(s.CreateProject(t.Context(), owner, timesheet.ProjectInput{Name: name, Code: timesheet.Some(new(strings.Repeat("é", 50)))}, change("createProject")))
}

// A project keeps a client that was archived or deleted, but does not get one.
func TestProjectKeepsItsArchivedClient(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	old, deleted := addClient(t, s, owner, "old"), addClient(t, s, owner, "deleted")
	project, second := addProject(t, s, owner, "p", &old.ID), addProject(t, s, owner, "q", &deleted.ID)
	done[timesheet.Client](t)(s.ArchiveClient(t.Context(), owner, old.ID, true, nil, change("archiveClient")))
	done[timesheet.Client](t)(s.DeleteClient(t.Context(), owner, deleted.ID, nil, change("deleteClient")))

	update := func(id timesheet.ProjectID, client timesheet.ClientID) error {
		in := timesheet.ProjectInput{Name: timesheet.Some(fmt.Sprint("renamed ", id, client)), Client: timesheet.Some(&client)}
		_, _, err := s.UpdateProject(t.Context(), owner, id, in, nil, change("updateProject"))
		return err
	}
	if err := errors.Join(update(project.ID, old.ID), update(second.ID, deleted.ID)); err != nil {
		t.Errorf("rename without moving: %v", err)
	}
	wantCode(t, update(second.ID, old.ID), timesheet.CodeArchived)
	wantCode(t, update(project.ID, deleted.ID), timesheet.CodeNotFound)
}

// Who sees which projects, and who may change them.
func TestProjectRights(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	foreign := addProject(t, s, addWorkspace(t, s, "Other"), "foreign", nil)
	mine, hidden := addProject(t, s, owner, "mine", nil), addProject(t, s, owner, "hidden", nil)
	tests := []struct {
		name                string
		role                timesheet.Role
		lead                bool
		mine, hidden, fresh timesheet.Code // of changing a project, and of creating one; empty: allowed
	}{
		{"admin", timesheet.RoleAdmin, false, "", "", ""},
		{"manager who leads it", timesheet.RoleManager, true, "", timesheet.CodeForbidden, ""},
		{"manager who belongs to it", timesheet.RoleManager, false, timesheet.CodeForbidden, timesheet.CodeForbidden, ""},
		{"member called its lead", timesheet.RoleMember, true, timesheet.CodeForbidden, timesheet.CodeNotFound, timesheet.CodeForbidden},
		{"viewer", timesheet.RoleViewer, false, timesheet.CodeForbidden, timesheet.CodeForbidden, timesheet.CodeForbidden},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := addViewer(t, s, owner, fmt.Sprint("user", i), tt.role)
			addMember(t, s, owner, mine.ID, v.User, tt.lead)
			expect := func(what string, want timesheet.Code, err error) {
				t.Helper()
				broken, _ := timesheet.AsError(err)
				if want == "" && err != nil || want != "" && (broken == nil || broken.Code != want) {
					t.Errorf("%s: got %v, want code %q", what, err, want)
				}
			}
			for id, want := range map[timesheet.ProjectID]timesheet.Code{mine.ID: tt.mine, hidden.ID: tt.hidden, foreign.ID: timesheet.CodeNotFound} {
				_, _, err := s.UpdateProject(t.Context(), v, id, timesheet.ProjectInput{}, nil, change("updateProject"))
				expect("update", want, err)
				_, _, err = s.ArchiveProject(t.Context(), v, id, false, nil, change("archiveProject"))
				expect("archive", want, err)
				_, _, err = s.SetProjectMember(t.Context(), v, id, v.User, tt.lead, change("setProjectMember"))
				expect("set a member", want, err)
				_, _, err = s.CreateTask(t.Context(), v, timesheet.TaskInput{Project: id, Name: timesheet.Some(fmt.Sprint("task", i))}, change("createTask"))
				expect("create a task", want, err)
			}
			_, _, err := s.CreateProject(t.Context(), v, timesheet.ProjectInput{Name: timesheet.Some(tt.name)}, change("createProject"))
			expect("create", tt.fresh, err)
		})
	}
}

func TestManagerLeadsWhatTheyMake(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	manager := addViewer(t, s, owner, "max", timesheet.RoleManager)
	project := addProject(t, s, manager, "mine", nil)
	done[timesheet.Project](t)(s.UpdateProject(t.Context(), manager, project.ID, timesheet.ProjectInput{Name: timesheet.Some("still mine")}, nil, change("updateProject")))
	done[timesheet.Project](t)(s.DeleteProject(t.Context(), manager, project.ID, nil, change("deleteProject")))
}

func TestProjectsAMemberSees(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	client, other := addClient(t, s, owner, "c"), addClient(t, s, owner, "d")
	for i, name := range []string{"a", "b", "c", "d"} {
		project := addProject(t, s, owner, name, []*timesheet.ClientID{&client.ID, &other.ID}[i%2])
		if i < 2 {
			addMember(t, s, owner, project.ID, member.User, false)
		}
	}
	tests := []struct {
		name   string
		who    timesheet.Viewer
		filter timesheet.ListFilter
		want   []string
	}{
		{"owner", owner, timesheet.ListFilter{}, []string{"a", "b", "c", "d"}},
		{"owner, one client", owner, timesheet.ListFilter{Client: &client.ID}, []string{"a", "c"}},
		{"member", member, timesheet.ListFilter{}, []string{"a", "b"}},
		{"member, one client", member, timesheet.ListFilter{Client: &other.ID}, []string{"b"}},
		{"member, a hidden name", member, timesheet.ListFilter{Text: "c"}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page, err := s.Projects(t.Context(), tt.who, tt.filter, timesheet.OrderName, timesheet.Page{First: 10})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, projectNames(page)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if total, err := page.Total(t.Context()); err != nil || total != len(tt.want) {
				t.Errorf("total %d, %v, want %d", total, err, len(tt.want))
			}
		})
	}
}

func TestProjectsOfClients(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	many, few, none := addClient(t, s, owner, "many"), addClient(t, s, owner, "few"), addClient(t, s, owner, "none")
	for _, name := range []string{"m3", "m1", "m2"} {
		addMember(t, s, owner, addProject(t, s, owner, name, &many.ID).ID, member.User, false)
	}
	addProject(t, s, owner, "f1", &few.ID)
	foreign := addClient(t, s, addWorkspace(t, s, "Other"), "foreign")
	ids := []timesheet.ClientID{many.ID, few.ID, none.ID, foreign.ID}

	op := store.NewOperation(1)
	ctx := store.WithOperation(t.Context(), op)
	pages, err := s.ProjectsOfClients(ctx, owner, ids, timesheet.ListFilter{}, timesheet.Page{First: 2})
	if err != nil {
		t.Fatal(err)
	}
	totals := map[timesheet.ClientID]int{many.ID: 3, few.ID: 1, none.ID: 0, foreign.ID: 0}
	for id, want := range map[timesheet.ClientID][]string{many.ID: {"m1", "m2"}, few.ID: {"f1"}, none.ID: {}, foreign.ID: {}} {
		page := pages[id]
		if diff := cmp.Diff(want, projectNames(page)); diff != "" {
			t.Errorf("client %d (-want +got):\n%s", id, diff)
		}
		if page.HasNextPage != (id == many.ID) {
			t.Errorf("client %d: has next page %t", id, page.HasNextPage)
		}
		if total, err := page.Total(ctx); err != nil || total != totals[id] {
			t.Errorf("client %d: total %d, %v, want %d", id, total, err, totals[id])
		}
	}
	if got := op.Statements(); got != 2 {
		t.Errorf("pages and totals of four clients took %d statements, want 2", got)
	}

	next, err := s.ProjectsOfClients(t.Context(), owner, []timesheet.ClientID{many.ID}, timesheet.ListFilter{}, timesheet.Page{First: 2, After: pages[many.ID].Cursor(1)})
	if diff := cmp.Diff([]string{"m3"}, projectNames(next[many.ID])); err != nil || diff != "" {
		t.Errorf("second page (-want +got):\n%s, error %v", diff, err)
	}
	seen, err := s.ProjectsOfClients(t.Context(), member, ids, timesheet.ListFilter{Text: "m"}, timesheet.Page{Last: 1})
	if diff := cmp.Diff([]string{"m3"}, projectNames(seen[many.ID])); err != nil || diff != "" {
		t.Errorf("a member's last project (-want +got):\n%s, error %v", diff, err)
	}
	if got := projectNames(seen[few.ID]); len(got) != 0 {
		t.Errorf("a member sees %q of a client whose projects are hidden", got)
	}
}

// Deleting a client while projects move to it neither deadlocks nor leaves an
// unarchived project with a deleted client.
func TestMoveToAClientThatIsBeingDeleted(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	for round := range 10 {
		client := addClient(t, s, owner, fmt.Sprint("client", round))
		projects := make([]timesheet.Project, 4)
		for i := range projects {
			projects[i] = addProject(t, s, owner, fmt.Sprint("p", round, i), []*timesheet.ClientID{nil, &client.ID}[i%2])
		}
		var all sync.WaitGroup
		for _, p := range projects {
			all.Go(func() {
				in := timesheet.ProjectInput{Client: timesheet.Some(&client.ID)}
				_, _, err := s.UpdateProject(t.Context(), owner, p.ID, in, nil, change("updateProject"))
				if broken, ok := timesheet.AsError(err); err != nil && (!ok || broken.Code != timesheet.CodeNotFound) {
					t.Errorf("move: %v", err)
				}
			})
		}
		all.Go(func() {
			if _, _, err := s.DeleteClient(t.Context(), owner, client.ID, nil, change("deleteClient")); err != nil {
				t.Errorf("delete: %v", err)
			}
		})
		all.Wait()
		page, err := s.Projects(t.Context(), owner, timesheet.ListFilter{Client: &client.ID, Archived: new(false)}, timesheet.OrderName, timesheet.Page{First: 10})
		if err != nil || len(page.Nodes) > 0 {
			t.Errorf("projects of the deleted client in use: %v, %v", projectNames(page), err)
		}
	}
}
