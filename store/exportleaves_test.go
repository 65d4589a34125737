package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store/storetest"
	"headroom/timesheet"
)

// The leaves of an exported report are those of the report.
func TestExportedLeavesAreTheReports(t *testing.T) {
	s := storetest.Open(t)
	loaded, _, err := s.CopyCompany(t.Context(), leafCompany(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range [][]timesheet.GroupKey{
		{timesheet.GroupClient},
		{timesheet.GroupProject, timesheet.GroupUser, timesheet.GroupMonth},
		{timesheet.GroupTag, timesheet.GroupBillable},
		{timesheet.GroupTask, timesheet.GroupWeek, timesheet.GroupYear},
		{timesheet.GroupDay, timesheet.GroupClient, timesheet.GroupTag},
	} {
		report, err := s.Report(t.Context(), loaded, timesheet.ReportInput{Period: everExported, GroupBy: by, MaxRows: timesheet.MaxReportRows}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]timesheet.Totals{}
		exportedLeaves(want, "", report.Rows)
		got := map[string]timesheet.Totals{}
		for _, g := range readExport(t, s, loaded, timesheet.ExportInput{GroupBy: by}).groups {
			money, err := timesheet.MoneyFromBigX3600(g.AmountX3600, g.Currency)
			if err != nil {
				t.Fatal(err)
			}
			got["/"+strings.Join(g.Labels, "/")] = timesheet.Totals{
				ExactSeconds: g.Seconds, Seconds: g.Seconds, BillableSeconds: g.BillableSeconds, EntryCount: g.Entries, Amounts: []timesheet.Money{money},
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %v (-report +export):\n%s", by, diff)
		}
	}
}

func exportedLeaves(into map[string]timesheet.Totals, path string, rows []timesheet.ReportRow) {
	for _, row := range rows {
		if row.Children == nil {
			into[path+"/"+row.Label] = row.Totals
		}
		exportedLeaves(into, path+"/"+row.Label, row.Children)
	}
}

// leafCompany has 3,000 entries with and without projects, tasks and tags.
func leafCompany() timesheet.Company {
	c := timesheet.Company{
		Name: "Leaves", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR",
		Clients: []string{"A", "B"}, Tags: []string{"x", "y"},
		Projects: []timesheet.CompanyProject{{Name: "One", Client: 0, Lead: -1}, {Name: "Two", Client: 1, Lead: -1}, {Name: "Three", Client: 0, Lead: -1}, {Name: "Own", Client: -1, Lead: -1}},
		Tasks:    []timesheet.CompanyTask{{Project: 0, Name: "Plan"}, {Project: 1, Name: "Build"}},
	}
	for i := range 5 {
		c.Users = append(c.Users, timesheet.CompanyUser{Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("p%d@leaves.example", i), Role: timesheet.RoleOwner})
		c.Rates = append(c.Rates, timesheet.CompanyRate{Kind: timesheet.RateBill, User: i, Project: -1, Minor: int64(i * 1111)})
	}
	c.Entries = func(yield func(timesheet.CompanyEntry) bool) {
		start := time.Date(2023, time.November, 5, 21, 17, 0, 0, time.UTC)
		for i := range 3000 {
			e := timesheet.CompanyEntry{
				User: i % 5, Project: i%5 - 1, Task: -1, Start: start.Add(time.Duration(i) * 5 * time.Hour), Seconds: int64(60 + i*7%9000),
				Billable: i%3 > 0,
			}
			if e.Project == 0 || e.Project == 1 {
				e.Task = e.Project
			}
			for tag := range i % 3 {
				e.Tags = append(e.Tags, tag)
			}
			if !yield(e) {
				return
			}
		}
	}
	return c
}
