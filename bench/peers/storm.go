package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"
)

// A storm: people open their day all the time, and for a while reports come at a
// multiple of what the peer can make. Both are open loops: whoever comes does not
// care how those before are doing, and is gone after patience.
const (
	warmFor  = 2 * time.Second // connections are opened and statements prepared: not counted
	calmFor  = 7 * time.Second // with that
	stormFor = 8 * time.Second
	afterFor = 8 * time.Second
	dayRate  = 150.0 // a second
	patience = 10 * time.Second
	capacity = 3 * time.Second // how long reports alone are made to find out how many can be
)

// arrival is one request of a storm.
type arrival struct {
	report bool
	due    time.Duration // since the beginning
	took   time.Duration // from then
	err    error
}

// stormed is how a peer came through. Times are in milliseconds.
type stormed struct {
	Peer     string    `json:"peer"`
	Times    float64   `json:"times"`    // reports came at this multiple of the capacity
	Calm     float64   `json:"calm"`     // p99 of days before the storm, without warmFor
	Storm    float64   `json:"storm"`    // in it
	Days     int       `json:"days"`     // in it and after
	Failed   int       `json:"failed"`   // of them
	Recovery int       `json:"recovery"` // s from the storm's end to the first second whose p99 is at most twice the calm one; -1: none was
	Reports  int       `json:"reports"`
	Answered int       `json:"answered"` // reports
	Refused  int       `json:"refused"`  // reports, by an answer that says so
	Refusal  float64   `json:"refusal"`  // p50 of those
	Refusal9 float64   `json:"refusal9"` // p99 of those
	Itself9  float64   `json:"itself9"`  // p99 of those without what they waited on purpose
	Before   float64   `json:"before"`   // MB, after the calm
	After    float64   `json:"after"`    // MB, at the end
	Seconds  []float64 `json:"seconds"`  // p99 of days by second; what failed counts as patience
}

// settling is how long headroom makes one report at a time after its start.
const settling = 30 * time.Second

// runStorms storms each peer, started anew, and headroom at ten times too and in each
// round, once LIMIT has had its turn and headroom has settled. Reports come at a multiple of what LIMIT makes of
// them when it makes nothing else: the same for all.
func (b *bench) runStorms(ctx context.Context, wanted []recipe) error {
	return b.beside(ctx, recipes[0], b.data.dsn, func(own *peer) error {
		started := time.Now()
		limit := slices.IndexFunc(recipes, func(r recipe) bool { return r.words == statement })
		err := b.beside(ctx, recipes[limit], b.data.dsn, func(p *peer) (err error) {
			if b.capacity, err = b.yearOf(p).most(ctx); err != nil {
				return err
			}
			return b.storms(ctx, p, 2)
		})
		if err != nil {
			return err
		}
		time.Sleep(time.Until(started.Add(settling)))
		for range b.options.rounds {
			if err := b.storms(ctx, own, 2, 10); err != nil {
				return err
			}
		}
		for _, r := range wanted {
			if r.words == ours || r.words == statement || r.words == ownTables {
				continue
			}
			if err := b.beside(ctx, r, b.data.dsn, func(p *peer) error { return b.storms(ctx, p, 2) }); err != nil {
				return fmt.Errorf("storm of %s: %w", r.name, err)
			}
		}
		return nil
	})
}

