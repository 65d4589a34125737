package store_test

import (
	"testing"

	"headroom/demo"
	"headroom/timesheet"
)

// The small company's first budget is nearly used up, of which its managers
// are warned, and what it was told in advance is what its rates come to.
func TestSmallCompanyNearlyUsesItsBudget(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	owner, _, err := s.LoadCompany(t.Context(), demo.Small(demo.SmallConfig{Name: "Demo", Entries: 1000, Until: loadNoon}), nil)
	if err != nil {
		t.Fatal(err)
	}
	project := ask[timesheet.ProjectID](t, s.conn, `SELECT id FROM project WHERE name = 'Website relaunch'`)
	burns, err := s.Burns(t.Context(), owner, []timesheet.ProjectID{project}, loadNoon)
	if err != nil {
		t.Fatal(err)
	}
	if used := burns[project].Percent; used < 88 || used > 92 {
		t.Errorf("%v %% of the budget are used, want about nine tenths: %+v", used, burns[project])
	}
	for _, sql := range dangling {
		if n := ask[int](t, s.conn, sql); n != 0 {
			t.Errorf("%d wrong rows by %s", n, sql)
		}
	}
}
