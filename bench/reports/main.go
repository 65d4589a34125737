// Command reports measures reports, writes and exports at several sizes against
// the bounds that bounds.go states, and writes what it found as JSON, Markdown
// and a picture. It starts a PostgreSQL of its own.
//
//	go run ./reports --sizes 0.1,1,3,10 --out ../docs/benchmarks
//
// All cells of a size are measured in rounds, one after the other in an order
// that the seed draws, so that what disturbs the machine disturbs all of them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"bench/lab"
)

type options struct {
	sizes  []float64 // millions of entries
	out    string
	data   string
	rounds int
	seed   uint64
	write  int           // inserts a round
	storm  time.Duration // of one round of one design
	fill   bool          // and do not measure
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reports:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	pg, err := lab.StartPostgres(ctx, o.data)
	if err != nil {
		return err
	}
	defer pg.Stop(ctx)
	if o.fill {
		return fill(ctx, pg, o.sizes)
	}
	r := begin(o)
	if r.machine.Postgres, err = pg.Version(ctx); err != nil {
		return err
	}
	for _, size := range o.sizes {
		if err := r.measure(ctx, pg, size); err != nil {
			return fmt.Errorf("at %g M entries: %w", size, err)
		}
	}
	if err := r.measureWrites(ctx, pg); err != nil {
		return fmt.Errorf("writes: %w", err)
	}
	return r.publish()
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("reports", flag.ContinueOnError)
	sizes := flags.String("sizes", "0.1,1,3,10", "millions of entries, separated by commas")
	flags.StringVar(&o.out, "out", "../docs/benchmarks", "folder for the results")
	flags.StringVar(&o.data, "data", "", "folder of PostgreSQL, kept for the next run (default: a temporary one)")
	flags.IntVar(&o.rounds, "rounds", 9, "rounds of each cell")
	flags.Uint64Var(&o.seed, "seed", 1, "draws the order of cells")
	flags.IntVar(&o.write, "writes", 10_000, "inserts of a round that measures the price of a write")
	flags.DurationVar(&o.storm, "storm", 5*time.Second, "how long each round of 16 writers lasts")
	flags.BoolVar(&o.fill, "fill", false, "only fill the databases in --data, for a run that measures")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		size, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || size <= 0 || size > 100 {
			return o, fmt.Errorf("--sizes: %q is no number of millions", text)
		}
		o.sizes = append(o.sizes, size)
	}
	if o.fill && o.data == "" {
		return o, fmt.Errorf("--fill: give the folder that keeps it, --data")
	}
	if o.rounds < 3 {
		return o, fmt.Errorf("--rounds: a median needs three rounds")
	}
	return o, nil
}
