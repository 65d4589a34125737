package store_test

import (
	"slices"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// A week's grid has a row for each task, whatever the day, and its sums are
// those of the person's reports of the same seven days.
func TestWeekGrid(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	ctx := t.Context()
	owner := in(t, s.Store, "Europe/Bucharest")
	owner.Workspace.WeekStart = time.Saturday
	member := addViewer(t, s.Store, owner, "mia", timesheet.RoleMember)
	site := addProject(t, s.Store, owner, "site", nil)
	task := addTask(t, s.Store, owner, site.ID, "design")
	add := func(from, to string, project *timesheet.ProjectID, task *timesheet.TaskID) {
		t.Helper()
		e := span(t, from, to)
		e.Project, e.Task = timesheet.Some(project), timesheet.Some(task)
		create(t, s.Store, owner, e)
	}
	add("2024-05-31T20:59:59Z", "2024-05-31T23:00:00Z", nil, nil)           // Friday before midnight in Bucharest
	add("2024-05-31T21:00:00Z", "2024-05-31T22:00:00Z", &site.ID, &task.ID) // Saturday, the first day
	add("2024-06-07T20:59:59Z", "2024-06-08T19:59:59Z", &site.ID, &task.ID) // Friday, the last day, whole
	add("2024-06-03T08:00:00Z", "2024-06-03T08:30:00Z", &site.ID, nil)
	add("2024-06-03T09:00:00Z", "2024-06-03T09:10:00Z", nil, nil)
	startAt(t, s.Store, owner, ago(time.Hour))
	monday := timesheet.NewDate(2024, time.June, 3)
	op := store.NewOperation(1)
	week, err := s.WeekGrid(store.WithOperation(ctx, op), owner, owner.User, &monday, time.Now())
	if err != nil || week == nil || op.Statements() != 1 {
		t.Fatalf("got %+v (%v) with %d statements, want one", week, err, op.Statements())
	}
	wantRow := func(i int, project *timesheet.ProjectID, task *timesheet.TaskID, days ...int64) {
		t.Helper()
		row := week.Rows[i]
		same := func() bool {
			return (row.ProjectID == nil) == (project == nil) && (row.TaskID == nil) == (task == nil) && (task == nil || *row.TaskID == *task)
		}
		if !same() || !slices.Equal(row.Days, days) {
			t.Errorf("row %d is %+v with days %v, want %v", i, row, row.Days, days)
		}
	}
	if len(week.Rows) != 3 || week.First != timesheet.NewDate(2024, time.June, 1) || week.Truncated {
		t.Fatalf("%d rows from %s, truncated %v", len(week.Rows), week.First, week.Truncated)
	}
	wantRow(0, &site.ID, &task.ID, 3600, 0, 0, 0, 0, 0, 82800)
	wantRow(1, &site.ID, nil, 0, 0, 1800, 0, 0, 0, 0)
	wantRow(2, nil, nil, 0, 0, 600, 0, 0, 0, 0)
	report, err := s.Report(ctx, owner, timesheet.ReportInput{Period: timesheet.Period{From: week.First, To: week.First + 6}, GroupBy: []timesheet.GroupKey{timesheet.GroupTask}, MaxRows: 10}, time.Now())
	if err != nil || report.Totals.ExactSeconds != week.Totals.ExactSeconds || report.Totals.EntryCount != week.Totals.EntryCount || week.Totals.EntryCount != 4 {
		t.Errorf("the week has %+v, a report of it %+v (%v)", week.Totals, report.Totals, err)
	}
	if empty, err := s.WeekGrid(ctx, owner, member.User, &monday, time.Now()); err != nil || empty == nil || len(empty.Rows) != 0 || empty.Totals.EntryCount != 0 {
		t.Errorf("a person without entries has %+v (%v), want an empty week", empty, err)
	}
	for name, user := range map[string]timesheet.UserID{"another person": owner.User, "nobody": 1 << 40} {
		if hidden, err := s.WeekGrid(ctx, member, user, &monday, time.Now()); err != nil || hidden != nil {
			t.Errorf("a member sees the week of %s: %+v (%v)", name, hidden, err)
		}
	}
	if this, err := s.WeekGrid(ctx, owner, owner.User, nil, instant(t, "2024-06-07T21:00:00Z")); err != nil || this.First != timesheet.NewDate(2024, time.June, 8) {
		t.Errorf("the week of now is %+v (%v), want that of the 8th of June", this, err)
	}
}
