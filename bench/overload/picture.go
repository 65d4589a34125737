package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

var colours = map[string]string{"none": "#cf222e", "failsafe-go": "#9a6700", "bulkheads": "#1f6feb", "adaptive": "#1a7f37"}

// pictures are the files of a load: what the page shows and, of a storm, the
// picture with a gate and without one alone.
func (r *result) pictures(load string) map[string]string {
	out := map[string]string{"overload-" + load + ".svg": r.picture(load, names, nil)}
	if load == "storm" {
		out["overload-incident.svg"] = r.picture(load, []string{"none", "adaptive"}, map[string]string{"none": "without a gate", "adaptive": "with the gate"})
	}
	return out
}

const (
	wide, high   = 430.0, 230.0
	left, bottom = 52.0, 34.0
)

// panel is one of the two diagrams.
type panel struct {
	x0         float64
	title      string
	low, top   float64
	log        bool
	seconds    int
	value      func(Second) float64
	from, till float64 // of the storm, in seconds
}

func (r *result) picture(load string, gates []string, called map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="11">`+"\n", 2*wide+20, high+30)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for _, p := range r.panels(load) {
		p.frame(&b, load)
		for _, gate := range gates {
			p.line(&b, colours[gate], r.over(gate, load, p.value, p.log))
		}
	}
	x := left
	for _, gate := range gates {
		text := called[gate]
		if text == "" {
			text = gate
		}
		fmt.Fprintf(&b, `<path d="M%g %gh18" stroke="%s" stroke-width="2.5"/><text x="%g" y="%g">%s</text>`+"\n", x, high+14, colours[gate], x+23, high+18, text)
		x += 130
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (r *result) panels(load string) []panel {
	most, seconds := 0.0, 0
	for _, block := range r.Blocks {
		if block.Load != load {
			continue
		}
		seconds = max(seconds, len(block.Seconds))
		for _, s := range block.Seconds {
			most = max(most, float64(s.Answered))
		}
	}
	from, till := lead.Seconds(), (lead + r.Block).Seconds()
	title, p99 := "p99 of clicks by second, ms", func(s Second) float64 { return s.P99 }
	if load == "rush" { // most are refused under each gate
		title, p99 = "p99 of the clicks answered, by second, ms", func(s Second) float64 { return s.Served99 }
	}
	return []panel{
		{x0: 0, title: title, low: 10, top: lost, log: true, seconds: seconds, from: from, till: till, value: p99},
		{x0: wide + 10, title: "clicks answered, of those due in the second", low: 0, top: math.Ceil(most/20) * 20, seconds: seconds, from: from, till: till, value: func(s Second) float64 { return float64(s.Answered) }},
	}
}

// over is a value by second, of all blocks of a gate with one process: the mean,
// of logarithms where the axis is one.
func (r *result) over(gate, load string, value func(Second) float64, log bool) (out []float64) {
	blocks := r.of(gate, 1, load)
	if len(blocks) == 0 {
		return nil
	}
	for i := range blocks[0].Seconds {
		sum := 0.0
		for _, block := range blocks {
			if v := value(block.Seconds[i]); log {
				sum += math.Log(max(v, 1))
			} else {
				sum += v
			}
		}
		mean := sum / float64(len(blocks))
		if log {
			mean = math.Exp(mean)
		}
		out = append(out, mean)
	}
	return out
}

func (p panel) place(second, value float64) (x, y float64) {
	share := (value - p.low) / (p.top - p.low)
	if p.log {
		share = math.Log(max(value, p.low)/p.low) / math.Log(p.top/p.low)
	}
	return p.x0 + left + second/float64(p.seconds)*(wide-left-8), high - bottom - min(1, share)*(high-bottom-26)
}

func (p panel) frame(b *strings.Builder, load string) {
	fmt.Fprintf(b, `<text x="%g" y="14" font-weight="bold">%s</text>`+"\n", p.x0+left, p.title)
	x1, y1 := p.place(p.from, p.top)
	x2, y2 := p.place(p.till, p.low)
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#f3f4f6"/><text x="%.1f" y="%.1f" text-anchor="middle" fill="#57606a">%s</text>`+"\n", x1, y1, x2-x1, y2-y1, (x1+x2)/2, y1+12, strings.ToLower(titles[load]))
	marks := []float64{10, 100, 1000}
	if !p.log {
		marks = []float64{0, p.top / 2, p.top}
	}
	for _, v := range marks {
		x, y := p.place(0, v)
		end, _ := p.place(float64(p.seconds), v)
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%g</text>`+"\n", x, y, end, x-5, y+4, v)
	}
	for s := 0; s <= p.seconds; s += 5 {
		x, y := p.place(float64(s), p.low)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%v</text>`+"\n", x, y+16, time.Duration(s)*time.Second)
	}
}

func (p panel) line(b *strings.Builder, colour string, values []float64) {
	var points []string
	for i, v := range values {
		x, y := p.place(float64(i)+0.5, v)
		points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
	}
	if points != nil {
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.8"/>`+"\n", strings.Join(points, " "), colour)
	}
}
