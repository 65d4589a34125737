// Command peers compares headroom with other servers for the same data: one
// that passes on what one statement by hand returns, and servers by the book of
// gqlgen, Mercurius, Apollo and PostGraphile. It starts a PostgreSQL of its own,
// fills it, runs all of them as processes of this machine, asks each for the
// same operations, and writes what it found as JSON and Markdown.
//
//	go run ./peers --out ../docs/benchmarks
//
// Before anything is timed, all must answer alike. Cells are then measured in
// rounds, in an order that the seed draws. What counts most is the processor's
// time of server and database for an operation: it is the same on a machine
// that is busy with something else, as long as that is little; cells in which
// strangers used more are void, counted, and measured again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"bench/lab"
)

// attempts is how often a cell is measured in a round until it is not void.
const attempts = 3

var cores = runtime.NumCPU()

type options struct {
	entries    int
	out, data  string
	peers, ops string
	modes      string
	rounds     int
	cell       time.Duration
	seed       uint64
	tolerated  float64
	hold       bool
	footprint  bool
	storm      bool
	curves     bool
	again      string
	judge      bool // again with the share that strangers may use
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.IntVar(&o.entries, "entries", 2_000_000, "entries of the workspace")
	flags.StringVar(&o.out, "out", "", "folder for the results (default: they are printed)")
	flags.StringVar(&o.data, "data", "", "folder of PostgreSQL, kept for the next run (default: a temporary one)")
	flags.StringVar(&o.peers, "peers", "", "peers to compare, separated by commas (default: all)")
	flags.StringVar(&o.ops, "ops", "", "operations, separated by commas (default: all)")
	flags.StringVar(&o.modes, "modes", "one,eight,flow", "one connection, eight, or a flow at a given rate")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of each cell; the medians are of these")
	flags.DurationVar(&o.cell, "cell", 2*time.Second, "how long a cell is measured")
	flags.Uint64Var(&o.seed, "seed", 1, "draws the order of cells, and arrivals")
	flags.Float64Var(&o.tolerated, "tolerated", 0.05, "share of the machine that strangers may use in a cell that is not void")
	flags.BoolVar(&o.footprint, "footprint", false, "measure start, memory, idle connections and the build, and nothing else")
	flags.BoolVar(&o.hold, "hold", false, "start the peers, say where they listen, and measure nothing")
	flags.BoolVar(&o.storm, "storm", false, "send each peer a storm of reports, and measure nothing else")
	flags.BoolVar(&o.curves, "curves", false, "measure how headroom grows with entries, pages, depth, workspaces and connections, and nothing else")
	flags.StringVar(&o.again, "again", "", "raw figures of an earlier run, whose page is written again without measuring; its cells are judged by --tolerated, if that is given")
	err = flags.Parse(args)
	flags.Visit(func(f *flag.Flag) { o.judge = o.judge || f.Name == "tolerated" })
	return o, err
}

// chosen are the things of a list that a flag names, all where it names none.
func chosen[T any](names string, all []T, nameOf func(T) string) (found []T, err error) {
	if names == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(t T) bool { return nameOf(t) == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no %q", name)
		}
		found = append(found, all[i])
	}
	return found, nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.again != "" {
		return writeAgain(o)
	}
	ops, err := chosen(o.ops, operations, func(op operation) string { return op.name })
	if err != nil {
		return err
	}
	wanted, err := chosen(o.peers, recipes, func(r recipe) string { return r.name })
	if err != nil {
		return err
	}
	pg, err := lab.StartPostgres(ctx, o.data, "shared_buffers = '2GB'")
	if err != nil {
		return err
	}
	defer pg.Stop(ctx)
	d, err := open(ctx, pg, o.entries)
	if err != nil {
		return err
	}
	b := &bench{options: o, data: d, machine: lab.Describe()}
	if b.machine.Postgres, err = pg.Version(ctx); err != nil {
		return err
	}
	if b.postmaster, err = postmaster(ctx, d.dsn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	if b.dir, err = os.MkdirTemp("", "headroom-peers"); err != nil {
		return err
	}
	if o.storm {
		return b.runStorms(ctx, wanted)
	}
	if o.curves {
		return b.runCurves(ctx, pg)
	}
	if o.footprint {
		return b.measureFootprints(ctx, wanted)
	}
	if err := b.start(ctx, wanted); err != nil {
		return err
	}
	if o.hold {
		return b.hold(ctx)
	}
	if err := b.check(ops); err != nil {
		return err
	}
	err = b.measure(ctx, ops)
	if len(b.samples) > 0 && o.out == "" {
		fmt.Print(b.markdown(""))
	}
	return err
}

