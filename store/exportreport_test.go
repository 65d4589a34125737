package store_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/proof"
	"headroom/store"
	"headroom/timesheet"
)

// exportedLeaf is a leaf of a report, of all its currencies.
type exportedLeaf struct {
	Exact, Seconds, Billable, Entries int64
	Amounts                           map[string]int64
}

// addLeaf adds to the leaf of a path: names need not differ.
func addLeaf(into map[string]exportedLeaf, path string, exact, seconds, billable, entries int64, amounts []timesheet.Money) {
	leaf := into[path]
	if leaf.Amounts == nil {
		leaf.Amounts = map[string]int64{}
	}
	leaf.Exact, leaf.Seconds, leaf.Billable, leaf.Entries = leaf.Exact+exact, leaf.Seconds+seconds, leaf.Billable+billable, leaf.Entries+entries
	for _, m := range amounts {
		leaf.Amounts[m.Currency] += m.Minor
	}
	into[path] = leaf
}

// anyFile is a random report that a file can hold.
func (w *world) anyFile(r *rand.Rand, all [][]timesheet.GroupKey) timesheet.ReportInput {
	in := anyReport(r, all)
	in.IncludeRunning, in.FillGaps = false, false
	if in.WeekStart == nil { // the world's own is no row of the database
		in.WeekStart = &w.owner.Workspace.WeekStart
	}
	return in
}

// wantFileOf compares the file of a report's leaves with the report.
func wantFileOf(t *testing.T, s database, v timesheet.Viewer, in timesheet.ReportInput, now time.Time) {
	t.Helper()
	report, err := s.Report(t.Context(), v, in, now)
	if err != nil || report.Truncated {
		t.Fatalf("%+v: truncated %v, %v", in, report.Truncated, err)
	}
	want, got := map[string]exportedLeaf{}, map[string]exportedLeaf{}
	reportLeaves(want, "", report.Rows)
	exported := readExport(t, s.Store, v, timesheet.ExportInput{
		Period: in.Period, GroupBy: in.GroupBy, Rounding: in.Rounding, DayAttribution: in.DayAttribution, TimeZone: in.TimeZone, WeekStart: in.WeekStart,
	})
	for _, g := range exported.groups {
		money, err := timesheet.MoneyFromBigX3600(g.AmountX3600, g.Currency)
		if err != nil {
			t.Fatal(err)
		}
		addLeaf(got, "/"+strings.Join(g.Labels, "/"), g.ExactSeconds, g.Seconds, g.BillableSeconds, g.Entries, []timesheet.Money{money})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s, %+v, rounding %+v (-report +export):\n%s", v.Role, in, in.Rounding, diff)
	}
}

// A file of a report's leaves says what the report says, with whatever options.
func TestExportedReportsAgainstReports(t *testing.T) {
	n := proof.Size(t, 2000, 60)
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 600)
	r := proof.Rand(t, 0)
	all, now := groupings(), instant(t, "2025-07-01T10:00:00Z")
	rounded, split := 0, 0
	for range n {
		in := w.anyFile(r, all)
		v := pick(r, w.owner, w.users[1])
		v.Workspace = w.owner.Workspace
		wantFileOf(t, s, v, in, now)
		if in.Rounding != nil {
			rounded++
		}
		if in.DayAttribution == timesheet.AttributeSplit {
			split++
		}
	}
	proof.Result(t, "%d files of random options, %d rounded and %d split, equal their reports", n, rounded, split)
}

func reportLeaves(into map[string]exportedLeaf, path string, rows []timesheet.ReportRow) {
	for _, row := range rows {
		if row.Children == nil {
			t := row.Totals
			addLeaf(into, path+"/"+row.Label, t.ExactSeconds, t.Seconds, t.BillableSeconds, t.EntryCount, t.Amounts)
		}
		reportLeaves(into, path+"/"+row.Label, row.Children)
	}
}

// What a file cannot do is refused when it is asked for, with the field's name.
func TestExportOptionsAreChecked(t *testing.T) {
	t.Parallel()
	s, v := newWorkspace(t)
	up := func(minutes int) *timesheet.Rounding {
		return &timesheet.Rounding{Mode: timesheet.RoundUp, Minutes: minutes, Scope: timesheet.RoundRow}
	}
	byProject := []timesheet.GroupKey{timesheet.GroupProject}
	for field, in := range map[string]timesheet.ExportInput{
		"rounding":         {Rounding: up(6)},
		"timeZone":         {TimeZone: new("Asia/Tokyo")},
		"weekStart":        {WeekStart: new(time.Sunday)},
		"dayAttribution":   {DayAttribution: timesheet.AttributeSplit},
		"rounding.minutes": {GroupBy: byProject, Rounding: up(61)},
		"groupBy":          {GroupBy: []timesheet.GroupKey{timesheet.GroupDay, timesheet.GroupDay}},
	} {
		in.Period, in.Format = everExported, timesheet.ExportCSV
		_, _, err := s.CreateExport(t.Context(), v, in, store.ExportTerms{Keep: time.Hour, Quota: 1 << 30}, change("reportExportCreate"))
		wantRule(t, field, err, timesheet.CodeInvalid, field)
	}
	in := timesheet.ExportInput{Period: everExported, Format: timesheet.ExportCSV, GroupBy: byProject, TimeZone: new("CEST")}
	_, _, err := s.CreateExport(t.Context(), v, in, store.ExportTerms{Keep: time.Hour, Quota: 1 << 30}, change("reportExportCreate"))
	wantRule(t, "an abbreviation", err, timesheet.CodeInvalid, "timeZone")
}
