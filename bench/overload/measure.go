package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"bench/lab"
)

// cell is one kind of block.
type cell struct {
	Gate      string
	Processes int
	Load      string // calm, storm, rush or slow
	blocks    int
}

// parts are what is measured in one go of ten minutes on a quiet machine.
var parts = map[string][]cell{
	"storm": {
		{"adaptive", 1, "storm", 5},
		{"bulkheads", 1, "storm", 1},
		{"failsafe-go", 1, "storm", 1},
		{"none", 1, "storm", 1},
		{"adaptive", 2, "storm", 5},
		{"bulkheads", 2, "storm", 1},
		{"failsafe-go", 2, "storm", 1},
		{"adaptive", 1, "calm", 1},
		{"adaptive", 2, "calm", 1},
	},
	"rush": {
		{"adaptive", 1, "rush", 5},
		{"bulkheads", 1, "rush", 1},
		{"failsafe-go", 1, "rush", 1},
		{"none", 1, "rush", 1},
		{"adaptive", 2, "rush", 2},
		{"adaptive", 1, "slow", 2},
		{"bulkheads", 1, "slow", 1},
		{"failsafe-go", 1, "slow", 1},
		{"adaptive", 1, "calm", 1},
	},
	again: {
		{"adaptive", 1, "rush", 2},
		{"adaptive", 2, "rush", 1},
		{"adaptive", 1, "rush20", 1},
		{"adaptive", 1, "slow", 1},
	},
	"refuse":     nil, // no blocks: servers' processor time
	"neighbours": nil, // blocks of its own
}

// again is the part whose cells take the place of those that were measured before.
const again = "again"

// How much is sent, as a share of what the database can do.
const (
	calmShare   = 0.6
	reportShare = 5
	lead        = 2 * time.Second
)

// rushShares are those of the clicks in a rush.
var rushShares = map[string]float64{"rush": 10, "rush20": 20}

// tail is how long the calm load goes on after a storm: a rush may be felt longer.
func tail(load string) time.Duration {
	switch load {
	case "storm":
		return 3 * time.Second
	case "calm":
		return 0
	}
	return 6 * time.Second
}

// Block is what was seen in one block.
type Block struct {
	cell
	At      time.Time
	Seconds []Second  // from the lead's begin to the tail's end
	Peak    float64   // clicks a second that the database could do before its run
	Alone   float64   // ms of a click then
	Took    []float64 // ms, of the clicks of the storm that were answered
	Held    []float64 `json:",omitempty"` // of these, those of clients that came before the time they were told
	Late    []float64 // seconds after the storm's end at which clicks were due that were answered late
	Clicks  tally     // of the storm
	Reports tally
	Useful  float64 // work of what was answered, of what the database can do in that time
	ByKind  map[string]int
}

type tally struct {
	Sent, Answered int
	Refused        map[string]int // by code and reason
}

// Second is what clicks saw that were due in it.
type Second struct {
	Sent, Answered int
	P99, P50       float64 // ms
	Served99       float64 // of those answered
	Reports        int     // answered in it
}

// result is one go, or all of them for the page.
type result struct {
	Machine lab.Machine
	Part    string
	Block   time.Duration
	Alone   map[string]float64 // ms, from one end of the network to the other
	Peak    float64            // clicks a second that the database can do
	Blocks  []*Block
	Refusal *refusals      `json:",omitempty"`
	Steady  *steady        `json:",omitempty"`
	Beside  []*neighbourly `json:",omitempty"` // what neighbours saw
}

// measure takes a part on a PostgreSQL that it starts.
func measure(ctx context.Context, o options, part string) error {
	dir, err := os.MkdirTemp("", "headroom-overload")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	out := &result{Machine: lab.Describe(), Part: part, Block: o.block}
	pg, err := lab.StartPostgres(ctx, o.data)
	if err != nil {
		return err
	}
	defer pg.Stop(ctx)
	if out.Machine.Postgres, err = pg.Version(ctx); err != nil {
		return err
	}
	b, err := openBed(ctx, pg, dir, part)
	if err != nil {
		return err
	}
	if err := b.divide(ctx); err != nil {
		return err
	}
	if err := b.part(ctx, o, out); err != nil {
		return err
	}
	return publish(ctx, o)
}

func (b *bed) part(ctx context.Context, o options, out *result) error {
	small, kinds := click, reports
	switch out.Part {
	case "refuse":
		kinds = nil
	case "neighbours":
		small, kinds = theirClick, theirReports
	}
	if err := b.alone(ctx, small, kinds, out); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%.1f clicks a second; alone, ms: %v\n", out.Peak, out.Alone)
	switch out.Part {
	case "refuse":
		return b.refusePart(ctx, o, out)
	case "neighbours":
		return b.besideEachOther(ctx, o, out)
	}
	return b.blocks(ctx, o, out)
}

