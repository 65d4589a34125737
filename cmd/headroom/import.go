package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"headroom/csvfile"
	"headroom/store"
	"headroom/timesheet"
)

// ImportCmd imports a file.
type ImportCmd struct {
	Database
	File      string   `arg:"" help:"CSV file, also packed as .xz or .gz."`
	Workspace string   `help:"Workspace to import into (default: the only one, or the demo's)." placeholder:"NAME"`
	Timezone  string   `help:"IANA zone of times without an offset (default: the workspace's)." placeholder:"ZONE"`
	Map       []string `help:"Columns of fields that the file calls otherwise; field= leaves one out." placeholder:"FIELD=COLUMN"`
	DateOrder string   `default:"auto" enum:"auto,dmy,mdy" help:"Order of dates such as 03/04/2024, decided over the whole file unless given."`
	Create    string   `default:"all" enum:"all,none" help:"What becomes of unknown people, clients, projects, tasks and tags: created, or their rows are bad."`
	Preview   bool     `help:"Count what would be imported, and write nothing."`
	Errors    string   `help:"File for the rows that are bad, each with what is wrong with it." placeholder:"FILE"`
}

// Run imports the file as the workspace's owner. The first bad rows are told
// on stderr, the counts in the last line of stdout.
func (c *ImportCmd) Run(env *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	s, closeStore, err := c.openStore(env.ctx, logger(os.Stderr, 4))
	if err != nil {
		return err
	}
	v, err := pick(env.ctx, s, c.Workspace)
	if err == nil {
		err = c.run(env.ctx, s, v, env.stdout, env.stderr)
	}
	closeStore()
	return c.whyEnded(env.ctx, err)
}

// check finds what is wrong before a database is started for it.
func (c *ImportCmd) check() error {
	if _, err := os.Stat(c.File); err != nil {
		return err
	}
	if _, err := csvfile.ParseMapping(c.Map); err != nil {
		return fmt.Errorf("--map: %w", err)
	}
	if c.Timezone == "" {
		return nil
	}
	return checkZone(c.Timezone)
}

// checkZone tells of a zone that is none by the flag that named it.
func checkZone(name string) error {
	_, err := timesheet.LoadZone(name)
	if broken, ok := timesheet.AsError(err); ok {
		return fmt.Errorf("--timezone: %s", broken.Message)
	}
	return err
}

func (c *ImportCmd) run(ctx context.Context, s *store.Store, v timesheet.Viewer, stdout, stderr io.Writer) error {
	reader, err := c.read(ctx, v.Workspace)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintln(stderr, reader.Summary())
	rejects, closeRejects, err := c.rejects(reader)
	if err != nil {
		return err
	}
	bad := badRows{out: stderr, file: c.Errors}
	p := progress{out: stderr, total: reader.Len(), told: time.Now()}
	o := store.ImportOptions{
		Source: c.File, KnownOnly: c.Create == "none", Preview: c.Preview, Progress: p.tell,
		Bad: func(e *timesheet.RowError) error {
			bad.tell(reader.Locate(e))
			return rejects(e)
		},
	}
	counts, err := s.Import(ctx, v, reader.Rows(ctx), o)
	if err == nil {
		err = reader.Err()
	}
	end := closeRejects()
	if err == nil {
		err = end
	}
	if end == nil {
		bad.sum()
	}
	if err != nil && counts.Created > 0 && !c.Preview {
		return fmt.Errorf("%d entries are written, and running it again goes on after them: %w", counts.Created, err)
	}
	if store.IsUnavailable(err) && !c.Preview {
		return fmt.Errorf("the database went away; running it again is safe, since nothing is written twice: %w", err)
	}
	if err != nil {
		return err
	}
	if c.Preview {
		fmt.Fprintln(stdout, "preview, nothing is written")
	}
	fmt.Fprintln(stdout, counts)
	return nil
}

// read opens the file and finds out how it is to be read.
func (c *ImportCmd) read(ctx context.Context, w timesheet.Workspace) (*csvfile.Reader, error) {
	name := c.Timezone
	if name == "" {
		name = w.TimeZone
	}
	zone, err := timesheet.LoadZone(name)
	if err != nil {
		return nil, err
	}
	mapping, err := csvfile.ParseMapping(c.Map)
	if err != nil {
		return nil, err
	}
	order := map[string]csvfile.Order{"dmy": csvfile.DayFirst, "mdy": csvfile.MonthFirst}[c.DateOrder]
	return csvfile.New(ctx, csvfile.FromPath(c.File), csvfile.Options{Zone: zone, Mapping: mapping, DateOrder: order})
}

// rejects opens the file for bad rows; without one they are only told.
func (c *ImportCmd) rejects(reader *csvfile.Reader) (add func(*timesheet.RowError) error, end func() error, err error) {
	if c.Errors == "" {
		return func(*timesheet.RowError) error { return nil }, func() error { return nil }, nil
	}
	if same(c.Errors, c.File) {
		return nil, nil, fmt.Errorf("--errors %s would replace the file that is imported", c.Errors)
	}
	file, err := os.Create(c.Errors)
	if err != nil {
		return nil, nil, err
	}
	rejects, err := reader.Rejects(file)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return rejects.Add, func() error { return errors.Join(rejects.Flush(), file.Close()) }, nil
}

func same(a, b string) bool {
	one, err := os.Stat(a)
	other, also := os.Stat(b)
	return err == nil && also == nil && os.SameFile(one, other)
}

// badRows tells of the first rows that are bad, and at the end how many there
// are: a terminal is no place for thousands.
type badRows struct {
	out   io.Writer
	file  string // where all of them are; empty for nowhere
	count int
}

// How many bad rows are told one by one.
const (
	toldWithFile    = 10
	toldWithoutFile = 100
)

func (b *badRows) tell(e *timesheet.RowError) {
	b.count++
	if b.count <= toldWithFile || b.file == "" && b.count <= toldWithoutFile {
		fmt.Fprintln(b.out, e)
	}
}

func (b *badRows) sum() {
	switch {
	case b.file != "" && b.count > 0:
		fmt.Fprintf(b.out, "bad rows: %d, all in %s with what is wrong\n", b.count, b.file)
	case b.count > toldWithoutFile:
		fmt.Fprintf(b.out, "bad rows: %d, of which %d are told here; --errors FILE keeps them all\n", b.count, toldWithoutFile)
	}
}

// progress tells of a long import every few seconds.
type progress struct {
	out   io.Writer
	total int
	told  time.Time
}

const progressEvery = 2 * time.Second

func (p *progress) tell(c timesheet.ImportCounts) {
	if time.Since(p.told) >= progressEvery {
		p.told = time.Now()
		fmt.Fprintf(p.out, "%d of %d rows\n", c.Created+c.Unchanged+c.Bad, p.total)
	}
}
