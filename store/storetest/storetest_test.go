package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"headroom/store"
	"headroom/store/localpg"
)

// With this variable the test binary plays one that is killed during its tests.
const victimVariable = "HEADROOM_STORETEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		beVictim()
	}
	os.Exit(m.Run())
}

// beVictim uses a database, says where its server lives, and waits to be killed.
func beVictim() {
	server, err := shared()
	if err == nil {
		err = server.clone(context.Background(), "headroom_test_victim")
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(filepath.Dir(server.admin.Query().Get("host")))
	select {}
}

func connectTo(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestEveryTestHasItsOwnDatabase(t *testing.T) {
	first, second := connectTo(t, New(t)), connectTo(t, New(t))
	if _, err := first.Exec(t.Context(), "CREATE TABLE mine (id int)"); err != nil {
		t.Fatal(err)
	}
	var seen bool
	const query = "SELECT to_regclass('mine') IS NOT NULL"
	if err := second.QueryRow(t.Context(), query).Scan(&seen); err != nil {
		t.Fatal(err)
	}
	if seen {
		t.Error("a table made in one database is seen in another")
	}
}

func TestDatabaseHasTheCurrentSchema(t *testing.T) {
	pending, err := store.Pending(t.Context(), New(t))
	if err != nil {
		t.Fatal(err)
	}
	if pending {
		t.Error("the database lacks migrations")
	}
	if err := Open(t).Ping(t.Context()); err != nil {
		t.Errorf("Ping of an opened store: %v", err)
	}
}

func TestDatabaseIsDroppedEvenWhileInUse(t *testing.T) {
	var dsn string
	t.Run("uses it and leaves a connection open", func(t *testing.T) {
		dsn = New(t)
		if _, err := pgx.Connect(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
	})
	_, err := pgx.Connect(t.Context(), dsn)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "3D000" {
		t.Errorf("connect after the test: got %v, want 3D000, no such database", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			conn, err := pgx.Connect(t.Context(), New(t))
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close(t.Context())
		})
	}
	group.Wait()
}

// TestOtherServer is what HEADROOM_TEST_DATABASE_URL leads to: two binaries
// that come to an empty server at once.
func TestOtherServer(t *testing.T) {
	run, err := newRunFolder()
	if err != nil {
		t.Fatal(err)
	}
	other, err := localpg.Start(t.Context(), localpg.Config{Dir: run, Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Stop(context.Background()) })
	var group sync.WaitGroup
	for i := range 2 {
		group.Go(func() {
			s, err := connect(other.DSN())
			if err == nil {
				err = s.ensureTemplate(t.Context())
			}
			if err == nil {
				err = s.clone(t.Context(), "clone_"+strconv.Itoa(i))
			}
			if err != nil {
				t.Errorf("binary %d: %v", i, err)
			}
		})
	}
	group.Wait()
}

func TestConnectWantsURL(t *testing.T) {
	for _, address := range []string{"host=/tmp user=me", "mysql://localhost/", "://"} {
		if _, err := connect(address); err == nil {
			t.Errorf("connect(%q) took what is no postgres:// URL", address)
		}
	}
}

func TestCacheDirWithoutHome(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("XDG_CACHE_HOME", "/dev/null/cache")
	t.Setenv("HOME", "/dev/null")
	dir, err := cacheDir()
	if err != nil || filepath.Dir(dir) != temp {
		t.Errorf("cacheDir() = %q, %v, want a folder in %s", dir, err, temp)
	}
}

func TestSweepRemovesWhatTheDeadLeft(t *testing.T) {
	parent := t.TempDir()
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(parent, runPrefix+strconv.Itoa(ended.Process.Pid)+"-1")
	alive := filepath.Join(parent, runPrefix+strconv.Itoa(os.Getpid())+"-1")
	foreign := filepath.Join(parent, runPrefix+"notes")
	for _, dir := range []string{dead, alive, foreign} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(parent)
	for dir, want := range map[string]bool{dead: false, alive: true, foreign: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(dir), err == nil, want)
		}
	}
}

func TestKilledBinaryLeavesNothing(t *testing.T) {
	for name, credential := range map[string]*syscall.Credential{
		"same user":     nil,
		"ordinary user": {Uid: 65534, Gid: 65534},
	} {
		t.Run(name, func(t *testing.T) {
			if credential != nil && os.Geteuid() != 0 {
				t.Skip("only root can become another user")
			}
			victim, run := startVictim(t, credential)
			server := postmaster(t, run)
			if !running(t, server) {
				t.Fatalf("the victim's server (pid %s) does not run", server)
			}
			if err := victim.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = victim.Wait()
			eventually(t, "the run folder is gone", func() bool {
				_, err := os.Stat(run)
				return errors.Is(err, os.ErrNotExist)
			})
			eventually(t, "its server has ended", func() bool { return !running(t, server) })
		})
	}
}

// postmaster is the pid of the server in a run folder.
func postmaster(t *testing.T, run string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(run, "pg*", "data", "postmaster.pid"))
	if err != nil || len(files) != 1 {
		t.Fatalf("postmaster.pid files in %s: %v, %v", run, files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	pid, _, _ := strings.Cut(string(text), "\n")
	return pid
}

// running tells whether a process lives; one that only waits to be reaped by
// its new parent does not.
func running(t *testing.T, pid string) bool {
	t.Helper()
	state, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil && !strings.HasPrefix(string(state), "Z")
}

// startVictim runs a copy of this test binary, which another user may execute,
// and returns it with its run folder.
func startVictim(t *testing.T, credential *syscall.Credential) (*exec.Cmd, string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "hr-victim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "victim")
	copyProgram(t, program)
	cmd := exec.Command(program)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), victimVariable+"=1", urlVariable+"=")
	if credential != nil {
		cache := filepath.Join(dir, "cache")
		if err := errors.Join(os.Mkdir(cache, 0o700), os.Chown(cache, int(credential.Uid), int(credential.Gid))); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+cache)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "error") {
		t.Fatalf("the victim said %q, %v", line, err)
	}
	return cmd, strings.TrimSpace(line)
}

// copyProgram copies this test binary. Another process does it: a file that a
// parallel test's child inherits open for writing cannot be run.
func copyProgram(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", self, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
}

// eventually polls a condition of another process.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	server, err := shared()
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		name := "headroom_bench_" + strconv.Itoa(i)
		if err := server.clone(b.Context(), name); err != nil {
			b.Fatal(err)
		}
		if err := server.drop(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
}
