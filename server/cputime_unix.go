//go:build unix

package server

import (
	"syscall"
	"time"
)

// processorTime is what this process has used of processors so far.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0 // cannot be, of ourselves
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
