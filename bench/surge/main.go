// Command surge puts the load tester itself to the test: the real program, against
// servers of known behaviour and against a real one, and writes what it said beside
// what is known as JSON and Markdown.
//
//	go run ./surge known      # what it says of servers that freeze, saturate, have two humps, lie or shed
//	go run ./surge cost       # its processor time beside a bare loop, and its memory
//	go run ./surge replay     # a replay beside what was captured, on a real server
//	go run ./surge healthy    # fifty runs that nothing disturbs
//	go run ./surge capacity   # searches for the breakpoint of a server of known capacity
//	go run ./surge growth     # the breakpoint of a real server with 1, 3 and 10 times the data, and a forecast
//	go run ./surge failover   # the crowd of that scenario, with limits and without, on a real server
//	go run ./surge page       # the page anew, from the runs that are kept
//
// Known servers are processes of their own, and so is surge: what is measured is the
// program that people run. Figures of a machine that others use mean nothing; the
// page names the load.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"bench/lab"
)

type options struct {
	out, data      string
	sizes          string
	seed           uint64
	runs, searches int
	rate, entries  int
	rounds         int
	long           time.Duration
	more           bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "surge bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var o options
	flags := flag.NewFlagSet("surge", flag.ContinueOnError)
	flags.StringVar(&o.out, "out", "../docs/benchmarks", "folder for the results")
	flags.StringVar(&o.data, "data", "", "folder of the real server's data, kept for the next run (default: a temporary one)")
	flags.Uint64Var(&o.seed, "seed", 1, "draws loads and capacities")
	flags.IntVar(&o.runs, "runs", 50, "healthy runs")
	flags.IntVar(&o.searches, "searches", 10, "searches for a breakpoint, of some 90 s each")
	flags.IntVar(&o.entries, "entries", 100_000, "entries of the smallest data of growth")
	flags.StringVar(&o.sizes, "sizes", "1,3,10", "how many times that data growth searches with; others that are stored are kept")
	flags.IntVar(&o.rate, "rate", 3000, "requests a second of cost")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds of cost")
	flags.DurationVar(&o.long, "long", 10*time.Minute, "how long cost sends to see how much memory surge takes (0: not at all)")
	flags.BoolVar(&o.more, "more", false, "add to the runs, searches and costs that are kept, in place of beginning anew")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch part := flags.Arg(0); part {
	case "known", "cost", "replay", "healthy", "capacity", "growth", "failover":
		return measure(ctx, o, part)
	case "page":
		return errors.Join(publish(o), publishFailover(o))
	case "serve": // a server of known behaviour
		return serveKnown(ctx, flags.Arg(1))
	case "loop": // one that does nothing but send
		return loop(ctx, flags.Args()[1:])
	}
	return errors.New("say known, cost, replay, healthy, capacity, growth, failover or page")
}

// goes is one go of a part.
type goes struct {
	Machine  lab.Machine
	Arrivals []arrivals `json:",omitempty"`
	Known    []known    `json:",omitempty"`
	Healthy  []verdict  `json:",omitempty"`
	Searches []found    `json:",omitempty"`
	Replays  []replayed `json:",omitempty"`
	Costs    []cost     `json:",omitempty"`
	Memory   []memory   `json:",omitempty"`

	Failovers []failedOver `json:",omitempty"`
}

// measure does one part, and keeps what was seen even if it was cut short.
func measure(ctx context.Context, o options, part string) error {
	dir, err := os.MkdirTemp("", "surge-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL's user has to pass
		return err
	}
	g := &goes{Machine: lab.Describe()}
	b := &bed{dir: dir, seed: o.seed}
	if b.surge, err = b.build(ctx, "surge"); err != nil {
		return err
	}
	parts := map[string]func(context.Context, options, *bed) error{
		"known": g.known, "cost": g.cost, "replay": g.replay, "healthy": g.healthy, "capacity": g.capacity, "growth": g.growth, "failover": g.failover,
	}
	failed := parts[part](ctx, o, b)
	kept := []*goes{g}
	if o.more {
		before, err := read(o.out, part)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.Join(failed, err)
		}
		kept = append(before, g)
	}
	text, err := json.MarshalIndent(kept, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(rawPath(o.out, part)), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(rawPath(o.out, part), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return errors.Join(failed, publish(o), publishFailover(o))
}

func rawPath(out, part string) string { return filepath.Join(out, "surge-runs", part+".json") }

func read(out, part string) (list []*goes, err error) {
	text, err := os.ReadFile(rawPath(out, part))
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal(text, &list)
}
