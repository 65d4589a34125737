package store

import "context"

// Reused tells whether a part of the operation's answer was not made for it: a
// report that was kept, or that another operation had made at the same time. What
// it took says nothing of what making it takes.
func (op *Operation) Reused() bool { return op.reused.Load() }

func reuse(ctx context.Context) {
	if op := operationFrom(ctx); op != nil {
		op.reused.Store(true)
	}
}
