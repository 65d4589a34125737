package loadtest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// While arrivals are sent their results are written, each once all before it have
// ended; when all have, the files are those of a run that was written at its end.
func TestRecordedWhileItIsSent(t *testing.T) {
	s := stormScenario(t)
	a := synthetic(t, s.Phases, healthy)
	whole := t.TempDir()
	if err := testReport(t, s, a).write(whole); err != nil {
		t.Fatal(err)
	}
	want := readResults(t, filepath.Join(whole, resultsFile))

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, runFile), []byte("of an older run"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := record(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, runFile)); !os.IsNotExist(err) {
		t.Errorf("an older run's verdict stands beside what is recorded: %v", err)
	}
	at := &place{}
	const first, straggler = 1000, 700
	for i := range uint32(first) {
		if i != straggler {
			a.over.raise(i)
		}
	}
	r.advance(a, at, false)
	same := func(x, y vegeta.Result) bool { return x.Equal(y) }
	if got := readResults(t, filepath.Join(dir, resultsFile)); !slices.EqualFunc(got, want[:straggler], same) {
		t.Errorf("%d results are written while the %dth has not ended, want those before it", len(got), straggler)
	}
	a.over.raise(straggler)
	r.advance(a, at, false)
	if got := readResults(t, filepath.Join(dir, resultsFile)); !slices.EqualFunc(got, want[:first], same) {
		t.Errorf("%d results are written of %d that have ended", len(got), first)
	}
	r.advance(a, at, true)
	if failed := r.close(0); len(failed) > 0 {
		t.Fatal(failed)
	}
	if got := readResults(t, filepath.Join(dir, resultsFile)); !slices.EqualFunc(got, want, same) {
		t.Errorf("%d results, want the %d that are written at an end", len(got), len(want))
	}
}
