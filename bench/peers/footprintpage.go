package main

import (
	"fmt"
	"strings"
)

// publishFootprints writes what was measured so far, or prints it.
func (b *bench) publishFootprints() error {
	if b.options.out == "" {
		fmt.Print(b.footprintPage(""))
		return nil
	}
	raw, err := b.keep("footprint-", figuresKept{Footprints: b.footprints, Built: b.built.Seconds()})
	if err != nil {
		return err
	}
	return b.write("peers-footprint.md", b.footprintPage(raw))
}

func (b *bench) footprintPage(raw string) string {
	t := &strings.Builder{}
	b.head(t, "What servers take: measured", raw)
	t.WriteString("Each was started when nothing else of this ran, and asked for its first answer, for days at\neight connections, and then once by each of many connections that stay open.")
	if b.built > 0 {
		fmt.Fprintf(t, " The compiler takes %.0f s for headroom from an empty cache.", b.built.Seconds())
	}
	fmt.Fprintf(t, "\n\n"+
		"| | ms until ready | ms from then to the first answer | MB idle | kB of each of %d idle connections | MB after work | MB of the binary |\n|---|---|---|---|---|---|---|\n", idle)
	for _, f := range b.footprints {
		binary := ""
		if f.Binary > 0 {
			binary = fmt.Sprintf("%.1f", f.Binary)
		}
		fmt.Fprintf(t, "| %s | %.0f | %.1f | %.0f | %.1f | %.0f | %s |\n", f.Peer, f.Ready, f.First, f.Idle, f.PerConn, f.Worked, binary)
	}
	for _, f := range b.footprints {
		if f.Peer == "headroom" {
			fmt.Fprintf(t, "\nGoals of headroom: the first answer at most %g ms after it is ready (%s), and at most %g kB\nfor each idle connection (%s). LIMIT has nothing around net/http: what it takes is net/http's own.\n",
				firstMost, verdict(f.First <= firstMost), perConnMost, verdict(f.PerConn <= perConnMost))
		}
	}
	return t.String()
}

// What headroom may take, before it is measured.
const (
	firstMost   = 50.0
	perConnMost = 24.0
)

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}
