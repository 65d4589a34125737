package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// glance looks at one day as click does at eleven: some 2 ms of the database, so
// that many fit into a minute.
var glance = search("glance", 1)

// steady is a busy hour without any storm.
type steady struct {
	Peak  float64 // glances a second that the database can do
	Asked tally
	P99   float64 // ms
}

const (
	steadyShare = 0.7
	steadySize  = 20_000
)

// hour sends glances at seven tenths of what the database can do.
func (b *bed) hour(ctx context.Context, o options) (*steady, error) {
	servers, err := b.start(ctx, "adaptive", 1)
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	l := newLoad(servers, b.tokens)
	if err := l.warm(ctx, click, 1); err != nil {
		return nil, err
	}
	out := &steady{Asked: tally{Refused: map[string]int{}}}
	if out.Peak, err = l.closed(ctx, glance, 4, 4*time.Second); err != nil {
		return nil, err
	}
	rate := steadyShare * out.Peak
	during := time.Duration(steadySize / rate * o.block.Seconds() / 20 * float64(time.Second))
	glances := func(*rand.Rand) op { return glance }
	if err := l.stream(ctx, glances, rate, time.Now(), 0, during, o.seed); err != nil {
		return nil, err
	}
	l.sending.Wait()
	var took []float64
	for _, r := range l.records {
		out.Asked.add(r)
		if r.outcome == "" {
			took = append(took, millis(r.took))
		}
	}
	out.P99 = quantile(took, 0.99)
	return out, nil
}

// write adds it to the page.
func (s *steady) write(b *strings.Builder) {
	refused := s.Asked.Sent - s.Asked.Answered
	fmt.Fprintf(b, `
## Seven tenths of what the database can do

%d looks at a day, as they are due, at %.0f %% of the %.0f a second that the database can do:
%d were not answered%s; p99 %.1f ms. M10 wants none refused: %s.
`, s.Asked.Sent, 100*steadyShare, s.Peak, refused, reasons(s.Asked.Refused), s.P99, verdict(refused == 0))
}

func reasons(counts map[string]int) string {
	if len(counts) == 0 {
		return ""
	}
	return " " + fmt.Sprint(counts)
}
