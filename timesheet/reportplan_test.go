package timesheet

import (
	"slices"
	"testing"
	"time"
)

// counts are how many months and days of each kind a plan reads.
type counts struct{ months, whole, short, mixed, long int }

func countsOf(p ReportPlan) counts {
	return counts{len(p.Months), len(p.Whole), len(p.Short), len(p.Mixed), len(p.Long)}
}

func TestPlanReport(t *testing.T) {
	bucharest, newYork := mustZone(t, "Europe/Bucharest"), mustZone(t, "America/New_York")
	period := func(from, to string) Period {
		a, err := ParseDate(from)
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseDate(to)
		if err != nil {
			t.Fatal(err)
		}
		return Period{a, b}
	}
	year, odd := period("2024-01-01", "2024-12-31"), period("2024-01-16", "2024-12-15")
	by := func(keys ...GroupKey) []GroupKey { return keys }
	each := Rounding{Mode: RoundUp, Minutes: 6, Scope: RoundEntry}
	row := Rounding{Mode: RoundUp, Minutes: 6, Scope: RoundRow}
	for _, tt := range []struct {
		name   string
		in     ReportInput
		zone   *time.Location
		want   counts
		source ReportSource
	}{
		{"a year", ReportInput{Period: year, GroupBy: by(GroupClient, GroupProject, GroupUser)}, bucharest, counts{months: 12}, SourceRollup},
		{"a year by month", ReportInput{Period: year, GroupBy: by(GroupMonth, GroupYear)}, bucharest, counts{months: 12}, SourceRollup},
		{"odd days at both ends", ReportInput{Period: odd, GroupBy: by(GroupProject)}, bucharest, counts{months: 10, whole: 31}, SourceRollup},
		{"less than a month", ReportInput{Period: period("2024-01-02", "2024-01-31"), GroupBy: by(GroupProject)}, bucharest, counts{whole: 30}, SourceIndex},
		{"by row", ReportInput{Period: year, GroupBy: by(GroupProject), Rounding: &row}, bucharest, counts{months: 12}, SourceRollup},
		{"by week", ReportInput{Period: year, GroupBy: by(GroupWeek)}, bucharest, counts{whole: 366}, SourceIndex},
		{"by task", ReportInput{Period: year, GroupBy: by(GroupTask)}, bucharest, counts{whole: 366}, SourceIndex},
		{"of a task", ReportInput{Period: year, GroupBy: by(GroupUser), Filter: EntryFilter{Tasks: []TaskID{1}}}, bucharest, counts{whole: 366}, SourceIndex},
		{"each entry rounded", ReportInput{Period: year, GroupBy: by(GroupProject), Rounding: &each}, bucharest, counts{whole: 366}, SourceIndex},
		{"by tag", ReportInput{Period: year, GroupBy: by(GroupTag)}, bucharest, counts{whole: 366}, SourceRaw},
		{"of a text", ReportInput{Period: year, GroupBy: by(GroupUser), Filter: EntryFilter{Text: "a"}}, bucharest, counts{whole: 366}, SourceRaw},
		{"of a person", ReportInput{Period: year, GroupBy: by(GroupProject, GroupUser), Filter: EntryFilter{Users: []UserID{1}}}, bucharest, counts{months: 12}, SourceRollup},
		{"case06 another zone", ReportInput{Period: year, GroupBy: by(GroupProject)}, newYork, counts{months: 11, whole: 30, mixed: 2}, SourceRollup},
		{"case06 another zone by month", ReportInput{Period: year, GroupBy: by(GroupMonth)}, newYork, counts{whole: 354, mixed: 13}, SourceIndex},
		{"case06 another zone by day", ReportInput{Period: year, GroupBy: by(GroupDay)}, newYork, counts{mixed: 367}, SourceRaw},
		{"case01 split", ReportInput{Period: year, GroupBy: by(GroupProject), DayAttribution: AttributeSplit}, bucharest, counts{months: 11, whole: 24, short: 6, mixed: 2, long: 12}, SourceRollup},
		{"case01 split by day", ReportInput{Period: year, GroupBy: by(GroupDay), DayAttribution: AttributeSplit}, bucharest, counts{mixed: 367, long: 6}, SourceRaw},
		{"case08 a day that was skipped", ReportInput{Period: period("2011-12-30", "2011-12-30"), GroupBy: by(GroupDay)}, mustZone(t, "Pacific/Apia"), counts{whole: 1}, SourceIndex},
		{"a hundred years", ReportInput{Period: period("2000-01-01", "2099-12-31"), GroupBy: by(GroupUser)}, bucharest, counts{months: 1200}, SourceRollup},
		{"no day", ReportInput{Period: year, GroupBy: by(GroupDay), Filter: EntryFilter{Period: &Period{1, 2}}}, bucharest, counts{}, SourceIndex},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := bucharest
			if tt.zone.String() == "Pacific/Apia" {
				home = tt.zone
			}
			p := PlanReport(tt.in, HomeDays{Zone: home}, tt.zone, time.Monday, SumsOfProjects)
			if got := countsOf(p); got != tt.want || p.Source(tt.in) != tt.source {
				t.Errorf("got %+v from %s, want %+v from %s", got, p.Source(tt.in), tt.want, tt.source)
			}
			if asks := slices.Contains(tt.in.GroupBy, GroupUser); p.Folded != (len(p.Months) > 0 && !asks) {
				t.Errorf("sums of projects are read: %v", p.Folded)
			}
			if p := PlanReport(tt.in, HomeDays{Zone: home}, tt.zone, time.Monday, SumsOfPeople); p.Folded || countsOf(p) != tt.want {
				t.Errorf("who sees their own work alone reads %+v, of projects: %v", countsOf(p), p.Folded)
			}
			if p := PlanReport(tt.in, HomeDays{Zone: home}, tt.zone, time.Monday, NoSums); len(p.Months) > 0 {
				t.Errorf("sums that are not to be trusted are read: %v", p.Months)
			}
		})
	}
}

