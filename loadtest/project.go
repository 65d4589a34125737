package loadtest

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"
)

// Week is what the users of a server did in one week, all tenants together.
type Week struct {
	Start   time.Time `json:"week"`
	Peak    float64   `json:"peak"`    // operations a second in the busiest minute
	Entries float64   `json:"entries"` // held at its end
}

// CapacityAt is the greatest rate at which a server kept its promises, with so
// many times today's data.
type CapacityAt struct {
	Data float64 `json:"data"` // 1 is today's
	Rate float64 `json:"rate"` // operations a second
}

// Projection says when growth uses the headroom up.
type Projection struct {
	Weeks    []Week       `json:"weeks"`
	Capacity []CapacityAt `json:"capacity"`
	Peak     float64      `json:"peak"`            // operations a second expected now
	Factor   float64      `json:"failover_factor"` // by which a peak rises when a site fails
	Headroom float64      `json:"headroom"`        // how many times that peak the server bears today
	Growth   float64      `json:"growth"`          // of the peak, a year; 0.5 is half as much again
	Low      float64      `json:"growth_low"`      // 80 % sure to be above or below these
	High     float64      `json:"growth_high"`
	Earliest *time.Time   `json:"earliest"` // nil: not within the horizon
	Median   *time.Time   `json:"median"`
	Latest   *time.Time   `json:"latest"`

	now                  time.Time
	peakTrend, dataTrend trend
}

const (
	week = 7 * 24 * time.Hour
	// horizon is how far ahead a date is given: who plans further does not plan
	// by a line through the last months.
	horizon = 5 * 52
	// leastWeeks is the smallest number of weeks whose trend has an interval.
	leastWeeks = 4
)

// Why there is no projection.
var (
	errNoCapacity = errors.New("no breakpoint was measured")
	errFewWeeks   = errors.New("fewer than 4 weeks of use with work in them")
	errFactor     = errors.New("the failover factor is at least 1")
)

// project computes headroom and dates. A peak of 0 takes the highest of the
// last year. The weeks may come in any order; those without work are left out.
func project(weeks []Week, capacity []CapacityAt, peak, factor float64) (*Projection, error) {
	weeks = slices.DeleteFunc(slices.Clone(weeks), func(w Week) bool { return w.Peak <= 0 || w.Entries <= 0 })
	slices.SortFunc(weeks, func(a, b Week) int { return a.Start.Compare(b.Start) })
	capacity = slices.SortedFunc(slices.Values(capacity), func(a, b CapacityAt) int { return cmp.Compare(a.Data, b.Data) })
	switch {
	case len(capacity) == 0:
		return nil, errNoCapacity
	case len(weeks) < leastWeeks:
		return nil, errFewWeeks
	case !(factor >= 1): // so that NaN is refused too
		return nil, errFactor
	}
	p := &Projection{Weeks: weeks, Capacity: capacity, Peak: peak, Factor: factor, now: weeks[len(weeks)-1].Start.Add(week)}
	var x, rates, entries []float64
	for _, w := range weeks {
		x = append(x, float64(w.Start.Sub(p.now))/float64(week))
		rates, entries = append(rates, math.Log(w.Peak)), append(entries, math.Log(w.Entries))
		if peak == 0 && x[len(x)-1] >= -52 {
			p.Peak = max(p.Peak, w.Peak)
		}
	}
	p.peakTrend, _ = fitTrend(x, rates)
	p.dataTrend, _ = fitTrend(x, entries)
	yearly := func(slope float64) float64 { return math.Min(math.Exp(52*slope)-1, 1e6) } // JSON has no infinity
	p.Growth, p.Low, p.High = yearly(p.peakTrend.Slope), yearly(p.peakTrend.Low), yearly(p.peakTrend.High)
	p.Headroom = p.bears(1) / (p.Peak * factor)
	p.Earliest = p.exhausted(p.peakTrend.High, p.dataTrend.High)
	p.Median = p.exhausted(p.peakTrend.Slope, p.dataTrend.Slope)
	p.Latest = p.exhausted(p.peakTrend.Low, p.dataTrend.Low)
	return p, nil
}

// bears is the capacity with so many times today's data: on straight lines
// between the measured points, both scales logarithmic. It is level below the
// first point, and goes on like the last line beyond the last.
func (p *Projection) bears(data float64) float64 {
	c := p.Capacity
	if len(c) == 1 || data <= c[0].Data {
		return c[0].Rate
	}
	at := slices.IndexFunc(c, func(m CapacityAt) bool { return m.Data >= data })
	if at < 0 {
		at = len(c) - 1
	}
	a, b := c[at-1], c[at]
	slope := math.Log(b.Rate/a.Rate) / math.Log(b.Data/a.Data)
	return a.Rate * math.Pow(data/a.Data, slope)
}

// needs is the rate wanted in so many weeks if the peak grows by slope.
func (p *Projection) needs(slope, weeks float64) float64 {
	return p.Peak * p.Factor * math.Exp(slope*weeks)
}

// exhausted is the first week in which more is wanted than the server bears;
// nil if that lies beyond the horizon. Growth both brings more operations and
// makes each of them dearer.
func (p *Projection) exhausted(peakSlope, dataSlope float64) *time.Time {
	for w := range horizon + 1 {
		data := math.Exp(dataSlope * float64(w))
		if p.needs(peakSlope, float64(w)) >= p.bears(data) {
			date := p.now.AddDate(0, 0, 7*w)
			return &date
		}
	}
	return nil
}
