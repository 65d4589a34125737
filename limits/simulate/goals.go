package simulate

import (
	"context"
	"fmt"
	"time"

	"headroom/limits"
)

// Check is a goal and what was measured for it.
type Check struct {
	Goal  string // as "M1"
	What  string
	Value float64
	Bound float64
	Least bool // the bound is the least value that is good, else the greatest
	Unit  string
}

// OK reports whether the goal is met.
func (c Check) OK() bool {
	if c.Least {
		return c.Value >= c.Bound
	}
	return c.Value <= c.Bound
}

// Size is how long the scenarios are and how often they run.
type Size struct {
	Calm, Storm, Rush time.Duration
	Seeds             []uint64
	Requests          int // of the test for false refusals
}

// Bench measures the goals for one policy on one database.
type Bench struct {
	Cores  int
	Policy Policy
	Size   Size
	Change func(*Setup) // of every scenario; nil: none
}

func (b Bench) run(ctx context.Context, s Setup, seed uint64) *Result {
	if b.Change != nil {
		b.Change(&s)
	}
	return Run(ctx, s, b.Policy, seed)
}

// pooled runs a scenario with all seeds and puts the operations together.
func (b Bench) pooled(ctx context.Context, s Setup) *Result {
	all := &Result{}
	for _, seed := range b.Size.Seeds {
		r := b.run(ctx, s, seed)
		all.Setup = r.Setup
		all.samples = append(all.samples, r.samples...)
		all.useful = append(all.useful, r.useful...)
		all.wasted += r.wasted
		for why := range r.lost {
			for class, n := range r.lost[why] {
				all.lost[why][class] += n
			}
		}
	}
	return all
}

var interactive = of(limits.Interactive)

// unloaded is the p99 of the quiet day.
func (b Bench) unloaded(ctx context.Context) time.Duration {
	return b.pooled(ctx, Quiet(b.Cores, b.Size.Calm)).quantile(interactive, 0.99)
}

// Basic are the goals M1 to M5.
func (b Bench) Basic(ctx context.Context) []Check {
	calm := b.unloaded(ctx)
	return append(b.reportStorm(ctx, calm), b.rush(ctx, calm)...)
}

func (b Bench) reportStorm(ctx context.Context, calm time.Duration) []Check {
	r := b.pooled(ctx, ReportStorm(b.Cores, b.Size.Storm))
	from, to := r.Setup.Storm[0], r.Setup.Storm[1]
	storm := interactive.born(from, to)
	useful := 0.9
	if b.Cores <= 2 {
		useful = 0.75
	}
	slow := r.slowdown()
	return []Check{
		{"M1", "p99 in a report storm, of the unloaded one", ratio(r.quantile(storm, 0.99), calm), 1.5, false, "x"},
		{"M2", "answered within 50 ms or 15 x their own time", 100 * r.share(storm, slow(50*time.Millisecond, 15)), 99.9, true, "%"},
		{"M2", "answered within 250 ms or 25 x their own time", 100 * r.share(storm, slow(250*time.Millisecond, 25)), 100, true, "%"},
		{"M3", "useful work, of the capacity", 100 * r.busy(from, to) / float64(len(b.Size.Seeds)) / r.speed(), 100 * useful, true, "%"},
		{"M6", "until the p99 is in its bound after the onset", b.back(r, from, 1.5*calm.Seconds()).Seconds() * 1000, 200, false, "ms"},
		{"M7", "p99 of the first second after it, of the unloaded one", ratio(r.quantile(interactive.born(to, to+second), 0.99), calm), 1.5, false, "x"},
	}
}

// slowdown: answered within a time or a multiple of what it would take alone.
func (r *Result) slowdown() func(time.Duration, float64) filter {
	speed := r.speed()
	return func(d time.Duration, times float64) filter {
		return func(s *sample) bool {
			alone := time.Duration(s.size/speed*1e9) + r.Setup.RoundTrip
			return s.ended-s.born <= max(d, time.Duration(times*float64(alone)))
		}
	}
}

// speed is the database's at the beginning.
func (r *Result) speed() float64 {
	if len(r.Setup.Speed) > 0 && r.Setup.Speed[0].At == 0 {
		return r.Setup.Speed[0].To
	}
	return 1
}

