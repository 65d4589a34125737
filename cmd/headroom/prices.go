package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"headroom/limits"
	"headroom/server"
	"headroom/store"
)

// PricesCmd looks at the published price table and publishes a new one.
type PricesCmd struct {
	Show    PricesShowCmd    `cmd:"" help:"Print the price table that servers on this database use."`
	Diff    PricesDiffCmd    `cmd:"" help:"Print what a new table would change if it followed what servers have learned."`
	Publish PricesPublishCmd `cmd:"" help:"Publish a new table, with at most 20 % of change; all servers follow at once."`
}

// PricesShowCmd prints the table.
type PricesShowCmd struct {
	Database
}

// Run prints one line for each price.
func (c *PricesShowCmd) Run(env *environment) error {
	return c.withPrices(env, func(s *store.Store, t limits.PriceTable) error {
		if v, ok, err := s.Prices(env.ctx); err != nil {
			return err
		} else if ok {
			fmt.Fprintf(env.stdout, "version %d, published %s UTC by %s: %s\n", t.Version, v.PublishedAt.UTC().Format(time.DateTime), v.Author, v.Reason)
		} else {
			fmt.Fprintln(env.stdout, "version 0, this program's own: none has been published")
		}
		return printPrices(env.stdout, t)
	})
}

// withPrices opens the database and hands over the price table in use.
func (d Database) withPrices(env *environment, do func(*store.Store, limits.PriceTable) error) error {
	s, closeStore, err := d.openStore(env.ctx, logger(os.Stderr, 4))
	if err != nil {
		return err
	}
	defer closeStore()
	t, err := server.PublishedPrices(env.ctx, s)
	if err != nil {
		return err
	}
	return do(s, t)
}

func printPrices(out io.Writer, t limits.PriceTable) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PRICE\tPOINTS")
	for _, name := range slices.Sorted(maps.Keys(t.Prices)) {
		fmt.Fprintf(w, "%s\t%.4g\n", name, t.Prices[name])
	}
	return w.Flush()
}

// PricesDiffCmd prints what publish would do.
type PricesDiffCmd struct {
	Database
}

// Run prints one line for each price that would change.
func (c *PricesDiffCmd) Run(env *environment) error {
	return c.withPrices(env, func(s *store.Store, t limits.PriceTable) error {
		changes, learned, err := server.ProposedPrices(env.ctx, s, t)
		if err != nil {
			return err
		}
		if err := printLearned(env.stdout, learned); err != nil {
			return err
		}
		next, err := t.Next(changes)
		if err != nil {
			fmt.Fprintf(env.stdout, "version %d fits what was learned\n", t.Version)
			return nil
		}
		return printChanges(env.stdout, t, next)
	})
}

func printLearned(out io.Writer, s limits.LearnerSnapshot) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LEARNED\tMEASURED\tFIXED MS\tMS A POINT\t")
	for _, l := range s.Statements {
		alarm := ""
		if l.Clamped {
			alarm = "off its price by more than a factor 3: look at its plan"
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.3f\t%s\n", l.Statement, l.Measurements, l.Fixed, l.Slope, alarm)
	}
	fmt.Fprintf(w, "everything else\t\t\t%.3f\t\n", s.General)
	return w.Flush()
}

func printChanges(out io.Writer, old, next limits.PriceTable) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "PRICE\tVERSION %d\tVERSION %d\tCHANGE\n", old.Version, next.Version)
	for _, c := range old.Diff(next) {
		fmt.Fprintf(w, "%s\t%.4g\t%.4g\t%+.1f %%\n", c.Name, c.Old, c.New, 100*(c.Ratio()-1))
	}
	return w.Flush()
}

// PricesPublishCmd publishes.
type PricesPublishCmd struct {
	Database
	Set    map[string]float64 `help:"A price and its new value, such as row.table=0.0006; may be given several times. Without any, prices follow what was learned." placeholder:"NAME=POINTS"`
	Author string             `help:"Who publishes." placeholder:"NAME"`
	Reason string             `help:"Why." placeholder:"TEXT"`
}

// Help is shown above the flags.
func (c *PricesPublishCmd) Help() string {
	return `Examples:
  headroom prices publish --author Ann --reason "the covering index has grown"
  headroom prices publish --author Ann --reason "a slower disk" --set row.table=0.0006 --set row.text=0.0009

headroom prices diff shows what the first would change, headroom prices show the names and their present values.`
}

// Run publishes and prints what has changed.
func (c *PricesPublishCmd) Run(env *environment) error {
	if strings.TrimSpace(c.Author) == "" || strings.TrimSpace(c.Reason) == "" {
		return errors.New("a price table is signed: give --author and --reason")
	}
	return c.withPrices(env, func(s *store.Store, t limits.PriceTable) error {
		changes := c.Set
		if len(changes) == 0 {
			var err error
			if changes, _, err = server.ProposedPrices(env.ctx, s, t); err != nil {
				return err
			}
			if len(changes) == 0 {
				return fmt.Errorf("version %d fits what was learned: there is nothing to publish", t.Version)
			}
		}
		next, err := server.PublishPrices(env.ctx, s, t, changes, c.Author, c.Reason)
		if err != nil {
			return err
		}
		return printChanges(env.stdout, t, next)
	})
}