// Entries of some days keep those of another zone. Their times are read where
// they say what counts, and the kept days where those do.
func TestPlanReportWithKeptDays(t *testing.T) {
	bucharest, tokyo, apia := mustZone(t, "Europe/Bucharest"), mustZone(t, "Asia/Tokyo"), mustZone(t, "Pacific/Apia")
	day := func(text string) Date {
		d, err := ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	year := ReportInput{Period: Period{day("2011-01-01"), day("2011-12-31")}, GroupBy: []GroupKey{GroupProject}}
	split := year
	split.DayAttribution = AttributeSplit
	march, skipped := &Period{day("2011-03-02"), day("2011-03-04")}, &Period{day("2011-12-30"), day("2011-12-30")}
	skippedOnly := year
	skippedOnly.Period = *skipped
	skippedSplit := skippedOnly
	skippedSplit.DayAttribution = AttributeSplit
	for _, tt := range []struct {
		name       string
		in         ReportInput
		home, zone *time.Location
		kept       *Period
		want       counts
	}{
		{"case07 the workspace's zone", year, bucharest, bucharest, march, counts{months: 12}},
		{"case07 another zone", year, bucharest, tokyo, march, counts{months: 10, whole: 58, mixed: 5}},
		{"case07 split", split, bucharest, bucharest, march, counts{months: 10, whole: 52, short: 6, mixed: 5, long: 12}},
		{"case08 a day that was skipped", skippedOnly, apia, apia, nil, counts{whole: 1}},
		{"case08 split", skippedSplit, apia, apia, nil, counts{}},
		{"case08 and another zone", skippedOnly, apia, tokyo, skipped, counts{mixed: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := countsOf(PlanReport(tt.in, HomeDays{tt.home, tt.kept}, tt.zone, time.Monday, SumsOfProjects)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
