package simulate

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/limits"
)

var update = flag.Bool("update", false, "write docs/simulation.md, which takes minutes")

const page = "../../docs/simulation.md"

// sections are the page's, by their titles.
var sections = map[string]func(context.Context, *strings.Builder){
	"Beside an experiment": experimentTable, "Goals": goalTables, "Beside others": scenarioTables,
	"Without each part": ablationTable, "More processes, a slower database, a wrong number of cores": processTable,
}

// TestPage writes the page of what the simulation says; a section of it takes minutes,
// and can be asked for by its name.
func TestPage(t *testing.T) {
	if !*update {
		t.Skip("the page is written with -update only")
	}
	var writing sync.Mutex
	for title, write := range sections {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			var own strings.Builder
			write(t.Context(), &own)
			writing.Lock()
			defer writing.Unlock()
			old, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			text, err := replaced(string(old), title, own.String())
			if err == nil {
				err = os.WriteFile(page, []byte(text), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// replaced is a page with another section of a title, and the preface of now.
func replaced(page, title, section string) (string, error) {
	_, rest, ok := strings.Cut(page, "\n## ")
	begin := strings.Index("\n## "+rest, "\n## "+title+"\n")
	if !ok || begin < 0 {
		return "", fmt.Errorf("the page has no section %q", title)
	}
	rest = "\n## " + rest
	_, after, more := strings.Cut(rest[begin+1:], "\n## ")
	if more {
		after = "\n## " + after
	}
	return strings.TrimSuffix(preface, "\n") + rest[:begin] + "\n" + strings.TrimPrefix(section, "\n") + after, nil
}

func TestReplaced(t *testing.T) {
	page := preface + "## One\n\nold\n\n### below\n\n## Two\n\nkept\n"
	got, err := replaced(page, "One", "\n## One\n\nnew\n")
	if want := preface + "## One\n\nnew\n\n## Two\n\nkept\n"; err != nil || got != want {
		t.Errorf("the first: %v\n%s", err, got)
	}
	got, err = replaced(page, "Two", "\n## Two\n\nnew\n")
	if want := strings.Replace(page, "kept", "new", 1); err != nil || got != want {
		t.Errorf("the last: %v\n%s", err, got)
	}
	if _, err := replaced(page, "Three", ""); err == nil {
		t.Error("a section that is not there is replaced")
	}
}

const preface = `# What the simulation says

Written by ` + "`go test ./limits/simulate -run TestPage -update -timeout 1h`" + `; do not edit.
[The package](../limits/simulate/doc.go) says what is simulated and what is not.
Figures are simulated, none is a measurement but those in the first table that
say so. Clicks are interactive operations of 2 ms in the mean, reports take 50 ms
to 10 s of a core, in a storm five times what the database can do.

What is missed, and why:

- *M10, reports refused at 70 %*: reports of 50 ms to 10 s share one slot less than there
  are cores, at least one, so a long one or two make others miss their 15 s. Without care
  for deadlines fewer are refused and fewer are made in a storm (below).
- *M13 on one and two cores, clicks beside a tenant at 100 times its share*: that tenant
  keeps every core taken, so each click of the others waits for the rest of those that
  run. Turns by work, and seats that it leaves empty while one of the others runs, keep it
  from more than that. It keeps one core beside reports of the others too, which yield to
  what runs there.
- *M6 on one core*: a window of 100 ms holds twenty clicks, of which a single late one
  is five in a hundred; in longer windows (M1, M2) all is within bounds.
- *M5 of several servers*: each keeps one seat at least and crowds by itself.
- *Small reports first* is worse for two servers that share one slot (reports done by
  each, below). It stays for one server, where it makes 48 % more reports on one core
  and 40 % more on four ([33](decisions/0033-adaptive-by-default.md)).

`

func experimentTable(ctx context.Context, b *strings.Builder) {
	b.WriteString("## Beside an experiment\n\n" +
		"The same load on a PostgreSQL 15 and here: clicks of 10 ms, reports of 2 s. On one\n" +
		"core the model is right about whatever bounds the reports, and too dark about\n" +
		"what does not. On two it is too bright: there the server's own processes shared\n" +
		"the database's cores. What it says of more cores was not measured.\n\n" +
		"| cores | processes | load | gate | p50 measured, ms | simulated | within 250 ms measured, % | simulated |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range Experiment() {
		p50, within := m.Simulated(ctx, 20)
		fmt.Fprintf(b, "| %d | %d | %.0f %% | %s | %.0f | %.0f | %.0f | %.0f |\n",
			m.Cores, m.Processes, 100*m.Load, m.Policy.Name, m.P50, p50, m.Within250, within)
	}
}

var full = Size{Calm: 30 * second, Storm: 40 * second, Rush: 1500 * time.Millisecond, Seeds: []uint64{1, 2}, Requests: 200_000}

// sizeFor is smaller for many cores: what happens there in a second is more.
func sizeFor(cores int) Size {
	s := full
	if cores >= 16 {
		s.Seeds, s.Storm, s.Rush = s.Seeds[:1], 20*second, 1000*time.Millisecond
	}
	return s
}

func goalTables(ctx context.Context, b *strings.Builder) {
	b.WriteString("\n## Goals\n\nThe adaptive gate with demoted reports. What misses its goal is **bold**. M6, M7, M9,\nM10 and M13 are goals for 4 and 16 cores.\n\n" +
		"| goal | | bound | 1 core | 2 cores | 4 cores | 16 cores |\n|---|---|---|---|---|---|---|\n")
	var columns [][]Check
	for _, cores := range []int{1, 2, 4, 16} {
		bench := Bench{Cores: cores, Policy: Adaptive(), Size: sizeFor(cores)}
		columns = append(columns, append(bench.Basic(ctx), bench.More(ctx)...))
	}
	for i, c := range columns[0] {
		fmt.Fprintf(b, "| %s | %s | %s |", c.Goal, c.What, boundOf(c))
		for _, column := range columns {
			fmt.Fprintf(b, " %s |", mark(column[i]))
		}
		b.WriteString("\n")
	}
}

func boundOf(c Check) string {
	sign := "≤"
	if c.Least {
		sign = "≥"
	}
	return fmt.Sprintf("%s %g %s", sign, c.Bound, c.Unit)
}

func mark(c Check) string {
	text := fmt.Sprintf("%.4g", c.Value)
	if !c.OK() {
		return "**" + text + "**"
	}
	return text
}

var opponents = []Policy{None(), Bulkhead(), Bulkheads(), Gradient2(), Gradients(), Failsafe(), Failsafes(), Static(), Adaptive()}

func scenarioTables(ctx context.Context, b *strings.Builder) {
	b.WriteString("\n## Beside others\n\nEvery gate with the defaults its source gives it, bulkheads set by hand for four cores.\n")
	sets := []Setup{
		Normal(4, 40*second), ReportStorm(4, 40*second), Rush(4, 4, 3*second), Slow(4, 20*second), Surge(4, 30*second),
		ReportStorm(1, 60*second), ReportStorm(16, 20*second), Locks(4, 30*second), Shared(1, 30*second), Shared(4, 30*second),
	}
	wrong := ReportStorm(4, 40*second)
	wrong.Estimate, wrong.Name = 3, "S2 with forecasts three times too high"
	low := wrong
	low.Estimate, low.Name = 1.0/3, "S2 with forecasts three times too low"
	steps := ReportStorm(4, 40*second)
	steps.Clock, steps.Name = []Change{{20 * second, 3600}, {35 * second, -7200}}, "S2 with a clock that steps by an hour and back by two"
	foreign := ReportStorm(4, 40*second)
	foreign.Foreign, foreign.Name = []Change{{begin, 4}, {begin + 40*second, 0}}, "S2 with four busy backends of other programs"
	sets = append(sets, wrong, low, steps, foreign)
	for _, s := range sets {
		fmt.Fprintf(b, "\n### %s, %d core%s\n\n%s", s.Name, s.Cores, plural(s.Cores), header)
		for _, p := range opponents {
			row(ctx, b, s, p)
		}
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

const header = "| gate | clicks within 1 s, % | within 100 ms, a second | p50 / p99, ms | reports done | useful work, % | refused: clicks, reports | given up |\n|---|---|---|---|---|---|---|---|\n"

func row(ctx context.Context, b *strings.Builder, s Setup, p Policy) {
	r := Run(ctx, s, p, 42)
	from, to := s.Storm[0], s.Storm[1]
	if to == 0 {
		to = s.Length
	}
	clicks := interactive.born(from, to)
	ended := filter(func(x *sample) bool { return x.class == limits.Interactive && x.ended >= from && x.ended < to })
	fmt.Fprintf(b, "| %s | %.1f | %.0f | %.1f / %.1f | %d | %.0f | %d, %d | %d, %d |\n", p.Name,
		100*r.share(clicks, within(second)), float64(r.count(ended.and(fast(100*time.Millisecond))))/(to-from).Seconds(),
		millis(r.quantile(clicks, 0.5)), millis(r.quantile(clicks, 0.99)), r.count(of(limits.Report).born(from, to)),
		100*r.busy(from, to), r.lost[refused][1], r.lost[refused][2], r.lost[timedOut][1], r.lost[timedOut][2])
}

func millis(d time.Duration) float64 { return d.Seconds() * 1000 }

func ablationTable(ctx context.Context, b *strings.Builder) {
	b.WriteString("\n## Without each part\n\nFour cores, two processes. A screen is an app's start of six clicks, all within a second.\n\n" +
		"| gate | M1, x | M3, % | reports done by each process | M4 at 10 x, % of the capacity | M5, x | screens at 1.2 x, % | at 2 x, % | M9, % | answered beside others, % | M13, clicks, x | others' reports answered there, % | reports refused at 70 %, of 1,000 |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range Ablations() {
		bench := Bench{Cores: 4, Policy: p, Size: full, Change: func(s *Setup) { s.Processes = 2 }}
		bench.Size.Seeds, bench.Size.Requests = bench.Size.Seeds[:1], 80_000
		calm := bench.unloaded(ctx)
		storm := bench.reportStorm(ctx, calm)
		ten := bench.pooled(ctx, Rush(4, 10, 2*second))
		steady := func(s *sample) bool {
			return s.class == limits.Interactive && s.ended >= begin+second/2 && s.ended < begin+2*second
		}
		slow := bench.pooled(ctx, Slow(4, 20*second))
		clicks, reports := bench.neighbours(ctx)
		fmt.Fprintf(b, "| %s | %.2f | %.0f | %s | %.0f | %.2f | %.0f | %.0f | %.0f | %.0f | %.2f | %.0f | %.0f |\n", p.Name, storm[0].Value, storm[3].Value, bench.perProcess(ctx),
			100*ten.goodput(1)*0.002/4, ratio(ten.quantile(steady, 0.99), calm), bench.screens(ctx, 0.8), bench.screens(ctx, 1.6),
			100*slow.goodput(1)*0.006/4, bench.shared(ctx), clicks, reports, bench.falseRefusals(ctx)[1].Value)
	}
}

// perProcess are the reports that each process finishes in a storm on a database
// with one slot.
func (b Bench) perProcess(ctx context.Context) string {
	s := ReportStorm(2, 60*second)
	s.Processes = 2
	r := Run(ctx, s, b.Policy, 1)
	return fmt.Sprint(r.byServer)
}

func (b Bench) screens(ctx context.Context, times float64) float64 {
	s := Rush(4, times, 5*second)
	starts := &s.Sources[2]
	starts.Burst, starts.Rate, starts.Clients, starts.Group = 6, starts.Rate/6, 200, 1
	r := b.pooled(ctx, s)
	return 100 * r.screens(interactive.born(begin+second, begin+5*second).and(func(x *sample) bool { return x.group == 1 }), within(second))
}

// neighbours is M13 for clicks and for reports beside too many clicks, with one process.
func (b Bench) neighbours(ctx context.Context) (clicks, reports float64) {
	b.Change = nil
	checks := b.adversary(ctx)
	return checks[0].Value, checks[4].Value
}

// shared are the clicks answered within 250 ms beside other programs on the database.
func (b Bench) shared(ctx context.Context) float64 {
	s := Shared(b.Cores, 30*second)
	b.Change = nil // one process: of several, each has few seats in a crowd
	return 100 * b.pooled(ctx, s).share(interactive.born(s.Storm[0], s.Storm[1]), within(second/4))
}

func processTable(ctx context.Context, b *strings.Builder) {
	b.WriteString("\n## More processes, a slower database, a wrong number of cores\n\nThe goals M1 to M5 (M15). With processes, one of them restarts every 20 s.\n\n" +
		"| | M1 | M2 | M2 | M3 | M4 at 10 x | at 20 x | M5 |\n|---|---|---|---|---|---|---|---|\n")
	for _, cores := range []int{1, 2, 4, 16} {
		for _, processes := range []int{2, 4, 8} {
			if cores == 16 && processes < 8 {
				continue
			}
			line(ctx, b, fmt.Sprintf("%d core%s, %d processes", cores, plural(cores), processes), cores, func(s *Setup) {
				s.Processes, s.Restart = processes, 20*second
			})
		}
	}
	for _, cores := range []int{1, 2, 4, 16} {
		line(ctx, b, fmt.Sprintf("%d core%s at a third of the speed", cores, plural(cores)), cores, third)
	}
	for _, guess := range []int{1, 2, 8, 16} {
		line(ctx, b, fmt.Sprintf("4 cores, believed to be %d", guess), 4, func(s *Setup) { s.Guess = guess })
	}
}

// third makes the database three times slower from the beginning, and the load
// smaller to match.
func third(s *Setup) {
	s.Speed = []Change{{0, 1.0 / 3}}
	s.Sources = append([]Source(nil), s.Sources...)
	for i := range s.Sources {
		s.Sources[i].Rate /= 3
	}
}

func line(ctx context.Context, b *strings.Builder, name string, cores int, change func(*Setup)) {
	bench := Bench{Cores: cores, Policy: Adaptive(), Size: sizeFor(cores), Change: change}
	bench.Size.Seeds = bench.Size.Seeds[:1]
	fmt.Fprintf(b, "| %s |", name)
	for _, c := range bench.Basic(ctx) {
		if c.Goal != "M6" && c.Goal != "M7" {
			fmt.Fprintf(b, " %s |", mark(c))
		}
	}
	b.WriteString("\n")
}
