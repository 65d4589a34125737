package loadtest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// maxBins is how many stretches of time a chart shows at most: what fits a
// screen, a table and the size of the page.
const maxBins = 150

// timeline sorts a run's seconds into bins of equal width. Rounds follow each
// other without the time between them.
type timeline struct {
	run   *Record
	round time.Duration // its length
	width int           // of a bin in seconds
	bins  int
}

func (r *Record) timeline() timeline {
	t := timeline{run: r}
	for _, p := range r.Phases {
		t.round = max(t.round, time.Duration(p.Start+p.For))
	}
	total := int(math.Ceil(t.round.Seconds())) * max(r.Rounds, 1)
	t.width = max(1, (total+maxBins-1)/maxBins)
	t.bins = max(1, (total+t.width-1)/t.width)
	return t
}

// bin is where a second of a phase belongs.
func (t timeline) bin(round int, phase string, second int) int {
	at := time.Duration(round)*t.round + time.Duration(second)*time.Second
	for _, p := range t.run.Phases {
		if p.Phase == phase {
			at += time.Duration(p.Start)
			break
		}
	}
	return min(t.bins-1, int(at.Seconds())/t.width)
}

// x are the middles of the bins in seconds.
func (t timeline) x() []float64 {
	x := make([]float64, t.bins)
	for i := range x {
		x[i] = (float64(i) + 0.5) * float64(t.width)
	}
	return x
}

func (t timeline) end() float64 { return float64(t.bins * t.width) }

// bands are the phases behind a chart.
func (t timeline) bands() []band {
	var list []band
	for round := range max(t.run.Rounds, 1) {
		last := ""
		for _, p := range t.run.Phases {
			if p.Phase == last {
				continue
			}
			last = p.Phase
			from := (time.Duration(round)*t.round + time.Duration(p.Start)).Seconds()
			list = append(list, band{Name: p.Phase, From: from, To: from + time.Duration(p.For).Seconds(), Odd: len(list)%2 == 1})
		}
	}
	return list
}

// outcomeParts are the outcomes as the timeline stacks them, from the bottom.
var outcomeParts = []struct {
	name, kind string
	outcomes   []Outcome
}{
	{"ok", "ok", []Outcome{OK}},
	{"late", "late", []Outcome{Late}},
	{"shed", "shed", []Outcome{Shed, Throttled, Rejected}},
	{"failed", "failed", []Outcome{Failed, Timeout, Connection}},
	{"not sent", "dropped", []Outcome{Dropped, GeneratorError, Interrupted, Unsent}},
}

// kindOf is the place of an outcome in outcomeParts. What a newer surge may
// have stored counts as failed.
func kindOf(outcome string) int {
	for i, p := range outcomeParts {
		if slices.ContainsFunc(p.outcomes, func(o Outcome) bool { return o.String() == outcome }) {
			return i
		}
	}
	return 3
}

func (r *Record) charts(id string) []*chart {
	t := r.timeline()
	list := append(r.searchCharts(id), t.flowChart(id), t.outcomesChart(id))
	for _, class := range r.chartClasses() {
		list = append(list, t.latencyChart(id, class), r.curveChart(id, class))
	}
	list = append(list, t.shedChart(id))
	list = append(list, t.gateCharts(id)...)
	return slices.DeleteFunc(list, func(c *chart) bool { return c == nil })
}

// chartClasses are the classes that came, in the order of the phases.
func (r *Record) chartClasses() []Class {
	var list []Class
	for _, p := range r.Phases {
		if !slices.Contains(list, p.Class) {
			list = append(list, p.Class)
		}
	}
	return list
}

// perSecond are the operations of each kind of outcome, a second.
func (t timeline) perSecond() [][]float64 {
	values := make([][]float64, len(outcomeParts))
	for i := range values {
		values[i] = make([]float64, t.bins)
	}
	for _, s := range t.run.Series {
		if s.Attempts {
			continue
		}
		for _, bin := range s.Seconds {
			values[kindOf(s.Outcome)][t.bin(s.Round, s.Phase, bin.Second)] += float64(bin.Count) / float64(t.width)
		}
	}
	return values
}

