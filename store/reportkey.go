package store

import "headroom/timesheet"

// dimension is what a report can be grouped by. Its groups are told apart by a
// number: an id, 0 for none; the first day of a span; 1 for billable.
type dimension struct {
	kind    string // begins the keys of its rows
	column  column // that the statement groups by
	names   string // the statement that reads the names of ids; empty: no ids
	letters int    // of a span's first day that label it; 0: no key of time
}

var dimensions = map[timesheet.GroupKey]dimension{
	timesheet.GroupClient:   {kind: "Client", column: projectColumn, names: clientNames},
	timesheet.GroupProject:  {kind: "Project", column: projectColumn, names: projectNames},
	timesheet.GroupTask:     {kind: "Task", column: taskColumn, names: taskNames},
	timesheet.GroupUser:     {kind: "User", column: userColumn, names: userNames},
	timesheet.GroupTag:      {kind: "Tag", column: tagsColumn, names: tagNames},
	timesheet.GroupBillable: {kind: "Billable", column: billableColumn},
	timesheet.GroupDay:      {kind: "Day", column: dayColumn, letters: len("2012-10-28")},
	timesheet.GroupWeek:     {kind: "Week", column: dayColumn, letters: len("2012-10-28")},
	timesheet.GroupMonth:    {kind: "Month", column: dayColumn, letters: len("2012-10")},
	timesheet.GroupYear:     {kind: "Year", column: dayColumn, letters: len("2012")},
}
