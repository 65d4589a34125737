package store

import (
	"testing"

	"headroom/timesheet"
)

// BenchmarkGrow puts a report of a year by project, user and week together: 250
// people on 4 of 50 projects each, in 53 weeks, of which the first 500 rows are kept.
func BenchmarkGrow(b *testing.B) {
	var groups []group
	for week := range 53 {
		for user := range 250 {
			for project := range 4 {
				g := group{user: timesheet.UserID(user + 1), project: timesheet.ProjectID((user*7+project*13)%50 + 1), day: timesheet.NewDate(2024, 1, 1) + timesheet.Date(7*week)}
				g.sum.entries, g.sum.exact, g.sum.seconds = 10, 36000, 36000
				if err := g.sum.setAmount("EUR", "288000000"); err != nil {
					b.Fatal(err)
				}
				groups = append(groups, g)
			}
		}
	}
	in := timesheet.ReportInput{GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupUser, timesheet.GroupWeek}, MaxRows: 500}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := grow(b.Context(), groups, in, labels{}, maxGroups); err != nil {
			b.Fatal(err)
		}
	}
}
