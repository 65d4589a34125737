package timesheet

import (
	"slices"
	"time"
)

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

// ReportInput asks for a report. The zero value of every field but Period,
// GroupBy and MaxRows is the plain report: exact seconds, each entry on the day
// of its start in the workspace's zone, without running timers.
type ReportInput struct {
	Period         Period
	GroupBy        []GroupKey
	Filter         EntryFilter
	Sort           ReportSort
	MaxRows        int // leaves, 1 to MaxReportRows
	Rounding       *Rounding
	DayAttribution DayAttribution
	TimeZone       *string       // nil: the workspace's
	WeekStart      *time.Weekday // nil: the workspace's
	IncludeRunning bool          // timers that run, until now
	FillGaps       bool          // rows of days, weeks, months and years without entries
	Freshness      *Freshness    // nil: what was committed when the report was asked for
}

// Rounding of seconds in a report; what is stored stays as it is.
type Rounding struct {
	Mode    RoundingMode
	Minutes int // 1 to MaxRoundingMinutes
	Scope   RoundingScope
}

// RoundingMode is where to round to.
type RoundingMode string

// Exactly half of the minutes is rounded up by the nearest. Zero stays zero.
const (
	RoundUp      RoundingMode = "UP"
	RoundDown    RoundingMode = "DOWN"
	RoundNearest RoundingMode = "NEAREST"
)

// RoundingScope is what is rounded: each entry, each row of the last level, or
// each day of such a row.
type RoundingScope string

// Amounts follow the rounded seconds of entries, but never those of rows and
// days.
const (
	RoundEntry RoundingScope = "ENTRY"
	RoundRow   RoundingScope = "ROW"
	RoundDay   RoundingScope = "DAY"
)

// MaxRoundingMinutes is what a report rounds to at most.
const MaxRoundingMinutes = 60

// Round rounds seconds that are not negative.
func (r Rounding) Round(seconds int64) int64 {
	step := int64(r.Minutes) * 60
	switch r.Mode {
	case RoundUp:
		seconds += step - 1
	case RoundNearest:
		seconds += step / 2
	}
	return seconds / step * step
}

// DayAttribution says where an entry counts that goes on after midnight.
type DayAttribution string

// An entry counts on the day of its start, or on each day what lies in it.
const (
	AttributeStart DayAttribution = "START"
	AttributeSplit DayAttribution = "SPLIT"
)

// Freshness allows a report that was made a while ago.
type Freshness struct {
	MaxAgeSeconds int // 0 to MaxReportAge
}

// MaxReportAge is how old a report may be at most, in seconds.
const MaxReportAge = 86400

// Rounds tells whether the report rounds at a scope.
func (in ReportInput) Rounds(scope RoundingScope) bool {
	return in.Rounding != nil && in.Rounding.Scope == scope
}

// RoundsEach tells whether sums of more than a day are too coarse to round.
func (in ReportInput) RoundsEach() bool { return in.Rounds(RoundEntry) || in.Rounds(RoundDay) }

// NeedsRows tells whether the report reads what is in the rows alone: tags and
// descriptions.
func (in ReportInput) NeedsRows() bool {
	return len(in.Filter.Tags) > 0 || in.Filter.Text != "" || slices.Contains(in.GroupBy, GroupTag)
}

// Span is the first day of the day, week, month or year that a key groups by;
// ok is false for keys that are not of time.
func (k GroupKey) Span(day Date, weekStart time.Weekday) (first Date, ok bool) {
	switch k {
	case GroupDay:
		return day, true
	case GroupWeek:
		return day.Week(weekStart), true
	case GroupMonth:
		return day.Month(), true
	case GroupYear:
		return day.Year(), true
	}
	return 0, false
}

// SpanEnd is the last day of a span of which first is the first.
func (k GroupKey) SpanEnd(first Date) Date {
	switch k {
	case GroupWeek:
		return first + 6
	case GroupMonth:
		return (first + 31).Month() - 1
	case GroupYear:
		return (first + 366).Year() - 1
	}
	return first
}

// Timed tells whether the report has a key of time.
func (in ReportInput) Timed() bool {
	return slices.ContainsFunc(in.GroupBy, func(k GroupKey) bool { _, ok := k.Span(0, 0); return ok })
}

// Fold makes of a day the coarsest label that all keys of time can be told
// from: the only one's own, months for months and years, else days, since weeks
// cross both. Without such keys it is 0 for every day. Days that are rounded
// stay days, and so do entries that are split: what lies in a day is rounded.
func (in ReportInput) Fold(weekStart time.Weekday) func(Date) Date {
	var timed []GroupKey
	fine := in.Rounds(RoundDay) || in.Rounds(RoundEntry) && in.DayAttribution == AttributeSplit
	for _, key := range in.GroupBy {
		if _, ok := key.Span(0, weekStart); ok {
			timed = append(timed, key)
			fine = fine || key == GroupDay
		}
	}
	weeks := slices.Contains(timed, GroupWeek)
	switch {
	case fine || weeks && len(timed) > 1:
		return func(d Date) Date { return d }
	case len(timed) == 0:
		return func(Date) Date { return 0 }
	case len(timed) == 1:
		return func(d Date) Date { first, _ := timed[0].Span(d, weekStart); return first }
	}
	return Date.Month
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

// Whole months come from sums that are kept ready, days from the covering
// index, and what needs text, tags or times from the entries themselves.
const (
	SourceRollup ReportSource = "ROLLUP"
	SourceIndex  ReportSource = "INDEX"
	SourceRaw    ReportSource = "RAW"
	SourceCache  ReportSource = "CACHE" // an answer that was kept
)

// AmountBasis says which seconds a report's amounts are those of.
type AmountBasis string

// Amounts follow rounded seconds where each entry is rounded.
const (
	AmountsExact   AmountBasis = "EXACT_SECONDS"
	AmountsRounded AmountBasis = "ROUNDED_SECONDS"
)

// Report is the answer: a tree of rows.
type Report struct {
	Rows      []ReportRow
	Totals    Totals
	Other     *Totals // what maxRows left out
	Truncated bool
	Source    ReportSource
	AsOf      time.Time
	Basis     AmountBasis
}

// ReportRow is one group. Key is stable across runs; Label is for people.
type ReportRow struct {
	Key      string
	Label    string
	Totals   Totals
	Children []ReportRow // nil at the last level
}
