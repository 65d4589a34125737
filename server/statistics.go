package server

import (
	"container/list"
	"context"
	"log/slog"
	"sync"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

const (
	countsAge    = 24 * time.Hour // after which a workspace is counted again
	countsStale  = 72 * time.Hour // after which its counts are no longer used
	countsRetry  = time.Minute    // after a counting that failed
	countsBytes  = 64 << 20
	countsWanted = 1024 // workspaces that wait to be counted
)

// statistics keep what workspaces hold, so that prices follow it. A workspace is
// counted when its first price is asked for, beside the requests, one at a time;
// until then, and where the counts are stale, prices are those of the schema.
type statistics struct {
	count func(ctx context.Context, id timesheet.WorkspaceID, after time.Time) (*store.Counts, time.Time, error)
	now   func() time.Time
	log   *slog.Logger
	asked chan timesheet.WorkspaceID

	mu    sync.Mutex
	known map[timesheet.WorkspaceID]*list.Element
	used  *list.List // of *workspaceCounts, most recently used first
	bytes int
}

// workspaceCounts is a workspace; counts is nil until it was counted for the first time.
type workspaceCounts struct {
	id      timesheet.WorkspaceID
	counts  *store.Counts
	at      time.Time
	after   time.Time // an import ended: older counts are of no use
	waiting bool      // to be counted
}

func newStatistics(s *store.Store, now func() time.Time, log *slog.Logger) *statistics {
	return &statistics{
		count: s.SharedCounts, now: now, log: log, asked: make(chan timesheet.WorkspaceID, countsWanted),
		known: map[timesheet.WorkspaceID]*list.Element{}, used: list.New(),
	}
}

// of returns the counts of a workspace, nil where there are none that hold. It
// never waits.
func (s *statistics) of(id timesheet.WorkspaceID) *store.Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.known[id]
	if e == nil {
		e = s.used.PushFront(&workspaceCounts{id: id})
		s.known[id] = e
	}
	s.used.MoveToFront(e)
	c := e.Value.(*workspaceCounts)
	age := s.now().Sub(c.at)
	if !c.waiting && age >= countsAge {
		select {
		case s.asked <- id:
			c.waiting = true
		default: // so many wait that this one may ask again
		}
	}
	if c.counts == nil || age >= countsStale {
		return nil
	}
	return c.counts
}

// forget has a workspace counted again when it is next asked for, as after an
// import. Its old counts hold until then.
func (s *statistics) forget(id timesheet.WorkspaceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.known[id]; e != nil {
		c := e.Value.(*workspaceCounts)
		c.after = s.now()
		c.at = c.after.Add(-countsAge)
	}
}

// know keeps the counts of a workspace that nobody has asked for yet.
func (s *statistics) know(id timesheet.WorkspaceID, counts *store.Counts, at time.Time) {
	s.mu.Lock()
	if s.known[id] == nil {
		s.known[id] = s.used.PushBack(&workspaceCounts{id: id})
	}
	s.mu.Unlock()
	s.keep(id, counts, at)
}

// startStatistics has prices follow what workspaces hold from the first one on: it
// reads the counts that servers keep in the database and, where there are none yet,
// counts the largest workspaces.
func (s *Server) startStatistics(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, warmFor)
	defer cancel()
	fresh := s.now().Add(-countsAge)
	ids, err := s.store.CountedWorkspaces(ctx, fresh, countsWanted)
	if err == nil && len(ids) == 0 {
		ids, err = s.store.LargestWorkspaces(ctx, exportedWorkspaces)
	}
	for _, id := range ids {
		if _, bytes := s.statistics.held(); bytes > countsBytes/2 || err != nil {
			break
		}
		var counts *store.Counts
		var at time.Time
		if counts, at, err = s.store.SharedCounts(ctx, id, fresh); err == nil {
			s.statistics.know(id, counts, at)
		}
	}
	if err != nil {
		s.log.Warn("read what workspaces hold; the first prices are those of the schema", "error", err)
	}
}

// run counts the workspaces that were asked for, until ctx ends.
func (s *statistics) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-s.asked:
			counts, at, err := s.count(ctx, id, s.wanted(id))
			if err != nil && ctx.Err() == nil {
				s.log.Warn("count a workspace; its prices are those of the schema meanwhile", "workspace", id, "error", err)
			}
			s.keep(id, counts, at)
		}
	}
}

// wanted is the time after which a workspace's counts must have been made.
func (s *statistics) wanted(id timesheet.WorkspaceID) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	after := s.now().Add(-countsAge)
	if e := s.known[id]; e != nil && e.Value.(*workspaceCounts).after.After(after) {
		after = e.Value.(*workspaceCounts).after
	}
	return after
}

// keep stores new counts and when they were made; nil says that they could not be
// had.
func (s *statistics) keep(id timesheet.WorkspaceID, counts *store.Counts, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.known[id]
	if e == nil {
		return // it was forgotten for room
	}
	c := e.Value.(*workspaceCounts)
	c.waiting = false
	if counts == nil {
		if c.counts == nil {
			c.at = s.now().Add(countsRetry - countsAge)
		}
		return
	}
	s.bytes += counts.Bytes() - bytesOf(c)
	c.counts, c.at = counts, at
	for s.bytes > countsBytes && s.used.Len() > 1 {
		old := s.used.Remove(s.used.Back()).(*workspaceCounts)
		delete(s.known, old.id)
		s.bytes -= bytesOf(old)
	}
}

func bytesOf(c *workspaceCounts) int {
	if c.counts == nil {
		return 0
	}
	return c.counts.Bytes()
}

// held is how many workspaces are counted, and what that takes.
func (s *statistics) held() (workspaces, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.known), s.bytes
}
