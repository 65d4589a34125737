package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// cost is what a request cost the processes that sent it, in one round.
type cost struct {
	Rate        int
	Surge, Bare float64 // microseconds of processor time
	Sent        int     // by surge, in time
}

// memory is the most that surge held after so many requests, and what each of them
// took of a processor.
type memory struct {
	Requests int
	Bytes    int64
	CPU      float64 `json:",omitempty"` // microseconds
}

const (
	costRounds = 3
	costFor    = 4 * time.Second
)

// cost sends the same by surge and by a loop that does nothing but send, in turns.
func (g *goes) cost(ctx context.Context, o options, b *bed) error {
	s, err := serve(ctx, "ready")
	if err != nil {
		return err
	}
	defer s.stop()
	for range costRounds {
		got, err := g.surge(ctx, o, b, s, costFor)
		if err != nil {
			return err
		}
		bare, err := s.bare(ctx, o.rate, costFor)
		if err != nil {
			return err
		}
		n := o.rate * int(costFor.Seconds())
		per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
		g.Costs = append(g.Costs, cost{o.rate, per(got.cpu), per(bare), got.record.Verdict.Vitals[0].Sent})
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

// bare is the processor time of a loop that sends.
func (s *server) bare(ctx context.Context, rate int, length time.Duration) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	command := exec.CommandContext(ctx, self, "bare", s.target(), strconv.Itoa(rate), length.String())
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return 0, err
	}
	return command.ProcessState.UserTime() + command.ProcessState.SystemTime(), nil
}

// sendBare sends a request when it is due, each from a goroutine of its own, reads
// the answer and forgets it: the least that an open load takes.
func sendBare(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("bare wants an address, a rate and a length")
	}
	rate, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	length, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1 << 16, DisableCompression: true}
	body := []byte(`{"operationName":"Ask","query":"query Ask { viewer { role } }","variables":{}}`)
	var group sync.WaitGroup
	var failed atomic.Int64
	start := time.Now()
	for i := range int(float64(rate) * length.Seconds()) {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		group.Go(func() {
			if sendOne(ctx, transport, args[0], body) != nil {
				failed.Add(1)
			}
		})
	}
	group.Wait()
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("%d requests failed", n)
	}
	return nil
}

func sendOne(ctx context.Context, transport *http.Transport, target string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer demo-owner")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
