package simulate

import (
	"context"
	"math/rand/v2"
	"time"

	"headroom/limits"
)

// Scene is a block of a benchmark on real servers: clicks at all times, and a storm
// of reports, a rush of clicks or busy programs on the database's cores.
type Scene struct {
	Cores, Processes int
	Policy           Policy
	Demoted          bool          // reports yield, where the policy does not say so
	Click            float64       // core-seconds
	Way              time.Duration // to the database's work and back, beside that work
	Calm, Rush       float64       // clicks, as a share of the capacity
	Reports          []float64     // core-seconds of each size; all are as frequent
	Storm            float64       // reports, as a share of the capacity
	Foreign          int           // busy programs
	Lead, Length     time.Duration // before the storm, and of it
}

// Seen is what clicks and reports saw of the storm.
type Seen struct {
	Answered float64 // clicks a second
	P50, P99 float64 // ms, of those answered
	Reports  float64 // a second
	Useful   float64 // share of the capacity
}

// Simulate plays a scene with so many seeds.
func (x Scene) Simulate(ctx context.Context, seeds int) Seen {
	from, to := x.Lead, x.Lead+x.Length
	capacity := float64(x.Cores) / x.Click
	s := Setup{
		Name: "scene", Cores: x.Cores, Processes: x.Processes, RoundTrip: 200 * time.Microsecond, Demotable: true,
		Length: to + 3*second, Storm: [2]time.Duration{from, to},
		Foreign: []Change{{from, float64(x.Foreign)}, {to, 0}},
		Sources: []Source{{Class: limits.Interactive, Rate: x.Calm * capacity, Size: around(x.Click), Clients: 200, Tries: 1}},
	}
	if x.Rush > 0 {
		s.Sources = append(s.Sources, Source{Class: limits.Interactive, From: from, To: to, Rate: x.Rush * capacity, Size: around(x.Click), Clients: 200, Tries: 1})
	}
	if x.Storm > 0 {
		mean := 0.0
		for _, size := range x.Reports {
			mean += size / float64(len(x.Reports))
		}
		any := func(rng *rand.Rand) float64 { return x.Reports[rng.IntN(len(x.Reports))] }
		s.Sources = append(s.Sources, Source{Class: limits.Report, From: from, To: to, Rate: x.Storm * float64(x.Cores) / mean, Size: any, Tries: 1})
	}
	p := x.Policy
	p.demote = p.demote || x.Demoted
	b := Bench{Cores: x.Cores, Policy: p}
	for i := range seeds {
		b.Size.Seeds = append(b.Size.Seeds, uint64(i+1))
	}
	return b.pooled(ctx, s).seen(seeds, x.Way)
}

func (r *Result) seen(runs int, way time.Duration) Seen {
	from, to := r.Setup.Storm[0], r.Setup.Storm[1]
	clicks := interactive.born(from, to)
	time := (to - from).Seconds() * float64(runs)
	ended := func(x *sample) bool { return x.class == limits.Report && x.ended >= from && x.ended < to }
	return Seen{
		Answered: float64(r.count(clicks)) / time, Reports: float64(r.count(ended)) / time,
		P50: (r.quantile(clicks, 0.5) + way).Seconds() * 1000, P99: (r.quantile(clicks, 0.99) + way).Seconds() * 1000,
		Useful: r.busy(from, to) / float64(runs),
	}
}
