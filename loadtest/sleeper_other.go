//go:build !linux

package loadtest

import (
	"context"
	"time"
)

// A Sleeper waits on a runtime timer, where there is no timerfd.
type Sleeper struct{ done <-chan struct{} }

// NewSleeper makes a sleeper that wakes for good when ctx ends.
func NewSleeper(ctx context.Context) (*Sleeper, error) { return &Sleeper{done: ctx.Done()}, nil }

// Close does nothing here.
func (*Sleeper) Close() {}

// Until returns true at the time given, or false as soon as ctx ends.
func (s *Sleeper) Until(at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}
