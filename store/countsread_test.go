package store_test

import (
	"testing"
	"time"

	"headroom/timesheet"
)

func TestCountsOfAWorkspace(t *testing.T) {
	db, v, conn := newDatabase(t)
	for _, at := range []string{"2026-02-10", "2026-03-02", "2026-03-30"} {
		mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency, description)
			VALUES ($1, gen_random_uuid(), $2, $3::timestamptz, $3::timestamptz + interval '1 hour', $3::date, true, 'EUR', 'Review')`, v.Workspace.ID, v.User, at)
	}
	c, err := db.Counts(t.Context(), v.Workspace.ID)
	if err != nil {
		t.Fatal(err)
	}
	between := func(m interface {
		Between(timesheet.Period, timesheet.Date, timesheet.Date) float64
	}, from, to int,
	) float64 {
		p := timesheet.Period{From: timesheet.NewDate(2026, time.Month(from), 1), To: timesheet.NewDate(2026, time.Month(to+1), 0)}
		return m.Between(p, c.AsOf, c.AsOf)
	}
	if c.Users != 1 || c.Projects != 0 || between(c.All, 3, 3) != 2 || between(c.ByUser[v.User], 1, 3) != 3 || between(c.ByProject[0], 2, 2) != 1 || between(c.Sums, 2, 3) != 2 || between(c.ProjectSums, 2, 3) != 2 {
		t.Errorf("counts %+v, want one person with an entry in February and two in March", c)
	}
	if c.Sample != nil {
		t.Errorf("a small workspace has %d sampled descriptions", len(c.Sample))
	}
	if none, err := db.Counts(t.Context(), 1<<40); err != nil || none.Users != 0 || between(none.All, 1, 12) != 0 {
		t.Errorf("a workspace that is not there has %+v, %v", none, err)
	}
}

// Descriptions of a large workspace are drawn from all of its time.
func TestSampleOfALargeWorkspace(t *testing.T) {
	db, v, conn := newDatabase(t)
	mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency, description)
		SELECT $1, gen_random_uuid(), $2, at, at + interval '10 minutes', at::date, true, 'EUR', CASE WHEN n % 4 = 0 THEN 'Meeting' ELSE 'Coding' END
		FROM generate_series(1, 6000) n, LATERAL (SELECT '2025-01-01'::timestamptz + n * interval '100 minutes' AS at) t`, v.Workspace.ID, v.User)
	c, err := db.Counts(t.Context(), v.Workspace.ID)
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	for _, text := range c.Sample {
		if text == "meeting" {
			met++
		}
	}
	if n := len(c.Sample); n < 900 || met < n/8 || met > n/2 {
		t.Errorf("%d of %d descriptions are meetings, want about a quarter of 1,000", met, n)
	}
	mustExec(t, conn, `DELETE FROM time_entry WHERE workspace_id = $1 AND started_at >= '2025-01-01'::timestamptz + 600 * interval '100 minutes'`, v.Workspace.ID)
	small, err := db.Counts(t.Context(), v.Workspace.ID)
	if n := len(small.Sample); err != nil || n < 150 || n > 200 {
		t.Errorf("%d of 600 descriptions are drawn, want about 200: %v", n, err)
	}
	if c.Bytes() < 6000 || c.Bytes() > 1<<20 {
		t.Errorf("the counts take %d bytes", c.Bytes())
	}
}
