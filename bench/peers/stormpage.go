package main

import (
	"fmt"
	"strings"

	"bench/lab"
)

// What headroom has to keep in a storm, before it is measured.
const (
	stormMost    = 2.0 // times the calm p99
	refusalMost  = 5.0 // ms, p99
	calmAgain    = 1   // s
	reportsLeast = 0.4 // of the capacity, answered in the storm
	memoryMost   = 2.0 // times that before
)

// publishStorms writes what was seen so far, or prints it.
func (b *bench) publishStorms() error {
	if b.options.out == "" {
		fmt.Print(b.stormPage(""))
		return nil
	}
	raw, err := b.keep("storm-", figuresKept{Capacity: b.capacity, Storms: b.results})
	if err != nil {
		return err
	}
	if err := b.write("peers-storm.svg", b.stormPicture()); err != nil {
		return err
	}
	return b.write("peers-storm.md", b.stormPage(raw))
}

func (s stormed) name() string { return fmt.Sprintf("%s, %g x", s.Peer, s.Times) }

func (b *bench) stormPicture() string {
	end := calmFor + stormFor
	c := lab.Chart{
		Title: "p99 of “my day” by second, ms", Across: "seconds; grey: the storm", Low: 1, Top: 10000,
		From: calmFor.Seconds(), To: end.Seconds(),
	}
	for at := 0.0; at <= (end + afterFor).Seconds(); at += 3 {
		c.Marks = append(c.Marks, at)
	}
	for _, s := range middling(b.results) {
		l := lab.Line{Name: s.name(), Y: s.Seconds}
		for i := range s.Seconds {
			l.X = append(l.X, float64(i)+0.5)
		}
		c.Lines = append(c.Lines, l)
	}
	return lab.Picture([]lab.Chart{c})
}

func (b *bench) stormPage(raw string) string {
	var t strings.Builder
	b.head(&t, "A storm of reports, beside other servers: measured", raw)
	fmt.Fprintf(&t, `Each server is started anew on the same %d entries. People open their day at %g a second,
all the time, of which the first %g s do not count; after %g s, reports of a year by project,
user and week come for %g s, at a multiple of the %.1f a second that LIMIT makes of them
alone; then %g s are watched. Both are open loops, times count from the intended moment, and
after %g s without an answer somebody is gone. headroom is stormed in %d rounds: its figures
are of the one whose p99 beside calm is in the middle, the failed days are of all. It reads these reports from entries: no sums by week are kept. The
others have no protection; their books do not name any. A report may wait for its turn and is
refused when another takes its place or its time is up; who asks again and again is held back.
Both are told in `+"`Server-Timing`"+`, and the last figure of a refusal is without them.

![p99 by second](peers-storm.svg)

`, b.options.entries, dayRate, warmFor.Seconds(), calmFor.Seconds(), stormFor.Seconds(), b.capacity, afterFor.Seconds(), patience.Seconds(), b.options.rounds)
	t.WriteString("| | p99 of my day, ms: calm | in the storm | failed | calm again after | reports answered / refused / neither | a refusal, ms: p50 / p99 / p99 without waiting on purpose | MB before / after |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range middling(b.results) {
		again, refusal := "not seen", ""
		if s.Recovery >= 0 {
			again = fmt.Sprintf("%d s", s.Recovery)
		}
		if s.Refused > 0 {
			refusal = fmt.Sprintf("%.1f / %.1f / %.1f", s.Refusal, s.Refusal9, s.Itself9)
		}
		fmt.Fprintf(&t, "| %s | %.1f | %.1f | %d of %d | %s | %d / %d / %d | %s | %.0f / %.0f |\n", s.name(), s.Calm, s.Storm, s.Failed, s.Days, again,
			s.Answered, s.Refused, s.Reports-s.Answered-s.Refused, refusal, s.Before, s.After)
	}
	t.WriteString("\n| headroom | goal | measured | |\n|---|---|---|---|\n")
	for _, s := range middling(b.results) {
		if s.Peer == "headroom" {
			s.goals(&t, b.capacity*stormFor.Seconds())
		}
	}
	return t.String()
}

// goals judges headroom, where so many reports can be made while the storm lasts.
func (s stormed) goals(t *strings.Builder, can float64) {
	line := func(what, goal string, measured float64, unit string, met bool, why string) {
		said := verdict(met)
		if !met {
			said += ": " + why
		}
		fmt.Fprintf(t, "| reports at %g x: %s | %s | %.2f%s | %s |\n", s.Times, what, goal, measured, unit, said)
	}
	line("p99 of my day beside calm", "at most 2 x", s.Storm/s.Calm, " x", s.Storm <= stormMost*s.Calm, "reports that run have the lowest rank and still share two cores with the days")
	line("days that failed", "none", float64(s.Failed), "", s.Failed == 0, "see the table")
	line("p99 of a refusal, without waiting on purpose", "below 5 ms", s.Itself9, " ms", s.Itself9 < refusalMost, "the server's answer waits for a processor beside the storm")
	line("calm again within", "1 s", float64(s.Recovery), " s", s.Recovery >= 0 && s.Recovery <= calmAgain, "what had been let in to wait is made after the storm")
	line("reports answered, of what can be made", "at least 0.4", float64(s.Answered)/can, "", float64(s.Answered) >= reportsLeast*can, "see the table")
	line("memory after, beside before", "at most 2 x", s.After/s.Before, " x", s.After <= memoryMost*s.Before, "a report of a year is put together in memory, and up to 64 MiB of garbage may lie")
}
