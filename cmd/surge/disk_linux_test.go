package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"headroom/loadtest"
)

// asLittle bounds the files of the test binary as surge, as a full disk would.
const asLittle = "SURGE_TEST_FILE_BYTES"

func init() {
	if most, err := strconv.ParseUint(os.Getenv(asLittle), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// A disk that fills up while the load is sent keeps what it has room for, and the run
// goes on to a verdict that is no pass.
func TestDiskFillsUpWhileRecording(t *testing.T) {
	server := watched(t, func() {})
	out := t.TempDir()
	command, said := surgeOf(t, server.URL, "4s", out)
	command.Env = append(command.Env, asLittle+"="+strconv.Itoa(100<<10))
	err := command.Run()
	if code := command.ProcessState.ExitCode(); code != int(loadtest.ExitInvalid) || !strings.Contains(said.String(), "results.csv is not whole") {
		t.Fatalf("ended with %v, want exit %d and why:\n%s", err, loadtest.ExitInvalid, said)
	}
	if n := requests(t, filepath.Join(out, "results.csv")); n < 100 || n >= 2000 {
		t.Errorf("vegeta counts %d requests, want some of the 2,000 that were sent", n)
	}
	stored, err := loadtest.ReadRecord(out)
	if err != nil || stored.Verdict.Exit != loadtest.ExitInvalid || stored.Phases[0].Outcomes["ok"] != 2000 {
		t.Errorf("the stored run: %v, want one of 2,000 right answers that is invalid", err)
	}
}
