package main

import (
	"context"
	"fmt"
	"headroom/store"
	"headroom/timesheet"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"bench/lab"

	"github.com/jackc/pgx/v5"
)

// textbookSize is the size, in millions, up to which the textbook's statements
// are sent in every round: above they take minutes, and are sent in one.
const textbookSize = 1

// sample is every figure of one kind: raw, in the order in which it was taken.
type sample struct {
	What   string    `json:"what"`
	Size   float64   `json:"millions,omitempty"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
}

func (s sample) median() float64 {
	sorted := slices.Clone(s.Values)
	slices.Sort(sorted)
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// results are the samples of a run, and what was being measured where it failed.
type results struct {
	options
	machine lab.Machine
	samples []*sample
}

func (r *results) add(what string, size float64, unit string, value float64) {
	for _, s := range r.samples {
		if s.What == what && s.Size == size {
			s.Values = append(s.Values, value)
			return
		}
	}
	r.samples = append(r.samples, &sample{What: what, Size: size, Unit: unit, Values: []float64{value}})
}

func (r *results) find(what string, size float64) (sample, bool) {
	for _, s := range r.samples {
		if s.What == what && s.Size == size {
			return *s, true
		}
	}
	return sample{}, false
}

// measure takes all cells of one size.
func (r *results) measure(ctx context.Context, pg *lab.Postgres, size float64) error {
	s := lab.ShapeOf(size)
	dsn, owner, err := lab.Seeded(ctx, pg, nameOf(size), s)
	if err != nil {
		return err
	}
	questions, err := r.prepare(ctx, dsn, owner, size)
	if err != nil {
		return err
	}
	if err := r.countRows(ctx, dsn, owner, size, questions); err != nil {
		return err
	}
	if err := r.timeCells(ctx, dsn, owner, size, questions); err != nil {
		return err
	}
	return r.measureExport(ctx, dsn, owner, size)
}

// prepare counts what there is and finds whom to ask about.
func (r *results) prepare(ctx context.Context, dsn string, owner timesheet.Viewer, size float64) ([]cell, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	for _, table := range []string{"time_entry", "rollup", "project_rollup"} {
		var n float64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			return nil, err
		}
		r.add("rows of "+table, size, "rows", n)
	}
	person, day, err := busiest(ctx, conn, owner)
	return cells(owner, person, day), err
}

// countRows asks each question once, on connections that end with it, and sees
// how many rows were read for it.
func (r *results) countRows(ctx context.Context, dsn string, owner timesheet.Viewer, size float64, questions []cell) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	counted := func(what string, ask func() error) error {
		if err := ended(ctx, conn); err != nil {
			return err
		}
		before, err := rowsRead(ctx, conn)
		if err == nil {
			err = ask()
		}
		if err == nil {
			err = ended(ctx, conn)
		}
		if err != nil {
			return err
		}
		after, err := rowsRead(ctx, conn)
		r.add(what, size, "rows", float64(after-before))
		return err
	}
	for _, c := range questions {
		err := counted(c.name+", rows read", func() error {
			s, err := store.Open(ctx, store.Config{DSN: dsn})
			if err != nil {
				return err
			}
			defer s.Close()
			return c.ask(timesheet.WithService(ctx, timesheet.Service{Class: c.class}), s)
		})
		if err == nil && c.naive != "" {
			err = counted(c.name+", rows read by the textbook", func() error {
				naive, err := connectNaive(ctx, dsn)
				if err != nil {
					return err
				}
				defer naive.Close(ctx)
				return askNaive(ctx, naive, c.naive, owner.Workspace.ID)
			})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// timeCells times all questions in rounds, each in an order of its own.
func (r *results) timeCells(ctx context.Context, dsn string, owner timesheet.Viewer, size float64, questions []cell) error {
	s, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		return err
	}
	defer s.Close()
	naive, err := connectNaive(ctx, dsn)
	if err != nil {
		return err
	}
	defer naive.Close(ctx)
	random := rand.New(rand.NewPCG(r.seed, uint64(size*1000)))
	for round := range r.rounds + 1 {
		fmt.Fprintf(os.Stderr, "%g M entries: round %d of %d\n", size, round, r.rounds)
		for _, i := range random.Perm(len(questions)) {
			c := questions[i]
			whole, busy, err := timed(ctx, s, c)
			slow, naively := 0.0, c.naive != "" && (size <= textbookSize || round == 1)
			if err == nil && naively {
				began := time.Now()
				err = askNaive(ctx, naive, c.naive, owner.Workspace.ID)
				slow = millis(time.Since(began))
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round == 0 {
				continue // it warms
			}
			r.add(c.name, size, "ms", whole)
			r.add(c.name+", database", size, "ms", busy)
			if naively {
				r.add(c.name+", textbook", size, "ms", slow)
				r.add(c.name+", times faster", size, "x", slow/whole)
			}
		}
	}
	return nil
}

// timed asks once and returns the time in all and that in the database.
func timed(ctx context.Context, s *store.Store, c cell) (whole, busy float64, err error) {
	op := store.NewOperation(1)
	ctx = timesheet.WithService(store.WithOperation(ctx, op), timesheet.Service{Class: c.class})
	began := time.Now()
	err = c.ask(ctx, s)
	whole = millis(time.Since(began))
	op.Close()
	return whole, millis(op.Busy()), err
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
