package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

var groupKeys = []timesheet.GroupKey{
	timesheet.GroupClient, timesheet.GroupProject, timesheet.GroupTask, timesheet.GroupUser, timesheet.GroupTag,
	timesheet.GroupBillable, timesheet.GroupDay, timesheet.GroupWeek, timesheet.GroupMonth, timesheet.GroupYear,
}

// database is a store and a connection to its database.
type database struct {
	*store.Store
	conn *pgx.Conn
}

func openDatabase(t testing.TB) database {
	t.Helper()
	s, _, conn := newDatabase(t)
	return database{s, conn}
}

// groupings are all ways to choose one to three different keys in order.
func groupings() [][]timesheet.GroupKey {
	var all [][]timesheet.GroupKey
	var extend func(by []timesheet.GroupKey)
	extend = func(by []timesheet.GroupKey) {
		if len(by) > 0 {
			all = append(all, by)
		}
		if len(by) == timesheet.MaxGroupKeys {
			return
		}
		for _, key := range groupKeys {
			if !slices.Contains(by, key) {
				extend(append(slices.Clone(by), key))
			}
		}
	}
	extend(nil)
	return all
}

// flat is a report as the oracle has it. A path that comes twice fails.
func flat(t testing.TB, r timesheet.Report) map[string]timesheet.Totals {
	t.Helper()
	paths := map[string]timesheet.Totals{"": r.Totals}
	var walk func(path string, rows []timesheet.ReportRow)
	walk = func(path string, rows []timesheet.ReportRow) {
		for _, row := range rows {
			here := path + "/" + row.Key + "|" + row.Label
			if _, twice := paths[here]; twice {
				t.Errorf("row %s stands twice", here)
			}
			paths[here] = row.Totals
			walk(here, row.Children)
		}
	}
	walk("", r.Rows)
	return paths
}

// Reports by every choice of keys, by different people and with different
// filters, say what an oracle says that adds the entries up one by one.
func TestReportAgainstOracle(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 700)
	everything := period(t, "2023-05-01", "2025-07-01")
	odd := period(t, "2023-10-29", "2024-04-17")
	filters := []timesheet.EntryFilter{
		{},
		{Users: []timesheet.UserID{w.users[1].User}},
		{Users: []timesheet.UserID{w.users[1].User, w.users[2].User}},
		{Projects: w.projects[:1]},
		{Projects: w.projects[1:5], Billable: new(true)},
		{Clients: []timesheet.ClientID{w.clientOf[w.projects[1]]}},
		{Tasks: w.tasksOf[w.projects[5]]},
		{Tags: w.tags[:1]},
		{Tags: w.tags[1:], Users: []timesheet.UserID{w.owner.User}},
		{Text: "wORK 1"},
		{Billable: new(false), Period: &odd},
		{Users: []timesheet.UserID{w.users[3].User}, Projects: w.projects, Clients: []timesheet.ClientID{w.clientOf[w.projects[2]]}},
	}
	manager := w.owner
	manager.Role = timesheet.RoleManager
	people := []timesheet.Viewer{w.owner, manager, w.users[1], w.owner, w.users[3]}
	people[2].Workspace, people[4].Workspace = w.owner.Workspace, w.owner.Workspace
	for i, by := range groupings() {
		in := timesheet.ReportInput{Period: everything, GroupBy: by, Filter: filters[i%len(filters)], MaxRows: timesheet.MaxReportRows}
		if i%3 == 0 {
			in.Period = odd
		}
		v := people[i%len(people)]
		now := time.Now()
		got, err := s.Report(t.Context(), v, in, now)
		if err != nil {
			t.Fatalf("by %v, filter %+v: %v", by, in.Filter, err)
		}
		if diff := cmp.Diff(w.expected(t, v, in, now), flat(t, got)); diff != "" {
			t.Fatalf("%s by %v in %v with filter %+v (-want +got):\n%s", v.Role, by, in.Period, in.Filter, diff)
		}
		if got.Truncated || got.Other != nil {
			t.Fatalf("by %v: truncated with other %v, though all rows are there", by, got.Other)
		}
	}
}

// order is what rows of a level are sorted by where it is the label.
func order(row timesheet.ReportRow) string {
	if row.Label == timesheet.NoneLabel {
		return "\uffff"
	}
	return strings.ToLower(strings.TrimSuffix(row.Label, " (deleted)"))
}

