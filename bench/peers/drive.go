package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// mode is how a cell asks.
type mode string

const (
	one   mode = "one"   // a closed loop of one connection
	eight mode = "eight" // of eight
	flow  mode = "flow"  // an open loop at the operation's rate
)

var connections = map[mode]int{one: 1, eight: 8, flow: 32}

// sample is what a cell has measured. Times are in milliseconds; processor
// time is that of one run of the operation.
type sample struct {
	Op       string  `json:"op"`
	Peer     string  `json:"peer"`
	Mode     mode    `json:"mode"`
	Round    int     `json:"round"`
	Runs     int     `json:"runs"`
	Rate     float64 `json:"rate"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
	Server   float64 `json:"server"`
	Database float64 `json:"database"`
	Others   float64 `json:"others"` // share of the machine
	Memory   float64 `json:"memory"` // MB of the server, at the end
	Void     string  `json:"void,omitempty"`
}

// refusedOnce is why a cell is void in which a server said that it is too busy: the
// machine has stalled, as eight connections are few.
const refusedOnce = "a request was refused"

// runner asks one peer for one operation.
type runner struct {
	op       operation
	peer     *peer
	data     *data
	count    *atomic.Int64 // runs of all cells, so that none is like another
	messages []message     // of an operation that sends the same in each run
}

// who asks: each connection has people of its own, so that no two start the
// timer of one person at once.
func (r runner) who(conn, conns, n int) person {
	people := r.data.people
	if r.op.leaders {
		people = people[:leaders]
	}
	mine := (len(people) - 1 - conn%len(people)) / conns
	return people[(conn+conns*(n%(mine+1)))%len(people)]
}

// run asks once and reads the answers into buf, which it returns.
func (r runner) run(l *link, who person, buf []byte) ([]byte, error) {
	messages := r.messages
	if messages == nil {
		messages = r.op.ask(r.peer.words, r.data, who, int(r.count.Add(1)))
	}
	for _, m := range messages {
		var err error
		if buf, err = l.send(m, who, r.peer.words, buf); err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// closed keeps conns connections busy for a while.
func (r runner) closed(ctx context.Context, conns int, d time.Duration) (taken []time.Duration, err error) {
	end := time.Now().Add(d)
	return r.each(conns, func(conn int, l *link) (taken []time.Duration, err error) {
		var buf []byte
		for n := 0; time.Now().Before(end) && ctx.Err() == nil; n++ {
			began := time.Now()
			if buf, err = r.run(l, r.who(conn, conns, n), buf); err != nil {
				return taken, err
			}
			taken = append(taken, time.Since(began))
		}
		return taken, ctx.Err()
	})
}

// open asks at times that are drawn beforehand, and measures from them whatever
// holds a connection up.
func (r runner) open(ctx context.Context, conns int, d time.Duration, random *rand.Rand) (taken []time.Duration, err error) {
	var due []time.Duration
	for at := time.Duration(0); at < d; at += time.Duration(random.ExpFloat64() / r.op.rate * float64(time.Second)) {
		due = append(due, at)
	}
	var next atomic.Int64
	began := time.Now()
	return r.each(conns, func(conn int, l *link) (taken []time.Duration, err error) {
		var buf []byte
		for n := 0; ctx.Err() == nil; n++ {
			i := int(next.Add(1)) - 1
			if i >= len(due) {
				return taken, nil
			}
			at := began.Add(due[i])
			time.Sleep(time.Until(at))
			if buf, err = r.run(l, r.who(conn, conns, n), buf); err != nil {
				return taken, err
			}
			taken = append(taken, time.Since(at))
		}
		return taken, ctx.Err()
	})
}

// each works on connections side by side.
func (r runner) each(conns int, work func(conn int, l *link) ([]time.Duration, error)) ([]time.Duration, error) {
	var mu sync.Mutex
	var all []time.Duration
	var errs error
	var ended sync.WaitGroup
	for conn := range conns {
		l, err := r.peer.dial()
		if err != nil {
			return nil, err
		}
		ended.Go(func() {
			defer l.conn.Close()
			taken, err := work(conn, l)
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, taken...), errors.Join(errs, err)
		})
	}
	ended.Wait()
	return all, errs
}

// cell measures once, after a moment of warming up.
func (r runner) cell(ctx context.Context, m mode, d time.Duration, postmaster int, random *rand.Rand) (s sample, err error) {
	s = sample{Op: r.op.name, Peer: r.peer.name, Mode: m}
	if _, err := r.closed(ctx, connections[m], d/8); err != nil {
		return s, fmt.Errorf("%s of %s: %w", r.op.name, r.peer.name, err)
	}
	before, err := measure(r.peer.cmd.Process.Pid, postmaster)
	if err != nil {
		return s, err
	}
	began := time.Now()
	var taken []time.Duration
	if m == flow {
		taken, err = r.open(ctx, connections[m], d, random)
	} else {
		taken, err = r.closed(ctx, connections[m], d)
	}
	if err != nil {
		return s, fmt.Errorf("%s of %s: %w", r.op.name, r.peer.name, err)
	}
	took := time.Since(began)
	after, err := measure(r.peer.cmd.Process.Pid, postmaster)
	if err != nil {
		return s, err
	}
	used := after.minus(before)
	s.Runs, s.Rate = len(taken), float64(len(taken))/took.Seconds()
	s.P50, s.P99 = quantile(taken, 0.5), quantile(taken, 0.99)
	s.Server, s.Database = millis(used.server)/float64(len(taken)), millis(used.database)/float64(len(taken))
	s.Others = float64(used.others()) / float64(took) / float64(cores)
	s.Memory = resident(r.peer.cmd.Process.Pid)
	return s, nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile is in milliseconds.
func quantile(taken []time.Duration, q float64) float64 {
	if len(taken) == 0 {
		return 0
	}
	slices.Sort(taken)
	return millis(taken[min(len(taken)-1, int(q*float64(len(taken))))])
}
