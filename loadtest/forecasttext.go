package loadtest

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"time"
)

// WriteText writes the forecast for a person.
func (f *Forecast) WriteText(w io.Writer) error {
	var b bytes.Buffer
	for _, t := range f.tables() {
		table(&b, t.Head, t.Rows)
	}
	fmt.Fprintf(&b, "\n%s\n%s\n", f.dates(), f.line())
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the forecast: %w", err)
	}
	return nil
}

// line is the headroom in one line.
func (f *Forecast) line() string {
	text := fmt.Sprintf("headroom %.2f x: it bears %s a second, and %s are expected", f.Headroom, number(f.bears(1)), number(f.Peak*f.Factor))
	if f.Factor > 1 {
		text += fmt.Sprintf(" (%s with a failover factor of %.3g)", number(f.Peak), f.Factor)
	}
	if f.Exit == ExitHeadroom {
		text += fmt.Sprintf("; %.3g x are wanted", f.Target)
	}
	return text
}

// dates says when growth uses the headroom up.
func (f *Forecast) dates() string {
	date := func(at *time.Time) string {
		if at == nil {
			return "not within 5 years"
		}
		return at.Format("2 January 2006")
	}
	return fmt.Sprintf("used up: earliest %s, median %s, latest %s; the peak grows by %+.0f %% a year (80 %% sure: %s to %s)",
		date(f.Earliest), date(f.Median), date(f.Latest), 100*f.Growth, yearly(f.Low), yearly(f.High))
}

func yearly(growth float64) string {
	if math.IsInf(growth, 0) || growth > 100 {
		return "unknown"
	}
	return fmt.Sprintf("%+.0f %%", 100*growth)
}

func (f *Forecast) tables() []pageTable {
	capacity := pageTable{Title: "What the server bears as data grow", Head: []string{"data", "operations a second", "headroom"}}
	for _, c := range f.Capacity {
		capacity.Rows = append(capacity.Rows, []string{fmt.Sprintf("%.3g x", c.Data), number(c.Rate), fmt.Sprintf("%.2f x", c.Rate/(f.Peak*f.Factor))})
	}
	scaling := pageTable{Title: "How it scales", Head: []string{"what", "value"}}
	if s := f.Scaling; s != nil {
		scaling.Rows = [][]string{
			{"greatest goodput", fmt.Sprintf("%s a second (90 %%: %s to %s)", number(s.Most), number(s.Low), number(s.High))},
			{"in flight there", number(s.peak())},
			{"share that waits for one another", percent(s.Sigma)},
		}
	} else {
		scaling.Rows = [][]string{{"no fit", f.NoFit}}
	}
	return []pageTable{capacity, scaling}
}

// page is the forecast as a chapter of the HTML report.
func (f *Forecast) page() runPage {
	tone, word := tones["PASS"], "Enough headroom"
	if f.Exit == ExitHeadroom {
		tone, word = tones["FAIL"], "Too little headroom"
	}
	return runPage{
		ID: "forecast", Name: "Forecast", Word: word, Tone: tone[0], Sign: tone[1], Cause: f.line(), More: []string{f.dates()},
		Facts:  []fact{{"weeks of use", fmt.Sprint(len(f.Weeks))}, {"expected peak", number(f.Peak) + " a second"}, {"failover factor", fmt.Sprintf("%.3g", f.Factor)}, {"wanted", fmt.Sprintf("%.3g x", f.Target)}},
		Charts: []*chart{f.chart()},
		Sections: []pagePart{{
			Title: "What it rests on", Tables: f.tables(),
			Lead: "The trend is the median slope between all pairs of weeks, so that odd weeks do not bend it. Growth counts twice: it brings more operations, and it makes each of them dearer.",
		}},
	}
}

// chart shows what is wanted and what the server bears, week by week.
func (f *Forecast) chart() *chart {
	ahead := 104.0
	if f.Latest != nil {
		ahead = math.Max(ahead, f.Latest.Sub(f.now).Hours()/168+13)
	}
	ahead = math.Min(ahead, horizon)
	var x, low, median, high, bears, seen, seenX []float64
	for _, w := range f.Weeks {
		seenX, seen = append(seenX, w.Start.Sub(f.now).Hours()/168), append(seen, w.Peak)
	}
	widest := f.peakTrend
	if math.IsInf(widest.High, 0) {
		widest.Low, widest.High = widest.Slope, widest.Slope
	}
	most := f.bears(1)
	for w := 0.0; w <= ahead; w += math.Max(1, math.Floor(ahead/maxBins)) {
		x = append(x, w)
		low, median, high = append(low, f.needs(widest.Low, w)), append(median, f.needs(f.peakTrend.Slope, w)), append(high, f.needs(widest.High, w))
		bears = append(bears, f.bears(math.Exp(f.dataTrend.Slope*w)))
	}
	most = math.Max(most, math.Min(2*most, high[len(high)-1])) * 1.1
	c := &chart{
		ID: "forecast-chart", Title: "What is wanted, and what the server bears", Note: "Operations a second, weeks from the last one of use; the band holds the wanted rate with 80 % confidence.",
		X: scale{Label: "weeks", Min: seenX[0], Max: ahead}, Y: linear("operations a second", most),
		Table: figures{Head: []string{"weeks from now", "wanted, low", "wanted", "wanted, high", "it bears"}},
	}
	for _, w := range []float64{0, 26, 52, 104, 156, 208, 260} {
		if w <= ahead {
			c.X.Ticks = append(c.X.Ticks, axisTick{w, f.now.AddDate(0, 0, int(7*w)).Format("Jan 2006")})
		}
	}
	c.between("", "two fan", x, low, high)
	c.line("busiest minute seen", "intended", seenX, seen)
	c.line("wanted", "two", x, median)
	c.line("the server bears", "ok", x, bears)
	for i := range x {
		c.Table.Rows = append(c.Table.Rows, []string{number(x[i]), number(low[i]), number(median[i]), number(high[i]), number(bears[i])})
	}
	return c
}
