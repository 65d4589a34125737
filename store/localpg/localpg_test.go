package localpg

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// newBase is a base folder that other users may pass to, which t.TempDir is
// not: its parent is closed. It is in memory where the system has a folder for
// that, which halves the time that these tests take.
func newBase(t *testing.T) string {
	t.Helper()
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "hr-localpg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A killed program's server may still be writing its last.
		eventually(t, time.Minute, dir+" is removed", func() bool {
			return endOfServers(t, dir) && os.RemoveAll(dir) == nil
		})
	})
	return dir
}

// endOfServers reports whether no server runs on base any more.
func endOfServers(t *testing.T, base string) bool {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(base, "pg*", "data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		pid, err := strconv.Atoi(postmasterFile(folder)[0])
		if err == nil && running(t, pid) {
			return false
		}
	}
	return true
}

func mustStart(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	server, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return server
}

// query runs statements that each return one text.
func query(t *testing.T, dsn string, statements ...string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var values []string
	for _, statement := range statements {
		var value string
		if err := conn.QueryRow(t.Context(), statement).Scan(&value); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		values = append(values, value)
	}
	return values
}

func execute(t *testing.T, dsn, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestStartedServerHasOurSettings(t *testing.T) {
	t.Setenv("PGPORT", "6543") // the caller's variables must not leak in
	t.Setenv("PGTZ", "Asia/Tokyo")
	server := mustStart(t, Config{Dir: newBase(t)})
	os.Unsetenv("PGTZ") // pgx heeds it as well
	got := query(t, server.DSN(),
		"select current_user || ' in ' || current_database()",
		"show listen_addresses", "show port", "show timezone", "show jit", "show fsync",
		"show max_connections", "show server_encoding", "show lc_collate")
	want := []string{"headroom in postgres", "", "5432", "UTC", "off", "on", "100", "UTF8", "C"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	first := mustStart(t, Config{Dir: base})
	execute(t, first.DSN(), "create table kept as select 'still here' as value")
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := mustStart(t, Config{Dir: base})
	if got := query(t, second.DSN(), "select value from kept")[0]; got != "still here" {
		t.Errorf("kept value = %q, want %q", got, "still here")
	}
}
