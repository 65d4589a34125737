package server

import (
	"slices"
	"time"
)

// pace is how long an operation takes for each forecast second while this server
// does nothing else: what the slowdown is measured against.
type pace struct{ base float64 }

// paced is one measurement.
type paced struct {
	at    time.Time
	ratio float64
}

const (
	paceSpan = 10 * time.Second
	// A single read shorter than this says more of the clock than of the database.
	leastPace = 50 * time.Microsecond
)

// paceLocked compares a single read with what it took while nothing else ran. Only
// documents that have been seen alone can be compared, so that a change of the mix
// is no slowdown. pace of a document is guarded by the lookout's lock too.
func (l *lookout) paceLocked(r *request, busy bool) {
	took := r.op.Busy() - time.Duration(r.op.Statements())*l.trip
	forecast := r.price.Work.Seconds()
	if took < leastPace || forecast <= 0 {
		return
	}
	ratio, base := took.Seconds()/forecast, &r.doc.pace.base
	switch {
	case busy && *base == 0:
		return
	case *base == 0:
		*base = ratio
	case !busy:
		*base += (ratio - *base) / 8
	}
	l.paces[l.paceAt%len(l.paces)] = paced{r.started.Add(took), ratio / *base}
	l.paceAt++
}

// slowdownLocked is how much longer single reads take than when nothing else ran:
// the median of the last ten seconds, 0 where nothing could be compared.
func (l *lookout) slowdownLocked(now time.Time) float64 {
	var ratios []float64
	for _, p := range l.paces {
		if p.ratio > 0 && now.Sub(p.at) < paceSpan {
			ratios = append(ratios, p.ratio)
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// roundTrip tells how long the way to the database and back takes.
func (l *lookout) roundTrip(trip time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trip = trip
}
