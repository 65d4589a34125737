package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// names are the gates in the order of the page.
var names = []string{"none", "failsafe-go", "bulkheads", "adaptive"}

// publish writes the page and its pictures from the last run of each part.
func publish(ctx context.Context, o options) error {
	var b strings.Builder
	b.WriteString(`# Overload: measured

Written by ` + "`cd bench && go run ./overload storm`, and `rush`, `again`, `refuse` and `neighbours`" + ` in
the place of storm; do not edit. Raw figures are in [overload-runs](overload-runs/); those of the part
` + "`again`" + ` count in place of what had been measured of the same cells before the gate changed.

Real servers before a PostgreSQL with a million entries. The database is bound to one
core; the servers and those who ask share the other. *Clicks* are interactive
operations of one statement that searches eleven days of everybody's entries; six
tenths of what the database can do are sent at all times, as they are due, by 200
clients. *Reports* are of five sizes; in a storm they are five times what the
database can do. In a *rush* clicks are ten or twenty times that. On a *slow* database two busy
loops share its core. Nobody tries again. Time counts from when a request was due;
what was refused or failed counts as 2 s where it is put in order.

*none* is ` + "`--limits off`" + `, one pool without admission. *bulkheads* is ` + "`--gate static`" + `,
*adaptive* is ` + "`--gate adaptive`" + `, each in ` + "`headroom serve`" + ` as it is, so the reports of both
yield the processor to clicks. *failsafe-go* is a
server of the same packages with failsafe-go 0.9.8, an adaptive limiter for each
class of 1 to 20 permits from 20, with a queue of 2 to 3 times that.
`)
	all := &result{}
	for _, part := range []string{"storm", "rush", again} {
		run, err := read(o.out, part)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		run.describe(&b)
		all.add(run)
	}
	for _, load := range []string{"storm", "rush", "rush20", "slow"} {
		if len(all.of("adaptive", 1, load)) == 0 {
			continue
		}
		all.write(&b, load)
		all.predict(ctx, &b, load)
		for file, text := range all.pictures(load) {
			if err := os.WriteFile(filepath.Join(o.out, file), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	for _, part := range []string{"refuse", "neighbours"} {
		run, err := read(o.out, part)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		run.writeParts(&b)
	}
	return os.WriteFile(filepath.Join(o.out, "overload.md"), []byte(b.String()), 0o644)
}

// writeParts adds what was measured without blocks.
func (r *result) writeParts(b *strings.Builder) {
	if r.Refusal != nil {
		r.writeRefusal(b)
	}
	if r.Steady != nil {
		r.Steady.write(b)
	}
	if r.Beside != nil {
		r.writeNeighbours(b)
	}
}

// add takes in another go: its blocks count with those that are there, or in their
// place.
func (r *result) add(another *result) {
	if r.Blocks == nil {
		*r = *another
		return
	}
	if another.Part == again {
		r.Blocks = slices.DeleteFunc(r.Blocks, func(b *Block) bool {
			return len(another.of(b.Gate, b.Processes, b.Load)) > 0
		})
	}
	r.Blocks = append(r.Blocks, another.Blocks...)
	r.Peak = (r.Peak + another.Peak) / 2
	for name, ms := range another.Alone {
		r.Alone[name] = (r.Alone[name] + ms) / 2
	}
}

func read(out, part string) (*result, error) {
	text, err := os.ReadFile(resultPath(out, part))
	if err != nil {
		return nil, err
	}
	r := &result{}
	err = json.Unmarshal(text, r)
	for _, b := range r.Blocks {
		b.Peak, b.Alone = cmp.Or(b.Peak, r.Peak), cmp.Or(b.Alone, r.Alone[click.name]) // earlier runs did not note them
	}
	return r, err
}

// pool is all blocks of a kind.
type pool struct {
	cell
	blocks []*Block
	calm   float64 // p99 of the calm blocks, ms
	own    float64 // ms of a click alone
	peak   float64 // clicks a second that the database could do, the mean of the blocks'
	block  time.Duration
}

func (r *result) pool(gate string, processes int, load string) pool {
	p := pool{cell: cell{Gate: gate, Processes: processes, Load: load}, block: r.Block}
	for _, b := range r.Blocks {
		if b.Gate == gate && b.Processes == processes && b.Load == load {
			p.blocks = append(p.blocks, b)
			p.peak += (b.Peak - p.peak) / float64(len(p.blocks))
			p.own += (b.Alone - p.own) / float64(len(p.blocks))
		}
	}
	for _, n := range []int{1, 2} { // the calmer of the two: a calm that was disturbed would excuse a storm
		if quiet := (pool{blocks: r.of("adaptive", n, "calm")}); len(quiet.blocks) > 0 {
			if p99 := quantile(quiet.took(), 0.99); p.calm == 0 || p99 < p.calm {
				p.calm = p99
			}
		}
	}
	return p
}

func (r *result) of(gate string, processes int, load string) (out []*Block) {
	for _, b := range r.Blocks {
		if b.Gate == gate && b.Processes == processes && b.Load == load {
			out = append(out, b)
		}
	}
	return out
}

// took are the times of the clicks that were answered, in ms.
func (p pool) took() (all []float64) {
	for _, b := range p.blocks {
		all = append(all, b.Took...)
	}
	return all
}

// atOnce are those of the clicks that were not held until the time their client was told.
func (p pool) atOnce() (all []float64) {
	held := map[float64]int{}
	for _, b := range p.blocks {
		for _, ms := range b.Held {
			held[ms]++
		}
	}
	for _, ms := range p.took() {
		if held[ms] > 0 {
			held[ms]--
		} else {
			all = append(all, ms)
		}
	}
	return all
}

func (p pool) clicks() (sent, answered int) {
	for _, b := range p.blocks {
		sent, answered = sent+b.Clicks.Sent, answered+b.Clicks.Answered
	}
	return sent, answered
}

func (p pool) reports() (sent, answered int) {
	for _, b := range p.blocks {
		sent, answered = sent+b.Reports.Sent, answered+b.Reports.Answered
	}
	return sent, answered
}

// within is how many clicks were answered in so many ms.
func (p pool) within(ms float64) (n int) {
	for _, took := range p.took() {
		if took <= ms {
			n++
		}
	}
	return n
}

// beyond is the share of the clicks sent that took longer or were not answered,
// and the upper end of its 95 % interval (Wilson, 1927).
func (p pool) beyond(ms float64) (share, bound float64) {
	sent, _ := p.clicks()
	if sent == 0 {
		return 0, 1
	}
	n := float64(sent)
	share = 1 - float64(p.within(ms))/n
	const z = 1.96
	return share, (share + z*z/(2*n) + z*math.Sqrt(share*(1-share)/n+z*z/(4*n*n))) / (1 + z*z/n)
}

// late is when a click is: the p99 may be 2.5 times that of calm, and 10 ms more.
func (p pool) late() float64 { return max(2.5*p.calm, p.calm+10) }

func (p pool) useful() (mean float64) {
	for _, b := range p.blocks {
		mean += b.Useful / float64(len(p.blocks))
	}
	return mean
}

// calmAfter is how many seconds after the storm's end the last click was due that
// was answered late, of the worst block.
func (p pool) calmAfter() (worst float64) {
	for _, b := range p.blocks {
		for i := 0; i < len(b.Late); i += 2 {
			if b.Late[i+1] > p.late() {
				worst = max(worst, b.Late[i])
			}
		}
	}
	return worst
}

// refusals lists what clicks or reports were told, the commonest first.
func (p pool) refusals(of func(*Block) tally) string {
	sum := map[string]int{}
	for _, b := range p.blocks {
		for why, n := range of(b).Refused {
			sum[why] += n
		}
	}
	keys := make([]string, 0, len(sum))
	for why := range sum {
		keys = append(keys, why)
	}
	slices.SortFunc(keys, func(a, b string) int { return sum[b] - sum[a] })
	var out []string
	for _, why := range keys {
		out = append(out, fmt.Sprintf("%d %s", sum[why], strings.ToLower(why)))
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, ", ")
}

func clicksOf(b *Block) tally  { return b.Clicks }
func reportsOf(b *Block) tally { return b.Reports }

// percent has as many digits as it takes to tell 99.9 from 100.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g", math.Floor(1e4*float64(part)/float64(whole))/100)
}
