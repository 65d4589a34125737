package loadtest

import (
	"encoding/csv"
	"fmt"
	"io"
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
	var alike []*Record
	for _, r := range runs {
		same := &Record{Scenario: r.Scenario, ScenarioHash: r.ScenarioHash, Fingerprint: r.Fingerprint}
		same.Fingerprint.Data = Data{}
		alike = append(alike, same)
	}
	if err := Alike(alike...); err != nil {
		return nil, err
	}
	least := leastData(runs).Fingerprint.Data.Entries
	var list []CapacityAt
	for _, r := range runs {
		rate := bearable(r.Points)
		if rate <= 0 {
			return nil, fmt.Errorf("the run of %s found no breakpoint: it takes runs of surge breakpoint", r.Began.Format("2006-01-02 15:04"))
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

// readUsage reads the weeks of all tenants together that are over.
func readUsage(r io.Reader, now time.Time) ([]Week, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = 4
	var weeks []Week
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the usage must read week,workspace,peak_minute,entries: %w", err)
		}
		if row[1] != "all" {
			continue // the header, and tenants
		}
		line, _ := rows.FieldPos(0)
		start, err1 := time.Parse(time.DateOnly, row[0])
		peak, err2 := strconv.ParseFloat(row[2], 64)
		entries, err3 := strconv.ParseFloat(row[3], 64)
		if err1 != nil || err2 != nil || err3 != nil {
			return nil, fmt.Errorf("line %d of the usage: %q is no week with two numbers, such as 2026-03-02,all,1200,50000", line, row)
		}
		if start.Add(week).After(now) {
			continue // its busiest minute may be still to come
		}
		weeks = append(weeks, Week{Start: start, Peak: peak / 60, Entries: entries})
	}
	return weeks, nil
}
