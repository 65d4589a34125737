package server

import (
	"context"
	"time"
)

// every calls do at once, after each pause and whenever it is woken, until ctx
// ends. woken may be nil.
func every(ctx context.Context, pause time.Duration, woken <-chan struct{}, do func(context.Context)) {
	do(ctx)
	repeat(ctx, pause, woken, do)
}

// repeat is every, but for the call at once.
func repeat(ctx context.Context, pause time.Duration, woken <-chan struct{}, do func(context.Context)) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-woken:
		}
		do(ctx)
	}
}
