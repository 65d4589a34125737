package server

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"headroom/graph"
	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

const (
	// scarce is the share of sampled descriptions up to which a text counts as
	// one that nothing matches: the whole period is read for it.
	scarce = 0.01
	// reportPoints is the least bound of a report: what the schema declares.
	reportPoints = 60
	// summarySets is how many times the statement of a summary adds up a row.
	summarySets = 3
	// growth is how many times its counted entries a period may hold at most.
	growth = 2
)

// entries estimates a page of entries: rows are read from one end on until the
// page is full or, where a text matches few, until the period ends.
func (e *estimator) entries(args map[string]any) limits.Estimate {
	f := filterOf(args["filter"])
	there, size := e.matching(f), pageSize(args)
	rows, read, rate := min(size, there), min(size, there), msHeap
	if f.text != "" {
		matched := e.matchRate(f.text)
		rows, read, rate = min(size, matched*there), there, msText
		if matched > scarce {
			read = min(there, size/matched)
		}
	}
	most := max(limits.RootWeight, msStatement+growth*msText*e.readable(f.period))
	work := min(msStatement+rate*read, most)
	return limits.Estimate{Rows: roundedRows(rows), MaxRows: math.MaxInt32, Work: duration(work), MaxWork: duration(most), Statement: "listEntries"}
}

// pageSize is what first or last asks for.
func pageSize(args map[string]any) float64 {
	for _, name := range []string{"first", "last"} {
		if n, ok := args[name].(json.Number); ok {
			if size, err := n.Float64(); err == nil {
				return size
			}
		}
		if n, ok := args[name].(int64); ok {
			return float64(n)
		}
	}
	return timesheet.MaxPage
}

// report estimates a report: the entries it reads, by the cheaper of two ways,
// and the groups they fall into.
func (e *estimator) report(args map[string]any) limits.Estimate {
	input, _ := args["input"].(map[string]any)
	f := filterOf(input["filter"])
	f.period = intersect(f.period, periodOf(input["period"]))
	keys := texts(input["groupBy"])
	all, there := e.readable(f.period), e.matching(f)
	work := msIndex * all
	switch {
	case f.text != "":
		work = msText * there
	case f.rows || slices.Contains(keys, string(timesheet.GroupTag)):
		work = msHeap * there
	case !e.viewer.ReadsEverybody():
		work = msHeap * there
	default:
		if e.summable(input, keys, f) {
			work = e.summed(f.period, keys, f)
		}
		if f.narrows() {
			work = min(work, msHeap*there)
		}
	}
	groups := e.groups(keys, f, there)
	if fill, _ := input["fillGaps"].(bool); fill {
		groups = e.groups(keys, f, math.Inf(1))
	}
	work += msStatement + msResult*groups
	most := max(reportPoints, msStatement+growth*(msText+msResult)*all)
	return limits.Estimate{Rows: roundedRows(groups), MaxRows: math.MaxInt32, Work: duration(min(work, most)), MaxWork: duration(most), Statement: "reportGroups"}
}

// summary estimates a report by three keys of which each has its own rows. Each
// row that is read is added to three sums.
func (e *estimator) summary(args map[string]any) limits.Estimate {
	f := entryFilter{period: periodOf(args["period"])}
	keys := []string{string(timesheet.GroupProject), string(timesheet.GroupUser), string(timesheet.SummaryUnit(f.period))}
	all, rate := e.readable(f.period), msIndex
	if !e.viewer.ReadsEverybody() {
		rate = msHeap
	}
	work := rate * all
	if e.viewer.ReadsEverybody() && e.summable(nil, keys, f) {
		work = e.summed(f.period, keys, f)
	}
	groups := 0.0
	for _, key := range keys {
		groups += e.groups([]string{key}, f, all)
	}
	work = msStatement + summarySets*work + msResult*groups
	most := max(reportPoints, msStatement+growth*(summarySets*rate*all+msResult*groups)) // no text is read
	return limits.Estimate{Rows: roundedRows(groups), MaxRows: math.MaxInt32, Work: duration(min(work, most)), MaxWork: duration(most), Statement: "summaryGroups"}
}

// summable tells whether the sums of months are all that a report needs; it
// follows timesheet.PlanReport.
func (e *estimator) summable(input map[string]any, keys []string, f entryFilter) bool {
	if e.viewer.Workspace.RollupDrifted || len(f.tasks) > 0 {
		return false
	}
	for _, key := range []timesheet.GroupKey{timesheet.GroupTask, timesheet.GroupDay, timesheet.GroupWeek} {
		if slices.Contains(keys, string(key)) {
			return false
		}
	}
	rounding, given := input["rounding"].(map[string]any)
	return !given || rounding["scope"] == string(timesheet.RoundRow)
}