// beside runs fn while a peer runs on a database.
func (b *bench) beside(ctx context.Context, r recipe, dsn string, fn func(p *peer) error) (err error) {
	p, err := r.start(ctx, b.dir, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.ready(ctx); err != nil {
		return err
	}
	return fn(p)
}

func (b *bench) yearOf(p *peer) runner {
	return runner{op: operations[opIndex("year by project, user and week")], peer: p, data: &b.data, count: &b.count}
}

func (b *bench) storms(ctx context.Context, p *peer, multiples ...float64) error {
	for _, times := range multiples {
		s, err := b.storm(ctx, p, times)
		if err != nil {
			return err
		}
		b.results = append(b.results, s)
		fmt.Fprintf(os.Stderr, "%+v\n", s)
		if err := b.publishStorms(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) storm(ctx context.Context, p *peer, times float64) (s stormed, err error) {
	s = stormed{Peer: p.name, Times: times}
	random := rand.New(rand.NewPCG(b.options.seed, uint64(len(b.results))))
	day := operations[0]
	crowd := &crowd{
		days:    runner{op: day, peer: p, data: &b.data, count: &b.count, messages: day.ask(p.words, &b.data, person{}, 0)},
		reports: b.yearOf(p),
	}
	arrivals := due(random, dayRate, 0, calmFor+stormFor+afterFor, false)
	arrivals = append(arrivals, due(random, times*b.capacity, calmFor, calmFor+stormFor, true)...)
	slices.SortFunc(arrivals, func(x, y arrival) int { return int(x.due - y.due) })
	before := time.AfterFunc(calmFor, func() { s.Before = resident(p.cmd.Process.Pid) })
	defer before.Stop()
	crowd.send(ctx, arrivals)
	s.After = resident(p.cmd.Process.Pid)
	s.judge(arrivals)
	return s, ctx.Err()
}

// most is how many a second are made for as many as there are cores, who ask without a
// pause. What is refused is not made.
func (r runner) most(ctx context.Context) (float64, error) {
	began := time.Now()
	made, err := r.each(cores, func(conn int, l *link) (made []time.Duration, err error) {
		for n := 0; time.Since(began) < capacity && ctx.Err() == nil; n++ {
			asked := time.Now()
			if _, err := r.run(l, r.who(conn, cores, n), nil); err == nil {
				made = append(made, time.Since(asked))
			} else if _, ok := errors.AsType[*refusal](err); !ok {
				return made, err
			}
		}
		return made, ctx.Err()
	})
	return float64(len(made)) / time.Since(began).Seconds(), err
}

// due are the arrivals of a rate between two moments.
func due(random *rand.Rand, rate float64, from, to time.Duration, report bool) (all []arrival) {
	for at := from; ; {
		at += time.Duration(random.ExpFloat64() / rate * float64(time.Second))
		if at >= to {
			return all
		}
		all = append(all, arrival{report: report, due: at})
	}
}

// crowd sends requests, each when it is due, on as many connections as are wanted
// at once.
type crowd struct {
	days, reports runner
	mu            sync.Mutex
	free          []*link
}

func (c *crowd) send(ctx context.Context, arrivals []arrival) {
	var all sync.WaitGroup
	began := time.Now()
	for i := range arrivals {
		a := &arrivals[i]
		time.Sleep(time.Until(began.Add(a.due)))
		if ctx.Err() != nil {
			break
		}
		r := c.days
		if a.report {
			r = c.reports
		}
		all.Go(func() {
			a.err = c.ask(r, r.who(0, 1, i))
			a.took = time.Since(began) - a.due
		})
	}
	all.Wait()
	for _, l := range c.free {
		l.conn.Close()
	}
}

func (c *crowd) ask(r runner, who person) error {
	l, err := c.link(r.peer)
	if err != nil {
		return err
	}
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err = r.run(l, who, nil)
	if _, ok := errors.AsType[*refusal](err); err != nil && !ok {
		return errors.Join(err, l.conn.Close())
	}
	c.mu.Lock()
	c.free = append(c.free, l)
	c.mu.Unlock()
	return err
}

func (c *crowd) link(p *peer) (*link, error) {
	c.mu.Lock()
	if n := len(c.free); n > 0 {
		l := c.free[n-1]
		c.free = c.free[:n-1]
		c.mu.Unlock()
		return l, nil
	}
	c.mu.Unlock()
	return p.dial()
}

// middling are the storms of each peer and rate whose p99 beside calm is in the middle of
// its rounds, with the failed days of all of them.
func middling(all []stormed) (found []stormed) {
	rounds := map[string][]stormed{}
	for _, s := range all {
		rounds[s.name()] = append(rounds[s.name()], s)
	}
	for _, s := range all {
		of := rounds[s.name()]
		if of == nil {
			continue
		}
		delete(rounds, s.name())
		slices.SortFunc(of, func(x, y stormed) int { return cmp.Compare(x.Storm/x.Calm, y.Storm/y.Calm) })
		middle := of[len(of)/2]
		middle.Days, middle.Failed = 0, 0
		for _, s := range of {
			middle.Days, middle.Failed = middle.Days+s.Days, middle.Failed+s.Failed
		}
		found = append(found, middle)
	}
	return found
}

// judge adds up what became of all.
func (s *stormed) judge(arrivals []arrival) {
	var calm, storm, refusals, themselves []time.Duration
	end := calmFor + stormFor
	seconds := make([][]time.Duration, int((end + afterFor).Seconds()))
	for _, a := range arrivals {
		took := a.took
		switch {
		case a.report:
			s.Reports++
			if a.err == nil {
				s.Answered++
			} else if r, ok := errors.AsType[*refusal](a.err); ok {
				s.Refused++
				refusals, themselves = append(refusals, took), append(themselves, took-r.waited)
			}
			continue
		case a.err != nil:
			took = patience
		}
		seconds[int(a.due.Seconds())] = append(seconds[int(a.due.Seconds())], took)
		switch {
		case a.due < warmFor:
			continue
		case a.due < calmFor:
			calm = append(calm, took)
			continue
		case a.due < end:
			storm = append(storm, took)
		}
		s.Days++
		if a.err != nil {
			s.Failed++
		}
	}
	s.Calm, s.Storm = quantile(calm, 0.99), quantile(storm, 0.99)
	s.Refusal, s.Refusal9, s.Itself9 = quantile(refusals, 0.5), quantile(refusals, 0.99), quantile(themselves, 0.99)
	for _, second := range seconds {
		s.Seconds = append(s.Seconds, quantile(second, 0.99))
	}
	s.Recovery = slices.IndexFunc(s.Seconds[int(end.Seconds()):], func(p99 float64) bool { return p99 <= 2*s.Calm })
}
