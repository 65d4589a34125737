package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// see sums up what became of a block's operations.
func (l *load) see(c cell, o options, begin time.Time, run *result) *Block {
	b := &Block{
		cell: c, Peak: run.Peak, Alone: run.Alone[click.name], At: begin.UTC().Truncate(time.Second), Seconds: make([]Second, int((lead+o.block+tail(c.Load))/time.Second)),
		Clicks: tally{Refused: map[string]int{}}, Reports: tally{Refused: map[string]int{}}, ByKind: map[string]int{},
	}
	took, answered := make([][]float64, len(b.Seconds)), make([][]float64, len(b.Seconds))
	for _, r := range l.records {
		second := min(int(r.due/time.Second), len(b.Seconds)-1)
		during := r.due >= lead && r.due < lead+o.block
		if r.report {
			b.Reports.add(r)
			if at := int((r.due + r.took) / time.Second); r.outcome == "" && at < len(b.Seconds) {
				b.Seconds[at].Reports++
			}
		} else {
			b.Seconds[second].Sent++
			took[second] = append(took[second], r.seen())
			if r.outcome == "" {
				b.Seconds[second].Answered++
				answered[second] = append(answered[second], millis(r.took))
			}
		}
		if during && !r.report {
			b.Clicks.add(r)
			if r.outcome == "" {
				ms := math.Round(millis(r.took)*10) / 10
				b.Took = append(b.Took, ms)
				if r.held {
					b.Held = append(b.Held, ms)
				}
			}
		}
		if !r.report && r.due >= lead+o.block {
			b.Late = append(b.Late, math.Round((r.due-lead-o.block).Seconds()*100)/100, math.Round(r.seen()*10)/10)
		}
		if ended := r.due + r.took; r.outcome == "" && ended >= lead && ended < lead+o.block {
			b.Useful += run.work(r.name) / 1000 / o.block.Seconds()
			b.ByKind[r.name]++
		}
	}
	for i, ms := range took {
		b.Seconds[i].P50, b.Seconds[i].P99 = quantile(ms, 0.5), quantile(ms, 0.99)
		b.Seconds[i].Served99 = quantile(answered[i], 0.99)
	}
	slices.Sort(b.Took)
	return b
}

// lost is what an operation that was not answered counts as, in milliseconds.
const lost = 2000

// seen is the time its sender waited, or lost.
func (r record) seen() float64 {
	if r.outcome != "" {
		return lost
	}
	return millis(r.took)
}

func (t *tally) add(r record) {
	t.Sent++
	if r.outcome == "" {
		t.Answered++
	} else {
		t.Refused[r.outcome]++
	}
}

// quantile is the value that a share of the values does not exceed.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

func (b *Block) tell() {
	fmt.Fprintf(os.Stderr, "%-12s %d %-6s clicks %d/%d p50 %.1f p99 %.1f, not %v; reports %d/%d, not %v; useful %.2f %v\n", b.Gate, b.Processes, b.Load,
		b.Clicks.Answered, b.Clicks.Sent, quantile(b.Took, 0.5), quantile(b.Took, 0.99), b.Clicks.Refused, b.Reports.Answered, b.Reports.Sent, b.Reports.Refused, b.Useful, b.ByKind)
}

// keep writes a run; the page is made of the last one of each part.
func (r *result) keep(out string) error {
	path := resultPath(out, r.Part)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
