//go:build !linux

package loadtest

import (
	"context"
	"time"
)

// sleeper waits on a runtime timer, where there is no timerfd.
type sleeper struct{ done <-chan struct{} }

// newSleeper makes a sleeper that wakes for good when ctx ends.
func newSleeper(ctx context.Context) (*sleeper, error) { return &sleeper{done: ctx.Done()}, nil }

func (*sleeper) close() {}

// until returns true at the time given, or false as soon as ctx ends.
func (s *sleeper) until(at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}
