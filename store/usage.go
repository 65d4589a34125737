package store

import (
	"context"
	"sync/atomic"
	"time"
)

// Usage is what an operation, or one part of it, has used of the database.
type Usage struct {
	statements atomic.Int64
	rows       atomic.Int64
	busy       atomic.Int64 // nanoseconds
}

// Statements run so far.
func (u *Usage) Statements() int { return int(u.statements.Load()) }

// Rows read or written so far.
func (u *Usage) Rows() int64 { return u.rows.Load() }

// Busy is the time spent in statements so far, waiting for a connection
// excluded.
func (u *Usage) Busy() time.Duration { return time.Duration(u.busy.Load()) }

func (u *Usage) count(rows int64) {
	u.statements.Add(1)
	u.rows.Add(rows)
}

type usageKey struct{}

// WithUsage has the operation's statements that run under the context counted
// in u as well, so that a part of the operation, such as a field, knows its own.
func WithUsage(ctx context.Context, u *Usage) context.Context {
	return context.WithValue(ctx, usageKey{}, u)
}

// UsageFrom is what WithUsage has put into the context, nil for nothing.
func UsageFrom(ctx context.Context) *Usage {
	u, _ := ctx.Value(usageKey{}).(*Usage)
	return u
}
