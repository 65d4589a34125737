package examples

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"headroom/csvfile"
	"headroom/limits"
	"headroom/server"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// now is when every example happens, but for what mutations stamp: those take
// the time of the machine.
var now = time.Date(2025, 10, 15, 12, 0, 0, 0, time.UTC)

// people of the company, by the name that an example's first line uses; each
// has a token of that name.
var people = []struct {
	as, name, email string
	role            timesheet.Role
}{
	{"owner", "Olga", "olga@acme.example", timesheet.RoleOwner},
	{"manager", "Radu", "radu@acme.example", timesheet.RoleManager},
	{"member", "Mihai", "mihai@acme.example", timesheet.RoleMember},
}

// open serves the company of company.csv from a database of its own and
// returns the address of its API.
func open(t *testing.T, budget limits.Rate) string {
	t.Helper()
	s := storetest.Open(t)
	owner, err := s.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Acme", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: people[0].name, Email: people[0].email},
	})
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]timesheet.Viewer{}
	for _, p := range people {
		user, err := s.EnsureMember(t.Context(), owner, p.name, p.email, p.role)
		if err != nil {
			t.Fatal(err)
		}
		tokens[p.as] = timesheet.Viewer{Workspace: owner.Workspace, User: user.ID, Role: p.role}
	}
	importCompany(t, s, owner)
	secret := []byte("the secret of the examples")
	folder, err := server.OpenExportFolder(t.TempDir(), secret, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Config{
		Store: s, Secret: secret, Log: slog.New(slog.DiscardHandler),
		User: budget, Demo: tokens, Now: func() time.Time { return now },
		Exports: server.ExportConfig{Folder: folder}, Nightly: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return "http://" + serve(t, srv) + "/graphql"
}

// serve runs a server until the test ends and returns its address.
func serve(t *testing.T, srv *server.Server) string {
	t.Helper()
	var listeners [2]net.Listener
	for i := range listeners {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = l
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, listeners[0], listeners[1], 0, 10*time.Second) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error("serve:", err)
		}
	})
	return listeners[0].Addr().String()
}

func importCompany(t *testing.T, s *store.Store, owner timesheet.Viewer) {
	t.Helper()
	zone, err := timesheet.LoadZone(owner.Workspace.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	file, err := csvfile.New(t.Context(), csvfile.FromPath("company.csv"), csvfile.Options{Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	counts, err := s.Import(t.Context(), owner, file.Rows(t.Context()), store.ImportOptions{Source: "company.csv"})
	if err != nil || file.Err() != nil || counts.Bad > 0 || counts.Created != file.Len() {
		t.Fatalf("import company.csv: %v of %d rows, %v, %v", counts, file.Len(), err, file.Err())
	}
}