// back is the time from an onset until the p99 of every window of 100 ms is
// within a bound.
func (b Bench) back(r *Result, onset time.Duration, bound float64) time.Duration {
	const window = 100 * time.Millisecond
	last := time.Duration(0)
	for at := time.Duration(0); at < 5*second; at += window {
		// Of the answers in the window, all but 1 % and two more, since a window
		// holds few.
		var took []time.Duration
		for i := range r.samples {
			if s := &r.samples[i]; s.ok && s.class == limits.Interactive && s.ended >= onset+at && s.ended < onset+at+window {
				took = append(took, s.took)
			}
		}
		if quantile(took, 0.99-2/float64(max(3, len(took)))).Seconds() > bound {
			last = at + window
		}
	}
	return last
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// goodput is the answers within 100 ms in a second of a storm, without its first.
func (r *Result) goodput(runs int) float64 {
	from, to := r.Setup.Storm[0]+second/2, r.Setup.Storm[1]
	ended := func(s *sample) bool { return s.class == limits.Interactive && s.ended >= from && s.ended < to }
	return float64(r.count(filter(ended).and(fast(100*time.Millisecond)))) / (to - from).Seconds() / float64(runs)
}

func (b Bench) rush(ctx context.Context, calm time.Duration) []Check {
	runs := len(b.Size.Seeds)
	peak := 0.0
	for _, times := range []float64{0.4, 0.6, 1} { // on top of 40 %
		peak = max(peak, b.pooled(ctx, Rush(b.Cores, times, b.Size.Rush)).goodput(runs))
	}
	ten := b.pooled(ctx, Rush(b.Cores, 10, b.Size.Rush))
	twenty := b.pooled(ctx, Rush(b.Cores, 20, max(b.Size.Rush/2, 800*time.Millisecond)))
	from, to := ten.Setup.Storm[0], ten.Setup.Storm[1]
	steady := func(s *sample) bool { return s.class == limits.Interactive && s.ended >= from+second/2 && s.ended < to }
	return []Check{
		{"M4", "goodput at 10 x the capacity, of its peak", 100 * ten.goodput(runs) / peak, 95, true, "%"},
		{"M4", "goodput at 20 x the capacity, of its peak", 100 * twenty.goodput(runs) / peak, 95, true, "%"},
		{"M5", "p99 of those admitted at 10 x, of the unloaded one", ratio(ten.quantile(steady, 0.99), calm), 2, false, "x"},
		{"M7", "until the p99 is in its bound after the rush", b.back(ten, to, 2*calm.Seconds()).Seconds(), 5, false, "s"},
	}
}

// More are the goals M9, M10 and M13.
func (b Bench) More(ctx context.Context) []Check {
	slow := b.pooled(ctx, Slow(b.Cores, b.Size.Storm))
	possible := float64(b.Cores) / 0.006
	return append([]Check{
		{"M9", "goodput of a database three times slower, of what is possible", 100 * slow.goodput(len(b.Size.Seeds)) / possible, 90, true, "%"},
	}, append(b.falseRefusals(ctx), b.adversary(ctx)...)...)
}

// falseRefusals counts what is refused at 70 % of the capacity.
func (b Bench) falseRefusals(ctx context.Context) []Check {
	s := Normal(b.Cores, 0)
	s.Sources[0].Rate *= 0.5 / 0.4
	s.Sources[1].Rate *= 0.2 / 0.235
	s.Length = time.Duration(float64(b.Size.Requests) / (s.Sources[0].Rate + s.Sources[1].Rate) * 1e9)
	r := b.run(ctx, s, b.Size.Seeds[0])
	pauses := b.run(ctx, Pauses(b.Cores), b.Size.Seeds[0])
	return []Check{
		{"M10", "clicks refused at 70 % load of a database that pauses, of 1,000", 1000 * float64(pauses.lost[refused][limits.Interactive]) / float64(pauses.count(of(limits.Interactive))), 0, false, ""},
		{"M10", fmt.Sprintf("clicks refused at 70 %% load, of %d", b.Size.Requests), float64(r.lost[refused][limits.Interactive]), 0, false, ""},
		{"M10", "reports refused there, of 1,000", 1000 * float64(r.lost[refused][limits.Report]) / float64(r.count(of(limits.Report))), 0, false, ""},
	}
}

// adversary compares the tenants beside one that sends a hundred times its share
// with the same tenants alone.
func (b Bench) adversary(ctx context.Context) []Check {
	alone := b.pooled(ctx, Adversary(b.Cores, b.Size.Storm, limits.Interactive, 0))
	clicks := b.pooled(ctx, Adversary(b.Cores, b.Size.Storm, limits.Interactive, 100))
	reports := b.pooled(ctx, Adversary(b.Cores, b.Size.Storm, limits.Report, 100))
	others := func(class limits.Class) filter {
		return of(class).born(alone.Setup.Storm[0], alone.Setup.Storm[1]).and(func(s *sample) bool { return s.tenant != 1 })
	}
	compare := func(beside *Result, class limits.Class) float64 {
		return ratio(beside.quantile(others(class), 0.95), alone.quantile(others(class), 0.95))
	}
	answered := func(r *Result) float64 { return r.share(others(limits.Report), func(*sample) bool { return true }) }
	return []Check{
		{"M13", "interactive p95 beside a tenant at 100 x its share, of alone", compare(clicks, limits.Interactive), 1.2, false, "x"},
		{"M13", "report p95 beside a tenant at 100 x its share, of alone", compare(reports, limits.Report), 1.2, false, "x"},
		{"M13", "report p95 beside a tenant at 100 x its share of clicks, of alone", compare(clicks, limits.Report), 1.2, false, "x"},
		{"M13", "reports answered beside too many reports, of those alone", 100 * answered(reports) / answered(alone), 95, true, "%"},
		{"M13", "reports answered beside too many clicks, of those alone", 100 * answered(clicks) / answered(alone), 95, true, "%"},
	}
}
