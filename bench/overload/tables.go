package main

import (
	"fmt"
	"slices"
	"strings"
)

var titles = map[string]string{
	"storm": "A storm of reports", "rush": "A rush of clicks", "rush20": "A rush of twice as many", "slow": "A slow database",
}

// describe says where and how a go was taken.
func (r *result) describe(b *strings.Builder) {
	fmt.Fprintf(b, "\n%d blocks of %s: ", len(r.Blocks), r.Block)
	r.tellMachine(b)
	fmt.Fprintf(b, "Four clients have %.0f clicks answered a second. Alone a click takes %.1f ms, reports take", r.Peak, r.Alone[click.name])
	for i, o := range reports {
		fmt.Fprintf(b, "%s %.0f ms (%s)", map[bool]string{true: ","}[i > 0], r.Alone[o.name], o.name)
	}
	b.WriteString(".\n")
}

func (r *result) tellMachine(b *strings.Builder) {
	m := r.Machine
	fmt.Fprintf(b, "Commit %s%s, %s. %s, %d cores, load %s before. %s, %s.\n",
		m.Commit, map[bool]string{false: " with changes"}[m.Clean], m.Date.Format("2006-01-02 15:04 UTC"), m.CPU, m.Cores, m.Load, m.Go, m.Postgres)
}

// write adds a load to the page: the goals of the adaptive gate and what each gate
// did.
func (r *result) write(b *strings.Builder, load string) {
	fmt.Fprintf(b, "\n## %s\n\n", titles[load])
	for _, n := range []int{1, 2} {
		if quiet := r.pool("adaptive", n, "calm"); len(quiet.blocks) > 0 && load == "storm" {
			sent, answered := quiet.clicks()
			took := quiet.took()
			fmt.Fprintf(b, "In calm, %d %s: %d of %d clicks answered, p50 %.1f ms, p99 %.1f ms.\n", n, plural(n, "process", "processes"), answered, sent, quantile(took, 0.5), quantile(took, 0.99))
		}
	}
	fmt.Fprintf(b, "\n![clicks before, in and after it](overload-%s.svg)\n", load)
	r.goals(b, load)
	r.table(b, load)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (r *result) table(b *strings.Builder, load string) {
	fmt.Fprintf(b, "\nLate is a click that is not answered within %.0f ms, by the lower of the p99 in calm.\n", r.pool("adaptive", 1, load).late())
	b.WriteString(`
| gate | processes | blocks | clicks a second answered, within 250 ms | answered, % | p50 / p99 of these, ms | over 1.5 x the calm p99, % (at most) | late, % (at most) | reports answered, of | useful work, % | calm after, s |
|---|---|---|---|---|---|---|---|---|---|---|
`)
	for _, n := range []int{1, 2} {
		for _, gate := range names {
			if p := r.pool(gate, n, load); len(p.blocks) > 0 {
				b.WriteString(p.row())
			}
		}
	}
	b.WriteString("\n")
	for _, n := range []int{1, 2} {
		for _, gate := range names {
			if p := r.pool(gate, n, load); len(p.blocks) > 0 {
				fmt.Fprintf(b, "- %s, %d: clicks not answered: %s; reports: %s\n", gate, n, p.refusals(clicksOf), p.refusals(reportsOf))
			}
		}
	}
}

func (p pool) row() string {
	sent, answered := p.clicks()
	reportsSent, reportsDone := p.reports()
	seconds := p.block.Seconds() * float64(len(p.blocks))
	over, most := p.beyond(1.5 * p.calm)
	late, mostLate := p.beyond(p.late())
	took := p.took()
	return fmt.Sprintf("| %s | %d | %d | %.1f, %.1f | %s | %.1f / %.1f | %.2f (%.2f) | %.2f (%.2f) | %d, %d | %.0f | %.1f |\n", p.Gate, p.Processes, len(p.blocks),
		float64(answered)/seconds, float64(p.within(250))/seconds, percent(answered, sent), quantile(took, 0.5), quantile(took, 0.99),
		100*over, 100*most, 100*late, 100*mostLate, reportsDone, reportsSent, 100*p.useful(), p.calmAfter())
}

// goal is one line of what the adaptive gate has to show.
type goal struct {
	name, what, bound, found string
	met                      bool
}

func (r *result) goals(b *strings.Builder, load string) {
	var all []goal
	for _, n := range []int{1, 2} {
		p := r.pool("adaptive", n, load)
		if len(p.blocks) == 0 {
			continue
		}
		switch load {
		case "storm":
			all = append(all, p.stormGoals()...)
		case "rush", "rush20":
			all = append(all, p.rushGoals()...)
		case "slow":
			possible := p.peak / 3
			rate := float64(p.within(750)) / p.block.Seconds() / float64(len(p.blocks))
			all = append(all, p.goal("M9", "clicks answered within 3 x 250 ms, of a third of what the database can do, %", ">= 90", 100*rate/possible, rate >= 0.9*possible))
		}
	}
	b.WriteString("\n| goal of the adaptive gate | processes | bound | found | |\n|---|---|---|---|---|\n")
	for _, g := range all {
		fmt.Fprintf(b, "| %s %s | %s | %s | %s |\n", g.name, g.what, g.bound, g.found, verdict(g.met))
	}
}

func (p pool) goal(name, what, bound string, found float64, met bool) goal {
	return goal{name: name, what: fmt.Sprintf("%s | %d", what, p.Processes), bound: bound, found: fmt.Sprintf("%.2f", found), met: met}
}

func (p pool) stormGoals() []goal {
	late, mostLate := p.beyond(p.late())
	tight, loose := max(50, 15*p.own), max(250, 25*p.own)
	first, _ := p.beyond(tight)
	second, _ := p.beyond(loose)
	return []goal{
		p.goal("M1", "clicks over 2.5 x the calm p99 and 10 ms more, %", "<= 1", 100*late, late <= 0.01),
		p.goal("", "the upper end of its 95 % interval, %", "<= 1", 100*mostLate, mostLate <= 0.01),
		p.goal("M2", fmt.Sprintf("clicks answered within %.0f ms, %%", tight), ">= 99.9", 100-100*first, first <= 0.001),
		p.goal("M2", fmt.Sprintf("clicks answered within %.0f ms, %%", loose), "100", 100-100*second, second == 0),
		p.goal("M3", "useful work, % of the database's core", ">= 75", 100*p.useful(), p.useful() >= 0.75),
		p.goal("M7", "seconds after which no click is late", "<= 1", p.calmAfter(), p.calmAfter() <= 1),
	}
}

func (p pool) rushGoals() []goal {
	rate := float64(p.within(max(250, 25*p.own))) / p.block.Seconds() / float64(len(p.blocks))
	took, atOnce := p.took(), p.atOnce()
	p99 := quantile(took, 0.99)
	goals := []goal{
		p.goal("M4", "clicks answered within 250 ms, % of what the database can do", ">= 95", 100*rate/p.peak, rate >= 0.95*p.peak),
		p.goal("M5", "p99 of those admitted, of the calm one, x", "<= 2", p99/p.calm, p99 <= 2*p.calm),
		p.goal("M7", "seconds after which no click is late", "<= 5", p.calmAfter(), p.calmAfter() <= 5),
	}
	if held := len(took) - len(atOnce); held > 0 {
		rest := quantile(atOnce, 0.99)
		what := fmt.Sprintf("the same without the %d who came early and were held until their time, x", held)
		goals = slices.Insert(goals, 2, p.goal("M5", what, "<= 2", rest/p.calm, rest <= 2*p.calm))
	}
	return goals
}
