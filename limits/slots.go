package limits

import (
	"context"
	"sync"
)

// Slots are the places for reports on a database, shared by all processes that
// use it.
type Slots interface {
	// Take takes one of the first n places for an operation of a class. It
	// returns nil if none is free, or if the database did not say.
	Take(ctx context.Context, class Class, n int) Slot
}

// Slot is a place that was taken.
type Slot interface {
	Release() // gives it back, and returns at once
}

// ownSlots are those of a process that has the database for itself.
type ownSlots struct {
	mu    sync.Mutex
	taken int
}

func (o *ownSlots) Take(_ context.Context, _ Class, n int) Slot {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.taken >= n {
		return nil
	}
	o.taken++
	return ownSlot{o}
}

type ownSlot struct{ of *ownSlots }

func (s ownSlot) Release() {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.of.taken--
}
