package simulate

import (
	"math"
	"slices"
	"time"

	"headroom/limits"
)

// door is the part that all opponents have in common: a number of permits, and a
// queue that is served in order. One door for all classes, or one for each.
type door struct {
	srv     *server
	limit   float64
	inside  int
	queue   []*attempt
	maxWait time.Duration               // in the queue; 0: until the deadline
	room    func(*door, *attempt) bool  // may one more wait?
	learn   func(*door, *attempt, bool) // after an attempt has ended
	state   any
}

func (d *door) arrive(a *attempt) {
	w := d.srv.world
	switch {
	case len(d.queue) == 0 && float64(d.inside) < math.Floor(d.limit):
		d.start(a)
	case d.room(d, a):
		d.queue = append(d.queue, a)
		if d.maxWait > 0 {
			w.after(d.maxWait, func() {
				if i := slices.Index(d.queue, a); i >= 0 {
					d.queue = slices.Delete(d.queue, i, i+1)
					w.refuse(a, 0)
				}
			})
		}
	default:
		w.refuse(a, 0)
	}
}

func (d *door) start(a *attempt) {
	d.inside++
	a.probe = d.inside
	d.srv.world.start(a)
}

func (d *door) leave(a *attempt) time.Duration {
	if i := slices.Index(d.queue, a); i >= 0 {
		d.queue = slices.Delete(d.queue, i, i+1)
	}
	return 0
}

func (d *door) ended(a *attempt, ok bool) {
	if d.learn != nil {
		d.learn(d, a, ok)
	}
	d.inside--
	for len(d.queue) > 0 && float64(d.inside) < math.Floor(d.limit) {
		next := d.queue[0]
		d.queue = d.queue[1:]
		d.start(next)
	}
}

// doors has one for each class.
type doors map[limits.Class]*door

func (d doors) arrive(a *attempt)              { d[a.op.source.Class].arrive(a) }
func (d doors) leave(a *attempt) time.Duration { return d[a.op.source.Class].leave(a) }
func (d doors) ended(a *attempt, ok bool)      { d[a.op.source.Class].ended(a, ok) }

func always(*door, *attempt) bool { return true }
func never(*door, *attempt) bool  { return false }

func upTo(n int) func(*door, *attempt) bool {
	return func(d *door, _ *attempt) bool { return len(d.queue) < n }
}

// one is a policy with one door; each has one per class. make is called with the
// class, for the limits that differ, and with -1 for the one door.
func one(name string, open func(*server, limits.Class) *door) Policy {
	return Policy{Name: name, open: func(srv *server) gate { return open(srv, -1) }}
}

func each(name string, open func(*server, limits.Class) *door) Policy {
	return Policy{Name: name, open: func(srv *server) gate {
		all := doors{}
		for class := limits.Control; class <= limits.Background; class++ {
			all[class] = open(srv, class)
		}
		return all
	}}
}

// None is a server with a pool of 100 connections for everybody.
func None() Policy {
	return one("none", func(srv *server, _ limits.Class) *door {
		return &door{srv: srv, limit: 100, room: always}
	})
}

// Bulkhead is one fixed limit of 16 with a queue of 64 that waits a second.
func Bulkhead() Policy {
	return one("bulkhead, one", func(srv *server, _ limits.Class) *door {
		return &door{srv: srv, limit: 16, room: upTo(64), maxWait: time.Second}
	})
}

// Bulkheads are fixed limits for each class, set by hand for four cores.
func Bulkheads() Policy { return BulkheadsOf("bulkheads 16/2", 16, 2, false) }

// BulkheadsOf are bulkheads of a size, with the report backends demoted or not.
func BulkheadsOf(name string, interactive, report int, demote bool) Policy {
	p := each(name, func(srv *server, class limits.Class) *door {
		n := interactive
		if class >= limits.Report {
			n = report
		}
		return &door{srv: srv, limit: float64(n), room: func(d *door, a *attempt) bool { return hopeful(d, a) }}
	})
	p.demote = demote
	return p
}

// hopeful refuses a report that would end too late, half of what runs and all that
// waits before it.
func hopeful(d *door, a *attempt) bool {
	if a.op.source.Class < limits.Report {
		return true
	}
	ahead := time.Duration(d.inside) * a.op.forecast / 2
	for _, q := range d.queue {
		ahead += q.op.forecast
	}
	return ahead/time.Duration(d.limit)+a.op.forecast <= d.srv.world.deadline(a.op.source.Class)
}

