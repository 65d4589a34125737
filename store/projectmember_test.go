package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

func addMember(t testing.TB, s *store.Store, v timesheet.Viewer, project timesheet.ProjectID, user timesheet.UserID, lead bool) {
	t.Helper()
	done[timesheet.Project](t)(s.SetProjectMember(t.Context(), v, project, user, lead, change("setProjectMember")))
}

func TestProjectMembers(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	project, empty, hidden := addProject(t, s, owner, "p", nil), addProject(t, s, owner, "q", nil), addProject(t, s, owner, "r", nil)
	bob, ann := addViewer(t, s, owner, "bob", timesheet.RoleMember), addViewer(t, s, owner, "Ann", timesheet.RoleMember)
	for _, v := range []timesheet.Viewer{bob, ann, owner} {
		addMember(t, s, owner, project.ID, v.User, false)
	}
	addMember(t, s, owner, hidden.ID, ann.User, false)
	ids := []timesheet.ProjectID{project.ID, empty.ID, hidden.ID}
	read := func(v timesheet.Viewer, p timesheet.Page) map[timesheet.ProjectID]timesheet.Connection[timesheet.User] {
		t.Helper()
		pages, err := s.MembersOfProjects(ctx, v, ids, p)
		if err != nil {
			t.Fatal(err)
		}
		return pages
	}
	names := func(page timesheet.Connection[timesheet.User]) []string {
		got := []string{}
		for _, u := range page.Nodes {
			got = append(got, u.Name)
		}
		return got
	}
	pages := read(owner, timesheet.Page{First: 10})
	for id, want := range map[timesheet.ProjectID][]string{project.ID: {"Ann", "bob", "Olga"}, empty.ID: {}, hidden.ID: {"Ann"}} {
		if diff := cmp.Diff(want, names(pages[id])); diff != "" {
			t.Errorf("members of %d (-want +got):\n%s", id, diff)
		}
		if total, err := pages[id].Total(ctx); err != nil || total != len(want) {
			t.Errorf("total of %d: %d, %v, want %d", id, total, err, len(want))
		}
	}
	second := read(owner, timesheet.Page{First: 1, After: pages[project.ID].Cursor(0)})
	if diff := cmp.Diff([]string{"bob"}, names(second[project.ID])); diff != "" {
		t.Errorf("second page (-want +got):\n%s", diff)
	}
	for _, u := range pages[project.ID].Nodes {
		if u.Email == nil {
			t.Errorf("the owner does not see the address of %s", u.Name)
		}
	}
	seen := read(bob, timesheet.Page{First: 10})
	if got := names(seen[hidden.ID]); len(got) != 0 {
		t.Errorf("a member sees %q of a project they do not belong to", got)
	}
	for _, u := range seen[project.ID].Nodes {
		if (u.Email != nil) != (u.ID == bob.User) {
			t.Errorf("a member sees the address %v of %s", u.Email, u.Name)
		}
	}

	done[timesheet.Project](t)(s.RemoveProjectMember(ctx, owner, project.ID, ann.User, change("removeProjectMember")))
	if diff := cmp.Diff([]string{"bob", "Olga"}, names(read(owner, timesheet.Page{First: 10})[project.ID])); diff != "" {
		t.Errorf("after a removal (-want +got):\n%s", diff)
	}
	_, _, err := s.RemoveProjectMember(ctx, owner, project.ID, ann.User, change("removeProjectMember"))
	wantCode(t, err, timesheet.CodeNotFound)
}

func TestSetProjectMemberFindsOnlyTheWorkspacesPeople(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	other := addWorkspace(t, s, "Other")
	project := addProject(t, s, owner, "p", nil)
	for name, user := range map[string]timesheet.UserID{"another workspace's": other.User, "nobody": 1 << 40} {
		_, _, err := s.SetProjectMember(t.Context(), owner, project.ID, user, false, change("setProjectMember"))
		wantCode(t, err, timesheet.CodeNotFound)
		if broken, ok := timesheet.AsError(err); ok && broken.Field != "userId" {
			t.Errorf("%s: got field %q, want userId", name, broken.Field)
		}
	}
	_, _, err := s.SetProjectMember(t.Context(), owner, addProject(t, s, other, "p", nil).ID, owner.User, false, change("setProjectMember"))
	wantCode(t, err, timesheet.CodeNotFound)
	if broken, ok := timesheet.AsError(err); ok && broken.Field != "projectId" {
		t.Errorf("got field %q, want projectId", broken.Field)
	}
}

// The lead of a project can be given and taken.
func TestSetProjectMemberChangesTheLead(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	manager := addViewer(t, s, owner, "max", timesheet.RoleManager)
	project := addProject(t, s, owner, "p", nil)
	for _, lead := range []bool{true, false} {
		addMember(t, s, owner, project.ID, manager.User, lead)
		_, _, err := s.ArchiveProject(t.Context(), manager, project.ID, false, nil, change("archiveProject"))
		if lead && err != nil {
			t.Errorf("the lead: %v", err)
		}
		if !lead {
			wantCode(t, err, timesheet.CodeForbidden)
		}
	}
}
