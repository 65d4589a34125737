package localpg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// With this variable the test binary plays a program that serves from the
// folder named there until it is told to stop or killed.
const programVariable = "HEADROOM_LOCALPG_PROGRAM"

func TestMain(m *testing.M) {
	if base := os.Getenv(programVariable); base != "" {
		beProgram(base)
	}
	os.Exit(m.Run())
}

func beProgram(base string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server, err := Start(ctx, Config{Dir: base, NoFetch: true})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(server.DSN())
	<-ctx.Done()
	if err := server.Stop(context.Background()); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// program is a copy of this test binary that serves from a folder.
type program struct {
	*exec.Cmd
	lines *bufio.Reader
}

// launch starts the program as the given user; nil is our own.
func launch(t *testing.T, base string, credential *syscall.Credential, env ...string) program {
	t.Helper()
	path := filepath.Join(newBase(t), "program")
	copyProgram(t, path)
	cmd := exec.Command(path)
	cmd.Dir = "/"
	cmd.Env = append(append(os.Environ(), programVariable+"="+base), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return program{cmd, bufio.NewReader(stdout)}
}

// says returns the line that the program prints: its DSN or its error.
func (p program) says(t *testing.T) string {
	t.Helper()
	line, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the program ended without a word: %v", err)
	}
	return strings.TrimSpace(line)
}

func (p program) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
}

// copyProgram copies this test binary. Another process does it: a file that a
// parallel test's child inherits open for writing cannot be run.
func copyProgram(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", self, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
}

// ordinaryUser is a user other than root to run the program as.
func ordinaryUser(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; as an ordinary user every other test shows the same")
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534}
}

// postmasterPid is the server's pid as its data folder in base says.
func postmasterPid(t *testing.T, base string) int {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(base, "pg*", "data"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("data folders in %s: %v, %v", base, folders, err)
	}
	pid, err := strconv.Atoi(postmasterFile(folders[0])[0])
	if err != nil {
		t.Fatalf("pid of the server: %v", err)
	}
	return pid
}

// running tells whether a process lives; one that only waits to be reaped by
// its new parent does not.
func running(t *testing.T, pid int) bool {
	t.Helper()
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil && !strings.HasPrefix(string(state), "Z")
}

// eventually polls a condition of another process.
func eventually(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// endLimit is what is promised for the end of PostgreSQL after its parent's.
const endLimit = 3 * time.Second

func TestServerEndsWithItsKilledParent(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	parent := launch(t, base, nil)
	execute(t, parent.says(t), "create table kept as select 'still here' as value")
	server := postmasterPid(t, base)
	if !running(t, server) {
		t.Fatalf("the server (pid %d) does not run", server)
	}
	parent.kill(t)
	eventually(t, endLimit, "no server is left", func() bool { return !running(t, server) })
	log, err := os.ReadFile(filepath.Join(base, "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "database system is shut down"; !strings.Contains(string(log), want) {
		t.Errorf("the server was cut off; its log lacks %q", want)
	}
	next := mustStart(t, Config{Dir: base})
	if got := query(t, next.DSN(), "select value from kept")[0]; got != "still here" {
		t.Errorf("kept value = %q, want %q", got, "still here")
	}
}

func TestStartAfterParentAndServerWereKilled(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	parent := launch(t, base, nil)
	execute(t, parent.says(t), "create table kept as select 'still here' as value")
	if err := syscall.Kill(postmasterPid(t, base), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	parent.kill(t)
	next := mustStart(t, Config{Dir: base})
	if got := query(t, next.DSN(), "select value from kept")[0]; got != "still here" {
		t.Errorf("kept value = %q, want %q", got, "still here")
	}
}

// TestStartEndsAnOrphan plays a system that cannot tie a child's life to its
// parent's: a server runs on the data, and nobody holds the lock.
func TestStartEndsAnOrphan(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	first := mustStart(t, Config{Dir: base})
	data, args := first.proc.cmd.Args[2], first.proc.cmd.Args[1:]
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	who, err := runAs()
	if err != nil {
		t.Fatal(err)
	}
	orphan := who.command(base, first.proc.cmd.Path, args...)
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	eventually(t, time.Minute, "the orphan is ready", func() bool { return postmasterFile(data)[7] == "ready" })
	mustStart(t, Config{Dir: base})
	if err := <-ended; err != nil {
		t.Errorf("the orphan was not shut down cleanly: %v", err)
	}
}

func TestStopIsClean(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	server := mustStart(t, Config{Dir: base})
	pid := server.proc.pid()
	if err := server.Err(); err != nil {
		t.Errorf("Err while it runs = %v, want nil", err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-server.Done()
	if err := server.Err(); err != nil {
		t.Errorf("Err after Stop = %v, want nil", err)
	}
	if running(t, pid) {
		t.Errorf("the server (pid %d) still runs after Stop", pid)
	}
	lock, err := os.ReadFile(filepath.Join(base, "lock"))
	if err != nil || len(lock) != 0 {
		t.Errorf("the lock file holds %q, %v after Stop, want nothing", lock, err)
	}
}

func TestStopWithoutPatience(t *testing.T) {
	t.Parallel()
	server := mustStart(t, Config{Dir: newBase(t)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Stop(ctx); err != nil {
		t.Errorf("Stop with a context that has ended: %v", err)
	}
	if running(t, server.proc.pid()) {
		t.Error("the server still runs")
	}
}

func TestDoneTellsOfAnUnaskedEnd(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	server := mustStart(t, Config{Dir: base})
	if err := syscall.Kill(server.proc.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-server.Done()
	if err := server.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err = %v, want one that says it was killed", err)
	}
	again := mustStart(t, Config{Dir: base}) // the folder is free without Stop
	if again.DSN() != server.DSN() {
		t.Errorf("DSN after the second start = %s, want the same as before, %s", again.DSN(), server.DSN())
	}
}

func TestSecondServerIsTurnedAway(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	first := launch(t, base, nil)
	first.says(t)
	_, err := Start(t.Context(), Config{Dir: base})
	want := fmt.Sprintf("headroom (pid %d) already uses %s", first.Process.Pid, base)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("second start: %v\nwant an error with %q", err, want)
	}
	wantOneLine(t, err)
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Fatalf("the first server's end: %v", err)
	}
	mustStart(t, Config{Dir: base})
}

func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	user := ordinaryUser(t)
	home := newBase(t)
	if err := os.Chown(home, int(user.Uid), int(user.Gid)); err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(home, "state", "headroom")
	parent := launch(t, base, user)
	execute(t, parent.says(t), "create table made (id int)")
	info, err := os.Stat(base)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("mode of the base folder = %o, want 700", got)
	}
	server := postmasterPid(t, base)
	parent.kill(t)
	eventually(t, endLimit, "no server is left", func() bool { return !running(t, server) })
	again := launch(t, base, user)
	execute(t, again.says(t), "insert into made values (1)")
}

func TestOrdinaryUserOnAnothersFolder(t *testing.T) {
	t.Parallel()
	user := ordinaryUser(t)
	base := newBase(t)
	stop := mustStart(t, Config{Dir: base})
	if err := stop.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := launch(t, base, user).says(t)
	if !strings.Contains(got, "cannot write to "+base) || !strings.Contains(got, "--data-dir") {
		t.Errorf("the program says %q, want that it cannot write to %s and what to do", got, base)
	}
}

func wantOneLine(t *testing.T, err error) {
	t.Helper()
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has more than one line:\n%v", err)
	}
}
