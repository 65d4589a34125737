package server

import (
	"math"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// estimator forecasts fields for one viewer from what their workspace holds. It
// looks only at what the viewer may read: for somebody who sees their own
// entries alone, other people's counts do not exist, whatever a filter names.
type estimator struct {
	rates  *rates
	counts *store.Counts
	viewer timesheet.Viewer
	today  timesheet.Date
	anyIDs bool // filters by ids narrow nothing: theirs are not known

	texts *texts
}

// estimatorFor is nil where nothing is known of the viewer's workspace.
func (s *Server) estimatorFor(v timesheet.Viewer) limits.Estimator {
	if s.statistics == nil || v.User == 0 {
		return nil
	}
	today := timesheet.DayOf(s.now(), time.UTC)
	counts := s.statistics.of(v.Workspace.ID)
	if counts == nil || toCome(counts.AsOf, today) {
		return nil
	}
	return &estimator{texts: &s.texts, rates: s.prices.list.Load(), counts: counts, viewer: v, today: within(today, counts)}
}

// toCome tells whether a day lies in the future wherever on earth a clock is right:
// one that is wrong has named it, and what it says of late is nothing.
func toCome(day, today timesheet.Date) bool { return day > today+1 }

// within is today, at most as long after a counting as its counts hold: what a
// clock that is wrong calls today would foretell years of entries, or none of late.
func within(today timesheet.Date, c *store.Counts) timesheet.Date {
	return max(c.AsOf, min(today, c.AsOf+timesheet.Date(countsStale/(24*time.Hour))))
}

// Estimate implements limits.Estimator.
func (e *estimator) Estimate(coordinate string, args limits.Arguments) (limits.Estimate, bool) {
	switch coordinate {
	case "Query.timesheetReport":
		return e.report(args), true
	case "Query.summary":
		return e.summary(args), true
	case "Query.timeEntries":
		return e.entries(args), true
	case "Query.myDay":
		return e.day(), true
	case "Query.weekGrid":
		return e.week(args), true
	case "Project.trackedSeconds":
		return e.tracked(args), true
	}
	if !e.viewer.ReadsEverybody() {
		return limits.Estimate{}, false
	}
	c := e.counts
	switch coordinate {
	case "Mutation.setRate":
		return e.rate(args), true
	case "Query.users":
		return e.page(c.Users), true
	case "Query.clients":
		return e.page(c.Clients), true
	case "Query.projects":
		return e.page(c.Projects), true
	case "Query.tags":
		return e.page(c.Tags), true
	case "Project.tasks":
		return below(c.Tasks, c.Projects), true
	case "Client.projects":
		return below(c.Projects, c.Clients), true
	}
	return limits.Estimate{}, false
}

// declaredTotal is what the schema declares for the count of such a list.
const declaredTotal = 2

// page is a list of which there are n in all, and their count. Since they were
// counted, some may have been added.
func (e *estimator) page(n int64) limits.Estimate {
	weight := duration(limits.RootWeight)
	all := n + n/10 + timesheet.MaxPage
	most := max(declaredTotal, e.rates.call+e.rates.heap*float64(all))
	return limits.Estimate{
		Rows: roundedRows(float64(n)), MaxRows: all, Work: weight, MaxWork: weight,
		Below: limits.Below{Field: "totalCount", Work: duration(e.rates.call + e.rates.heap*float64(n)), MaxWork: duration(most)},
	}
}

// below is a list under each of so many parents. Any of them may hold all.
func below(n, parents int64) limits.Estimate {
	mean := float64(n) / float64(max(1, parents))
	return limits.Estimate{Rows: roundedRows(mean), MaxRows: n + n/10 + timesheet.MaxPage}
}

// roundedRows rounds a number of rows up to two digits: a price is no way to count
// exactly.
func roundedRows(rows float64) int64 { return int64(min(math.Ceil(twoDigits(rows)), math.MaxInt32)) }

// twoDigits rounds up to two significant digits.
func twoDigits(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Ceil(x/unit-1e-9) * unit
}

// duration converts points; a statement's time is told to two digits as well. What
// is no number, or none that a duration holds, is negative: not known.
func duration(points float64) time.Duration {
	if !(points < math.MaxInt32) {
		return -1
	}
	return time.Duration(twoDigits(points) * float64(time.Millisecond))
}
