package loadtest

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteText writes the comparison for a person, the verdict last.
func (r *Comparison) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\nbase: %s (%d runs)\nnew:  %s (%d runs)\n", r.Base, len(r.baseRuns), r.New, len(r.newRuns))
	if r.Machine != nil {
		fmt.Fprintf(&b, "the machine, base against base: %s\n", r.Machine)
	}
	if r.Schemas {
		fmt.Fprintf(&b, "the schemas differ; what was sent fits both\n")
	}
	for _, t := range r.tables() {
		table(&b, t.Head, t.Rows)
	}
	b.WriteString("\n")
	for _, reason := range r.Reasons[min(1, len(r.Reasons)):] {
		fmt.Fprintf(&b, "         %s\n", reason)
	}
	fmt.Fprintf(&b, "%-9s  %s\n", r.Verdict, r.cause())
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the comparison: %w", err)
	}
	return nil
}

func (r *Comparison) cause() string {
	if len(r.Reasons) == 0 {
		return ""
	}
	return r.Reasons[0]
}

// tables are the comparison's figures, the exact ones first.
func (r *Comparison) tables() []pageTable {
	counters := pageTable{Title: "Work of an operation, by the server's own counters", Head: []string{"counter", "base", "new", "change"}}
	for _, c := range r.Counters {
		counters.Rows = append(counters.Rows, []string{c.name(), number(c.Base), number(c.New), change(c.New / c.Base)})
	}
	primary := pageTable{Title: "Processor time of an operation", Head: []string{"what", "base", "new", "change", "95 % sure above", "95 % sure below", "p"}}
	for _, p := range []struct {
		name string
		of   *Primary
	}{{"base against itself", r.Machine}, {"new against base", r.Primary}} {
		if p.of != nil {
			primary.Rows = append(primary.Rows, []string{
				p.name, millis(p.of.BaseMicros / 1000), millis(p.of.NewMicros / 1000), change(p.of.Ratio), change(p.of.Low), change(p.of.High), fmt.Sprintf("%.3f", p.of.P),
			})
		}
	}
	operations := pageTable{Title: "Median service time of each operation", Head: []string{"operation", "change", "p, all together"}}
	for _, o := range r.Operations {
		operations.Rows = append(operations.Rows, []string{o.Operation, change(o.Ratio), fmt.Sprintf("%.3f", o.P)})
	}
	return nonEmpty(counters, primary, operations)
}

// verdictTones give a comparison the colours of a run.
var verdictTones = map[string]string{"SAME": "PASS", "SLOWER": "FAIL"}

// page is the comparison as a chapter of the HTML report.
func (r *Comparison) page() runPage {
	tone, known := tones[verdictTones[r.Verdict]]
	if !known {
		tone = tones["UNDECIDED"]
	}
	p := runPage{
		ID: "comparison", Name: "Comparison", Word: r.Verdict[:1] + strings.ToLower(r.Verdict[1:]), Tone: tone[0], Sign: tone[1], Cause: typeset(r.cause()),
		Facts: []fact{{"base", r.Base}, {"new", r.New}, {"runs", fmt.Sprintf("%d + %d", len(r.baseRuns), len(r.newRuns))}},
	}
	if r.Schemas {
		p.Facts = append(p.Facts, fact{"schemas", "they differ; what was sent fits both"})
	}
	if len(r.Reasons) > 1 {
		p.More = r.Reasons[1:]
	}
	if c := r.chart(); c != nil {
		p.Charts = []*chart{c}
	}
	p.Sections = []pagePart{{
		Title: "What was compared", Tables: r.tables(),
		Lead: "Counters come first: the same operations on the same data take the same statements. Then one endpoint decides, processor time of an operation, by the exact permutation of the runs. Single operations are a hint where to look.",
	}}
	return p
}

// chart shows the processor time of each run of both sides.
func (r *Comparison) chart() *chart {
	if r.Primary == nil {
		return nil
	}
	base, next, _ := costs(r.baseRuns, r.newRuns)
	most := 0.0
	for _, v := range append(append([]float64{}, base...), next...) {
		most = math.Max(most, v*1000)
	}
	c := &chart{
		ID: "comparison-chart", Title: "Processor time of an operation, run by run", Note: "In milliseconds, at the machine's mean speed; both sides got the same operations in each pair.",
		X: scale{Label: "pair", Min: 1, Max: float64(max(2, len(base), len(next)))}, Y: linear("ms", most),
		Table: figures{Head: []string{"pair", "base", "new"}},
	}
	for i := 1; i <= int(c.X.Max); i++ {
		c.X.Ticks = append(c.X.Ticks, axisTick{float64(i), fmt.Sprint(i)})
	}
	for _, s := range []struct {
		name, kind string
		values     []float64
	}{{"base", "one", base}, {"new", "three", next}} {
		var x, y []float64
		for i, v := range s.values {
			x, y = append(x, float64(i+1)), append(y, v*1000)
		}
		c.line(s.name, s.kind, x, y)
	}
	for i := range min(len(base), len(next)) {
		c.Table.Rows = append(c.Table.Rows, []string{fmt.Sprint(i + 1), millis(base[i] * 1000), millis(next[i] * 1000)})
	}
	return c
}
