// Package proof is for tests that repeat what chance decides, or that need a
// size at which a wrong answer would show. A test declares itself a proof by
// asking for its size:
//
//	n := proof.Size(t, 5000, 100)
//	random := proof.Rand(t, 0)
//	...
//	proof.Result(t, "%d statements were cancelled, and the next never failed", cancelled)
//
// It then runs with a fiftieth of its size in every test run, and in full with
// HEADROOM_PROOF=full. A run in full keeps a record of itself in docs/proofs,
// in a file of the test's own: its command, its commit, the machine, and what
// it found, whether it held or not. A run that is killed leaves a record too,
// of a proof that did not end.
package proof

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Full tells whether proofs are run in full.
func Full() bool { return os.Getenv("HEADROOM_PROOF") == "full" }

// Size declares t a proof and returns how large it is to be, in whatever it
// counts: full with HEADROOM_PROOF=full, else a fiftieth of that, but not less
// than least. It is for the test itself; its subtests use what it returns.
func Size(t testing.TB, full, least int) int {
	t.Helper()
	Declare(t)
	if Full() {
		return full
	}
	return max(least, full/50)
}

// Declare makes a proof of a test that has one size only.
func Declare(t testing.TB) {
	t.Helper()
	if strings.Contains(t.Name(), "/") {
		t.Fatal("proof: a subtest is no proof of its own: declare the test around it")
	}
	if Full() {
		keep(t)
	}
}

// Result logs a line and keeps it in the record. It may be called by subtests.
func Result(t testing.TB, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	if !Full() {
		return
	}
	name, part, _ := strings.Cut(t.Name(), "/")
	mu.Lock()
	r := running[name]
	mu.Unlock()
	if r == nil {
		t.Fatal("proof: a result of a test that has not declared itself a proof")
	}
	if part != "" {
		line = strings.ReplaceAll(part, "_", " ") + ": " + line
	}
	r.add(line)
}

// Rand returns a source of chance that the commit and the test's name decide,
// so that a commit's proof is the same each time and another commit's is
// another. A goroutine has a stream of its own.
func Rand(t testing.TB, stream uint64) *rand.Rand {
	t.Helper()
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s %s", head().hash, t.Name())
	seed := hash.Sum64()
	t.Logf("proof: seed %d, stream %d, of commit %.7s", seed, stream, head().hash)
	return rand.New(rand.NewPCG(seed, stream))
}

var (
	mu      sync.Mutex
	running = map[string]*record{} // by the test's name
)

// keep opens the test's record, once, and closes it when the test ends.
func keep(t testing.TB) {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if running[t.Name()] != nil {
		return
	}
	r, err := begin(filepath.Join(head().root, "docs", "proofs"), head().pkg, t.Name())
	if err != nil {
		t.Fatalf("proof: %v", err)
	}
	running[t.Name()] = r
	t.Cleanup(func() {
		mu.Lock()
		delete(running, t.Name())
		mu.Unlock()
		if err := r.end(outcome(t)); err != nil {
			t.Errorf("proof: %v", err)
		}
	})
}

func outcome(t testing.TB) string {
	switch {
	case t.Failed():
		return "FAILED"
	case t.Skipped():
		return "skipped"
	}
	return "held"
}