func TestReportOrder(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 300)
	var check func(rows []timesheet.ReportRow, before func(a, b timesheet.ReportRow) bool) int
	check = func(rows []timesheet.ReportRow, before func(a, b timesheet.ReportRow) bool) (n int) {
		for i, row := range rows {
			n += 1 + check(row.Children, before)
			if i > 0 && before(row, rows[i-1]) {
				t.Errorf("%s (%d s) stands behind %s (%d s)", row.Label, row.Totals.Seconds, rows[i-1].Label, rows[i-1].Totals.Seconds)
			}
		}
		return n
	}
	for sort, before := range map[timesheet.ReportSort]func(a, b timesheet.ReportRow) bool{
		timesheet.SortLabel:       func(a, b timesheet.ReportRow) bool { return order(a) < order(b) },
		timesheet.SortSecondsDesc: func(a, b timesheet.ReportRow) bool { return a.Totals.Seconds > b.Totals.Seconds },
	} {
		for _, by := range [][]timesheet.GroupKey{{timesheet.GroupProject, timesheet.GroupTask, timesheet.GroupWeek}, {timesheet.GroupMonth, timesheet.GroupUser}, {timesheet.GroupBillable, timesheet.GroupTag}} {
			r, err := s.Report(t.Context(), w.owner, timesheet.ReportInput{Period: period(t, "2023-01-01", "2026-01-01"), GroupBy: by, Sort: sort, MaxRows: timesheet.MaxReportRows}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if n := check(r.Rows, before); n < 6 {
				t.Errorf("by %v there are %d rows, too few to tell their order", by, n)
			}
		}
	}
}

// leaves are the rows of the last level with their paths, in order.
func leaves(rows []timesheet.ReportRow, path string) (paths []string, sum timesheet.Totals) {
	for _, row := range rows {
		if row.Children == nil {
			paths = append(paths, path+"/"+row.Key)
			sum.Seconds += row.Totals.Seconds
			sum.EntryCount += row.Totals.EntryCount
			sum.BillableSeconds += row.Totals.BillableSeconds
			continue
		}
		below, more := leaves(row.Children, path+"/"+row.Key)
		paths = append(paths, below...)
		sum.Seconds += more.Seconds
		sum.EntryCount += more.EntryCount
		sum.BillableSeconds += more.BillableSeconds
	}
	return paths, sum
}

// What maxRows cuts off is summed up, nothing is lost, and rows that stay are
// those that come first.
func TestReportIsCutAtMaxRows(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 300)
	for _, sort := range []timesheet.ReportSort{timesheet.SortLabel, timesheet.SortSecondsDesc} {
		in := timesheet.ReportInput{
			Period: period(t, "2023-01-01", "2026-01-01"), Sort: sort, MaxRows: timesheet.MaxReportRows,
			GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupUser, timesheet.GroupBillable},
		}
		whole, err := s.Report(t.Context(), w.owner, in, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		all, _ := leaves(whole.Rows, "")
		for _, in.MaxRows = range []int{1, 7, len(all) - 1, len(all)} {
			r, err := s.Report(t.Context(), w.owner, in, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			some, sum := leaves(r.Rows, "")
			if diff := cmp.Diff(all[:in.MaxRows], some); diff != "" {
				t.Errorf("%s, %d rows (-want +got):\n%s", sort, in.MaxRows, diff)
			}
			if cut := in.MaxRows < len(all); r.Truncated != cut || (r.Other != nil) != cut {
				t.Errorf("%s, %d of %d rows: truncated %v, other %v", sort, in.MaxRows, len(all), r.Truncated, r.Other)
			}
			if r.Other != nil {
				sum.Seconds += r.Other.Seconds
				sum.EntryCount += r.Other.EntryCount
				sum.BillableSeconds += r.Other.BillableSeconds
			}
			if sum.Seconds != r.Totals.Seconds || sum.EntryCount != r.Totals.EntryCount || sum.BillableSeconds != r.Totals.BillableSeconds {
				t.Errorf("%s, %d rows: rows and other add up to %+v, the totals are %+v", sort, in.MaxRows, sum, r.Totals)
			}
			if diff := cmp.Diff(whole.Totals, r.Totals); diff != "" {
				t.Errorf("%s, %d rows: the totals changed (-whole +cut):\n%s", sort, in.MaxRows, diff)
			}
			if diff := cmp.Diff(whole.Rows[0].Totals, r.Rows[0].Totals); diff != "" {
				t.Errorf("%s, %d rows: a row that lost leaves changed its totals (-whole +cut):\n%s", sort, in.MaxRows, diff)
			}
		}
	}
}
