package main

import (
	"fmt"
	"strings"

	"bench/lab"
)

// publishCurves writes what was measured so far, or prints it.
func (b *bench) publishCurves() error {
	if b.options.out == "" {
		fmt.Print(b.curvesPage(""))
		return nil
	}
	raw, err := b.keep("curves-", figuresKept{Samples: b.samples})
	if err != nil {
		return err
	}
	if err := b.write("peers-curves.svg", b.curvesPicture()); err != nil {
		return err
	}
	return b.write("peers-curves.md", b.curvesPage(raw))
}

// curve is what a chart shows: lines of one kind of growth.
type curve struct {
	over  string
	lines []string
	x     []float64
	log   bool
}

func theCurves() []curve {
	var entries, depths []float64
	for _, n := range curveEntries {
		entries = append(entries, float64(n))
	}
	for depth := range curveDepths {
		depths = append(depths, float64(depth))
	}
	return []curve{
		{overEntries, []string{"my day", "page of 50 entries with everything nested", "month by project", "create entry"}, entries, true},
		{overPages, []string{"page"}, curvePages, true},
		{overDepths, []string{"page"}, depths, false},
		{overWorkspaces, []string{"my day"}, curveWorkspaces, true},
		{overConnections, []string{"my day"}, curveConnections, true},
	}
}

// latency is the p50 at one connection, and work the processor's time of server and
// database, at eight where it was measured there. Both are in milliseconds.
func (b *bench) latency(name string) float64 {
	return b.median(name, "headroom", one, func(s sample) float64 { return s.P50 })
}

func (b *bench) work(name string, of func(sample) float64) float64 {
	if v := b.median(name, "headroom", eight, of); v > 0 {
		return v
	}
	return b.median(name, "headroom", one, of)
}

func ofServer(s sample) float64   { return s.Server }
func ofDatabase(s sample) float64 { return s.Database }

func (b *bench) curvesPicture() string {
	var charts []lab.Chart
	for _, c := range theCurves() {
		latency := lab.Chart{Title: "p50 at one connection, ms", Across: c.over, Marks: c.x, Log: c.log, Low: 0.1, Top: 100}
		work := latency
		work.Title = "processor, server and database, ms"
		for _, line := range c.lines {
			called := line
			if line == "page" {
				called = "page of entries"
			}
			l, w := lab.Line{Name: called}, lab.Line{Name: called}
			for _, x := range c.x {
				name := curveName(c.over, line, x)
				if v := b.latency(name); v > 0 {
					l.X, l.Y = append(l.X, x), append(l.Y, v)
				}
				if v := b.work(name, ofServer) + b.work(name, ofDatabase); v > 0 {
					w.X, w.Y = append(w.X, x), append(w.Y, v)
				}
			}
			latency.Lines, work.Lines = append(latency.Lines, l), append(work.Lines, w)
		}
		charts = append(charts, latency, work)
	}
	return lab.Picture(charts)
}

func (b *bench) curvesPage(raw string) string {
	var t strings.Builder
	b.head(&t, "How headroom grows: measured", raw)
	fmt.Fprintf(&t, "%d rounds of %s. %s\n\n", b.rounds(), b.options.cell, b.voids())
	fmt.Fprintf(&t, `The server has all its protections. Entries are those of one workspace of %d people; pages,
levels and connections are measured in the largest. The many workspaces have 20 entries each,
and ask in turn. Connections have asked once and then wait, while one or eight of them work.
Reports over up to ten million entries are in [reports](reports.md).

![curves](peers-curves.svg)
`, users)
	for _, c := range theCurves() {
		fmt.Fprintf(&t, "\n## %s\n\n| | %s | p50 ms, 1 connection | CPU ms, server + database | a second, 8 connections | MB |\n|---|---|---|---|---|---|\n", strings.ToUpper(c.over[:1])+c.over[1:], c.over)
		for _, line := range c.lines {
			for _, x := range c.x {
				name := curveName(c.over, line, x)
				if b.latency(name) == 0 {
					continue
				}
				fmt.Fprintf(&t, "| %s | %s | %.2f | %.2f + %.2f | %s | %.0f |\n", line, lab.Short(x), b.latency(name), b.work(name, ofServer), b.work(name, ofDatabase),
					perSecond(b.median(name, "headroom", eight, func(s sample) float64 { return s.Rate })), b.work(name, func(s sample) float64 { return s.Memory }))
			}
		}
	}
	return t.String()
}
