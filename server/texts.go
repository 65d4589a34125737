package server

import (
	"strings"
	"sync"
	"weak"

	"headroom/store"
)

// texts remembers how many sampled descriptions of a workspace hold a text: to look for
// one in a thousand takes longer than all else that a price does, suggestions price the
// same text again and again, and whoever was refused sends it again.
type texts struct {
	mu   sync.Mutex
	held map[textIn]float64
}

// textIn is a text in what a workspace was counted to hold; another counting is another.
type textIn struct {
	counts weak.Pointer[store.Counts] // which is not kept for this
	text   string
}

const (
	keptTexts   = 256
	longestText = 100 // bytes, of one that is remembered
)

// in is how many of the sampled descriptions hold the text.
func (t *texts) in(counts *store.Counts, text string) (n float64) {
	key := textIn{weak.Make(counts), text}
	t.mu.Lock()
	n, known := t.held[key]
	t.mu.Unlock()
	if known {
		return n
	}
	sought := strings.ToLower(text)
	for _, s := range counts.Sample {
		if strings.Contains(s, sought) {
			n++
		}
	}
	if len(text) <= longestText {
		t.keep(key, n)
	}
	return n
}

// keep forgets all others once they are many: what is asked often is soon there again.
func (t *texts) keep(key textIn, n float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil || len(t.held) >= keptTexts {
		t.held = map[textIn]float64{}
	}
	t.held[key] = n
}
