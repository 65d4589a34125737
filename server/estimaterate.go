package server

import (
	"headroom/limits"
	"headroom/timesheet"
)

const (
	// repricedPoints is the most that a repricing costs: with what it answers it stays
	// within the cap of one operation, since the store bounds how many entries it
	// takes.
	repricedPoints = 900
	// ratePoints is the least bound of a rate: what the schema declares.
	ratePoints = 20
)

// rate estimates that a rate is set: by the entries that get it with it, those of its
// people, projects and days in open books.
func (e *estimator) rate(args limits.Arguments) limits.Estimate {
	input, _ := args.Get("input").(map[string]any)
	all, there := 0.0, 0.0
	if apply := input["applyTo"]; apply != nil && apply != string(timesheet.ApplyFuture) {
		f := entryFilter{period: e.open(input), users: values{input["userId"]}, projects: values{input["projectId"]}}
		all, there = e.readable(f.period), e.matching(f)
	}
	work := func(entries float64) float64 {
		return min(repricedPoints, limits.MutationWeight+e.rates.statements[byRate]*e.rates.write*entries)
	}
	most := max(ratePoints, work(growth*all))
	return limits.Estimate{
		Rows: 1, MaxRows: 1, Work: duration(min(work(there), most)), MaxWork: duration(most), Statement: byRate,
	}
}

// open are the days of which a repricing takes entries.
func (e *estimator) open(input map[string]any) timesheet.Period {
	p := always
	if input["applyTo"] == string(timesheet.ApplyAllFrom) {
		p = periodOf(map[string]any{"from": input["applyFrom"], "to": input["applyThrough"]})
	}
	if locked := e.viewer.Workspace.LockedThrough; locked != nil {
		p.From = max(p.From, *locked+1)
	}
	return p
}
