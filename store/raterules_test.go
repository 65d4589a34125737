package store_test

import (
	"testing"

	"headroom/timesheet"
)

func TestRatesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	nobody, elsewhere := timesheet.UserID(1), timesheet.ProjectID(1)
	for name, c := range map[string]struct {
		in    timesheet.RateInput
		field string
		want  timesheet.Code
	}{
		"a currency that does not exist": {timesheet.RateInput{Currency: new("EUX")}, "currency", timesheet.CodeInvalid},
		"in small letters":               {timesheet.RateInput{Currency: new("eur")}, "currency", timesheet.CodeInvalid},
		"a metal":                        {timesheet.RateInput{Currency: new("XAU")}, "currency", timesheet.CodeInvalid},
		"a cost in another currency":     {timesheet.RateInput{Kind: timesheet.RateCost, Currency: new("JPY")}, "currency", timesheet.CodeInvalid},
		"case49_too_high":                {timesheet.RateInput{Minor: new(int64(timesheet.MaxRate + 1))}, "minor", timesheet.CodeOutOfRange},
		"case49_highest_number":          {timesheet.RateInput{Minor: new(int64(1<<63 - 1))}, "minor", timesheet.CodeOutOfRange},
		"negative":                       {timesheet.RateInput{Minor: new(int64(-1))}, "minor", timesheet.CodeOutOfRange},
		"from the year 9999":             {timesheet.RateInput{From: new(day(t, "9999-12-31"))}, "effectiveFrom", timesheet.CodeOutOfRange},
		"from 1066":                      {timesheet.RateInput{From: new(day(t, "1066-10-14"))}, "effectiveFrom", timesheet.CodeOutOfRange},
		"all from no day":                {timesheet.RateInput{Apply: timesheet.ApplyAllFrom}, "applyFrom", timesheet.CodeInvalid},
		"the future from a day":          {timesheet.RateInput{ApplyFrom: new(day(t, "2024-01-01"))}, "applyFrom", timesheet.CodeInvalid},
		"the future through a day":       {timesheet.RateInput{ApplyThrough: new(day(t, "2024-01-01"))}, "applyThrough", timesheet.CodeInvalid},
		"through a day before the first": {timesheet.RateInput{Apply: timesheet.ApplyAllFrom, ApplyFrom: new(day(t, "2024-01-02")), ApplyThrough: new(day(t, "2024-01-01"))}, "applyThrough", timesheet.CodeInvalid},
		"a task and its project":         {timesheet.RateInput{Task: &w.tasks[0], Project: &w.projects[0]}, "taskId", timesheet.CodeInvalid},
		"of nobody":                      {timesheet.RateInput{User: &nobody}, "userId", timesheet.CodeNotFound},
		"of no project":                  {timesheet.RateInput{Project: &elsewhere}, "projectId", timesheet.CodeNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			if c.in.Kind == "" {
				c.in.Kind = timesheet.RateBill
			}
			if c.in.Apply == "" {
				c.in.Apply = timesheet.ApplyFuture
			}
			_, _, err := w.s.SetRate(t.Context(), w.v, c.in, change("setRate"))
			wantCode(t, err, c.want)
			if broken, ok := timesheet.AsError(err); ok && broken.Field != c.field {
				t.Errorf("blames %q, want %q", broken.Field, c.field)
			}
		})
	}
	if n := ask[int](t, w.conn, `SELECT count(*) FROM rate`); n > 0 {
		t.Errorf("%d rates were set", n)
	}
	for name, order := range map[string][]timesheet.RateScope{
		"none":  {},
		"four":  timesheet.RateOrder[1:],
		"twice": {timesheet.ScopeTask, timesheet.ScopeTask, timesheet.ScopeProject, timesheet.ScopeMember, timesheet.ScopeWorkspace},
	} {
		_, _, err := w.s.UpdateProject(t.Context(), w.v, w.projects[0], timesheet.ProjectInput{RateOrder: timesheet.Some(order)}, nil, change("updateProject"))
		if wantCode(t, err, timesheet.CodeInvalid); t.Failed() {
			t.Fatal(name)
		}
	}
}

// Who sets what, and who sees it.
func TestRatesByRole(t *testing.T) {
	t.Parallel()
	w := newPriced(t)
	lead := addViewer(t, w.s, w.v, "max", timesheet.RoleManager)
	done[timesheet.Project](t)(w.s.SetProjectMember(t.Context(), w.v, w.projects[0], lead.User, true, change("setProjectMember")))
	people := map[string]timesheet.Viewer{
		"owner": w.v, "admin": addViewer(t, w.s, w.v, "ada", timesheet.RoleAdmin), "lead": lead,
		"member": addViewer(t, w.s, w.v, "tom", timesheet.RoleMember), "viewer": addViewer(t, w.s, w.v, "vic", timesheet.RoleViewer),
	}
	ten := new(int64(1000))
	for _, c := range []struct {
		who  string
		in   timesheet.RateInput
		want timesheet.Code
	}{
		{"admin", timesheet.RateInput{Kind: timesheet.RateCost, User: &w.people[1]}, ""},
		{"lead", timesheet.RateInput{Kind: timesheet.RateBill, Project: &w.projects[0]}, ""},
		{"lead", timesheet.RateInput{Kind: timesheet.RateBill, Task: &w.tasks[0]}, ""},
		{"lead", timesheet.RateInput{Kind: timesheet.RateCost, Project: &w.projects[0]}, timesheet.CodeForbidden},
		{"lead", timesheet.RateInput{Kind: timesheet.RateBill, Project: &w.projects[1]}, timesheet.CodeForbidden},
		{"lead", timesheet.RateInput{Kind: timesheet.RateBill, User: &w.people[1]}, timesheet.CodeForbidden},
		{"lead", timesheet.RateInput{Kind: timesheet.RateBill}, timesheet.CodeForbidden},
		{"member", timesheet.RateInput{Kind: timesheet.RateBill, Project: &w.projects[0]}, timesheet.CodeNotFound},
		{"viewer", timesheet.RateInput{Kind: timesheet.RateBill, Project: &w.projects[0]}, timesheet.CodeForbidden},
	} {
		c.in.Minor, c.in.Apply = ten, timesheet.ApplyFuture
		_, _, err := w.s.SetRate(t.Context(), people[c.who], c.in, change("setRate"))
		if c.want == "" && err != nil {
			t.Errorf("%s may not set %+v: %v", c.who, c.in, err)
		} else if c.want != "" {
			wantCode(t, err, c.want)
		}
	}
	for who, want := range map[string]int{"owner": 3, "admin": 3, "lead": 3, "viewer": 2} {
		if page, err := w.s.Rates(t.Context(), people[who], timesheet.RateFilter{}, timesheet.Page{First: 10}); err != nil || len(page.Nodes) != want {
			t.Errorf("%s sees %d rates, %v; want %d", who, len(page.Nodes), err, want)
		}
	}
	_, err := w.s.Rates(t.Context(), people["member"], timesheet.RateFilter{}, timesheet.Page{First: 10})
	wantCode(t, err, timesheet.CodeForbidden)
}
