package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"headroom/limits"
	"headroom/store"
)

// priceList is the price table in use.
type priceList struct {
	list atomic.Pointer[rates]
	mu   sync.Mutex // of whoever replaces it
}

// workEvery is how often servers tell each other what they have learned.
const workEvery = time.Minute

// startWork loads the price table and what all servers have learned, so that the
// first forecasts are as good as the last ones before a restart.
func (s *Server) startWork(ctx context.Context) {
	s.store.HearPrices(func() { go s.followPrices(ctx) })
	s.followPrices(ctx)
	s.shareWork(ctx)
}

// keepWork shares what was learned each minute, until ctx ends.
func (s *Server) keepWork(ctx context.Context) {
	repeat(ctx, workEvery, nil, func(ctx context.Context) {
		s.followPrices(ctx) // where a notice was lost
		s.shareWork(ctx)
		s.alarms()
	})
}

// shareWork saves what was learned here and takes over what others have. Where
// the database does not answer, what was learned since is kept for the next time.
func (s *Server) shareWork(ctx context.Context) {
	err := s.store.ShareWork(ctx, func(saved []store.Lesson) []store.Lesson {
		return storedLessons(s.work.Exchange(lessonsOf(saved)))
	})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("share learned work", "error", err)
	}
}

// alarms logs each statement whose speed has left its price by more than a
// factor 3, once until it is back.
func (s *Server) alarms() {
	for _, l := range s.work.Snapshot().Statements {
		_, known := s.clamped[l.Statement]
		switch {
		case l.Clamped && !known:
			s.clamped[l.Statement] = struct{}{}
			s.log.Warn("a statement takes another time than it is priced for, by more than a factor 3: look at its plan", "statement", l.Statement, "measurements", int(l.Measurements))
		case !l.Clamped && known:
			delete(s.clamped, l.Statement)
			s.log.Info("a statement takes the time again that it is priced for", "statement", l.Statement)
		}
	}
}

// teach has an operation that was answered tell how long it took. It is called
// before the permit ends.
func (s *Server) teach(r *request, permit *limits.Permit, f *fault) {
	if f != nil || r.doc.inspects || r.op.Reused() || r.explain != nil {
		return
	}
	took := millis(time.Since(r.started))
	s.work.Observe(&r.price, took)
	if permit.Calm() {
		s.work.Learn(&r.price, took)
	}
}
