package server

import (
	"math"

	"headroom/graph"
	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

const (
	// doubt is how many standard deviations below what a sample shows a text is
	// taken to match.
	doubt = 2
	// reportPoints is the least bound of a report: what the schema declares.
	reportPoints = 60
	// summarySets is how many times the statement of a summary adds up a row.
	summarySets = 3
	// growth is how many times its counted entries a period may hold at most.
	growth = 2
)

// entries estimates a page of entries: rows are read from one end on until the
// page is full or, where a text matches few, until the period ends. Their count
// reads all that match.
func (e *estimator) entries(args limits.Arguments) limits.Estimate {
	f := filterOf(args.Get("filter"))
	there, size := e.matching(f), args.Size()
	rows, read, rate, statement := min(size, there), min(size, there), e.rates.heap, byEntries
	if f.text != "" {
		matched, least := e.matchRate(f.text)
		rows, read, rate, statement = min(size, matched*there), min(there, size/least), e.rates.text, byEntriesText
	}
	most := max(limits.RootWeight, e.rates.call+growth*e.rates.text*e.readable(f.period))
	out := e.estimate(statement, rate*read, 0, most)
	out.Rows, out.Reads = roundedRows(rows), roundedRows(read)
	out.Below = e.count(f, there)
	return out
}

// countPoints is the least bound of a count of entries: what the schema declares.
const countPoints = 5

// count estimates how many entries there are: all that match are read, from an index
// where that holds what is compared.
func (e *estimator) count(f entryFilter, there float64) limits.Below {
	rate := e.rates.index // each index that finds entries holds their days
	switch {
	case f.text != "":
		rate = e.rates.text
	case f.rows:
		rate = e.rates.heap
	}
	most := max(countPoints, e.rates.call+growth*e.rates.text*e.readable(f.period))
	return limits.Below{
		Field: "totalCount", Work: duration(min(e.rates.call+e.rates.statements[byEntriesCount]*rate*there, most)), MaxWork: duration(most),
	}
}

// estimate is what a statement takes that reads rows worth so many points and
// answers so many.
func (e *estimator) estimate(statement string, read, answered, most float64) limits.Estimate {
	work := e.rates.call + e.rates.statements[statement]*(read+e.rates.result*answered)
	return limits.Estimate{
		Rows: roundedRows(answered), MaxRows: math.MaxInt32,
		Work: duration(min(work, most)), MaxWork: duration(most), Statement: statement,
	}
}

// report estimates a report: the entries it reads, by the cheaper of two ways,
// and the groups they fall into.
func (e *estimator) report(args limits.Arguments) limits.Estimate {
	input, _ := args.Get("input").(map[string]any)
	f := filterOf(input["filter"])
	f.period = intersect(f.period, periodOf(input["period"]))
	keys := values{input["groupBy"]}
	all, there := e.readable(f.period), e.matching(f)
	work, reads, statement := e.reportRows(input, keys, f, all, there)
	groups := e.groups(keys, f, there)
	if fill, _ := input["fillGaps"].(bool); fill {
		groups = e.groups(keys, f, math.Inf(1))
	}
	most := max(reportPoints, e.rates.call+growth*(e.rates.text+e.rates.result)*all)
	out := e.estimate(statement, work, groups, most)
	out.Reads = roundedRows(reads)
	return out
}

// reportRows is what the rows cost that a report reads, how many they are, and the
// statement that reads them.
func (e *estimator) reportRows(input map[string]any, keys values, f entryFilter, all, there float64) (work, reads float64, statement string) {
	switch {
	case f.text != "":
		return e.rates.text * there, there, byReportText
	case f.rows || keys.has(timesheet.GroupTag) || e.timed(input, keys):
		return e.rates.heap * there, there, byReportTable
	case !e.viewer.ReadsEverybody():
		return e.rates.index * there, there, byReportIndex // the one by person
	}
	reads = all
	if f.users.len() > 0 {
		reads = e.ofUsers(f, all)
	}
	work, statement = e.rates.index*reads, byReportIndex
	if e.summable(input, keys, f) {
		if sums, rows := e.summed(f.period, keys, f); sums < work {
			work, reads, statement = sums, rows, byReportSums
		}
	}
	if f.narrows() && e.rates.heap*there < work {
		work, reads, statement = e.rates.heap*there, there, byReportTable
	}
	return work, reads, statement
}

// summary estimates a report by three keys of which each has its own rows. Each
// row that is read is added to three sums.
func (e *estimator) summary(args limits.Arguments) limits.Estimate {
	f := entryFilter{period: periodOf(args.Get("period"))}
	all, statement := e.readable(f.period), bySummaryIndex
	work, reads := e.rates.index*all, all
	unit := timesheet.SummaryUnit(f.period)
	if e.viewer.ReadsEverybody() && e.summable(nil, values{string(unit)}, f) {
		work, reads = e.summed(f.period, values{string(timesheet.GroupUser)}, f)
		statement = bySummarySums
	}
	groups := 0.0
	for _, key := range [...]timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupUser, unit} {
		groups += e.groups(values{string(key)}, f, all)
	}
	most := max(reportPoints, e.rates.call+growth*(summarySets*e.rates.index*all+e.rates.result*groups)) // no text is read
	out := e.estimate(statement, summarySets*work, groups, most)
	out.Reads = roundedRows(reads)
	return out
}

