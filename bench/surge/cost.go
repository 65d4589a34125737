package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// cost is what a request cost the processes that sent it, in one round: microseconds
// of processor time.
type cost struct {
	Rate  int
	Sent  int // by surge, in time
	Surge float64
	Loops map[string]float64 // by what else sent
}

// memory is the most that surge held after so many requests, and what each of them
// took of a processor.
type memory struct {
	Requests int
	Bytes    int64
	CPU      float64 `json:",omitempty"` // microseconds
}

// costFor is how long each of them sends in a round.
const costFor = 8 * time.Second

// cost sends the same by surge and by loops that do nothing but send, in turns.
func (g *goes) cost(ctx context.Context, o options, b *bed) error {
	s, err := serve(ctx, "ready")
	if err != nil {
		return err
	}
	defer s.stop()
	for range o.rounds {
		got, err := g.surge(ctx, o, b, s, costFor)
		if err != nil {
			return err
		}
		n := o.rate * int(costFor.Seconds())
		per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
		c := cost{o.rate, got.record.Verdict.Vitals[0].Sent, per(got.cpu), map[string]float64{}}
		for name := range loops {
			took, err := s.loop(ctx, name, o.rate, costFor)
			if err != nil {
				return err
			}
			c.Loops[name] = per(took)
		}
		g.Costs = append(g.Costs, c)
	}
	if o.long == 0 {
		return nil
	}
	_, err = g.surge(ctx, o, b, s, o.long)
	return err
}

// surge runs it at the rate, and keeps what it held.
func (g *goes) surge(ctx context.Context, o options, b *bed, s *server, length time.Duration) (*sent, error) {
	got, err := b.ask(ctx, "run", scenario(people, "p99: 100ms", phase("load", length, strconv.Itoa(o.rate))), s.target())
	if err != nil {
		return nil, err
	}
	n := o.rate * int(length.Seconds())
	g.Memory = append(g.Memory, memory{n, got.most, float64(got.cpu.Microseconds()) / float64(n)})
	return got, nil
}

// loop is the processor time of a loop that sends.
func (s *server) loop(ctx context.Context, name string, rate int, length time.Duration) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	command := exec.CommandContext(ctx, self, "loop", name, s.target(), strconv.Itoa(rate), length.String())
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return 0, err
	}
	return command.ProcessState.UserTime() + command.ProcessState.SystemTime(), nil
}