// outcomesChart is what became of the operations against those that were due.
func (t timeline) outcomesChart(id string) *chart {
	values := t.perSecond()
	planned := make([]float64, t.bins)
	for _, p := range t.run.Phases {
		for _, s := range p.Seconds {
			planned[t.bin(s.Round, p.Phase, s.Second)] += float64(s.Planned) / float64(t.width)
		}
	}
	most := slices.Max(planned)
	if most == 0 {
		return nil
	}
	c := &chart{
		ID: id + "-outcomes", Title: "Operations a second, by outcome",
		Note: "What became of the operations due at each moment; the line is what was due.",
		X:    clock(t.end()), Y: linear("operations a second", most), Bands: t.bands(),
		Table: figures{Head: []string{"at", "due/s"}},
	}
	var parts []part
	for i, p := range outcomeParts {
		parts = append(parts, part{p.name, p.kind, values[i]})
		c.Table.Head = append(c.Table.Head, p.name+"/s")
	}
	c.stack(t.x(), parts)
	c.line("due", "intended", t.x(), planned)
	for i := range planned {
		row := []string{moment(float64(i * t.width)), number(planned[i])}
		for _, v := range values {
			row = append(row, number(v[i]))
		}
		c.Table.Rows = append(c.Table.Rows, row)
	}
	return c
}

// quantilesOver are p50, p95 and p99 in milliseconds in each bin, NaN where
// nothing was counted. One histogram is open at a time.
func (t timeline) quantilesOver(wanted func(Series) bool) [3][]float64 {
	held := map[int][]Histogram{}
	for _, s := range t.run.Series {
		if s.Attempts || !wanted(s) {
			continue
		}
		for _, bin := range s.Seconds {
			at := t.bin(s.Round, s.Phase, bin.Second)
			held[at] = append(held[at], bin.Response)
		}
	}
	var out [3][]float64
	for q := range out {
		out[q] = make([]float64, t.bins)
		for i := range out[q] {
			out[q][i] = math.NaN()
		}
	}
	for _, at := range slices.Sorted(maps.Keys(held)) {
		var sum Histogram
		for _, h := range held[at] {
			sum.Add(h)
		}
		if all := sum.Quantiles(); all.Samples > 0 {
			for q, v := range []Millis{all.P50, all.P95, all.P99} {
				out[q][at] = float64(v) / float64(time.Millisecond)
			}
		}
	}
	return out
}

// answered tells a series that has response times of answers.
func answered(s Series) bool {
	return s.Outcome != Shed.String() && s.Outcome != Throttled.String() && kindOf(s.Outcome) != len(outcomeParts)-1
}

func (t timeline) latencyChart(id string, class Class) *chart {
	q := t.quantilesOver(func(s Series) bool { return s.Class == class && answered(s) })
	c := t.quantileChart(q)
	if c == nil {
		return nil
	}
	c.ID, c.Title = id+"-latency-"+string(class), "How long people waited: "+string(class)
	c.Note = "Response time from the moment an operation was due, on a logarithmic scale."
	for _, r := range t.run.Verdict.Results {
		if _, limit, found := cutPromise(r.Objective, "p99 <= "); found && r.Class == class {
			if ms, ok := quantity(limit); ok {
				c.Limits = append(c.Limits, limitLine{"promised p99: " + limit, ms})
			}
		}
	}
	return c
}

// cutPromise is what follows a prefix of an objective.
func cutPromise(objective, prefix string) (before, limit string, found bool) {
	if len(objective) < len(prefix) || objective[:len(prefix)] != prefix {
		return objective, "", false
	}
	return prefix, objective[len(prefix):], true
}

// quantileChart draws p50, p95 and p99 over time; nil if there are none.
func (t timeline) quantileChart(q [3][]float64) *chart {
	least, most := math.Inf(1), 0.0
	for _, line := range q {
		for _, v := range line {
			if !math.IsNaN(v) {
				least, most = math.Min(least, v), math.Max(most, v)
			}
		}
	}
	if most == 0 {
		return nil
	}
	c := &chart{X: clock(t.end()), Y: logarithmic("response time", least, most), Bands: t.bands(), Table: figures{Head: []string{"at", "p50", "p95", "p99"}}}
	for i, name := range []string{"p50", "p95", "p99"} {
		c.line(name, [3]string{"one", "two", "three"}[i], t.x(), q[i])
	}
	for i := range t.bins {
		if !math.IsNaN(q[0][i]) {
			c.Table.Rows = append(c.Table.Rows, []string{moment(float64(i * t.width)), millis(q[0][i]), millis(q[1][i]), millis(q[2][i])})
		}
	}
	return c
}

