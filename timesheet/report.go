package timesheet

import "time"

// GroupKey is one level of a report.
type GroupKey string

// A report nests one to three of these, in the order given.
const (
	GroupClient   GroupKey = "CLIENT"
	GroupProject  GroupKey = "PROJECT"
	GroupTask     GroupKey = "TASK"
	GroupUser     GroupKey = "USER"
	GroupTag      GroupKey = "TAG"
	GroupBillable GroupKey = "BILLABLE"
	GroupDay      GroupKey = "DAY"
	GroupWeek     GroupKey = "WEEK"
	GroupMonth    GroupKey = "MONTH"
	GroupYear     GroupKey = "YEAR"
)

// Bounds of a report.
const (
	MaxGroupKeys  = 3
	MaxReportRows = 10000
)

// NoneLabel names the row of entries that have no project, task, client or tag.
const NoneLabel = "(none)"

// EntryFilter narrows a list or a report. Nil and empty fields do not narrow.
type EntryFilter struct {
	Period   *Period // by the entry's day
	Users    []UserID
	Projects []ProjectID
	Clients  []ClientID
	Tasks    []TaskID
	Tags     []TagID // entries with any of them
	Billable *bool
	Text     string // part of the description, upper and lower case alike
}

// ReportInput asks for a report.
type ReportInput struct {
	Period  Period
	GroupBy []GroupKey
	Filter  EntryFilter
	Sort    ReportSort
	MaxRows int // leaves, 1 to MaxReportRows
}

// ReportSort orders the rows of each level.
type ReportSort string

// By label is alphabetical, and chronological for days, weeks, months, years.
const (
	SortLabel       ReportSort = "LABEL"
	SortSecondsDesc ReportSort = "SECONDS_DESC"
)

// ReportSource is where a report was read from; of several, the coarsest.
type ReportSource string

// Reports that need no text and no tags are answered by the covering index.
const (
	SourceIndex ReportSource = "INDEX"
	SourceRaw   ReportSource = "RAW"
)

// Report is the answer: a tree of rows.
type Report struct {
	Rows      []ReportRow
	Totals    Totals
	Other     *Totals // what maxRows left out
	Truncated bool
	Source    ReportSource
	AsOf      time.Time
}

// ReportRow is one group. Key is stable across runs; Label is for people.
type ReportRow struct {
	Key      string
	Label    string
	Totals   Totals
	Children []ReportRow // nil at the last level
}
