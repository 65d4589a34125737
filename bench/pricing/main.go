// Command pricing measures how well prices foretell what operations take: it asks
// many workspaces of different size and shape, learns on most of them and judges
// on the rest, beside other ways to price. It starts a PostgreSQL of its own.
//
//	go run ./pricing --data DIR --fill
//	go run ./pricing --data DIR --out ../docs/benchmarks
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"bench/lab"
)

type options struct {
	data, out  string
	workspaces int
	entries    int
	large      int
	draws      int
	splits     int
	seed       uint64
	fill       bool
	most       time.Duration
	again      string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pricing:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("pricing", flag.ContinueOnError)
	flags.StringVar(&o.data, "data", "", "folder of PostgreSQL, kept for the next run (default: a temporary one)")
	flags.StringVar(&o.out, "out", "../docs/benchmarks", "folder for the results")
	flags.IntVar(&o.workspaces, "workspaces", 80, "workspaces, two odd ones included")
	flags.IntVar(&o.entries, "entries", 700_000, "entries of all together that are neither odd nor large")
	flags.IntVar(&o.large, "large", 2, "workspaces of a million entries among them")
	flags.IntVar(&o.draws, "draws", 2, "times that each operation is drawn for a workspace; the largest have more")
	flags.IntVar(&o.splits, "splits", 20, "ways to cut the workspaces into those that teach and those that judge")
	flags.Uint64Var(&o.seed, "seed", 1, "draws workspaces, operations and splits")
	flags.BoolVar(&o.fill, "fill", false, "only fill the database in --data")
	flags.DurationVar(&o.most, "most", 7*time.Minute, "time for measuring; what is left over then is not measured, and counted")
	flags.StringVar(&o.again, "judge", "", "raw figures of an earlier run, to be judged again without measuring")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.workspaces < 10+o.large || o.large < 0 || o.draws < 1 || o.splits < 1 {
		return o, fmt.Errorf("ten workspaces beside the large ones, one draw and one split are the least")
	}
	if o.fill && o.data == "" {
		return o, fmt.Errorf("--fill: give the folder that keeps it, --data")
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.again != "" {
		return judgeAgain(o)
	}
	machine := lab.Describe()
	pg, err := lab.StartPostgres(ctx, o.data)
	if err != nil {
		return err
	}
	defer pg.Stop(ctx)
	dsn, err := pg.Database(ctx, "pricing")
	if err != nil {
		return err
	}
	if err := fill(ctx, dsn, o); err != nil {
		return err
	}
	if o.fill {
		return nil
	}
	if machine.Postgres, err = pg.Version(ctx); err != nil {
		return err
	}
	l, err := open(ctx, dsn, o)
	if err != nil {
		return err
	}
	defer l.close(ctx)
	measured, left, err := l.measure(ctx)
	if err != nil {
		return err
	}
	r := record{Machine: machine, Left: left, Draws: measured}
	for _, w := range l.workspaces {
		r.Entries = append(r.Entries, w.entries)
	}
	if r.Blocks, err = l.minutes(ctx, measured); err != nil {
		return err
	}
	return publish(o, r)
}