// bench is one run of all.
type bench struct {
	options    options
	data       data
	machine    lab.Machine
	postmaster int
	dir        string
	peers      []*peer
	count      atomic.Int64
	samples    []sample
	footprints []footprint
	results    []stormed
	capacity   float64 // reports a second that LIMIT can make
	note       string
	built      time.Duration // of the compiler, from an empty cache
}

func (b *bench) start(ctx context.Context, wanted []recipe) (err error) {
	for _, r := range wanted {
		p, err := r.start(ctx, b.dir, b.data.dsn)
		if err != nil {
			return err
		}
		b.peers = append(b.peers, p)
	}
	return nil
}

func (b *bench) stop() (err error) {
	for _, p := range b.peers {
		err = errors.Join(err, p.stop())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// hold leaves everything running for somebody who wants to look.
func (b *bench) hold(ctx context.Context) error {
	for _, p := range b.peers {
		fmt.Printf("%s: pid %d at %s, log in %s\n", p.name, p.cmd.Process.Pid, p.addr, p.log.Name())
	}
	fmt.Printf("token: %s\nX-User: %d\n", b.data.people[0].token, b.data.people[0].key)
	<-ctx.Done()
	return nil
}

// speaking are the peers that have an operation.
func (b *bench) speaking(op operation) (found []*peer) {
	for _, p := range b.peers {
		if op.spoken(p.words, &b.data) {
			found = append(found, p)
		}
	}
	return found
}

// check asks all peers for everything once.
func (b *bench) check(ops []operation) error {
	for _, op := range ops {
		err := alike(op, b.speaking(op), b.data.people, func(p *peer, who person) (answers [][]byte, err error) {
			l, err := p.dial()
			if err != nil {
				return nil, err
			}
			defer l.conn.Close()
			for _, m := range op.ask(p.words, &b.data, who, int(b.count.Load())) {
				answer, err := l.send(m, who, p.words, nil)
				if err != nil {
					return nil, err
				}
				answers = append(answers, answer)
			}
			return answers, nil
		})
		if err != nil {
			return err
		}
		b.count.Add(1)
	}
	return nil
}

// measure measures all cells, round by round.
func (b *bench) measure(ctx context.Context, ops []operation) error {
	random := rand.New(rand.NewPCG(b.options.seed, 0))
	type cell struct {
		op   operation
		peer *peer
		mode mode
	}
	var cells []cell
	for _, op := range ops {
		for _, p := range b.speaking(op) {
			for m := range strings.SplitSeq(b.options.modes, ",") {
				if connections[mode(m)] == 0 {
					return fmt.Errorf("--modes: there is no %q", m)
				}
				if !op.paced || mode(m) == one {
					cells = append(cells, cell{op, p, mode(m)})
				}
			}
		}
	}
	for round := range b.options.rounds {
		random.Shuffle(len(cells), func(i, j int) { cells[i], cells[j] = cells[j], cells[i] })
		for _, c := range cells {
			r := runner{op: c.op, peer: c.peer, data: &b.data, count: &b.count}
			if c.op.fixed {
				r.messages = c.op.ask(c.peer.words, &b.data, person{}, 0)
			}
			if err := b.sample(ctx, r, c.mode, round, random); err != nil {
				return err
			}
		}
		if err := b.publish(); err != nil { // what follows may be cut off
			return err
		}
	}
	return nil
}

// strangers says why a cell is void in which they used too much, else nothing.
func strangers(s sample, tolerated float64) string {
	if s.Others <= tolerated {
		return ""
	}
	return fmt.Sprintf("strangers used %.0f %% of the machine", 100*s.Others)
}

// afterRefusal is how long a server that has refused is left alone.
const afterRefusal = 3 * time.Second

// sample measures a cell until it is not void, for some attempts.
func (b *bench) sample(ctx context.Context, r runner, m mode, round int, random *rand.Rand) error {
	for range attempts {
		s, err := r.cell(ctx, m, b.options.cell, b.postmaster, random)
		if _, ok := errors.AsType[*refusal](err); err != nil && !ok {
			return err
		}
		s.Round = round
		if err != nil {
			s.Void = refusedOnce
			time.Sleep(afterRefusal)
		} else {
			s.Void = strangers(s, b.options.tolerated)
		}
		b.samples = append(b.samples, s)
		if s.Void == "" {
			break
		}
	}
	return nil
}
