package limits

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Learner forecasts the work of operations: how many milliseconds they take on
// this machine while nothing else runs. It starts from the points and corrects
// them for each statement by
//
//	work = a + b x points
//
// A statement is what most of a root field's price is: the one that reads its rows,
// as its Estimate names it, or the field below it whose objects are the most of the
// answer. A page of fifty and a search through a year are answered by the same
// field, and a point of either takes another time. Measurements are kept by octave of the
// points; the line is laid through the octaves' medians on a logarithmic scale, so
// that neither one slow run nor many cheap ones bend it. b stays within a factor 3
// of the installation's general speed: what is beyond is no speed but a plan that
// reads other rows than were priced, and an alarm.
//
// What makes all statements slower together is no property of any of them. The
// median of how much slower the octaves are than when each was first known is
// left out of the forecasts, so that Slowdown sees it.
//
// Forecasts change with Exchange, once a minute, and not in between.
//
// All methods are safe for concurrent use.
type Learner struct {
	fits atomic.Pointer[fits]

	mu         sync.Mutex
	statements map[string]*statement
	refused    uint64
	recent     [recentRatios]float64 // log2 of measured by forecast, a ring
	ratios     int                   // how many were ever written to it
}

const (
	firstOctave, lastOctave = -8, 20 // 4 us to 17 minutes
	mostWeight              = 512    // of an octave's measurements: the memory of some days
	mostFresh               = 32     // measurements of an octave between two exchanges
	matureWeight            = 16     // from which an octave has a base
	recentRatios            = 63
	maxStatements           = 512 // a schema's root fields and their sources
	mostMilliseconds        = 1e9 // beyond it a measurement is none
	dominant                = 0.9 // share of a root field that answers for the operation
)

// statement is what was measured of one, by octave of the points.
type statement struct {
	octaves [lastOctave - firstOctave + 1]octave
}

// octave is the known typical values and what was measured since they were last
// shared. x and y are log2 of points and milliseconds.
type octave struct {
	weight, x, y float64
	base         float64 // y when it was first known; NaN: not yet
	fresh        []point
	next         int // where the ring is written
}

type point struct{ x, y float64 }

// NewLearner returns a learner that knows nothing: work is the points.
func NewLearner() *Learner {
	l := &Learner{statements: map[string]*statement{}}
	l.fits.Store(&fits{general: 0, lines: map[string]line{}})
	return l
}

// Forecast is the work of an operation of this price.
func (l *Learner) Forecast(p *Price) time.Duration {
	f := l.fits.Load()
	ms, roots := 0.0, 0
	for i := range p.Fields {
		if !p.Fields[i].Root {
			break
		}
		roots++
		ms += f.milliseconds(p.Fields[i].Mostly, p.Fields[i].Expected)
	}
	if roots == 0 {
		ms = p.Expected * math.Exp2(f.general)
	}
	return time.Duration(min(ms, maxPoints/1e3) * float64(time.Millisecond))
}

// Observe compares what an operation took, in milliseconds, with its forecast,
// under any load, for Slowdown.
func (l *Learner) Observe(p *Price, ms float64) {
	forecast := float64(l.Forecast(p)) / float64(time.Millisecond)
	if !sane1(ms) || forecast <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent[l.ratios%recentRatios] = math.Log2(ms / forecast)
	l.ratios++
}

// Slowdown is how many times longer than forecast operations take: the median of
// the last 63, 1 while there are fewer than 8.
func (l *Learner) Slowdown() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(l.ratios, recentRatios)
	if n < 8 {
		return 1
	}
	return math.Exp2(median(slices.Clone(l.recent[:n])))
}

// sane1 reports whether ms can be a measurement.
func sane1(ms float64) bool { return ms > 0 && ms < mostMilliseconds }

// Learn takes in how many milliseconds an operation of this price took while
// nothing was congested: its statements and the server's own time. An operation of
// several root fields teaches only if one of them is nearly all of it. What is no
// positive finite number is refused and counted; then it returns false.
func (l *Learner) Learn(p *Price, ms float64) bool {
	if !sane1(ms) {
		l.mu.Lock()
		l.refused++
		l.mu.Unlock()
		return false
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		if !f.Root {
			break
		}
		if f.Expected > 0 && f.Expected >= dominant*p.Expected {
			l.learn(f.Mostly, f.Expected, ms)
			return true
		}
	}
	return true
}

func (l *Learner) learn(name string, points, ms float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.statements[name]
	if s == nil {
		if len(l.statements) >= maxStatements {
			return
		}
		s = newStatement()
		l.statements[name] = s
	}
	s.octaves[octaveOf(points)-firstOctave].add(point{math.Log2(points), math.Log2(ms)})
}

func newStatement() *statement {
	s := &statement{}
	for i := range s.octaves {
		s.octaves[i].base = math.NaN()
	}
	return s
}

// octaveOf is the octave of positive points.
func octaveOf(points float64) int {
	return max(firstOctave, min(lastOctave, int(math.Floor(math.Log2(points)))))
}

func (o *octave) add(p point) {
	if len(o.fresh) < mostFresh {
		o.fresh = append(o.fresh, p)
		return
	}
	o.fresh[o.next] = p
	o.next = (o.next + 1) % mostFresh
}

// together is the octave as if its fresh measurements had been shared.
func (o *octave) together() octave {
	if len(o.fresh) == 0 {
		return octave{weight: o.weight, x: o.x, y: o.y, base: o.base}
	}
	xs, ys := make([]float64, len(o.fresh)), make([]float64, len(o.fresh))
	for i, p := range o.fresh {
		xs[i], ys[i] = p.x, p.y
	}
	out := octave{weight: o.weight, x: o.x, y: o.y, base: o.base}
	return out.merged(float64(len(o.fresh)), median(xs), median(ys))
}

// merged takes in the medians of so many measurements. Against what is well known
// they count as at most a factor 2 off: a bad minute is no lesson.
func (o octave) merged(weight, x, y float64) octave {
	if o.weight >= matureWeight {
		y = max(o.y-1, min(o.y+1, y))
	}
	all := o.weight + weight
	o.x, o.y = (o.x*o.weight+x*weight)/all, (o.y*o.weight+y*weight)/all
	o.weight = min(all, mostWeight)
	return o
}

// median sorts its argument, which is not empty.
func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
