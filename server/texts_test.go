package server

import (
	"fmt"
	"strings"
	"testing"

	"headroom/store"
)

func TestTexts(t *testing.T) {
	var memory texts
	counts := &store.Counts{Sample: []string{"review of code", "meeting", "code"}}
	for range 2 {
		if got := memory.in(counts, "CODE"); got != 2 {
			t.Errorf("%v descriptions hold it, want 2", got)
		}
	}
	counts.Sample = nil
	if got := memory.in(counts, "CODE"); got != 2 {
		t.Errorf("it is looked for again: %v", got)
	}
	if got := memory.in(&store.Counts{Sample: []string{"code"}}, "CODE"); got != 1 {
		t.Errorf("%v descriptions of another counting hold it, want 1", got)
	}
	for i := range 3 * keptTexts {
		memory.in(counts, fmt.Sprint(i))
	}
	memory.in(counts, strings.Repeat("x", longestText+1))
	if n := len(memory.held); n > keptTexts {
		t.Errorf("%d texts are remembered", n)
	}
	for key := range memory.held {
		if len(key.text) > longestText {
			t.Errorf("a text of %d bytes is remembered", len(key.text))
		}
	}
}
