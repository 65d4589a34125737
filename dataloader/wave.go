package dataloader

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// wave sends the batches of levels that nobody has announced.
type wave struct {
	yield func()       // lets others run: runtime.Gosched
	asked atomic.Int64 // look-ups so far

	mu       sync.Mutex // of all loaders of the set
	ctx      context.Context
	loaders  []gatherer
	watching bool
}

// gatherer is a loader of any kind.
type gatherer interface {
	sendAllLocked()
	clearLocked()
	sentLocked() Count
}

const (
	// quietRounds of the scheduler without a look-up are silence. Measured on
	// 2 busy cores: one look-up alone waits 0.04 ms, by a timer of 1 ms it
	// would wait 1.35; a hundred siblings take 0.17 ms and 1.1 to 1.3 batches,
	// by the timer 1.84 ms and 1.0. With 32 rounds they take 1.6 batches, with
	// 1,024 they wait four times as long for no fewer.
	quietRounds = 256
	// maxWait bounds how long a look-up waits for siblings that keep coming.
	maxWait = time.Millisecond
)

// watchLocked sees to it that open batches are sent.
func (w *wave) watchLocked() {
	if !w.watching {
		w.watching = true
		go w.watch()
	}
}

// watch waits until the request is silent and sends all open batches.
func (w *wave) watch() {
	began, seen := time.Now(), w.asked.Load()
	for quiet := 0; quiet < quietRounds && time.Since(began) < maxWait; {
		w.yield()
		quiet++
		if asked := w.asked.Load(); asked != seen {
			seen, quiet = asked, 0
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watching = false
	for _, l := range w.loaders {
		l.sendAllLocked()
	}
}
