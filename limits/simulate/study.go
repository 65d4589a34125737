package simulate

import (
	"context"
	"math/rand/v2"
	"time"

	"headroom/limits"
)

// Measured is a cell of an experiment that was run on a PostgreSQL 15 pinned to
// one core, or on two, with one or two server processes: clicks of 10 ms as a
// share of the capacity, reports of 2 s of five times the capacity, for eleven
// seconds. Blocks were short: a p50 is good to a fifth, a share to five points.
type Measured struct {
	Cores, Processes int
	Load             float64
	Policy           Policy
	P50              float64 // ms; an operation that failed counts 2,000
	Within250        float64 // % of the clicks
}

// Experiment is what was measured there.
func Experiment() []Measured {
	large, small := BulkheadsOf("bulkheads 16/2", 16, 2, false), BulkheadsOf("bulkheads 4/1", 4, 1, false)
	demoted := BulkheadsOf("bulkheads 4/1, demoted", 4, 1, true)
	return []Measured{
		{1, 1, 0.6, None(), 248, 50},
		{1, 1, 0.6, Failsafes(), 259, 47},
		{1, 1, 0.6, large, 65, 100},
		{1, 1, 0.6, small, 44, 98},
		{1, 1, 0.6, demoted, 32, 100},
		{1, 2, 0.6, None(), 609, 23},
		{1, 2, 0.6, Failsafes(), 455, 25},
		{1, 2, 0.6, large, 116, 74},
		{1, 2, 0.6, small, 70, 96},
		{1, 2, 0.6, demoted, 26, 100},
		{1, 1, 0.3, small, 25, 100},
		{1, 2, 0.3, small, 42, 100},
		{2, 1, 0.6, large, 38, 100},
		{2, 1, 0.6, small, 68, 100},
		{2, 2, 0.6, large, 86, 94},
		{2, 2, 0.6, small, 86, 72},
	}
}

// Simulated is the same cell here.
func (m Measured) Simulated(ctx context.Context, seeds int) (p50, within250 float64) {
	const calm, storm = 1500 * time.Millisecond, 11 * time.Second
	s := Setup{
		Name: "experiment", Cores: m.Cores, Processes: m.Processes, RoundTrip: 200 * time.Microsecond,
		Demotable: true, Length: calm + storm + 5*second, Storm: [2]time.Duration{calm, calm + storm},
		Sources: []Source{
			{Class: limits.Interactive, Rate: m.Load * float64(m.Cores) / 0.00975, Size: around(0.00975), Tries: 1},
			{Class: limits.Report, From: calm, To: calm + storm, Rate: 2.5 * float64(m.Cores), Size: around(2), Tries: 1},
		},
	}
	b := Bench{Cores: m.Cores, Policy: m.Policy}
	for i := range seeds {
		b.Size.Seeds = append(b.Size.Seeds, uint64(i+1))
	}
	r := b.pooled(ctx, s)
	clicks := interactive.born(calm, calm+storm)
	var took []time.Duration
	for i := range r.samples {
		if x := &r.samples[i]; clicks(x) {
			took = append(took, min(x.took, 2*second))
		}
	}
	return quantile(took, 0.5).Seconds() * 1000, 100 * r.share(clicks, within(250*time.Millisecond))
}

// around is a size that varies by a tenth.
func around(size float64) func(*rand.Rand) float64 {
	return func(rng *rand.Rand) float64 { return size * lognormal(rng, 0.1) }
}
