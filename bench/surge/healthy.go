package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"time"
)

// verdict is how a run ended.
type verdict struct {
	Word   string
	Reason string `json:",omitempty"` // the first
}

// healthy runs what has to pass, each after the machine was seen quiet: two seconds
// of 300 a second for a server that answers at once, other arrivals each time.
func (g *goes) healthy(ctx context.Context, o options, b *bed) error {
	s, err := serve(ctx, "ready")
	if err != nil {
		return err
	}
	defer s.stop()
	for i := range o.runs {
		if err := quiet(ctx); err != nil {
			return err
		}
		b.seed = o.seed + uint64(i)
		text := scenario(people, "p50: 10ms, p99: 100ms, ok: 99%, shed: 1%", "  - { name: load, for: 2s, streams: [ { mix: { Ask: 1 }, rate: 300 } ] }\n")
		got, err := b.ask(ctx, "run", text, s.target())
		if err != nil {
			return err
		}
		v := verdict{Word: got.record.Verdict.Word}
		if v.Word != "PASS" {
			v.Reason = strings.Join(got.record.Verdict.Reasons, "; ")
			fmt.Fprintf(os.Stderr, "run %d: %s %s\n", i+1, v.Word, v.Reason)
		}
		g.Healthy = append(g.Healthy, v)
	}
	return nil
}

// quietShare is the share of the machine that may be busy when a run begins.
const quietShare = 0.1

// quiet returns when the machine was little used for a quarter of a second.
func quiet(ctx context.Context) error {
	for ctx.Err() == nil {
		idle, err := idleTime()
		if err != nil {
			return err
		}
		const probe = 250 * time.Millisecond
		select {
		case <-time.After(probe):
		case <-ctx.Done():
			return ctx.Err()
		}
		after, err := idleTime()
		if err != nil {
			return err
		}
		if free := float64(after-idle) / float64(probe) / float64(runtime.NumCPU()); free >= 1-quietShare {
			return nil
		}
	}
	return ctx.Err()
}

// idleTime is how long all processors have been idle since the start.
func idleTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system, idle int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d", &user, &nice, &system, &idle); err != nil {
		return 0, err
	}
	return time.Duration(idle) * 10 * time.Millisecond, nil
}

// found is one search for a breakpoint.
type found struct {
	Capacity, Rate float64 // a second
	Seconds        float64 // of sending
	Steps          int
	Word           string
	Reason         string `json:",omitempty"`
}

// good tells whether what the server bears was found within 5 %, in less than three
// minutes.
func (f found) good() bool {
	return f.Word == "FOUND" && math.Abs(f.Rate/bears(f.Capacity)-1) <= 0.05 && f.Seconds < 180
}

// What capacity asks of servers, and promises of their answers.
const (
	promised = 100 * time.Millisecond // the p99
	beyond   = 0.01
)

// bears is the greatest rate of random arrivals at which a server that does so many a
// second, one after the other, keeps the promise. Near its capacity the share that
// waits for more than t is exp(-2t(capacity-rate)), as in any M/D/1 queue.
func bears(capacity float64) float64 {
	return capacity - math.Log(1/beyond)/(2*promised.Seconds())
}

// capacity seeks the breakpoints of servers whose capacity the seed draws.
func (g *goes) capacity(ctx context.Context, o options, b *bed) error {
	random := rand.New(rand.NewPCG(o.seed, 0))
	for range o.searches {
		f := found{Capacity: float64(400 + random.IntN(400))}
		s, err := serve(ctx, fmt.Sprintf("capacity=%g", f.Capacity))
		if err != nil {
			return err
		}
		text := scenario(people, "p99: 100ms, ok: 99%", "  - { name: load, for: 10s, streams: [ { mix: { Ask: 1 }, rate: 300 } ] }\n")
		began := time.Now()
		got, err := b.ask(ctx, "breakpoint", text, s.target(), "--to", "900")
		f.Seconds = time.Since(began).Seconds()
		s.stop()
		if err != nil {
			return err
		}
		f.Word, f.Steps = got.record.Verdict.Word, len(got.record.Steps)
		if len(got.record.Points) > 0 {
			f.Rate = got.record.Points[0].Rate
		}
		if len(got.record.Verdict.Reasons) > 0 {
			f.Reason = got.record.Verdict.Reasons[0]
		}
		fmt.Fprintf(os.Stderr, "capacity %g: found %.1f in %.0f s, %s\n", f.Capacity, f.Rate, f.Seconds, f.Word)
		g.Searches = append(g.Searches, f)
	}
	return nil
}