// summed is the time for a period of which whole months are read from kept sums,
// those of projects unless people are asked for, and the days before and after
// them from the index.
func (e *estimator) summed(p timesheet.Period, keys []string, f entryFilter) float64 {
	sums := e.counts.ProjectSums
	if len(f.users) > 0 || slices.Contains(keys, string(timesheet.GroupUser)) {
		sums = e.counts.Sums
	}
	whole := timesheet.Period{From: p.From.Month(), To: (p.To + 1).Month() - 1}
	if whole.From < p.From {
		whole.From = (whole.From + 31).Month()
	}
	edges := e.readable(p)
	if whole.To < whole.From {
		return msIndex * edges
	}
	return msIndex*(edges-e.readable(whole)) + msSum*sums.Between(whole, e.counts.AsOf, e.today)
}

// groups is how many leaves a report of so many entries has.
func (e *estimator) groups(keys []string, f entryFilter, entries float64) float64 {
	most := 1.0
	for _, key := range keys {
		most *= e.values(timesheet.GroupKey(key), keys, f)
	}
	if most <= 0 || entries <= 0 {
		return 0
	}
	return most * (1 - math.Exp(-entries/(3*most))) // entries come in runs of the same work
}

// values is how many values a key can have. Who sees their own entries alone
// is told nothing of how much else there is.
func (e *estimator) values(key timesheet.GroupKey, keys []string, f entryFilter) float64 {
	days := float64(f.period.To-f.period.From) + 1
	switch key {
	case timesheet.GroupBillable:
		return 2
	case timesheet.GroupDay:
		return max(1, days)
	case timesheet.GroupWeek:
		return max(1, math.Ceil(days/7))
	case timesheet.GroupMonth:
		return max(1, math.Ceil(days/30.4))
	case timesheet.GroupYear:
		return max(1, math.Ceil(days/365))
	case timesheet.GroupUser:
		if !e.viewer.ReadsEverybody() {
			return 1
		}
	}
	if !e.viewer.ReadsEverybody() {
		return 1 << 20
	}
	c := e.counts
	switch key {
	case timesheet.GroupUser:
		return among(c.Users, f.users)
	case timesheet.GroupClient:
		if slices.Contains(keys, string(timesheet.GroupProject)) || slices.Contains(keys, string(timesheet.GroupTask)) {
			return 1 // a project has one
		}
		return among(c.Clients+1, f.clients)
	case timesheet.GroupProject:
		if slices.Contains(keys, string(timesheet.GroupTask)) {
			return 1 // so has a task
		}
		return among(c.Projects+1, f.projects)
	case timesheet.GroupTask:
		return among(c.Tasks+1, f.tasks)
	default:
		return float64(c.Tags + 1)
	}
}

// among is how many of n a filter leaves.
func among(n int64, ids []string) float64 {
	if len(ids) > 0 {
		return min(float64(n), float64(len(ids)))
	}
	return float64(n)
}

// readable is how many entries of a period the viewer may see.
func (e *estimator) readable(p timesheet.Period) float64 {
	m := e.counts.All
	if !e.viewer.ReadsEverybody() {
		m = e.counts.ByUser[e.viewer.User]
	}
	return m.Between(p, e.counts.AsOf, e.today)
}

// matching is how many of them a filter by people, projects and clients leaves.
// Filters look at what the viewer may see: where that is only their own, they
// are not looked at.
func (e *estimator) matching(f entryFilter) float64 {
	there := e.readable(f.period)
	if !e.viewer.ReadsEverybody() {
		return there
	}
	c := e.counts
	between := func(m store.Monthly) float64 { return m.Between(f.period, c.AsOf, e.today) }
	if len(f.users) > 0 {
		sum := 0.0
		for _, text := range f.users {
			if id, err := graph.UnmarshalUserID(text); err == nil {
				sum += between(c.ByUser[id])
			}
		}
		there = min(there, sum)
	}
	if len(f.projects) > 0 {
		sum := 0.0
		for _, text := range f.projects {
			if id, err := graph.UnmarshalProjectID(text); err == nil {
				sum += between(c.ByProject[id])
			}
		}
		there = min(there, sum)
	}
	if len(f.clients) > 0 {
		wanted := map[timesheet.ClientID]bool{}
		for _, text := range f.clients {
			if id, err := graph.UnmarshalClientID(text); err == nil {
				wanted[id] = true
			}
		}
		sum := 0.0
		for project, client := range c.ClientOf {
			if wanted[client] {
				sum += between(c.ByProject[project])
			}
		}
		there = min(there, sum)
	}
	return there
}

// matchRate is the share of descriptions that hold a text, of those that were
// sampled; without a sample none is known to.
func (e *estimator) matchRate(text string) float64 {
	if len(e.counts.Sample) == 0 || !e.viewer.ReadsEverybody() {
		return 0
	}
	found, sought := 0, strings.ToLower(text)
	for _, s := range e.counts.Sample {
		if strings.Contains(strings.ToLower(s), sought) {
			found++
		}
	}
	return float64(found) / float64(len(e.counts.Sample))
}