// summable tells whether the sums of months are all that a report needs; it
// follows timesheet.PlanReport.
func (e *estimator) summable(input map[string]any, keys values, f entryFilter) bool {
	if e.viewer.Workspace.RollupDrifted || f.tasks.len() > 0 || e.elsewhere(input) && (keys.has(timesheet.GroupMonth) || keys.has(timesheet.GroupYear)) {
		return false
	}
	for _, key := range [...]timesheet.GroupKey{timesheet.GroupTask, timesheet.GroupDay, timesheet.GroupWeek} {
		if keys.has(key) {
			return false
		}
	}
	rounding, given := input["rounding"].(map[string]any)
	return !given || rounding["scope"] == string(timesheet.RoundRow)
}

// elsewhere tells whether time counts by other midnights than entries' days do.
func (e *estimator) elsewhere(input map[string]any) bool {
	zone, _ := input["timeZone"].(string)
	return zone != "" && zone != e.viewer.Workspace.TimeZone || input["dayAttribution"] == string(timesheet.AttributeSplit)
}

// timed tells whether each entry's times have to be read: days by other midnights.
func (e *estimator) timed(input map[string]any, keys values) bool {
	rounding, _ := input["rounding"].(map[string]any)
	days := keys.has(timesheet.GroupDay) || rounding["scope"] == string(timesheet.RoundDay) ||
		rounding["scope"] == string(timesheet.RoundEntry) && input["dayAttribution"] == string(timesheet.AttributeSplit)
	return days && e.elsewhere(input)
}

// summed is the time for a period of which whole months are read from kept sums,
// those of projects unless people are asked for, and the days before and after
// them from the index, and the rows of both.
func (e *estimator) summed(p timesheet.Period, keys values, f entryFilter) (work, rows float64) {
	kept := e.counts.ProjectSums
	if f.users.len() > 0 || keys.has(timesheet.GroupUser) {
		kept = e.counts.Sums
	}
	days, sums := e.readable(p), 0.0
	if whole, _ := p.Months(); whole != nil {
		days -= e.readable(*whole)
		sums = kept.Between(*whole, e.counts.AsOf, e.today)
	}
	return e.rates.index*days + e.rates.sums*sums, days + sums
}

// groups is how many leaves a report of so many entries has.
func (e *estimator) groups(keys values, f entryFilter, entries float64) float64 {
	most := 1.0
	for i := range keys.len() {
		most *= e.distinct(timesheet.GroupKey(keys.at(i)), keys, f)
	}
	if most <= 0 || entries <= 0 {
		return 0
	}
	return most * (1 - math.Exp(-entries/(3*most))) // entries come in runs of the same work
}

// distinct is how many values a key can have. Who sees their own entries alone
// is told nothing of how much else there is.
func (e *estimator) distinct(key timesheet.GroupKey, keys values, f entryFilter) float64 {
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
		if keys.has(timesheet.GroupProject) || keys.has(timesheet.GroupTask) {
			return 1 // a project has one
		}
		return among(c.Clients+1, f.clients)
	case timesheet.GroupProject:
		if keys.has(timesheet.GroupTask) {
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
func among(n int64, ids values) float64 {
	if ids.len() > 0 {
		return min(float64(n), float64(ids.len()))
	}
	return float64(n)
}

// readable is how many entries of a period the viewer may see.
func (e *estimator) readable(p timesheet.Period) float64 {
	m := e.counts.All
	if !e.viewer.ReadsEverybody() {
		m = e.counts.ByUser[e.person(e.viewer.User)]
	}
	return m.Between(p, e.counts.AsOf, e.today)
}

// matching is how many of them a filter by people, projects and clients leaves.
// Filters look at what the viewer may see: where that is only their own, they
// are not looked at.
func (e *estimator) matching(f entryFilter) float64 {
	there := e.readable(f.period)
	if !e.viewer.ReadsEverybody() || e.anyIDs {
		return there
	}
	c := e.counts
	if f.users.len() > 0 {
		there = e.ofUsers(f, there)
	}
	if f.projects.len() > 0 {
		there = min(there, sumOf(f.projects, graph.UnmarshalProjectID, func(id timesheet.ProjectID) float64 { return e.between(c.ByProject[id], f.period) }))
	}
	if f.clients.len() > 0 {
		there = min(there, e.ofClients(f))
	}
	return there
}

func (e *estimator) between(m store.Monthly, p timesheet.Period) float64 {
	return m.Between(p, e.counts.AsOf, e.today)
}

// sumOf adds up what the ids of a filter stand for; what is no id stands for none.
func sumOf[K comparable](ids values, read func(any) (K, error), of func(K) float64) (sum float64) {
	for i := range ids.len() {
		if id, err := read(ids.at(i)); err == nil {
			sum += of(id)
		}
	}
	return sum
}

// ofUsers is how many of a period's entries the people of a filter have.
func (e *estimator) ofUsers(f entryFilter, all float64) float64 {
	if e.anyIDs {
		return all
	}
	return min(all, sumOf(f.users, graph.UnmarshalUserID, func(id timesheet.UserID) float64 { return e.between(e.counts.ByUser[id], f.period) }))
}

// ofClients is how many entries the projects of the filter's clients hold.
func (e *estimator) ofClients(f entryFilter) (sum float64) {
	wanted := map[timesheet.ClientID]bool{}
	sumOf(f.clients, graph.UnmarshalClientID, func(id timesheet.ClientID) float64 { wanted[id] = true; return 0 })
	for project, client := range e.counts.ClientOf {
		if wanted[client] {
			sum += e.between(e.counts.ByProject[project], f.period)
		}
	}
	return sum
}

// matchRate is the share of descriptions that hold a text, of those that were
// sampled, and the least that it may well be: Wilson's bound, which is 0 where none
// does. Without a sample nothing is known to match.
func (e *estimator) matchRate(text string) (matched, least float64) {
	n := float64(len(e.counts.Sample))
	if n == 0 || !e.viewer.ReadsEverybody() {
		return 0, 0
	}
	found := e.texts.in(e.counts, text)
	const z = doubt
	least = (found + z*z/2 - z*math.Sqrt(found*(1-found/n)+z*z/4)) / (n + z*z)
	return found / n, max(0, least)
}
