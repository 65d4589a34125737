package localpg

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOpenUsesTheRunningServer(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	server := launch(t, base, nil)
	want := server.says(t)
	got, stop, err := Open(t.Context(), Config{Dir: base})
	if err != nil || got != want {
		t.Fatalf("Open = %q, %v, want the server's %q", got, err, want)
	}
	if err := stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	execute(t, got, "create table still_served ()")
}

func TestOpenWaitsForAServerThatStarts(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	server := launch(t, base, nil)
	eventually(t, time.Minute, "the server holds the folder", func() bool {
		text, err := os.ReadFile(filepath.Join(base, "lock"))
		return err == nil && len(text) > 0
	})
	got, stop, err := Open(t.Context(), Config{Dir: base})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t.Context())
	if want := server.says(t); got != want {
		t.Errorf("Open = %q, want the server's %q", got, want)
	}
}

func TestOpenStartsItsOwn(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	dsn, stop, err := Open(t.Context(), Config{Dir: base})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, dsn, "create table made ()")
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustStart(t, Config{Dir: base})
}

func TestOpenGivesUpOnAHolderWithoutServer(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	lock, err := takeLock(base)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.release()
	ctx, cancel := context.WithTimeout(t.Context(), 3*attachPoll)
	defer cancel()
	_, _, err = Open(ctx, Config{Dir: base})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "already uses "+base) {
		t.Errorf("Open = %v, want the deadline and who holds the folder", err)
	}
}

func TestStartHeedsItsContext(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Config{Dir: base}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start = %v, want context.Canceled", err)
	}
	mustStart(t, Config{Dir: base})
}

func TestReadLock(t *testing.T) {
	tests := map[string]struct {
		text    string
		pid     int
		sockets string
	}{
		"empty":       {"", 0, ""},
		"half a pid":  {"12", 0, ""},
		"starting":    {"123\n", 123, ""},
		"half a path": {"123\n/tmp/he", 123, ""},
		"ready":       {"123\n/var/lib/headroom/s\n", 123, "/var/lib/headroom/s"},
		"not ours":    {"hello\nworld\n", 0, "world"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			mustWrite(t, path, tt.text, 0o600)
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if pid, sockets := readLock(file); pid != tt.pid || sockets != tt.sockets {
				t.Errorf("readLock(%q) = %d, %q, want %d, %q", tt.text, pid, sockets, tt.pid, tt.sockets)
			}
		})
	}
}

func TestBrokenServerShowsItsLog(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	first := mustStart(t, Config{Dir: base})
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	data := first.proc.cmd.Args[2]
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer conf.Close()
	if _, err := conf.WriteString("no_such_setting = 1\n"); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Config{Dir: base})
	for _, want := range []string{"more in " + filepath.Join(base, "postgres.log"), "no_such_setting", "put a backup in its place"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "database system is shut down") {
		t.Errorf("the error shows lines of an earlier run:\n%v", err)
	}
}

// A damaged data folder is named with what is wrong and what to do, in one line.
func TestDamagedDataIsNamed(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	server := mustStart(t, Config{Dir: base})
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	data := server.proc.cmd.Args[2]
	for _, damage := range []struct{ name, path, says string }{
		{"no write-ahead log", "pg_wal/0*", "checkpoint record"},
		{"no control file", "global/pg_control", "pg_control"},
		{"no settings", "postgresql.conf", "postgresql.conf"},
		{"nothing but its version", "base", ""},
	} {
		paths, err := filepath.Glob(filepath.Join(data, damage.path))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: there is none: %v", damage.name, err)
		}
		for _, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
		_, err = Start(t.Context(), Config{Dir: base})
		if err == nil {
			t.Fatalf("%s: it starts", damage.name)
		}
		for _, want := range []string{damage.says, data, "put a backup in its place"} {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v; want one line with %q", damage.name, err, want)
			}
		}
	}
}

func TestLargeLogIsPutAside(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	log := filepath.Join(base, "postgres.log")
	mustWrite(t, log, strings.Repeat("old line\n", maxLog/8), 0o600)
	mustMkdir(t, base, 0o755)
	mustStart(t, Config{Dir: base})
	if _, err := os.Stat(log + ".1"); err != nil {
		t.Errorf("the old log: %v", err)
	}
	if info, err := os.Stat(log); err != nil || info.Size() > maxLog {
		t.Errorf("the new log: %v, %v", info, err)
	}
}

func TestSettings(t *testing.T) {
	has := func(args []string, setting string) bool { return slices.Contains(args, setting) }
	bare := Binaries{Dir: t.TempDir(), Major: 15}
	durable, ephemeral := settings(bare, "/s", false), settings(bare, "/s", true)
	got := map[string]bool{
		"durable keeps fsync":               !has(durable, "fsync=off"),
		"durable keeps autovacuum":          !has(durable, "autovacuum=off"),
		"ephemeral drops fsync":             has(ephemeral, "fsync=off"),
		"nothing is left in shared memory":  has(durable, "dynamic_shared_memory_type=mmap"),
		"both listen on no address":         has(durable, "listen_addresses=") && has(ephemeral, "listen_addresses="),
		"no library that is not there":      !has(durable, "shared_preload_libraries=pg_stat_statements"),
		"a dead client's backend is ended":  has(durable, "client_connection_check_interval=1s"),
		"the socket is where it was wanted": has(durable, "unix_socket_directories=/s"),
	}
	for what, ok := range got {
		if !ok {
			t.Errorf("not so: %s", what)
		}
	}
}

func TestLastLines(t *testing.T) {
	var lines []string
	for i := range 30 {
		lines = append(lines, strings.Repeat("x", i))
	}
	got := strings.Split(lastLines(strings.Join(lines, "\n")+"\n"), "\n")
	if diff := cmp.Diff(lines[30-tailLines:], got); diff != "" {
		t.Errorf("last lines (-want +got):\n%s", diff)
	}
}

// A command that needs the database whether or not the server runs.
func ExampleOpen() {
	ctx := context.Background()
	dsn, stop, err := Open(ctx, Config{Log: slog.Default()})
	if err != nil {
		slog.Error("no database", "error", err)
		return
	}
	defer stop(ctx)
	slog.Info("ready", "dsn", dsn)
}
