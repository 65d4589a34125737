package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// publish writes the page from the last go of each part.
func publish(o options) error {
	var b strings.Builder
	b.WriteString(`# surge: measured

Written by ` + "`cd bench && go run ./surge known`, and `cost`, `replay`, `healthy`, `capacity` and `growth`" + ` in
the place of known; do not edit. Raw figures are in [surge-runs](surge-runs/).

The real program, beside servers whose answers are known: each is a process of its own
on the same machine and takes its time by a clock, not by a processor. Replays are sent
to a real headroom server.
`)
	for _, part := range []struct {
		name  string
		write func(*strings.Builder, []*goes)
	}{{"known", writeKnown}, {"healthy", writeHealthy}, {"capacity", writeCapacity}, {"growth", nil}, {"replay", writeReplays}, {"cost", writeCost}} {
		list, err := read(o.out, part.name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if part.write == nil {
			err = writeGrowth(&b, o)
		} else {
			part.write(&b, list)
		}
		if err != nil {
			return err
		}
		for _, g := range list {
			m := g.Machine
			changed := ""
			if !m.Clean {
				changed = " with changes"
			}
			fmt.Fprintf(&b, "\n`%s`, %s, commit %s%s, %d cores of %s, load before %s.\n", m.Command, m.Date.Format("2 January 2006 15:04 MST"), m.Commit, changed, m.Cores, m.CPU, m.Load)
		}
	}
	return os.WriteFile(filepath.Join(o.out, "surge.md"), []byte(b.String()), 0o644)
}

func yes(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}

func writeKnown(b *strings.Builder, list []*goes) {
	b.WriteString("\n## Arrivals\n\nWanted: in every phase within 0.1 % of the plan.\n\n| phase | planned | sent | lag p50 | lag p99 | |\n|---|---|---|---|---|---|\n")
	for _, g := range list {
		for _, a := range g.Arrivals {
			off := math.Abs(float64(a.Sent-a.Planned)) / float64(a.Planned)
			fmt.Fprintf(b, "| %s | %d | %d | %s | %s |\n", a.Phase, a.Planned, a.Sent, lag(a.LagP50)+" | "+lag(a.LagP99), yes(off <= 0.001))
		}
	}
	b.WriteString(`
## Servers that are known

*frozen* stands still for the third of six seconds, *capacity=400* does 400 a second of
500 and lets the rest wait, *humps* answers every 98th after 900 ms and others after 3,
*lying* puts an error into every 50th 200, *shedding* refuses every fifth, and every 40th
without saying when to come back, which is a failure. All are asked 500 times a second.
Wanted: times within 3 % or 25 ms, counts exactly.

| server | figure | is | surge says | |
|---|---|---|---|---|
`)
	for _, g := range list {
		for _, k := range g.Known {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", k.Server, k.Figure, amount(k.Want, k.Unit), amount(k.Got, k.Unit), yes(k.Within))
		}
	}
}

func amount(value float64, unit string) string {
	return strings.TrimSpace(fmt.Sprintf("%.4g %s", value, unit))
}

func writeHealthy(b *strings.Builder, list []*goes) {
	words, runs := map[string]int{}, 0
	var reasons []string
	for _, g := range list {
		for _, v := range g.Healthy {
			runs++
			words[v.Word]++
			if v.Reason != "" {
				reasons = append(reasons, fmt.Sprintf("- %s: %s\n", v.Word, v.Reason))
			}
		}
	}
	b.WriteString("\n## Runs that nothing disturbs\n\nTwo seconds of 300 a second for a server that answers at once, each begun when nine\ntenths of the machine were idle. Wanted: of 50 at most one that does not pass.\n\n")
	var parts []string
	for _, word := range slices.Sorted(maps.Keys(words)) {
		parts = append(parts, fmt.Sprintf("%d %s", words[word], word))
	}
	fmt.Fprintf(b, "%d runs: %s. %s.\n", runs, strings.Join(parts, ", "), yes(runs >= 50 && (runs-words["PASS"])*50 <= runs))
	if len(reasons) > 0 {
		b.WriteString("\n" + strings.Join(reasons, ""))
	}
}

func writeCapacity(b *strings.Builder, list []*goes) {
	b.WriteString("\n## Breakpoints\n\nServers of a capacity that the seed draws, first come, first served; `surge breakpoint\n--to 900` with p99 <= 100 ms and 99 % right, all three of its points. Arrivals are random, so\nthat some wait however little is asked for: what such a server *bears* before 1 % of them wait\nmore than 100 ms is its closed form (M/D/1), 23 a second less than its capacity. Wanted: nine\nof ten within 5 % of that in less than three minutes.\n\n| capacity | bears | found | off | off the capacity | steps | took | |\n|---|---|---|---|---|---|---|---|\n")
	good, all := 0, 0
	for _, g := range list {
		for _, f := range g.Searches {
			all++
			if f.good() {
				good++
			}
			text := fmt.Sprintf("%.1f/s", f.Rate)
			if f.Word != "FOUND" {
				text = f.Word + ": " + f.Reason
			}
			fmt.Fprintf(b, "| %.0f/s | %.0f/s | %s | %+.1f %% | %+.1f %% | %d | %.0f s | %s |\n", f.Capacity, bears(f.Capacity), text, 100*(f.Rate/bears(f.Capacity)-1), 100*(f.Rate/f.Capacity-1), f.Steps, f.Seconds, yes(f.good()))
		}
	}
	fmt.Fprintf(b, "\n%d of %d.\n", good, all)
}

func writeReplays(b *strings.Builder, list []*goes) {
	b.WriteString(`
## Replays

Twenty seconds of an office with reports, captured on a real server and sent to it again;
both sides as the server's capture has them. Wanted: the mix of classes within 0.1 %, points
within 5 %, times within 2 ms. When a request is due is exact, which a test shows; *lag* is
how late surge sent it, by which it is judged. *came* is how far from there the server saw
it: that shares the two processors with surge and with its database, and waits for them.

| speed | requests | mix off by | points | lag p50 | p99 | came p50 | p99 | mix, points | times |
|---|---|---|---|---|---|---|---|---|---|
`)
	for _, g := range list {
		for _, r := range g.Replays {
			mix := 0.0
			for _, off := range r.Mix {
				mix = max(mix, math.Abs(off))
			}
			met := mix <= 0.001 && math.Abs(r.Points-1) <= 0.05
			fmt.Fprintf(b, "| %g x | %d | %.2f %% | %.1f %% | %s | %s | %.2f ms | %.2f ms | %s | %s |\n",
				r.Speed, r.Rows, 100*mix, 100*r.Points, lag(r.LagP50), lag(r.LagP99), r.OffP50, r.OffP99, yes(met), yes(r.LagP99 <= 2))
		}
	}
}

// lag is a dash where it was not kept.
func lag(ms float64) string {
	if ms == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f ms", ms)
}

func writeCost(b *strings.Builder, list []*goes) {
	b.WriteString(`
## What it costs

Processor time of the process for a request, start and report included, beside others
that send the same, in turns: a loop that does nothing but send when a request is due
(*punctual*, by surge's own clock); the same kept to one processor (*alone*), as surge
keeps itself at this rate, since what wakes a second one costs more than it brings;
vegeta's attack with that clock; and a loop that sleeps as Go does, which is half a
millisecond too long, and then sends what has become due at once (*bunched*): that wakes
everybody a third as often, but is not the load that was asked for. Wanted: 200 us, 1.15
times the loop.

| rate | surge | punctual | alone | vegeta | bunched | surge, times punctual | times alone |
|---|---|---|---|---|---|---|---|
`)
	for _, g := range list {
		for _, c := range g.Costs {
			times := func(loop string) string {
				ratio := c.Surge / c.Loops[loop]
				return fmt.Sprintf("%.2f %s", ratio, yes(ratio <= 1.15))
			}
			fmt.Fprintf(b, "| %d/s | %.0f us %s | %.0f us | %.0f us | %.0f us | %.0f us | %s | %s |\n", c.Rate, c.Surge, yes(c.Surge <= 200),
				c.Loops[punctual], c.Loops[alone], c.Loops[vegetas], c.Loops[bunched], times(punctual), times(alone))
		}
	}
	for _, g := range list {
		if len(g.Memory) == 0 {
			continue
		}
		last := g.Memory[len(g.Memory)-1]
		verdict := yes(last.Bytes <= 150e6)
		if last.Requests < tenMinutes {
			verdict = "Not sent for ten minutes here"
		}
		if last.CPU > 0 {
			fmt.Fprintf(b, "\nIn one run of %d requests each took %.0f us. %s.\n", last.Requests, last.CPU, yes(last.CPU <= 200))
		}
		fmt.Fprintf(b, "\nMemory: at most %.0f MB for %d requests. Wanted for %d, ten minutes: 150 MB. %s.\n", mb(last.Bytes), last.Requests, tenMinutes, verdict)
	}
}

// tenMinutes are as many requests at 3,000 a second.
const tenMinutes = 1_800_000

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }
