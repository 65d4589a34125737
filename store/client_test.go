package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

func addClient(t testing.TB, s *store.Store, v timesheet.Viewer, name string) timesheet.Client {
	t.Helper()
	return done[timesheet.Client](t)(s.CreateClient(t.Context(), v, timesheet.ClientInput{Name: timesheet.Some(name)}, change("createClient")))
}

func clientNames(t testing.TB, s *store.Store, v timesheet.Viewer) []string {
	t.Helper()
	page, err := s.Clients(t.Context(), v, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 100})
	if err != nil {
		t.Fatal(err)
	}
	if total, err := page.Total(t.Context()); err != nil || total != len(page.Nodes) {
		t.Errorf("total %d, %v, but %d clients", total, err, len(page.Nodes))
	}
	names := []string{}
	for _, c := range page.Nodes {
		names = append(names, c.Name)
	}
	return names
}

func TestClientLife(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	client := addClient(t, s, owner, "Initech")
	want := timesheet.Client{ID: client.ID, Name: "Initech", Version: 1}
	if diff := cmp.Diff(want, client); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	want.Name, want.Version = "Initrode", 2
	client = done[timesheet.Client](t)(s.UpdateClient(t.Context(), owner, client.ID, timesheet.ClientInput{Name: timesheet.Some("Initrode")}, nil, change("updateClient")))
	if diff := cmp.Diff(want, client); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	want.Archived, want.Version = true, 3
	client = done[timesheet.Client](t)(s.ArchiveClient(t.Context(), owner, client.ID, true, nil, change("archiveClient")))
	if diff := cmp.Diff(want, client); diff != "" {
		t.Errorf("archived (-want +got):\n%s", diff)
	}
	_, _, err := s.CreateProject(t.Context(), owner, timesheet.ProjectInput{Name: timesheet.Some("p"), Client: timesheet.Some(&client.ID)}, change("createProject"))
	wantCode(t, err, timesheet.CodeArchived)
	_, _, err = s.CreateClient(t.Context(), owner, timesheet.ClientInput{Name: timesheet.Some("INITRODE")}, change("createClient"))
	wantCode(t, err, timesheet.CodeNameTaken)
	_, _, err = s.CreateClient(t.Context(), owner, timesheet.ClientInput{}, change("createClient"))
	wantCode(t, err, timesheet.CodeInvalid)
}

// A deleted client takes no project and no name with it.
func TestDeletedClientArchivesItsProjects(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	client, other := addClient(t, s, owner, "gone"), addClient(t, s, owner, "stays")
	first := addProject(t, s, owner, "first", &client.ID)
	second := addProject(t, s, owner, "second", &client.ID)
	third := addProject(t, s, owner, "third", &other.ID)

	gone := done[timesheet.Client](t)(s.DeleteClient(t.Context(), owner, client.ID, nil, change("deleteClient")))
	if !gone.Deleted || gone.Name != "gone" {
		t.Errorf("got %+v, want a tombstone with its name", gone)
	}
	found, err := s.ProjectsByID(t.Context(), owner, []timesheet.ProjectID{first.ID, second.ID, third.ID})
	if err != nil {
		t.Fatal(err)
	}
	first.Archived, first.Version = true, 2
	second.Archived, second.Version = true, 2
	want := map[timesheet.ProjectID]timesheet.Project{first.ID: first, second.ID: second, third.ID: third}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
	_, _, err = s.CreateProject(t.Context(), owner, timesheet.ProjectInput{Name: timesheet.Some("late"), Client: timesheet.Some(&client.ID)}, change("createProject"))
	wantCode(t, err, timesheet.CodeNotFound)
	byID, err := s.ClientsByID(t.Context(), owner, []timesheet.ClientID{client.ID, 1 << 40})
	if diff := cmp.Diff(map[timesheet.ClientID]timesheet.Client{client.ID: gone}, byID); err != nil || diff != "" {
		t.Errorf("by id (-want +got):\n%s, error %v", diff, err)
	}
}

// Members see the clients of their projects and no others, not even by id.
func TestClientsAMemberSees(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	foreign := addClient(t, s, addWorkspace(t, s, "Other"), "foreign")
	mine, hidden := addClient(t, s, owner, "mine"), addClient(t, s, owner, "hidden")
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	reader := addViewer(t, s, owner, "vic", timesheet.RoleViewer)
	addMember(t, s, owner, addProject(t, s, owner, "p", &mine.ID).ID, member.User, false)
	addProject(t, s, owner, "q", &hidden.ID)

	if diff := cmp.Diff([]string{"mine"}, clientNames(t, s, member)); diff != "" {
		t.Errorf("a member lists (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hidden", "mine"}, clientNames(t, s, reader)); diff != "" {
		t.Errorf("a viewer lists (-want +got):\n%s", diff)
	}
	ids := []timesheet.ClientID{mine.ID, hidden.ID, foreign.ID}
	for who, want := range map[*timesheet.Viewer]map[timesheet.ClientID]timesheet.Client{
		&member: {mine.ID: mine},
		&reader: {mine.ID: mine, hidden.ID: hidden},
		&owner:  {mine.ID: mine, hidden.ID: hidden},
	} {
		got, err := s.ClientsByID(t.Context(), *who, ids)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s by id (-want +got):\n%s, error %v", who.Role, diff, err)
		}
	}
	for id, code := range map[timesheet.ClientID]timesheet.Code{
		mine.ID: timesheet.CodeForbidden, hidden.ID: timesheet.CodeNotFound, foreign.ID: timesheet.CodeNotFound,
	} {
		_, _, err := s.UpdateClient(t.Context(), member, id, timesheet.ClientInput{}, nil, change("updateClient"))
		wantCode(t, err, code)
	}
}
