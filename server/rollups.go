package server

import (
	"context"
	"time"
)

// checkRollups compares the sums of months with the entries once a day, at a
// time of the day in UTC, until ctx ends.
func (s *Server) checkRollups(ctx context.Context, at time.Duration) {
	for {
		now := s.now()
		timer := time.NewTimer(nextAt(now, at).Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		s.checkRollupsNow(ctx)
	}
}

// foldEvery is how often the sums of projects take up what was written.
const foldEvery = time.Minute

// foldRollups keeps the sums of projects close behind those of people, from the
// start until ctx ends.
func (s *Server) foldRollups(ctx context.Context) {
	every(ctx, foldEvery, nil, func(ctx context.Context) {
		if _, err := s.store.FoldRollups(ctx, s.now()); err != nil && ctx.Err() == nil {
			s.log.Warn("fold sums of months", "error", err)
		}
	})
}

// foldOftenRead folds sums that this server has read often, until ctx ends.
func (s *Server) foldOftenRead(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.store.OftenRead():
		}
		if _, err := s.store.FoldOftenRead(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("fold sums that are read often", "error", err)
		}
	}
}

// nextAt is the next instant at a time of the day.
func nextAt(now time.Time, at time.Duration) time.Time {
	next := now.UTC().Truncate(24 * time.Hour).Add(at)
	if !next.After(now) {
		next = next.Add(24 * time.Hour)
	}
	return next
}

func (s *Server) checkRollupsNow(ctx context.Context) {
	drifted, err := s.store.CheckRollups(ctx)
	for _, d := range drifted {
		s.metrics.drift.Add(float64(d.Rows + d.Days))
		s.log.Error("sums differed from their entries and were repaired", "workspace", int64(d.Workspace.ID), "rows", d.Rows, "days", d.Days)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("compare sums with entries", "error", err)
	}
}
