package store

import (
	"time"

	"headroom/timesheet"
)

// dimension is what a report can be grouped by. Its groups are told apart by a
// number: an id, 0 for none; the first day of a span; 1 for billable.
type dimension struct {
	kind    string // begins the keys of its rows
	column  column // that the statement groups by
	names   string // the statement that reads the names of ids; empty: no ids
	span    func(timesheet.Date, time.Weekday) timesheet.Date
	letters int // of a span's first day that label it
}

var dimensions = map[timesheet.GroupKey]dimension{
	timesheet.GroupClient:   {kind: "Client", column: projectColumn, names: clientNames},
	timesheet.GroupProject:  {kind: "Project", column: projectColumn, names: projectNames},
	timesheet.GroupTask:     {kind: "Task", column: taskColumn, names: taskNames},
	timesheet.GroupUser:     {kind: "User", column: userColumn, names: userNames},
	timesheet.GroupTag:      {kind: "Tag", column: tagsColumn, names: tagNames},
	timesheet.GroupBillable: {kind: "Billable", column: billableColumn},
	timesheet.GroupDay:      {kind: "Day", column: dayColumn, span: toDay, letters: len("2012-10-28")},
	timesheet.GroupWeek:     {kind: "Week", column: dayColumn, span: timesheet.Date.Week, letters: len("2012-10-28")},
	timesheet.GroupMonth:    {kind: "Month", column: dayColumn, span: toMonth, letters: len("2012-10")},
	timesheet.GroupYear:     {kind: "Year", column: dayColumn, span: toYear, letters: len("2012")},
}

func toDay(d timesheet.Date, _ time.Weekday) timesheet.Date   { return d }
func toMonth(d timesheet.Date, _ time.Weekday) timesheet.Date { return d.Month() }
func toYear(d timesheet.Date, _ time.Weekday) timesheet.Date  { return d.Year() }

// fold is the span of days that all keys of time can be told from: the only
// one's own, months for months and years, else days, since weeks cross both.
// It is nil where no key is of time.
func fold(by []timesheet.GroupKey) func(timesheet.Date, time.Weekday) timesheet.Date {
	var span func(timesheet.Date, time.Weekday) timesheet.Date
	times, fine := 0, false
	for _, key := range by {
		if dimensions[key].span == nil {
			continue
		}
		times++
		span = dimensions[key].span
		fine = fine || key == timesheet.GroupDay || key == timesheet.GroupWeek
	}
	switch {
	case times < 2:
		return span
	case fine:
		return toDay
	}
	return toMonth
}
