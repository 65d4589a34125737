package examples

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gateStub stands for headroom, surge and curl in tests of the gate's way through them:
// it writes down what it was called for and ends as it was told to.
const gateStub = `#!/bin/sh
case "${0##*/}:$1" in
curl:*) exit 0 ;;
headroom:seed) exit "${SEED:-0}" ;;
headroom:serve) [ -z "$DEAD" ] || { echo "cannot listen" >&2; exit 1; }; exec sleep 600 ;;
surge:run)
  echo run >>"$CALLS"
  [ -z "$BEGUN" ] || { trap 'echo stopped >>"$CALLS"; exit 130' TERM; echo run >"$BEGUN"; while :; do sleep 0.1; done; }
  exit "${RUN:-0}" ;;
surge:report) echo report >>"$CALLS" ;;
surge:compare) echo "compare $2" >>"$CALLS"; [ "$2" = --count ] && exit "${COUNT:-0}"; exit "${COMPARE:-0}" ;;
esac
`

// gate is examples/gate/gate.sh beside stubs, and what they were called for.
func gate(t *testing.T, env ...string) (command *exec.Cmd, calls func() string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("the gate is a script for bash, which is not here")
	}
	dir := t.TempDir()
	for _, name := range []string{"curl", "headroom", "surge"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(gateStub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	list, data := filepath.Join(dir, "calls"), filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	command = exec.CommandContext(t.Context(), bash, "gate/gate.sh", dir, dir, filepath.Join(dir, "out"))
	command.Env = append(append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "CALLS="+list, "TMPDIR="+data), env...)
	command.WaitDelay = 10 * time.Second
	t.Cleanup(func() {
		if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
			t.Errorf("the gate left %d data folders, %v", len(left), err)
		}
	})
	return command, func() string {
		text, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(text)), " ")
	}
}

// The gate's exit code is that of the first command of surge that does not pass.
func TestGateExits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		env   []string
		exit  int
		calls string
	}{
		{"may ship", nil, 0, "run report compare --count compare --out"},
		{"a promise is broken", []string{"RUN=3"}, 3, "run report"},
		{"the machine could not tell", []string{"RUN=4"}, 4, "run report"},
		{"more statements", []string{"COUNT=5"}, 5, "run report compare --count"},
		{"slower", []string{"COMPARE=5"}, 5, "run report compare --count compare --out"},
		{"no data", []string{"SEED=1"}, 1, ""},
		{"no server", []string{"DEAD=1"}, 2, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command, calls := gate(t, tt.env...)
			said, err := command.CombinedOutput()
			if got := command.ProcessState.ExitCode(); got != tt.exit || calls() != tt.calls {
				t.Errorf("exit %d after %q, want %d after %q (%v)\n%s", got, calls(), tt.exit, tt.calls, err, said)
			}
		})
	}
}

// A gate that is stopped, as a cancelled job is, stops surge, reports what there is, and
// leaves neither server nor data behind.
func TestGateStopped(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun")
	if err := syscall.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	command, calls := gate(t, "BEGUN="+begun)
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(begun)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := io.ReadFull(reader, make([]byte, len("run"))); err != nil {
		t.Fatal(err)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err = command.Wait()
	if got, want := calls(), "run stopped report"; command.ProcessState.ExitCode() != 130 || got != want {
		t.Errorf("ended with %v after %q, want exit 130 after %q\n%s", err, got, want, &said)
	}
}
