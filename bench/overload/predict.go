package main

import (
	"context"
	"fmt"
	"headroom/limits/simulate"
	"math"
	"strings"
	"time"
)

// policies are the simulation's gates of the same names.
var policies = map[string]func() simulate.Policy{
	"none": simulate.None, "failsafe-go": simulate.Failsafes, "bulkheads": simulate.Static, "adaptive": simulate.Adaptive,
}

// scene is what the simulation is told of a pool's blocks: what operations take
// alone, and how many come. It has seen nothing of their storms.
func (r *result) scene(p pool) simulate.Scene {
	x := simulate.Scene{
		Cores: 1, Processes: p.Processes, Policy: policies[p.Gate](), Demoted: p.Gate == "bulkheads",
		Click: 1 / p.peak, Way: time.Duration((p.own - 1000/p.peak) * float64(time.Millisecond)), Calm: calmShare, Lead: lead, Length: p.block,
	}
	switch p.Load {
	case "storm":
		x.Storm = reportShare
		for _, o := range reports {
			x.Reports = append(x.Reports, r.work(o.name)/1000)
		}
	case "rush", "rush20":
		x.Rush = rushShares[p.Load] - calmShare
	case "slow":
		x.Foreign = 2
	}
	return x
}

// simulated is how often the simulation plays a scene.
const simulated = 5

// predict puts the simulation's figures beside those that were measured.
func (r *result) predict(ctx context.Context, b *strings.Builder, load string) {
	b.WriteString("\nThe [simulation](../simulation.md) of the same scene, which is told what operations take alone and how\nmany come, beside what was measured; bold where it is off by more than a quarter:\n\n" +
		"| gate | processes | clicks answered a second | p50, ms | p99, ms | reports answered a second | useful work, % |\n|---|---|---|---|---|---|---|\n")
	for _, n := range []int{1, 2} {
		for _, gate := range names {
			p := r.pool(gate, n, load)
			if len(p.blocks) == 0 {
				continue
			}
			s := r.scene(p).Simulate(ctx, simulated)
			seconds := p.block.Seconds() * float64(len(p.blocks))
			_, answered := p.clicks()
			took := p.took()
			done := 0
			for _, block := range p.blocks {
				for kind, n := range block.ByKind {
					if kind != click.name {
						done += n
					}
				}
			}
			fmt.Fprintf(b, "| %s | %d | %s | %s | %s | %s | %s |\n", gate, n, beside(float64(answered)/seconds, s.Answered),
				beside(quantile(took, 0.5), s.P50), beside(quantile(took, 0.99), s.P99), beside(float64(done)/seconds, s.Reports), beside(100*p.useful(), 100*s.Useful))
		}
	}
}

// beside is a figure that was measured, and the simulation's.
func beside(measured, simulated float64) string {
	if measured == 0 && simulated == 0 {
		return "0"
	}
	text := fmt.Sprintf("%.1f, simulated %.1f", measured, simulated)
	if math.Abs(simulated-measured) > 0.25*measured {
		return "**" + text + "**"
	}
	return text
}
