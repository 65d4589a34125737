package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"
)

// block is a hundred operations and more, together.
type block struct{ Operations, Forecast, Settled, CPU float64 } // the last three in milliseconds

const (
	blocks    = 8
	blockSize = 120
)

// minutes runs blocks of operations, drawn from all workspaces that judge, and
// compares what was forecast, and what was settled, with the processor's time.
func (l *laboratory) minutes(ctx context.Context, draws []*draw) (out []block, err error) {
	split := splitOf(l.random, len(l.workspaces))
	learner := taught(draws, split)
	judged := once(draws, split)
	idle, err := busyFor(func() error { time.Sleep(2 * time.Second); return nil })
	if err != nil {
		return nil, err
	}
	idle /= 2000
	for range blocks {
		n := min(blockSize, len(judged))
		b := block{Operations: float64(n)}
		l.random.Shuffle(len(judged), func(i, j int) { judged[i], judged[j] = judged[j], judged[i] })
		if err := l.outdate(ctx); err != nil {
			return nil, err
		}
		began := time.Now()
		b.CPU, err = busyFor(func() error {
			for _, d := range judged[:n] {
				b.Forecast += float64(learner.Forecast(&d.price)) / 1e6
				ms, _, err := l.send(l.workspaces[d.Workspace], d.question.query, d.question.variables)
				if err != nil {
					return err
				}
				b.Settled += ms
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		b.CPU -= idle * float64(time.Since(began).Milliseconds())
		out = append(out, b)
	}
	return out, nil
}

// once are the draws of workspaces that judge, of each operation there the first: no
// block holds a report that it has kept.
func once(draws []*draw, teaches map[int]bool) (out []*draw) {
	type asked struct {
		workspace int
		operation string
	}
	seen := map[asked]bool{}
	for _, d := range draws {
		key := asked{d.Workspace, d.Operation}
		if !teaches[d.Workspace] && !seen[key] {
			seen[key] = true
			out = append(out, d)
		}
	}
	return out
}

// busyFor is how many milliseconds all processors worked while f ran.
func busyFor(f func() error) (float64, error) {
	before, err := busyTicks()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := busyTicks()
	return 10 * (after - before), err
}

// busyTicks are hundredths of a second that were not idle, of all processors.
func busyTicks() (sum float64, err error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, text := range strings.Fields(line)[1:] {
		if i == 3 || i == 4 || i > 7 { // idle, waiting for the disk; guests are in user
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
