package store_test

import (
	"testing"
	"time"

	"headroom/timesheet"
)

// How many times what a report by one key takes a summary takes, over the sums of
// two years and over the index of sixty days of 300,000 entries: the factor of its
// price.
func BenchmarkSummarySets(b *testing.B) {
	s, v, conn := newDatabase(b)
	mustExec(b, conn, `INSERT INTO membership (workspace_id, role, name, name_key) SELECT $1, 'MEMBER', 'user ' || n, 'user ' || n FROM generate_series(1, 99) n`, v.Workspace.ID)
	mustExec(b, conn, `INSERT INTO project (workspace_id, id, name, name_key) SELECT $1, nextval('object_id'), 'project ' || n, 'project ' || n FROM generate_series(1, 60) n`, v.Workspace.ID)
	mustExec(b, conn, `
		INSERT INTO time_entry (workspace_id, id, user_id, project_id, started_at, ended_at, day, billable, rate_minor, currency)
		SELECT $1, gen_random_uuid(), m.user_id, p.id, s.at, s.at + interval '40 minutes', s.at::date, s.n % 7 > 0, 9000, 'EUR'
		FROM (SELECT n, date_trunc('second', timestamptz '2024-01-01 00:00Z' + n * interval '731 days' / 300000) AS at FROM generate_series(0, 299999) n) s
		JOIN (SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS n FROM membership WHERE workspace_id = $1) m ON m.n = s.n % 100
		JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM project WHERE workspace_id = $1) p ON p.n = (s.n % 100 * 7 + s.n / 2500 % 4) % 60`, v.Workspace.ID)
	mustExec(b, conn, `VACUUM ANALYZE`)
	for name, p := range map[string]timesheet.Period{"sums": period(b, "2024-01-01", "2025-12-31"), "index": period(b, "2024-03-02", "2024-04-30")} {
		b.Run(name, func(b *testing.B) {
			var summary, reports time.Duration
			for b.Loop() {
				now := time.Now()
				if _, err := s.SummaryOf(b.Context(), v, p, now); err != nil {
					b.Fatal(err)
				}
				summary += time.Since(now)
				for _, key := range []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupUser, timesheet.SummaryUnit(p)} {
					now := time.Now()
					if _, err := s.ReportOf(b.Context(), v, timesheet.ReportInput{Period: p, GroupBy: []timesheet.GroupKey{key}, MaxRows: 1000}, now, 10_000); err != nil {
						b.Fatal(err)
					}
					reports += time.Since(now)
				}
			}
			b.ReportMetric(3*float64(summary)/float64(reports), "sets")
		})
	}
}
