package loadtest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// searchCharts are the pictures of a search for the breakpoint; none of other runs.
func (r *Record) searchCharts(id string) []*chart {
	if len(r.Steps) == 0 {
		return nil
	}
	return []*chart{r.stepsChart(id), r.scalingChart(id)}
}

// stepsChart sets what was answered right at each rate against what was asked for,
// with the breakpoints across.
func (r *Record) stepsChart(id string) *chart {
	steps := slices.Clone(r.Steps)
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.Rate, b.Rate) })
	most := steps[len(steps)-1].Rate
	c := &chart{
		ID: id + "-steps", Title: "Answered right at each rate",
		Note: "A point of the line is a step of the search. Where it leaves the dashed line, more is asked than is answered right.",
		X:    linear("asked for, a second", most), Y: linear("answered right, a second", most),
		Table: figures{Head: []string{"asked for, a second", "answered right, a second", "refused", "p50", "p99", "what broke"}},
	}
	var x, goodput []float64
	for _, s := range steps {
		x, goodput = append(x, s.Rate), append(goodput, s.Goodput)
		broke := "–"
		if len(s.Broke) > 0 {
			broke = typeset(s.Broke[0].Rule)
		}
		c.Table.Rows = append(c.Table.Rows, []string{
			number(s.Rate), number(s.Goodput), number(float64(s.Shed)), quantile(s.Response, s.Response.P50), quantile(s.Response, s.Response.P99), broke,
		})
	}
	c.line("all that was asked for", "intended dashed", []float64{0, most}, []float64{0, most})
	c.line("answered right", "ok", x, goodput)
	for _, p := range r.Points {
		if p.Rate > 0 {
			c.Limits = append(c.Limits, limitLine{fmt.Sprintf("%s: %s", p.Name, number(p.Rate)), p.Rate})
		}
	}
	return c
}

// scalingChart draws the scalability law through the steps, with the band that
// holds nine in ten of the fits to steps drawn anew; nil where there is no fit.
func (r *Record) scalingChart(id string) *chart {
	steps := scalingSteps(r)
	law, err := fitScaling(steps)
	if err != nil {
		return nil
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(a.inFlight(), b.inFlight()) })
	end := math.Max(steps[len(steps)-1].inFlight(), law.peak()) * 1.25
	var x, fit []float64
	for i := range curvePoints {
		n := 1 + (end-1)*float64(i)/(curvePoints-1)
		x, fit = append(x, n), append(fit, law.at(n))
	}
	low, high := scalingBand(steps, x)
	c := &chart{
		ID: id + "-scaling", Title: "How it scales",
		Note: fmt.Sprintf("The universal scalability law, fitted to the steps without refusals: at most %s a second (90 %%: %s to %s), with %s in flight. The band holds 90 %% of the fits.", number(law.Most), number(law.Low), number(law.High), number(law.peak())),
		X:    linear("in flight", end), Y: linear("answered right, a second", slices.Max(high)*1.05),
		Table: figures{Head: []string{"in flight", "seen", "fitted", "90 %: from", "to"}},
	}
	var seenX, seen []float64
	for _, s := range steps {
		seenX, seen = append(seenX, s.inFlight()), append(seen, s.Goodput)
	}
	c.between("", "two fan", x, low, high)
	c.line("fitted", "two", x, fit)
	c.line("seen", "ok", seenX, seen)
	lows, highs := scalingBand(steps, seenX)
	for i, s := range steps {
		c.Table.Rows = append(c.Table.Rows, []string{number(seenX[i]), number(s.Goodput), number(law.at(seenX[i])), number(lows[i]), number(highs[i])})
	}
	return c
}

// curvePoints is how many points a drawn law has.
const curvePoints = 60

// scalingBand is where 90 % of the fits to resampled steps lie at each concurrency.
func scalingBand(steps []step, at []float64) (low, high []float64) {
	fits := resampled(steps)
	for _, n := range at {
		values := make([]float64, 0, len(fits))
		for _, f := range fits {
			values = append(values, f.at(n))
		}
		slices.Sort(values)
		low, high = append(low, values[len(values)/20]), append(high, values[len(values)-1-len(values)/20])
	}
	return low, high
}
