// Command overload sends report storms and rushes to real servers with different
// gates, on a PostgreSQL of its own that is bound to one core, and writes what
// their users saw as JSON, Markdown and pictures.
//
//	go run ./overload --data DIR storm   # reports at five times what the database can do
//	go run ./overload --data DIR rush    # ten times as many clicks as it can do
//	go run ./overload --data DIR again   # what the last change concerns; it counts in place of what was
//	go run ./overload --data DIR refuse  # what a refusal costs, and 10,000 clients that ask again at once
//	go run ./overload --data DIR neighbours # twenty companies, one of which sends a hundred times its share
//	go run ./overload page               # the page anew, from the runs that are kept
//
// The gates take turns in blocks whose order the seed draws, so that what disturbs
// the machine disturbs all of them. Load is open: a request is sent when it is due,
// whatever became of those before it, and its time counts from then.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

type options struct {
	out, data string
	seed      uint64
	block     time.Duration
	scale     float64 // of the number of blocks
	gates     string  // those that take part
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var o options
	flags := flag.NewFlagSet("overload", flag.ContinueOnError)
	flags.StringVar(&o.out, "out", "../docs/benchmarks", "folder for the results")
	flags.StringVar(&o.data, "data", "", "folder of PostgreSQL, kept for the next run (default: a temporary one)")
	flags.Uint64Var(&o.seed, "seed", 1, "draws the order of blocks and the load")
	flags.DurationVar(&o.block, "block", 20*time.Second, "how long each storm lasts")
	flags.Float64Var(&o.scale, "scale", 1, "multiplies the number of blocks, each gate keeps one at least")
	flags.StringVar(&o.gates, "gates", "none,bulkheads,failsafe-go,adaptive", "gates that take part, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch flags.Arg(0) {
	case "storm", "rush", again, "refuse", "neighbours":
		return measure(ctx, o, flags.Arg(0))
	case "page":
		return publish(ctx, o)
	case "failsafe": // a server of ours with failsafe-go at its gate
		return serveAnother(ctx, flags.Arg(1), newFailsafe(), false)
	case "refusing": // and one whose gate refuses everybody
		return serveRefusing(ctx, flags.Arg(1))
	case "bare":
		return serveBare(ctx)
	}
	return errors.New("say storm, rush, again, refuse, neighbours or page")
}
