package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"headroom/loadtest"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sizes are how many times the least data a real server is searched with.
var sizes = []int{1, 3, 10}

// growth searches for the breakpoint of a real server with several amounts of data,
// each audited, and makes a forecast of all that are stored by now.
func (g *goes) growth(ctx context.Context, o options, b *bed) error {
	for _, text := range strings.Split(o.sizes, ",") {
		times, err := strconv.Atoi(text)
		if err != nil || !slices.Contains(sizes, times) {
			return fmt.Errorf("--sizes are some of %v, parted by commas: %q", sizes, text)
		}
		data := b.fresh("data")
		if o.data != "" {
			data = filepath.Join(o.data, text+"x")
		}
		stop, tokens, err := b.serveReal(ctx, data, o.entries*times)
		if err != nil {
			return err
		}
		err = b.search(ctx, tokens, grownPath(o, times))
		stop()
		if err != nil {
			return err
		}
	}
	return b.forecast(ctx, o)
}

// grownPath is the folder of the stored run with so many times the data.
func grownPath(o options, times int) string {
	return filepath.Join(o.out, "surge-runs", "growth", fmt.Sprintf("%dx", times))
}

// search looks for the breakpoint and keeps the run in a folder.
func (b *bed) search(ctx context.Context, tokens, out string) error {
	search := exec.CommandContext(ctx, b.surge, "breakpoint", "growth", "--from", "200", "--last", "interactive", "--audit", "--seed", fmt.Sprint(b.seed),
		"--target", "http://"+realAddress+"/graphql", "--tokens", tokens, "--out", out)
	search.Stderr = os.Stderr
	said, err := search.Output()
	if err != nil && search.ProcessState == nil {
		return err
	}
	r, err := loadtest.ReadRecord(out)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	fmt.Fprintln(os.Stderr, r.Line)
	return os.Remove(filepath.Join(out, "report.txt")) // what it says is in the run
}

// forecast keeps what surge says of the stored searches.
func (b *bed) forecast(ctx context.Context, o options) error {
	runs, err := grownRuns(o)
	if err != nil {
		return err
	}
	usage := filepath.Join(o.out, "surge-runs", "growth", "usage.csv")
	if err := os.WriteFile(usage, madeUpUsage(runs[0].Fingerprint.Data.Entries), 0o644); err != nil {
		return err
	}
	args := []string{"forecast", "--usage", usage}
	for _, times := range sizes {
		if _, err := os.Stat(grownPath(o, times)); err == nil {
			args = append(args, grownPath(o, times))
		}
	}
	said, err := exec.CommandContext(ctx, b.surge, args...).CombinedOutput()
	if ended, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ended.ExitCode() != int(loadtest.ExitHeadroom)) {
		return fmt.Errorf("forecast: %w\n%s", err, said)
	}
	return os.WriteFile(forecastPath(o), said, 0o644)
}

func forecastPath(o options) string {
	return filepath.Join(o.out, "surge-runs", "growth", "forecast.txt")
}

// grownRuns are the stored searches, the least data first.
func grownRuns(o options) (list []*loadtest.Record, err error) {
	for _, times := range sizes {
		r, err := loadtest.ReadRecord(grownPath(o, times))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// madeUpUsage is a year of a company that asks 20 operations a second in its busiest
// minute now, and holds so many entries: both grow by one part in a hundred each week.
func madeUpUsage(entries int) []byte {
	const weeks, now, weekly = 52, 20 * 60, 1.01
	b := bytes.NewBufferString("week,workspace,peak_minute,entries\n")
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for back := weeks; back > 0; back-- {
		share := math.Pow(weekly, float64(1-back))
		fmt.Fprintf(b, "%s,all,%.0f,%.0f\n", monday.AddDate(0, 0, -7*back).Format(time.DateOnly), now*share, float64(entries)*share)
	}
	return b.Bytes()
}

func writeGrowth(b *strings.Builder, o options) error {
	runs, err := grownRuns(o)
	if err != nil || len(runs) == 0 {
		return err
	}
	b.WriteString(`
## As data grow

A real server with three amounts of data on this machine, which it shares with its
database and with surge: ` + "`surge breakpoint growth --last interactive --audit`" + `, whose mix is what
gets dearer. *live* is the server's headroom_ratio at half of what was found, and
what surge and others left of it; *found* how many times that load it bore. Wanted: the two within 15 %. An amount of data that is
missing was not searched to its end. The stored runs are in
[surge-runs/growth](surge-runs/growth/).

| entries | every promise | interactive | what broke above | used up | machine: server, surge, others at half | live | found | off | took | |
|---|---|---|---|---|---|---|---|---|---|---|
`)
	for _, r := range runs {
		fmt.Fprintf(b, "| %d | %s |\n", r.Fingerprint.Data.Entries, strings.Join(grownCells(r), " | "))
	}
	said, err := os.ReadFile(forecastPath(o))
	switch {
	case errors.Is(err, os.ErrNotExist): // cut short before it
		return nil
	case err == nil:
		fmt.Fprintf(b, "\n`surge forecast` of these, for a made-up company that asks 20 a second in its busiest\nminute and grows by one part in a hundred each week, as its data do:\n\n```\n%s\n```\n", strings.TrimSpace(string(said)))
	}
	return err
}

// grownCells are what a row of the page says of a search.
func grownCells(r *loadtest.Record) []string {
	cells := []string{"-", "-", r.Verdict.Reasons[0], "-", "-", "-", "-", "-", fmt.Sprintf("%.0f s", ms(r.Took)/1e3), "not audited"}
	for i, p := range r.Points {
		if cells[i] = fmt.Sprintf("%.0f/s", p.Rate); p.Above == 0 {
			cells[i] = "at least " + cells[i]
		}
		if p.Rule != "" {
			cells[2], cells[3] = p.Rule, p.Resource
		}
	}
	if a := r.Audit; a != nil {
		if cpu := r.Steps[len(r.Steps)-1].CPU; cpu != nil {
			cells[4] = fmt.Sprintf("%.0f, %.0f, %.0f %%", 100*cpu.Server, 100*cpu.Client, 100*cpu.Strangers)
		}
		off := a.Live*a.Left/a.Found - 1
		cells[5], cells[6], cells[7], cells[9] = fmt.Sprintf("%.2f, %.2f", a.Live, a.Live*a.Left), fmt.Sprintf("%.2f", a.Found), fmt.Sprintf("%+.1f %%", 100*off), yes(math.Abs(off) <= 0.15)
	}
	return cells
}