// gradient holds the state of Gradient2.
type gradient struct {
	since   time.Duration
	sum     time.Duration
	n, peak int
	long    float64
	windows int
}

// Gradient2 follows Netflix' concurrency-limits 0.5 (limit/Gradient2Limit.java and
// WindowedLimit.java): windows of a second, tolerance 1.5, smoothing 0.2, four
// permits more at each step, between 4 and 200 from 20. It has no queue.
func Gradient2() Policy { return one("Gradient2, one", openGradient) }

// Gradients has one Gradient2 for each class.
func Gradients() Policy { return each("Gradient2, per class", openGradient) }

func openGradient(srv *server, class limits.Class) *door {
	least := 4.0
	if class >= limits.Report {
		least = 1
	}
	return &door{srv: srv, limit: 20, room: never, state: &gradient{}, learn: func(d *door, a *attempt, ok bool) {
		g, now := d.state.(*gradient), d.srv.world.now
		g.sum += now - a.started
		g.n++
		g.peak = max(g.peak, a.probe)
		if now-g.since < time.Second || g.n < 10 {
			return
		}
		d.limit = g.update(d.limit, least)
		g.since, g.sum, g.n, g.peak = now, 0, 0, 0
	}}
}

func (g *gradient) update(limit, least float64) float64 {
	short := g.sum.Seconds() / float64(g.n)
	g.windows++
	if g.windows <= 10 { // the long-term mean warms up as a plain mean
		g.long += (short - g.long) / float64(g.windows)
	} else {
		g.long += (short - g.long) * 2 / 601
	}
	if g.long/short > 2 {
		g.long *= 0.95
	}
	if float64(g.peak) < limit/2 {
		return limit
	}
	slope := max(0.5, min(1, 1.5*g.long/short))
	return max(least, min(200, 0.8*limit+0.2*(limit*slope+4)))
}

// vegas holds the state of failsafe-go's limiter.
type vegas struct {
	since  time.Duration
	took   []time.Duration
	recent []float64 // the last p90s
	smooth float64
	base   float64
	peak   int
}

// Failsafe follows failsafe-go 0.9.8 (adaptivelimiter): windows of a second and 50
// samples, the median of five p90s, smoothed over five and over ten of these, a
// queue estimate between 3 and 6 log10(limit), steps of log10(limit), from 20
// between 1 and 200. Two to three times the limit may wait, reports up to twice,
// for a second at most. Its guard by correlations is left out.
func Failsafe() Policy { return one("failsafe-go, one", openVegas) }

// Failsafes has one such limiter for each class.
func Failsafes() Policy { return each("failsafe-go, per class", openVegas) }

func openVegas(srv *server, class limits.Class) *door {
	room := func(d *door, a *attempt) bool {
		most := 3 * d.limit
		if class < 0 && a.op.source.Class >= limits.Report {
			most = 2 * d.limit
		}
		return float64(len(d.queue)) < most
	}
	return &door{srv: srv, limit: 20, room: room, maxWait: maxWaits[class >= limits.Report], state: &vegas{}, learn: func(d *door, a *attempt, ok bool) {
		v, now := d.state.(*vegas), d.srv.world.now
		if ok {
			v.took = append(v.took, now-a.started)
		}
		v.peak = max(v.peak, a.probe)
		if now-v.since < time.Second || len(v.took) < 50 {
			return
		}
		d.limit = v.update(d.limit)
		v.since, v.took, v.peak = now, v.took[:0], 0
	}}
}

// A report that waits has fifteen seconds; in a limiter of its own it may.
var maxWaits = map[bool]time.Duration{false: time.Second, true: 15 * time.Second}

func (v *vegas) update(limit float64) float64 {
	v.recent = append(v.recent, quantile(v.took, 0.9).Seconds())
	v.recent = v.recent[max(0, len(v.recent)-5):]
	sorted := slices.Sorted(slices.Values(v.recent))
	median := sorted[len(sorted)/2]
	if v.smooth == 0 {
		v.smooth, v.base = median, median
	}
	v.smooth += (median - v.smooth) * 2 / 6
	v.base += (v.smooth - v.base) * 2 / 11
	queue := limit * (1 - v.base/v.smooth)
	log := math.Log10(max(limit, 1))
	step := max(1, log)
	switch {
	case queue > 6*log:
		limit -= step
	case queue < 3*log && limit < 5*float64(max(1, v.peak)):
		limit += step
	}
	return max(1, min(200, limit))
}
