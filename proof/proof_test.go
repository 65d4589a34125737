package proof

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestSize(t *testing.T) {
	for _, test := range []struct {
		name              string
		mode              string
		full, least, want int
	}{
		{"a fiftieth", "", 5000, 10, 100},
		{"not less than least", "", 5000, 200, 200},
		{"another word is not full", "yes", 5000, 10, 100},
	} {
		t.Setenv("HEADROOM_PROOF", test.mode)
		if got := Size(t, test.full, test.least); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// A commit's chance is the same at each run, and a stream's is its own.
func TestRandFollowsFromTheCommit(t *testing.T) {
	one, again, other := Rand(t, 1).Uint64(), Rand(t, 1).Uint64(), Rand(t, 2).Uint64()
	if one != again || one == other {
		t.Errorf("streams 1, 1 and 2 begin with %d, %d and %d", one, again, other)
	}
}

// Every attempt is kept, also one that failed and one that was killed.
func TestRecordsAreKept(t *testing.T) {
	folder := t.TempDir()
	for _, attempt := range []struct{ result, outcome string }{
		{"7 of 9 cancelled", "FAILED"}, {"8 of 9 cancelled", "held"}, {"", ""},
	} {
		r, err := begin(folder, "store/localpg", "TestX")
		if err != nil {
			t.Fatal(err)
		}
		if attempt.outcome == "" {
			break // killed
		}
		r.add(attempt.result)
		if err := r.end(attempt.outcome); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "store-localpg-TestX.md"))
	if err != nil {
		t.Fatal(err)
	}
	when := `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, commit (?:unknown|[0-9a-f]{7}(?: with changes)?)`
	machine := `\d+ cores, \w+/\w+, go1\.\S+, (?:no )?PostgreSQL .+`
	want := regexp.MustCompile(`^# store/localpg: TestX

    HEADROOM_PROOF=full go test -count=1 -timeout 60m -run '\^TestX\$' ./store/localpg

## ` + when + `: FAILED after \d\S*s

` + machine + `

- 7 of 9 cancelled

## ` + when + `: held after \d\S*s

` + machine + `

- 8 of 9 cancelled

## ` + when + `: did not end

` + machine + `
$`)
	if !want.Match(text) {
		t.Errorf("the records are\n%s", text)
	}
}
