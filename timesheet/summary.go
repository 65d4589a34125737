package timesheet

import "time"

// Bounds of a summary.
const (
	MaxSummaryRows = 50 // by project and by user
	MaxSummaryDays = 62 // of a period that is summed up by day; and months of one by month
)

// Summary is what a dashboard shows of a period: its totals, and the same by
// project, by user and by time, all of one moment.
type Summary struct {
	Totals    Totals // what the rows by project and their other add up to
	ByProject SummaryRows
	ByUser    SummaryRows
	ByTime    SummaryRows // in their order, all of them
	TimeUnit  GroupKey    // day, month or year
	Source    ReportSource
	AsOf      time.Time
}

// SummaryRows are the rows of the most seconds, at most MaxSummaryRows.
type SummaryRows struct {
	Rows  []ReportRow
	Other *Totals // of the rows left out, nil where none was
}

// SummaryUnit is what a summary of a period tells time by: days, then months,
// then years, so that a chart never has too many points.
func SummaryUnit(p Period) GroupKey {
	month := func(d Date) int { y, m, _ := d.Calendar(); return y*12 + int(m) }
	switch {
	case int(p.To-p.From) < MaxSummaryDays:
		return GroupDay
	case month(p.To)-month(p.From) < MaxSummaryDays:
		return GroupMonth
	}
	return GroupYear
}