func (t timeline) shedChart(id string) *chart {
	c := t.quantileChart(t.quantilesOver(func(s Series) bool { return s.Outcome == Shed.String() }))
	if c == nil {
		return nil
	}
	c.ID, c.Title = id+"-shed", "How quickly it refused"
	c.Note = "Response time of documented refusals. A cheap refusal is a promise too: a slow one helps nobody."
	return c
}

// curve is the quantiles that the curve chart shows, by the number of nines.
var curve = []float64{0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999}

// curveLine is one of the times that the curve chart compares.
type curveLine struct {
	name, kind string
	of         Histogram
}

// curveLines are the times of a class's answers in the judged phases.
func (r *Record) curveLines(class Class) []curveLine {
	judged := r.judged()
	lines := []curveLine{{name: "response: from due", kind: "three"}, {name: "service: from sent", kind: "shed dashed"}, {name: "server: as it says", kind: "one"}}
	for _, s := range r.Series {
		if s.Attempts || s.Class != class || !judged[s.Phase] || !answered(s) {
			continue
		}
		for _, bin := range s.Seconds {
			lines[0].of.Add(bin.Response)
			lines[1].of.Add(bin.Service)
			lines[2].of.Add(bin.Server)
		}
	}
	return lines
}

// curveChart sets what people waited beside what the server took: a gap between
// the two is time spent waiting to be sent.
func (r *Record) curveChart(id string, class Class) *chart {
	lines := r.curveLines(class)
	n := lines[0].of.Quantiles().Samples
	if n == 0 {
		return nil
	}
	shown := slices.DeleteFunc(slices.Clone(curve), func(q float64) bool { return float64(n)*(1-q) < 1 })
	c := &chart{
		ID: id + "-curve-" + string(class), Title: "Response against service time: " + string(class),
		Note:  fmt.Sprintf("The time below which each share of %s answers lies. Where response exceeds service, the generator or its connections made people wait.", number(float64(n))),
		Table: figures{Head: []string{"share", "response", "service", "server"}},
	}
	least, most := math.Inf(1), 0.0
	for _, q := range shown {
		row := []string{percent(q)}
		for _, l := range lines {
			v := ms(l.of.At(q))
			row = append(row, millis(v))
			if v > 0 {
				least, most = math.Min(least, v), math.Max(most, v)
			}
		}
		c.Table.Rows = append(c.Table.Rows, row)
	}
	c.X, c.Y = shares(shown), logarithmic("time", least, most)
	for _, l := range lines {
		if l.of.Quantiles().Samples == 0 {
			continue
		}
		var x, y []float64
		for _, q := range shown {
			x, y = append(x, nines(q)), append(y, ms(l.of.At(q)))
		}
		c.line(l.name, l.kind, x, y)
	}
	return c
}

// nines is a share by the number of its nines.
func nines(q float64) float64 { return -math.Log10(1 - q) }

// shares is a scale of shares by their nines.
func shares(shown []float64) scale {
	s := scale{Label: "share of answers", Max: nines(shown[len(shown)-1])}
	for _, q := range shown {
		if q == 0.5 || q == 0.9 || q == 0.99 || q == 0.999 {
			s.Ticks = append(s.Ticks, axisTick{nines(q), percentile(q)})
		}
	}
	return s
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// together lays the answered operations of several runs over each other.
func (s *Study) together() *chart {
	var most, end float64
	var lines [][]float64
	var times []timeline
	for _, r := range s.Runs {
		t := r.timeline()
		ok := t.right()
		lines, times = append(lines, ok), append(times, t)
		most, end = math.Max(most, slices.Max(ok)), math.Max(end, t.end())
	}
	if most == 0 {
		return nil
	}
	c := &chart{
		ID: "together-chart", Title: "Operations answered right, a second", Note: "Each run on the same clock; answers to clients that reconnect when they came, others when they were due.",
		X: clock(end), Y: linear("operations a second", most), Table: figures{Head: []string{"at"}},
	}
	kinds := []string{"three", "failed", "ok", "shed", "late", "two"}
	for i, line := range lines {
		c.line(s.Names[i], kinds[i%len(kinds)], times[i].x(), line)
		c.Table.Head = append(c.Table.Head, s.Names[i])
	}
	width := slices.MaxFunc(times, func(a, b timeline) int { return a.width - b.width }).width
	for at := 0; at < int(end); at += width {
		row := []string{moment(float64(at))}
		for i, t := range times {
			cell := "–"
			if bin := at / t.width; bin < t.bins {
				cell = number(lines[i][bin])
			}
			row = append(row, cell)
		}
		c.Table.Rows = append(c.Table.Rows, row)
	}
	return c
}
