package simulate

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"headroom/limits"
)

// Result is what became of the operations of a run.
type Result struct {
	Setup    Setup
	samples  []sample
	useful   []work // core-seconds of attempts that were answered
	wasted   float64
	byServer []int             // reports answered
	lost     [numLosses][4]int // attempts, by class
	crowd    [numKinds]visits
}

type loss int

const (
	refused loss = iota
	timedOut
	numLosses
)

// sample is an operation that has ended.
type sample struct {
	class  limits.Class
	group  int8
	tenant int32
	screen int32
	ok     bool
	first  bool          // at the first attempt
	born   time.Duration // of the operation
	ended  time.Duration
	took   time.Duration // of the last attempt
	size   float64
}

type work struct {
	class    limits.Class
	from, to time.Duration
	used     float64
}

// born notes an operation; until it is answered it counts as failed.
func (r *Result) born(op *operation) {
	op.sample = len(r.samples)
	r.samples = append(r.samples, sample{
		class: op.source.Class, group: int8(op.source.Group), tenant: int32(op.tenant), screen: op.screen,
		born: op.born, ended: math.MaxInt64, took: math.MaxInt64, size: op.size,
	})
}

func (r *Result) answer(a *attempt, now time.Duration) {
	s := &r.samples[a.op.sample]
	s.ok, s.first, s.ended, s.took = true, a.op.tries == 1, now, now-a.arrived
	if s.class == limits.Report {
		r.byServer[a.server]++
	}
	r.useful = append(r.useful, work{s.class, a.started, now, a.job.used})
}

func (r *Result) lose(a *attempt, why loss) {
	r.lost[why][a.op.source.Class]++
	r.wasted += a.job.used
}

// filter chooses operations.
type filter func(*sample) bool

func of(class limits.Class) filter { return func(s *sample) bool { return s.class == class } }

func (f filter) born(from, to time.Duration) filter {
	return func(s *sample) bool { return f(s) && s.born >= from && s.born < to }
}

func (f filter) and(g filter) filter { return func(s *sample) bool { return f(s) && g(s) } }

// quantile is the q-th quantile of the time an answered attempt took.
func (r *Result) quantile(f filter, q float64) time.Duration {
	var took []time.Duration
	for i := range r.samples {
		if s := &r.samples[i]; s.ok && f(s) {
			took = append(took, s.took)
		}
	}
	return quantile(took, q)
}

func quantile(took []time.Duration, q float64) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(len(took)-1, int(q*float64(len(took))))]
}

// share is the share of the operations that were answered well.
func (r *Result) share(f, well filter) float64 {
	all, good := 0, 0
	for i := range r.samples {
		if s := &r.samples[i]; f(s) {
			all++
			if s.ok && well(s) {
				good++
			}
		}
	}
	return float64(good) / float64(max(1, all))
}

// screens is the share of bursts of which every operation was answered well.
func (r *Result) screens(f, well filter) float64 {
	good := map[int32]bool{}
	for i := range r.samples {
		if s := &r.samples[i]; f(s) {
			before, seen := good[s.screen]
			good[s.screen] = s.ok && well(s) && (before || !seen)
		}
	}
	n := 0
	for _, ok := range good {
		if ok {
			n++
		}
	}
	return float64(n) / float64(max(1, len(good)))
}

// count is the number of operations that were answered.
func (r *Result) count(f filter) (n int) {
	for i := range r.samples {
		if s := &r.samples[i]; s.ok && f(s) {
			n++
		}
	}
	return n
}

// within: from the operation's birth to its answer.
func within(d time.Duration) filter {
	return func(s *sample) bool { return s.ended-s.born <= d }
}

// fast: from the request that was answered to the answer.
func fast(d time.Duration) filter {
	return func(s *sample) bool { return s.took <= d }
}

// busy is the useful part of the database's capacity in a time. What began or
// ended outside counts by the part of its time inside.
func (r *Result) busy(from, to time.Duration, class ...limits.Class) float64 {
	sum := 0.0
	for _, u := range r.useful {
		if len(class) > 0 && !slices.Contains(class, u.class) {
			continue
		}
		inside := min(u.to, to) - max(u.from, from)
		if inside > 0 {
			sum += u.used * float64(inside) / float64(max(1, u.to-u.from))
		}
	}
	return sum / (to - from).Seconds() / float64(r.Setup.Cores)
}

// lognormal is a factor of median 1, whose logarithm has this sigma.
func lognormal(rng *rand.Rand, sigma float64) float64 {
	return math.Exp(sigma * rng.NormFloat64())
}
