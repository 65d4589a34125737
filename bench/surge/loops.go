package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"headroom/loadtest"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// load is what a loop has to send.
type load struct {
	target string
	rate   int
	n      int
	start  time.Time
}

// due is when request i is.
func (l load) due(i int) time.Time {
	return l.start.Add(time.Duration(i) * time.Second / time.Duration(l.rate))
}

// What a request can be sent by beside surge.
const (
	punctual = "punctual" // a loop that sends when a request is due, as surge does
	alone    = "alone"    // the same on one processor, as surge does too
	bunched  = "bunched"  // a loop that sleeps as Go does, half a millisecond too long, and sends what has become due
	vegetas  = "vegeta"   // vegeta's own attack, as punctual
)

var loops = map[string]func(context.Context, load) error{
	punctual: sendPunctually,
	alone: func(ctx context.Context, l load) error {
		runtime.GOMAXPROCS(1)
		return sendPunctually(ctx, l)
	},
	bunched: func(ctx context.Context, l load) error {
		return sendBare(ctx, l, func(at time.Time) { time.Sleep(time.Until(at)) })
	},
	vegetas: sendByVegeta,
}

// loop runs a loop that the command line names.
func loop(ctx context.Context, args []string) error {
	if len(args) != 4 || loops[args[0]] == nil {
		return errors.New("loop wants punctual, alone, bunched or vegeta, an address, a rate and a length")
	}
	rate, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	length, err := time.ParseDuration(args[3])
	if err != nil {
		return err
	}
	return loops[args[0]](ctx, load{args[1], rate, int(float64(rate) * length.Seconds()), time.Now()})
}

var (
	askBody   = []byte(`{"operationName":"Ask","query":"query Ask { viewer { role } }","variables":{}}`)
	askHeader = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer demo-owner"}}
)

func newTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 1 << 16, DisableCompression: true}
}

// sendBare sends a request after each wait, from a goroutine of its own, reads
// the answer and forgets it: the least that an open load takes.
func sendBare(ctx context.Context, l load, until func(time.Time)) error {
	transport := newTransport()
	var group sync.WaitGroup
	var failed atomic.Int64
	for i := range l.n {
		until(l.due(i))
		group.Go(func() {
			if sendOne(ctx, transport, l.target) != nil {
				failed.Add(1)
			}
		})
	}
	group.Wait()
	return failures(int(failed.Load()))
}

func sendPunctually(ctx context.Context, l load) error {
	sleeper, err := loadtest.NewSleeper(ctx)
	if err != nil {
		return err
	}
	defer sleeper.Close()
	return sendBare(ctx, l, func(at time.Time) { sleeper.Until(at) })
}

func failures(n int) error {
	if n > 0 {
		return fmt.Errorf("%d requests failed", n)
	}
	return nil
}

func sendOne(ctx context.Context, transport *http.Transport, target string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(askBody))
	if err != nil {
		return err
	}
	request.Header = askHeader
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// sendByVegeta attacks with a plain target.
func sendByVegeta(ctx context.Context, l load) error {
	sleeper, err := loadtest.NewSleeper(ctx)
	if err != nil {
		return err
	}
	defer sleeper.Close()
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: newTransport()}), vegeta.Workers(10), vegeta.MaxWorkers(1000))
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: l.target, Body: askBody, Header: askHeader})
	failed := 0
	for result := range attacker.Attack(target, pacer{l, sleeper}, 0, "") {
		if result.Code != http.StatusOK {
			failed++
		}
	}
	return failures(failed)
}

// pacer lets vegeta send each request when it is due.
type pacer struct {
	load
	sleeper *loadtest.Sleeper
}

// Pace waits itself, since vegeta would sleep too long.
func (p pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if hits >= uint64(p.n) {
		return 0, true
	}
	return 0, !p.sleeper.Until(p.due(int(hits)))
}

// Rate only informs.
func (p pacer) Rate(time.Duration) float64 { return float64(p.rate) }
