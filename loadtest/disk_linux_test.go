package loadtest

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A disk that takes no more keeps whole lines of the results and everything
// else, and never lets a run pass.
func TestFullDisk(t *testing.T) {
	s := stormScenario(t)
	passed := testReport(t, s, synthetic(t, s.Phases, healthy))
	if passed.Verdict.Exit != ExitPass {
		t.Fatalf("exit %d, want a pass to void", passed.Verdict.Exit)
	}
	whole := t.TempDir()
	if err := passed.write(whole); err != nil {
		t.Fatal(err)
	}
	all := readResults(t, filepath.Join(whole, resultsFile))

	limitFiles(t, 600<<10) // results.csv would be larger
	dir := t.TempDir()
	if err := passed.write(dir); err != nil {
		t.Fatal(err)
	}
	if passed.Verdict.Exit != ExitInvalid || !strings.Contains(passed.Line, "INVALID  results.csv is not whole") {
		t.Errorf("exit %d, %q; want %d and why", passed.Verdict.Exit, passed.Line, ExitInvalid)
	}
	kept := readResults(t, filepath.Join(dir, resultsFile))
	if len(kept) == 0 || len(kept) >= len(all) {
		t.Errorf("%d of %d results are kept, want some", len(kept), len(all))
	}
	for i, r := range kept {
		if !r.Equal(all[i]) {
			t.Fatalf("result %d is %+v, want %+v", i, r, all[i])
		}
	}
	read, err := ReadRecord(dir)
	if err != nil || read.Verdict.Exit != ExitInvalid {
		t.Errorf("the stored run: %v, want exit %d", err, ExitInvalid)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.txt")); err != nil {
		t.Error(err)
	}
}

// limitFiles keeps files from growing beyond a size until the test ends, as a
// full disk would.
func limitFiles(t *testing.T, most uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
	})
}
