package store_test

import (
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// busyWorkspace has 50,000 entries of 50 people in a year, some 1,000 of each.
func busyWorkspace(b *testing.B) (*store.Store, timesheet.Viewer) {
	b.Helper()
	s, v, conn := newDatabase(b)
	project := addProject(b, s, v, "site", nil)
	mustExec(b, conn, `
		INSERT INTO membership (workspace_id, role, name, name_key) SELECT $1, 'MEMBER', 'user ' || n, 'user ' || n FROM generate_series(1, 49) n`, v.Workspace.ID)
	mustExec(b, conn, `
		INSERT INTO time_entry (workspace_id, id, user_id, project_id, started_at, ended_at, day, billable, rate_minor, currency)
		SELECT $1, gen_random_uuid(), m.user_id, $2, s.at, s.at + interval '40 minutes', s.at::date, true, 9000, 'EUR'
		FROM (SELECT n, timestamptz '2024-01-01 08:00Z' + n * interval '10 minutes' AS at FROM generate_series(1, 50000) n) s
		JOIN (SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS n FROM membership WHERE workspace_id = $1) m ON m.n = s.n % 50`, v.Workspace.ID, project.ID)
	mustExec(b, conn, `VACUUM ANALYZE`)
	return s, v
}

func BenchmarkMyDay(b *testing.B) {
	s, v := busyWorkspace(b)
	d := day(b, "2024-06-03")
	for b.Loop() {
		if _, err := s.MyDay(b.Context(), v, &d, nil, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTimeEntries(b *testing.B) {
	s, v := busyWorkspace(b)
	for b.Loop() {
		if _, err := s.TimeEntries(b.Context(), v, timesheet.EntryFilter{}, timesheet.Page{First: 50}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStartTimer(b *testing.B) {
	s, v := busyWorkspace(b)
	for b.Loop() {
		if _, _, _, err := s.StartTimer(b.Context(), v, timesheet.TimerInput{}, change("startTimer")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReport(b *testing.B) {
	s, v := busyWorkspace(b)
	for name, by := range map[string][]timesheet.GroupKey{
		"project":          {timesheet.GroupProject},
		"project by month": {timesheet.GroupProject, timesheet.GroupMonth},
		"user by week":     {timesheet.GroupUser, timesheet.GroupWeek},
	} {
		b.Run(name, func(b *testing.B) {
			in := timesheet.ReportInput{Period: period(b, "2024-01-01", "2024-12-31"), GroupBy: by, MaxRows: 10000}
			for b.Loop() {
				if _, err := s.Report(b.Context(), v, in, time.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Whatever text is searched for and whatever stands for a cursor, the answer
// is a page or a broken rule, never an error of the database.
func FuzzTimeEntries(f *testing.F) {
	s, v := newWorkspace(f)
	in := hour(f)
	in.Description = timesheet.Some(`100% of back\slash_es`)
	e := create(f, s, v, in)
	page, err := s.TimeEntries(f.Context(), v, timesheet.EntryFilter{}, timesheet.Page{First: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", "")
	f.Add(`%_\`, page.Cursor(0))
	f.Add("100%", "WyJlbnRyaWVzIiwiaW5maW5pdHkiLCIwIl0")
	f.Add("\x00\xff", "?")
	f.Fuzz(func(t *testing.T, text, cursor string) {
		for _, p := range []timesheet.Page{{First: 2, After: cursor}, {Last: 2, Before: cursor}} {
			page, err := s.TimeEntries(t.Context(), v, timesheet.EntryFilter{Text: text}, p)
			if err != nil {
				wantCode(t, err, timesheet.CodeInvalid)
				continue
			}
			for _, found := range page.Nodes {
				if found.ID != e.ID {
					t.Errorf("found %v, which nobody has made", found.ID)
				}
			}
		}
	})
}
