package store_test

import (
	"fmt"
	"testing"
	"time"

	"headroom/timesheet"
)

// What is used of a budget is what the project's entries add up to.
func TestBudgets(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	now := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	w.set(timesheet.RateInput{Minor: new(int64(6000))})
	for _, day := range []string{"2026-01-05", "2026-03-02", "2026-03-03"} {
		w.entry(day, w.on(0))
		w.entry(day, w.on(1))
	}
	gone := w.entry("2026-03-04", w.on(0))
	done[timesheet.TimeEntry](t)(w.s.DeleteTimeEntry(t.Context(), w.v, gone.ID, nil, change("deleteTimeEntry")))
	set := func(in timesheet.BudgetInput) {
		done[timesheet.Project](t)(w.s.SetBudget(t.Context(), w.v, w.projects[0], in, change("setBudget")))
	}
	burn := func(v timesheet.Viewer) string {
		burns, err := w.s.Burns(t.Context(), v, w.projects, now)
		if err != nil || len(burns) > 1 {
			t.Fatal(burns, err)
		}
		b, ok := burns[w.projects[0]]
		if !ok {
			return "none"
		}
		return fmt.Sprint(b.From, " ", b.Seconds, " ", b.Money, " ", b.Percent, " ", b.Reached, " ", b.ExhaustedOn)
	}
	for _, c := range []struct {
		name string
		in   timesheet.BudgetInput
		want string
	}{
		{"time", timesheet.BudgetInput{Seconds: new(int64(4 * 3600)), Period: timesheet.BudgetTotal, Alerts: []int{80, 50}}, "<nil> 10800 <nil> 75 [50] 2026-03-23"},
		{"time of a month", timesheet.BudgetInput{Seconds: new(int64(4 * 3600)), Period: timesheet.BudgetMonthly}, "2026-03-01 7200 <nil> 50 [] <nil>"},
		{"money", timesheet.BudgetInput{Minor: new(int64(18000)), Period: timesheet.BudgetTotal, Alerts: []int{100}}, "<nil> 10800 180.00 EUR 100 [100] <nil>"},
		{"other money", timesheet.BudgetInput{Minor: new(int64(18000)), Currency: new("JPY"), Period: timesheet.BudgetTotal}, "<nil> 10800 0 JPY 0 [] <nil>"},
		{"none", timesheet.BudgetInput{}, "none"},
	} {
		set(c.in)
		if got := burn(w.v); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		drifted := w.v
		drifted.Workspace.RollupDrifted = true
		mustExec(t, w.conn, `UPDATE rollup SET secs = secs + 3600, amount_x3600 = amount_x3600 + 3600`)
		if got := burn(drifted); got != c.want {
			t.Errorf("%s, where sums have drifted: got %s, want %s", c.name, got, c.want)
		}
		mustExec(t, w.conn, `UPDATE rollup SET secs = secs - 3600, amount_x3600 = amount_x3600 - 3600`)
	}
	set(timesheet.BudgetInput{Seconds: new(int64(3600)), Period: timesheet.BudgetTotal})
	if page, err := w.s.ProjectBudgets(t.Context(), w.v, timesheet.Page{First: 10}); err != nil || len(page.Nodes) != 1 || page.Nodes[0].ID != w.projects[0] {
		t.Errorf("budgets are %+v, %v; want that of the first project", page.Nodes, err)
	}
	member := addViewer(t, w.s, w.v, "tom", timesheet.RoleMember)
	if got := burn(member); got != "none" {
		t.Errorf("a member sees %s", got)
	}
	_, err := w.s.ProjectBudgets(t.Context(), member, timesheet.Page{First: 10})
	wantCode(t, err, timesheet.CodeForbidden)
}
