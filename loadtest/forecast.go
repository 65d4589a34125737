package loadtest

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// Plan is what a forecast is asked.
type Plan struct {
	Peak   float64 // operations a second expected at the busiest; 0: the highest minute of the last year
	Factor float64 // by which a peak rises when a site fails; at least 1
	Target float64 // how many times the expected peak the server is to bear
}

// check refuses what no forecast can be made of: what is no number would pass as
// enough.
func (p Plan) check() error {
	for _, asked := range []struct {
		name         string
		value, least float64
	}{{"peak", p.Peak, 0}, {"failover factor", p.Factor, 1}, {"headroom wanted", p.Target, 0}} {
		if !(asked.value >= asked.least) || math.IsInf(asked.value, 1) {
			return fmt.Errorf("a %s of %g is not a number from %g on", asked.name, asked.value, asked.least)
		}
	}
	return nil
}

// ExitHeadroom is the code of a forecast that found less headroom than wanted.
const ExitHeadroom Exit = 6

// Forecast is how much headroom is left, and when growth uses it up.
type Forecast struct {
	*Projection
	Target  float64  `json:"target"`
	Exit    Exit     `json:"exit"`
	Scaling *scaling `json:"scaling"` // nil where the steps do not allow a fit
	NoFit   string   `json:"no_fit"`  // why not

	steps []step
}

// NewForecast puts breakpoints, measured with one or more amounts of data,
// beside what tenants did. usage is the CSV of `headroom usage`.
func NewForecast(runs []*Record, usage io.Reader, plan Plan, now time.Time) (*Forecast, error) {
	if err := plan.check(); err != nil {
		return nil, &Stop{ExitUsage, err}
	}
	weeks, err := readUsage(usage, now)
	if err != nil {
		return nil, &Stop{ExitUsage, err}
	}
	capacity, err := capacities(runs)
	if err != nil {
		return nil, &Stop{ExitUsage, err}
	}
	p, err := project(weeks, capacity, plan.Peak, plan.Factor)
	if err != nil {
		return nil, stopf(ExitUsage, "there is no forecast: %w", err)
	}
	f := &Forecast{Projection: p, Target: plan.Target, steps: scalingSteps(leastData(runs))}
	if p.Headroom < plan.Target {
		f.Exit = ExitHeadroom
	}
	if s, err := fitScaling(f.steps); err != nil {
		f.NoFit = err.Error()
	} else {
		f.Scaling = &s
	}
	return f, nil
}

// capacities are the breakpoints by the amount of data, the smallest being
// today's. Runs must agree in all but their data.
func capacities(runs []*Record) ([]CapacityAt, error) {
	if len(runs) == 0 {
		return nil, errNoCapacity
	}
	if err := alikeBut(func(f *Fingerprint) { f.Data = Data{} }, runs); err != nil {
		return nil, err
	}
	least := leastData(runs).Fingerprint.Data.Entries
	var list []CapacityAt
	for _, r := range runs {
		rate := bearable(r.concludedPoints())
		if rate <= 0 {
			return nil, fmt.Errorf("the run of %s found no breakpoint: it takes runs of surge breakpoint that came to an end", r.Began.Format("2006-01-02 15:04"))
		}
		data := 1.0
		if least > 0 {
			data = float64(r.Fingerprint.Data.Entries) / float64(least)
		}
		if slices.ContainsFunc(list, func(c CapacityAt) bool { return c.Data == data }) {
			return nil, fmt.Errorf("two of the runs hold the same data (%d entries): give one for each amount", r.Fingerprint.Data.Entries)
		}
		list = append(list, CapacityAt{Data: data, Rate: rate})
	}
	return list, nil
}

// concludedPoints are those that a search has confirmed. Where it was stopped, or the
// machine was not fit, the last one is only as far as it had come: it may lie too high.
func (r *Record) concludedPoints() []Point {
	if r.Verdict.Exit == ExitInvalid || r.Verdict.Exit == ExitInterrupted {
		return r.Points[:max(0, len(r.Points)-1)]
	}
	return r.Points
}

func leastData(runs []*Record) *Record {
	return slices.MinFunc(runs, func(a, b *Record) int { return a.Fingerprint.Data.Entries - b.Fingerprint.Data.Entries })
}

// scalingSteps are the steps of a search that nothing was refused in.
func scalingSteps(r *Record) []step {
	var list []step
	for _, s := range r.Steps {
		if s.Shed == 0 && len(s.Invalid) == 0 && s.Goodput > 0 && s.Service > 0 {
			list = append(list, step{Goodput: s.Goodput, Mean: time.Duration(s.Service).Seconds()})
		}
	}
	return list
}

// Why a file of usage is refused.
var (
	errUsageForm = errors.New("no week with two numbers, such as 2026-03-02,all,1200,50000")
	errNoTotals  = errors.New("the usage holds no lines of all workspaces together: give the file as headroom usage prints it")
)

// readUsage reads the weeks of all tenants together that are over.
func readUsage(r io.Reader, now time.Time) ([]Week, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = 4
	var weeks []Week
	seen, others := map[time.Time]bool{}, 0
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the usage must read week,workspace,peak_minute,entries: %w", err)
		}
		if row[1] != "all" {
			others++ // the header, and tenants
			continue
		}
		line, _ := rows.FieldPos(0)
		w, err := weekOf(row)
		switch {
		case err != nil:
			return nil, fmt.Errorf("line %d of the usage: %q is %w", line, row, err)
		case seen[w.Start]:
			return nil, fmt.Errorf("line %d of the usage: the week of %s stands there twice", line, row[0])
		case w.Start.Add(week).After(now): // its busiest minute may be still to come
		default:
			weeks = append(weeks, w)
		}
		seen[w.Start] = true
	}
	if len(seen) == 0 && others > 1 {
		return nil, errNoTotals
	}
	return weeks, nil
}

// weekOf reads the line of a week.
func weekOf(row []string) (Week, error) {
	start, err := time.Parse(time.DateOnly, row[0])
	if err != nil {
		return Week{}, errUsageForm
	}
	var counts [2]float64
	for i := range counts {
		n, err := strconv.ParseUint(row[2+i], 10, 53) // counts of what was done and is held
		if err != nil {
			return Week{}, errUsageForm
		}
		counts[i] = float64(n)
	}
	return Week{Start: start, Peak: counts[0] / 60, Entries: counts[1]}, nil
}
