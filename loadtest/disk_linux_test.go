package loadtest

import (
	"errors"
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

// What gives too little room for what is still to be stored is kept, but for what a text
// takes.
func TestShortenKeepsWhatWinsNothing(t *testing.T) {
	line := strings.Repeat("x", 99) + "\n"
	for _, test := range []struct{ size, by, want int }{{100_000, 30_000, 70_000}, {100_000, 200_000, 83_600}, {10_000, 200_000, 0}} {
		path := filepath.Join(t.TempDir(), "results")
		if err := os.WriteFile(path, []byte(strings.Repeat(line, test.size/100)), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(shorten(file, int64(test.by)), file.Close()); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != int64(test.want) {
			t.Errorf("%d bytes shortened by %d are %d, %v; want %d", test.size, test.by, info.Size(), err, test.want)
		}
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
