package server

import (
	"context"
	"maps"
	"sync"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// demand counts what tenants ask, by minute. Refused operations count: they
// were asked for.
type demand struct {
	own func() time.Duration // processor time of this process, where it takes the database's cores; nil elsewhere

	mu     sync.Mutex
	minute time.Time // of counts
	counts map[timesheet.WorkspaceID]store.Demand
	asks   int64         // operations in counts
	shared time.Duration // of own, up to when it is in counts
	points time.Duration // that operations took since the start
	over   []minuteOf    // minutes that are to be written
}

type minuteOf struct {
	at     time.Time
	counts map[timesheet.WorkspaceID]store.Demand
}

// mostMinutes is how many minutes are kept while the database is away.
const mostMinutes = 24 * 60

// asked counts one operation of a tenant, and the points that it took.
func (d *demand) asked(w timesheet.WorkspaceID, points float64, at time.Time) {
	if w == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turnLocked(at)
	sum, work := d.counts[w], time.Duration(points*float64(time.Millisecond))
	sum.Operations++
	sum.Work += work
	d.counts[w] = sum
	d.asks++
	d.points += work
}

// load is the time of the database's cores that was taken since the start.
func (d *demand) load() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.own == nil {
		return d.points
	}
	return d.points + d.own()
}

// shareLocked adds what this process took of the database's cores to the operations
// of the minute, and begins anew.
func (d *demand) shareLocked() {
	if d.own == nil {
		return
	}
	own := d.own()
	for w, sum := range d.counts {
		sum.Work += (own - d.shared) * time.Duration(sum.Operations) / time.Duration(d.asks)
		d.counts[w] = sum
	}
	d.shared, d.asks = own, 0
}

// turnLocked begins a new minute where it is time to.
func (d *demand) turnLocked(at time.Time) {
	if minute := at.Truncate(time.Minute); !minute.Equal(d.minute) || d.counts == nil {
		d.shareLocked()
		if len(d.counts) > 0 && len(d.over) < mostMinutes {
			d.over = append(d.over, minuteOf{d.minute, d.counts})
		}
		d.minute, d.counts = minute, map[timesheet.WorkspaceID]store.Demand{}
	}
}

// take hands over the minutes that have ended by a time; with all, also the
// one that goes on.
func (d *demand) take(at time.Time, all bool) []minuteOf {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turnLocked(at)
	over := d.over
	d.over = nil
	if all && len(d.counts) > 0 {
		d.shareLocked()
		over = append(over, minuteOf{d.minute, maps.Clone(d.counts)})
		clear(d.counts)
	}
	return over
}

// putBack keeps minutes that could not be written.
func (d *demand) putBack(over []minuteOf) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = append(over, d.over...)
	d.over = d.over[:min(len(d.over), mostMinutes)]
}

// foldUsageEvery is how often minutes become weeks.
const foldUsageEvery = time.Hour

// keepUsage writes down every minute what was asked, and folds minutes into
// weeks, until ctx ends.
func (s *Server) keepUsage(ctx context.Context) {
	minutes, folds := time.NewTicker(time.Minute), time.NewTicker(foldUsageEvery)
	defer minutes.Stop()
	defer folds.Stop()
	s.readHeadroom(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-minutes.C:
			s.writeUsage(ctx, false)
			s.readHeadroom(ctx)
		case <-folds.C:
			if err := s.store.FoldUsage(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("fold usage", "error", err)
			}
		}
	}
}

// lastUsage writes what is left at the end, unless the database is slow.
func (s *Server) lastUsage(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	s.writeUsage(ctx, true)
}

func (s *Server) writeUsage(ctx context.Context, all bool) {
	over := s.demand.take(s.now(), all)
	for i, minute := range over {
		if err := s.store.AddUsage(ctx, minute.at, minute.counts); err != nil {
			s.demand.putBack(over[i:])
			if ctx.Err() == nil {
				s.log.Warn("write usage", "error", err)
			}
			return
		}
	}
}
