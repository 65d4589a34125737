package server

import (
	"math"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// Milliseconds of a statement and of one row of each kind, medians of 19,215
// measured statements over 200 workspaces (docs/decisions/0041).
const (
	msStatement = 0.18
	msSum       = 0.00015 // of the rollup
	msIndex     = 0.00023 // of a covering index
	msHeap      = 0.00054 // of the table, by a narrow index
	msText      = 0.00082 // of the table, compared with a text
	msResult    = 0.00072 // of the answer
)

// estimator forecasts fields for one viewer from what their workspace holds. It
// looks only at what the viewer may read: for somebody who sees their own
// entries alone, other people's counts do not exist, whatever a filter names.
type estimator struct {
	counts *store.Counts
	viewer timesheet.Viewer
	today  timesheet.Date
}

// estimatorFor is nil where nothing is known of the viewer's workspace.
func (s *Server) estimatorFor(v timesheet.Viewer) limits.Estimator {
	if s.statistics == nil || v.User == 0 {
		return nil
	}
	counts := s.statistics.of(v.Workspace.ID)
	if counts == nil {
		return nil
	}
	return &estimator{counts: counts, viewer: v, today: timesheet.DayOf(s.now(), time.UTC)}
}

// Estimate implements limits.Estimator.
func (e *estimator) Estimate(coordinate string, args map[string]any) (limits.Estimate, bool) {
	switch coordinate {
	case "Query.timesheetReport":
		return e.report(args), true
	case "Query.summary":
		return e.summary(args), true
	case "Query.timeEntries":
		return e.entries(args), true
	}
	if !e.viewer.ReadsEverybody() {
		return limits.Estimate{}, false
	}
	c := e.counts
	switch coordinate {
	case "Query.users":
		return page(c.Users, limits.RootWeight), true
	case "Query.clients":
		return page(c.Clients, limits.RootWeight), true
	case "Query.projects":
		return page(c.Projects, limits.RootWeight), true
	case "Query.tags":
		return page(c.Tags, limits.RootWeight), true
	case "Project.tasks":
		return below(c.Tasks, c.Projects), true
	case "Client.projects":
		return below(c.Projects, c.Clients), true
	}
	return limits.Estimate{}, false
}

// page is a list of which there are n in all. Since they were counted, some may
// have been added.
func page(n int64, weight float64) limits.Estimate {
	return limits.Estimate{Rows: roundedRows(float64(n)), MaxRows: n + n/10 + timesheet.MaxPage, Work: duration(weight), MaxWork: duration(weight)}
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

// duration converts points; a statement's time is told to two digits as well.
func duration(points float64) time.Duration {
	return time.Duration(twoDigits(points) * float64(time.Millisecond))
}
