package store_test

import (
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// newWorkspace makes a store on a database of its own and a workspace in
// Bucharest whose owner is Olga.
func newWorkspace(t testing.TB) (*store.Store, timesheet.Viewer) {
	t.Helper()
	s := storetest.Open(t)
	return s, addWorkspace(t, s, "Acme")
}

func addWorkspace(t testing.TB, s *store.Store, name string) timesheet.Viewer {
	t.Helper()
	owner, err := s.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: name, TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Olga", Email: "olga@example.com"},
	})
	if err != nil {
		t.Fatalf("create workspace %s: %v", name, err)
	}
	return owner
}

// addViewer makes a person with a role and returns them as a viewer.
func addViewer(t testing.TB, s *store.Store, owner timesheet.Viewer, name string, role timesheet.Role) timesheet.Viewer {
	t.Helper()
	user, err := s.EnsureMember(t.Context(), owner, name, name+"@example.com", role)
	if err != nil {
		t.Fatalf("add %s: %v", name, err)
	}
	return timesheet.Viewer{Workspace: owner.Workspace, User: user.ID, Role: role, Scope: timesheet.ScopeWrite}
}

// wantCode fails unless err is a broken rule of the code.
func wantCode(t testing.TB, err error, want timesheet.Code) {
	t.Helper()
	broken, ok := timesheet.AsError(err)
	switch {
	case !ok:
		t.Errorf("got error %v, want code %s", err, want)
	case broken.Code != want:
		t.Errorf("got code %s (%v), want %s", broken.Code, err, want)
	}
}
