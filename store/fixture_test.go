package store_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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

// newDatabase is newWorkspace for tests that speak to the database themselves.
func newDatabase(t testing.TB) (*store.Store, timesheet.Viewer, *pgx.Conn) {
	t.Helper()
	dsn := storetest.New(t)
	s := openStore(t, dsn)
	return s, addWorkspace(t, s, "Acme"), connectTo(t, dsn)
}

func openStore(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func connectTo(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// mustExec runs a statement of the test's own.
func mustExec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// ask runs a query of the test's own that returns one value.
func ask[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) (value T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// waitUntil asks every few milliseconds, for at most half a minute.
func waitUntil(t testing.TB, what string, done func() bool) {
	t.Helper()
	waitWithin(t, 30*time.Second, what, done)
}

// waitWithin is waitUntil for what may take long in a proof.
func waitWithin(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
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

// idText is an id as audit rows and references name it.
func idText[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }
