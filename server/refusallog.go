package server

import (
	"sync"
	"time"
)

// ownLines is how many of the gate's refusals have a line of their own in the log, in
// a second. Nobody reads a storm's thousands, and to write one costs as much as to
// read the request; those without are counted, and a line tells how many there were.
const ownLines = 100

// refusalLog counts the gate's refusals of a second.
type refusalLog struct {
	mu            sync.Mutex
	second        int64
	written, left int
}

// own reports whether a refusal has its line.
func (l *refusalLog) own(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := now.Unix(); second != l.second {
		l.second, l.written = second, 0
	}
	if l.written < ownLines {
		l.written++
		return true
	}
	l.left++
	return false
}

// untold is how many had none since it was last called.
func (l *refusalLog) untold() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, l.left = l.left, 0
	return n
}

// tellRefusals writes the line that counts those without one.
func (s *Server) tellRefusals() {
	if n := s.refusalLog.untold(); n > 0 {
		s.log.Info("requests that the gate refused, without lines of their own", "count", n)
	}
}
