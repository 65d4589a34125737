package main

import (
	"os"
	"testing"
)

// What gqlgen does not write is not rewritten, be it written by a later version of
// it or by this program.
func TestOnlyWhatIsKnownIsRewritten(t *testing.T) {
	done, err := os.ReadFile("../generated.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"nothing": "package graph\n", "what is rewritten": string(done)} {
		if _, err := rewrite(text); err == nil {
			t.Errorf("%s was rewritten", name)
		}
	}
}
