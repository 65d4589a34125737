package server

import (
	"headroom/graph"
	"headroom/limits"
	"headroom/timesheet"
)

// workdays are the days of a month on which people work.
const workdays = 20.8

// day estimates the viewer's own day. It may be any date; what a day holds is
// expected to be what a working day of their last months held.
func (e *estimator) day() limits.Estimate {
	rows := min(e.perDay(e.person(e.viewer.User)), timesheet.MaxDayEntries)
	out := e.estimate(byDay, e.rates.heap*rows, 0, max(limits.RootWeight, e.rates.call+e.rates.heap*2*timesheet.MaxDayEntries))
	out.Rows, out.MaxRows, out.Reads = roundedRows(rows), timesheet.MaxDayEntries, roundedRows(rows)
	return out
}

// week estimates seven days of one person. Of somebody whose entries the viewer
// may not see, nothing is read.
func (e *estimator) week(args limits.Arguments) limits.Estimate {
	user := e.viewer.User
	if text, ok := args.Get("userId").(string); ok && e.viewer.ReadsEverybody() {
		if id, err := graph.UnmarshalUserID(text); err == nil {
			user = id
		}
	}
	user = e.person(user)
	rows := 5 * e.perDay(user)
	out := e.estimate(byWeek, e.rates.index*rows, min(rows, timesheet.MaxWeekRows), max(limits.RootWeight, e.rates.call+growth*e.rates.index*e.between(e.counts.ByUser[user], always)))
	out.MaxRows, out.Reads = timesheet.MaxWeekRows, roundedRows(rows)
	return out
}

// person is whom a field asks about: where ids are not known, whoever has most.
func (e *estimator) person(user timesheet.UserID) timesheet.UserID {
	if !e.anyIDs {
		return user
	}
	most := -1.0
	for id, m := range e.counts.ByUser {
		if n := e.between(m, always); n > most || n == most && id < user {
			user, most = id, n
		}
	}
	return user
}

// recent are the days from which a usual day is known.
const recent = 91

// perDay is how many entries a person has on a working day of late.
func (e *estimator) perDay(user timesheet.UserID) float64 {
	last := timesheet.Period{From: e.today - recent, To: e.today}
	return e.between(e.counts.ByUser[user], last) / recent * 30.4 / workdays
}

// tracked estimates the time tracked on one of the projects of a list: their share
// of what is read for the period, sums of months and the entries beside them, in
// one statement for all of them. Any of them may hold all. Of all time the total of
// each is kept, beside what is not folded of the last months.
func (e *estimator) tracked(args limits.Arguments) limits.Estimate {
	period := periodOf(args.Get("period"))
	all, among := e.readable(period), int64(1)
	work := e.rates.index * all
	if e.viewer.ReadsEverybody() { // how many projects and sums there are is nothing that others know
		among = max(1, e.counts.Projects)
		switch {
		case e.viewer.Workspace.RollupDrifted:
		case args.Get("period") == nil:
			work = e.rates.sums * (float64(among) + e.counts.Sums.Between(timesheet.Period{From: e.today - unfolded, To: e.today}, e.counts.AsOf, e.today))
		default:
			work, _ = e.summed(period, values{string(timesheet.GroupProject)}, entryFilter{})
		}
	}
	each := e.rates.statements[byTracked] * work / float64(among)
	return limits.Estimate{
		Rows: 1, MaxRows: 1, Statement: byTracked,
		Work: duration(trackedPoints + each), MaxWork: duration(max(declaredTracked, trackedPoints+growth*work)),
	}
}

const (
	trackedPoints   = 0.005 // of a project without entries: one of a batch
	declaredTracked = 0.5   // what the schema declares
	unfolded        = 62    // days whose sums by person are not in those of projects
)
