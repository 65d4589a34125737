package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"bench/lab"
)

// tenants are equal companies on one database, the first of which sends too much.
const (
	tenants      = 20
	tenantSize   = 0.1 // million entries
	theirClicks  = 0.3 // of what the database can do, of all tenants together
	theirStudies = 0.25
	tooMuch      = 100 // times a tenant's share
)

// A tenant has a tenth of the entries, so it looks at ten times the days.
var (
	theirClick   = search("a tenant's click", 110)
	theirReports = []op{report("36 months by tag and person", 36, "TAG, USER")}
)

// settle makes the tenants.
func (b *bed) settle(ctx context.Context) error {
	for i := range tenants {
		owner, err := b.seeded(ctx, "bench_neighbours", lab.ShapeOf(tenantSize).Number(i))
		if err != nil {
			return err
		}
		b.neighbours = append(b.neighbours, owner)
	}
	b.owner = b.neighbours[0]
	return nil
}

// neighbourly is what the others saw while one sent too much.
type neighbourly struct {
	Much            string // clicks, reports, or nothing
	Clicks, Reports tally
	Click, Report   []float64 // ms, of those that were answered
	Sent            int       // by the one
	Answered        int
}

// besideEachOther takes rounds of blocks: nobody sends too much, one does.
func (b *bed) besideEachOther(ctx context.Context, o options, out *result) error {
	var blocks []string
	for range max(1, int(2*o.scale)) {
		blocks = append(blocks, "nothing", "clicks", "reports")
	}
	for i, much := range blocks {
		one, err := b.neighbourBlock(ctx, o, out, much, o.seed*1000+uint64(i))
		if err != nil {
			return fmt.Errorf("too much of %s: %w", much, err)
		}
		fmt.Fprintf(os.Stderr, "too much of %s, %d of %d answered: clicks %v p95 %.1f, reports %v p95 %.1f\n", much, one.Answered, one.Sent,
			one.Clicks, quantile(one.Click, 0.95), one.Reports, quantile(one.Report, 0.95))
		out.Beside = append(out.Beside, one)
		if err := out.keep(o.out); err != nil {
			return err
		}
	}
	return nil
}

func (b *bed) neighbourBlock(ctx context.Context, o options, run *result, much string, seed uint64) (*neighbourly, error) {
	servers, err := b.start(ctx, "adaptive", 1)
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	others, one := newLoad(servers, slices.Concat(b.theirs[1:]...)), newLoad(servers, b.theirs[0])
	if err := others.warm(ctx, theirClick, tenants); err != nil {
		return nil, err
	}
	clicks, studies := theirClicks*run.Peak/tenants, theirStudies*1000/run.work(theirReports[0].name)/tenants
	click := func(*rand.Rand) op { return theirClick }
	study := func(*rand.Rand) op { return theirReports[0] }
	begin, end := time.Now(), lead+o.block
	var sending errgroup.Group
	send := func(l *load, kind func(*rand.Rand) op, rate float64, from time.Duration, seed uint64) {
		sending.Go(func() error { return l.stream(ctx, kind, rate, begin, from, end, seed) })
	}
	send(others, click, clicks*(tenants-1), 0, seed)
	send(others, study, studies*(tenants-1), 0, seed+1<<32)
	switch much {
	case "clicks":
		send(one, click, clicks*tooMuch, lead, seed+2<<32)
	case "reports":
		send(one, study, studies*tooMuch, lead, seed+3<<32)
	}
	if err := sending.Wait(); err != nil {
		return nil, err
	}
	others.sending.Wait()
	one.sending.Wait()
	return others.seen(much, one), nil
}

// seen sums up what became of the others' operations.
func (l *load) seen(much string, one *load) *neighbourly {
	out := &neighbourly{Much: much, Clicks: tally{Refused: map[string]int{}}, Reports: tally{Refused: map[string]int{}}, Sent: len(one.records)}
	for _, r := range one.records {
		if r.outcome == "" {
			out.Answered++
		}
	}
	for _, r := range l.records {
		if r.due < lead {
			continue
		}
		seen, took := &out.Clicks, &out.Click
		if r.report {
			seen, took = &out.Reports, &out.Report
		}
		seen.add(r)
		if r.outcome == "" {
			*took = append(*took, millis(r.took))
		}
	}
	return out
}

// besides are all blocks of a kind as one.
func (r *result) besides(much string) neighbourly {
	all := neighbourly{Clicks: tally{Refused: map[string]int{}}, Reports: tally{Refused: map[string]int{}}}
	for _, b := range r.Beside {
		if b.Much != much {
			continue
		}
		all.Clicks.join(b.Clicks)
		all.Reports.join(b.Reports)
		all.Click, all.Report = append(all.Click, b.Click...), append(all.Report, b.Report...)
		all.Sent, all.Answered = all.Sent+b.Sent, all.Answered+b.Answered
	}
	return all
}

func (t *tally) join(o tally) {
	t.Sent, t.Answered = t.Sent+o.Sent, t.Answered+o.Answered
	for why, n := range o.Refused {
		t.Refused[why] += n
	}
}

// writeNeighbours adds what they saw to the page.
func (r *result) writeNeighbours(b *strings.Builder) {
	b.WriteString("\n## A neighbour that sends too much\n\n")
	r.tellMachine(b)
	fmt.Fprintf(b, "Alone a click takes the database %.1f ms; reports take", r.work(theirClick.name))
	for _, name := range slices.Sorted(maps.Keys(r.Alone)) {
		if name != theirClick.name {
			fmt.Fprintf(b, " %.0f ms (%s)", r.work(name), name)
		}
	}
	fmt.Fprintf(b, `.

%d equal companies of 100,000 entries each share a database and a server. All of them
together send clicks for %.0f %% of what the database can do and reports for %.0f %%; then
one of them sends %d times its share of the one or of the other. What the other %d saw;
M13 allows 1.2 times the p95 that they have else, and where more than a twentieth is not
answered there is none:

| too much of | the one's, answered of sent | clicks answered, of | p50 / p95, ms | p95 beside that of nothing | reports answered, of | p50 / p95, ms | p95 beside that of nothing |
|---|---|---|---|---|---|---|---|
`, tenants, 100*theirClicks, 100*theirStudies, tooMuch, tenants-1)
	calm := r.besides("nothing")
	for _, much := range []string{"nothing", "clicks", "reports"} {
		x := r.besides(much)
		if x.Clicks.Sent == 0 {
			fmt.Fprintf(b, "| %s | not measured | | | | | | |\n", much)
			continue
		}
		fmt.Fprintf(b, "| %s | %d of %d | %s | %s |\n", much, x.Answered, x.Sent, x.Clicks.row(x.Click, calm.Click), x.Reports.row(x.Report, calm.Report))
	}
	for _, much := range []string{"clicks", "reports"} {
		x := r.besides(much)
		if x.Clicks.Sent == 0 {
			continue
		}
		fmt.Fprintf(b, "\n- too much of %s: clicks not answered:%s; reports:%s", much, cmp.Or(reasons(x.Clicks.Refused), " none"), cmp.Or(reasons(x.Reports.Refused), " none"))
	}
	b.WriteString("\n")
}

func (t tally) row(took, calm []float64) string {
	p95, normal := quantile(took, 0.95), quantile(calm, 0.95)
	return fmt.Sprintf("%d, %d | %.1f / %.1f | %.2f, %s", t.Answered, t.Sent, quantile(took, 0.5), p95, p95/normal, verdict(p95 <= 1.2*normal && 20*t.Answered >= 19*t.Sent))
}
