package main

import (
	"context"
	"fmt"
	"headroom/loadtest"
	"math"
	"time"
)

// arrivals is what came of one phase's plan.
type arrivals struct {
	Phase         string
	Planned, Sent int
	LagP50        float64 // ms
	LagP99        float64
}

// known is one figure of surge beside what it has to be.
type known struct {
	Server, Figure string
	Want, Got      float64
	Unit           string
	Within         bool // 3 % or 25 ms for times, exactly for counts
}

func ms(m loadtest.Millis) float64 { return float64(time.Duration(m).Microseconds()) / 1e3 }

func near(got, want float64) bool { return math.Abs(got-want) <= max(0.03*want, 25) }

// knownServer is one that is asked, with what has to be said of it.
type knownServer struct {
	name   string
	length time.Duration
	rate   int
	want   map[string]float64 // ms by percentile
	counts map[string]int     // by outcome
}

// knownServers have their closed forms beside them. Frozen: of 3,000 arrivals 500
// come while the server stands still, the first waits a second and the last not at
// all, so the slowest share s of all waited 1 - 6 s and more. Capacity: who comes at
// t waits a quarter of t.
var knownServers = []knownServer{
	{name: "frozen", length: 6 * time.Second, rate: 500, want: map[string]float64{"p50": 0, "p95": 700, "p99": 940}, counts: map[string]int{"ok": 3000}},
	{name: "capacity=400", length: 10 * time.Second, rate: 500, want: map[string]float64{"p50": 1250, "p95": 2375, "p99": 2475}, counts: map[string]int{"ok": 5000}},
	{name: "humps", length: 10 * time.Second, rate: 500, want: map[string]float64{"p50": 3, "p95": 3, "p99": 900}, counts: map[string]int{"ok": 5000}},
	{name: "lying", length: 4 * time.Second, rate: 500, want: nil, counts: map[string]int{"ok": 1960, "failed": 40}},
	{name: "shedding", length: 4 * time.Second, rate: 500, want: nil, counts: map[string]int{"ok": 1600, "shed": 350, "failed": 50}},
}

func (g *goes) known(ctx context.Context, _ options, b *bed) error {
	if err := g.shapes(ctx, b); err != nil {
		return err
	}
	for _, k := range knownServers {
		s, err := serve(ctx, k.name)
		if err != nil {
			return err
		}
		got, err := b.ask(ctx, "run", scenario(forever, "p99: 100ms, ok: 99.9%, shed: 0%", phase("load", k.length, fmt.Sprint(k.rate))), s.target())
		s.stop()
		if err != nil {
			return err
		}
		g.judge(k, got.record)
	}
	return nil
}

// judge sets what a run said beside the closed form.
func (g *goes) judge(k knownServer, r *loadtest.Record) {
	phase := r.Phases[0]
	times := []struct {
		name string
		at   loadtest.Millis
	}{{"p50", phase.Response.P50}, {"p95", phase.Response.P95}, {"p99", phase.Response.P99}}
	for _, q := range times {
		if want, ok := k.want[q.name]; ok {
			g.Known = append(g.Known, known{k.name, "response " + q.name, want, ms(q.at), "ms", near(ms(q.at), want)})
		}
	}
	for _, outcome := range []string{"ok", "shed", "failed"} {
		if want, ok := k.counts[outcome]; ok {
			got := phase.Outcomes[outcome]
			g.Known = append(g.Known, known{k.name, outcome, float64(want), float64(got), "", got == want})
		}
	}
}

// shapes sends arrivals in all shapes to a server that answers at once.
func (g *goes) shapes(ctx context.Context, b *bed) error {
	s, err := serve(ctx, "ready")
	if err != nil {
		return err
	}
	defer s.stop()
	const length = 3 * time.Second
	phases := ""
	for _, shape := range [][2]string{
		{"even", "500"},
		{"ramp", "100..900"},
		{"steps", "[200, 400, 800]"},
		{"spike", "{ base: 200, spike: { at: 1s, to: 1000, rise: 200ms, hold: 600ms, fall: 200ms } }"},
		{"outage", "{ base: 400, outage: { at: 1s, for: 1s } }"},
		{"wave", "{ sine: { mean: 400, amplitude: 300, period: 1s } }"},
	} {
		phases += phase(shape[0], length, shape[1])
	}
	phases += fmt.Sprintf("  - { name: random, for: %s, streams: [ { mix: { Ask: 1 }, rate: 500 } ] }\n", length)
	got, err := b.ask(ctx, "run", scenario(forever, "p99: 100ms", phases), s.target())
	if err != nil {
		return err
	}
	sum := 0
	for _, v := range got.record.Verdict.Vitals {
		g.Arrivals = append(g.Arrivals, arrivals{v.Phase, v.Planned, v.Sent, ms(v.Lag.P50), ms(v.Lag.P99)})
		sum += v.Planned
	}
	asked, err := s.asked(ctx)
	g.Arrivals = append(g.Arrivals, arrivals{Phase: "all, as the server counted them", Planned: sum, Sent: asked})
	return err
}