// refusePart takes what has no blocks.
func (b *bed) refusePart(ctx context.Context, o options, out *result) (err error) {
	if out.Refusal, err = b.refuse(ctx, o); err != nil {
		return err
	}
	if err := out.keep(o.out); err != nil {
		return err
	}
	if out.Steady, err = b.hour(ctx, o); err != nil {
		return err
	}
	return out.keep(o.out)
}

// blocks takes a part's blocks in the order that the seed draws.
func (b *bed) blocks(ctx context.Context, o options, out *result) error {
	for i, c := range schedule(parts[out.Part], o) {
		block, err := b.block(ctx, c, o, out, o.seed*1000+uint64(i))
		if err != nil {
			return fmt.Errorf("%s, %d processes, %s: %w", c.Gate, c.Processes, c.Load, err)
		}
		block.tell()
		out.Blocks = append(out.Blocks, block)
		if err := out.keep(o.out); err != nil { // what there is, should the rest be cut short
			return err
		}
	}
	return nil
}

// alone measures each kind of operation on a server without a gate and load, and
// then how many clicks a second there can be.
func (b *bed) alone(ctx context.Context, small op, kinds []op, out *result) error {
	servers, err := b.start(ctx, "none", 1)
	if err != nil {
		return err
	}
	defer stopAll(servers)
	l := newLoad(servers, b.tokens)
	out.Alone = map[string]float64{}
	for _, o := range append([]op{small}, kinds...) {
		times := map[bool]int{false: 60, true: 3}[o.report]
		if out.Alone[o.name], err = l.alone(ctx, o, times); err != nil {
			return err
		}
	}
	out.Peak, err = l.closed(ctx, small, 4, 5*time.Second)
	return err
}

// work is what the database does for an operation, in ms: what it takes alone
// without the way to it, as much as a click's is.
func (r *result) work(kind string) float64 {
	if kind == r.small() {
		return 1000 / r.Peak
	}
	return r.Alone[kind] - (r.Alone[r.small()] - 1000/r.Peak)
}

// small is the operation that there are most of.
func (r *result) small() string {
	if r.Part == "neighbours" {
		return theirClick.name
	}
	return click.name
}

// schedule draws the order of the blocks.
func schedule(cells []cell, o options) (all []cell) {
	for _, c := range cells {
		if !slices.Contains(strings.Split(o.gates, ","), c.Gate) {
			continue
		}
		for range max(1, int(float64(c.blocks)*o.scale)) {
			all = append(all, c)
		}
	}
	rand.New(rand.NewPCG(o.seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// block starts servers, sends the calm load before, in and after the storm, and
// the storm.
func (b *bed) block(ctx context.Context, c cell, o options, run *result, seed uint64) (*Block, error) {
	servers, err := b.start(ctx, c.Gate, c.Processes)
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	l := newLoad(servers, b.tokens)
	if err := l.warm(ctx, click, c.Processes); err != nil {
		return nil, err
	}
	end := lead + o.block
	if c.Load == "slow" {
		stop, err := burden(ctx, lead, end)
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	begin := time.Now()
	clicks := func(*rand.Rand) op { return click }
	go l.stream(ctx, clicks, calmShare*run.Peak, begin, 0, end+tail(c.Load), seed)
	switch c.Load {
	case "storm":
		any := func(r *rand.Rand) op { return reports[r.IntN(len(reports))] }
		go l.stream(ctx, any, run.reportRate(), begin, lead, end, seed+1<<32)
	case "rush", "rush20":
		go l.stream(ctx, clicks, (rushShares[c.Load]-calmShare)*run.Peak, begin, lead, end, seed+1<<32)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(end + tail(c.Load) + 100*time.Millisecond):
	}
	l.sending.Wait()
	return l.see(c, o, begin, run), nil
}

// reportRate is how many reports a second a storm sends.
func (r *result) reportRate() float64 {
	mean := 0.0
	for _, o := range reports {
		mean += r.work(o.name) / 1000 / float64(len(reports))
	}
	return reportShare / mean
}

// warm has each server answer clicks, and count what the workspace holds.
func (l *load) warm(ctx context.Context, o op, processes int) error {
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 40 * processes {
		if done := l.one(ctx, o, r, i, time.Now(), time.Now()); done.outcome != "" {
			return fmt.Errorf("a server warms up: %s", done.outcome)
		}
	}
	return nil
}

// burden lets two busy loops share the database's core for a while.
func burden(ctx context.Context, from, to time.Duration) (stop func(), err error) {
	var loops []*exec.Cmd
	stop = func() {
		for _, loop := range loops {
			loop.Process.Kill()
			_ = loop.Wait()
		}
	}
	for range 2 {
		script := fmt.Sprintf("sleep %g; exec timeout %g sh -c 'while :; do :; done'", from.Seconds(), (to - from).Seconds())
		loop := exec.CommandContext(ctx, "setsid", "taskset", "-c", fmt.Sprint(databaseCore), "sh", "-c", script)
		loop.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := loop.Start(); err != nil {
			stop()
			return nil, err
		}
		loops = append(loops, loop)
	}
	return stop, nil
}

func resultPath(out, part string) string {
	return filepath.Join(out, "overload-runs", part+".json")
}
