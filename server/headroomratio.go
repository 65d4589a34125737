package server

import (
	"context"
	"sync"
	"time"

	"headroom/store"
)

// headroomLeft is the number that the program is named after: the work per second
// that the database's cores allow, over that of the busiest minute of this week and
// the last. 3 means that three times as much would fit. Where the database runs on
// the server's machine, the server's own processor time is part of the work. Replicas read the same sums, so they give the same number.
type headroomLeft struct {
	mu    sync.Mutex
	weeks []store.PeakWork // the latest first
}

// ratio is 0 while nothing is known.
func (h *headroomLeft) ratio(cores int, now time.Time) float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var peak time.Duration
	for _, w := range h.weeks {
		if now.Sub(w.Week) < 14*24*time.Hour {
			peak = max(peak, w.Work)
		}
	}
	return over(cores, peak)
}

// over is the work that so many cores do in a minute over another one's.
func over(cores int, peak time.Duration) float64 {
	if peak <= 0 {
		return 0
	}
	return (time.Duration(cores) * time.Minute).Seconds() / peak.Seconds()
}

func (h *headroomLeft) history() []store.PeakWork {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.weeks
}

// readHeadroom reads the weeks' peaks again.
func (s *Server) readHeadroom(ctx context.Context) {
	weeks, err := s.store.PeakWorks(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("read the headroom", "error", err)
		}
		return
	}
	s.headroom.mu.Lock()
	defer s.headroom.mu.Unlock()
	s.headroom.weeks = weeks
}
