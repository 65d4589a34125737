package demo

import (
	"iter"

	"headroom/timesheet"
)

// history yields the last n entries that day makes up, oldest first, the
// latest on the day last. It goes back day by day until there are enough, then
// forward again, so day must make up the same entries twice. It does not go
// back before 1970, where entries end: there may be fewer than n.
func history(n int, last timesheet.Date, day func(timesheet.Date) []timesheet.CompanyEntry) iter.Seq[timesheet.CompanyEntry] {
	return func(yield func(timesheet.CompanyEntry) bool) {
		made, first := 0, last+1
		for made < n && first > 1 {
			first--
			made += len(day(first))
		}
		skip := max(0, made-n)
		for d := first; d <= last; d++ {
			entries := day(d)
			for _, e := range entries[skip:] {
				if !yield(e) {
					return
				}
			}
			skip = 0
		}
	}
}
