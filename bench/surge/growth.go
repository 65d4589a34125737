package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"headroom/loadtest"
)

// grown is the breakpoint of a real server with so much data.
type grown struct {
	Times     int     // the first one's data
	Entries   int     // as surge counts them
	Seconds   float64 // that the search took
	Word      string
	Points    []loadtest.Point
	Audit     *loadtest.Audit `json:",omitempty"`
	Processor float64         // share of the machine that the server used in the steps nearest to its limit
}

// sizes are how many times the first amount of data is searched with.
var sizes = []int{1, 3, 10}

// growth searches for the breakpoint of a real server with three amounts of data, each
// audited, and makes a forecast of what was found.
func (g *goes) growth(ctx context.Context, o options, b *bed) error {
	runs := filepath.Join(o.out, "surge-runs", "growth")
	var folders []string
	for _, times := range sizes {
		data := b.fresh("data")
		if o.data != "" {
			data = filepath.Join(o.data, fmt.Sprintf("%dx", times))
		}
		stop, tokens, err := b.serveReal(ctx, data, o.entries*times)
		if err != nil {
			return err
		}
		found, err := b.search(ctx, tokens, filepath.Join(runs, fmt.Sprintf("%dx", times)))
		stop()
		if err != nil {
			return err
		}
		found.Times = times
		g.Growth = append(g.Growth, *found)
		folders = append(folders, filepath.Join(runs, fmt.Sprintf("%dx", times)))
		fmt.Fprintf(os.Stderr, "%d times the data: %s, %v\n", times, found.Word, found.Points)
	}
	usage := filepath.Join(runs, "usage.csv")
	if err := os.WriteFile(usage, madeUpUsage(g.Growth[0].Entries), 0o644); err != nil {
		return err
	}
	forecast := exec.CommandContext(ctx, b.surge, append([]string{"forecast", "--usage", usage}, folders...)...)
	said, err := forecast.CombinedOutput()
	if ended, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || ended.ExitCode() != int(loadtest.ExitHeadroom)) {
		return fmt.Errorf("forecast: %w\n%s", err, said)
	}
	g.Forecast = string(said)
	return nil
}

// search looks for the breakpoint and keeps the run in a folder.
func (b *bed) search(ctx context.Context, tokens, out string) (*grown, error) {
	began := time.Now()
	search := exec.CommandContext(ctx, b.surge, "breakpoint", "growth", "--audit", "--seed", fmt.Sprint(b.seed),
		"--target", "http://"+realAddress+"/graphql", "--tokens", tokens, "--out", out)
	search.Stderr = os.Stderr
	said, err := search.Output()
	if err != nil && search.ProcessState == nil {
		return nil, err
	}
	r, err := loadtest.ReadRecord(out)
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	if err := os.Remove(filepath.Join(out, "report.txt")); err != nil { // what it says is in the run
		return nil, err
	}
	found := &grown{Entries: r.Fingerprint.Data.Entries, Seconds: time.Since(began).Seconds(), Word: r.Verdict.Word, Points: r.Points, Audit: r.Audit}
	least := math.Inf(1)
	for _, s := range r.Steps {
		if off := math.Abs(s.Rate - r.Points[0].Rate); s.CPU != nil && off < least {
			found.Processor, least = s.CPU.Server, off
		}
	}
	return found, nil
}

// madeUpUsage is a year of a company that asks 20 operations a second in its busiest
// minute now, and holds so many entries: both grow by one part in a hundred each week.
func madeUpUsage(entries int) []byte {
	const weeks, now, weekly = 52, 20 * 60, 1.01
	b := bytes.NewBufferString("week,workspace,peak_minute,entries\n")
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for back := weeks; back > 0; back-- {
		share := math.Pow(weekly, float64(1-back))
		fmt.Fprintf(b, "%s,all,%s,%s\n", monday.AddDate(0, 0, -7*back).Format(time.DateOnly),
			strconv.FormatFloat(now*share, 'f', 0, 64), strconv.FormatFloat(float64(entries)*share, 'f', 0, 64))
	}
	return b.Bytes()
}
