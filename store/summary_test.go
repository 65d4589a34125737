package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

// Each list of a summary is the report by its key, whoever asks, whatever the
// period, and whether the sums of months are trusted or not.
func TestSummaryAgainstOracle(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 700)
	manager, drifted, member := w.owner, w.owner, w.users[1]
	manager.Role, drifted.Workspace.RollupDrifted, member.Workspace = timesheet.RoleManager, true, w.owner.Workspace
	for _, test := range []struct {
		from, to string
		unit     timesheet.GroupKey
		source   timesheet.ReportSource
	}{
		{"2024-02-10", "2024-02-10", timesheet.GroupDay, timesheet.SourceIndex},
		{"2024-01-15", "2024-03-16", timesheet.GroupDay, timesheet.SourceIndex}, // 62 days
		{"2024-01-15", "2024-03-17", timesheet.GroupMonth, timesheet.SourceRollup},
		{"2024-01-15", "2029-02-03", timesheet.GroupMonth, timesheet.SourceRollup}, // 62 months
		{"2023-12-31", "2029-02-01", timesheet.GroupYear, timesheet.SourceRollup},
		{"1999-01-01", "1999-12-31", timesheet.GroupMonth, timesheet.SourceRollup},
	} {
		for i, v := range []timesheet.Viewer{w.owner, manager, member, drifted} {
			who := []string{"owner", "manager", "member", "drifted"}[i]
			now, p := time.Now(), period(t, test.from, test.to)
			op := store.NewOperation(1)
			sum, err := s.Summary(store.WithOperation(t.Context(), op), v, p, now)
			source, statements := test.source, 6 // the version, a snapshot's two ends, the sums, two kinds of names
			switch who {
			case "manager": // sees what the owner saw
				source, statements = timesheet.SourceCache, 1
			case "drifted":
				source = timesheet.SourceIndex
			}
			if err != nil || op.Statements() != statements {
				t.Fatalf("%s, %v: %d statements, want %d (%v)", who, p, op.Statements(), statements, err)
			}
			if sum.TimeUnit != test.unit || sum.Source != source {
				t.Errorf("%s, %v: by %s from %s, want %s from %s", who, p, sum.TimeUnit, sum.Source, test.unit, source)
			}
			for key, rows := range map[timesheet.GroupKey]timesheet.SummaryRows{timesheet.GroupProject: sum.ByProject, timesheet.GroupUser: sum.ByUser, test.unit: sum.ByTime} {
				want := w.expected(t, v, timesheet.ReportInput{Period: p, GroupBy: []timesheet.GroupKey{key}}, now)
				got := flat(t, timesheet.Report{Rows: rows.Rows, Totals: sum.Totals})
				if key != timesheet.GroupProject { // each row's amount is divided by itself
					total := want[""]
					total.Amounts = sum.Totals.Amounts
					want[""] = total
				}
				if diff := cmp.Diff(want, got); diff != "" || rows.Other != nil {
					t.Errorf("%s, %v by %s, other %v (-want +got):\n%s", who, p, key, rows.Other, diff)
				}
			}
			if v.User == member.User && len(sum.ByUser.Rows) > 1 {
				t.Errorf("a member is told of %d people", len(sum.ByUser.Rows))
			}
		}
	}
}

// Of many projects those of the most seconds stay, and the rest is summed up.
func TestSummaryIsCut(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	mustExec(t, s.conn, `INSERT INTO project (workspace_id, name, name_key) SELECT $1, 'p' || n, 'p' || n FROM generate_series(1, 60) n`, v.Workspace.ID)
	mustExec(t, s.conn, `
		INSERT INTO time_entry (workspace_id, id, user_id, project_id, started_at, ended_at, day, billable, rate_minor, currency)
		SELECT $1, gen_random_uuid(), $2, p.id, d, d + substr(p.name, 2)::integer * interval '1 second', d::date, true, 3600, 'EUR'
		FROM project p, unnest(ARRAY['2024-01-05 08:00Z', '2024-02-05 08:00Z', '2024-03-31 08:00Z']::timestamptz[]) d WHERE p.workspace_id = $1`, v.Workspace.ID, v.User)
	sum, err := s.Summary(t.Context(), v, period(t, "2024-01-05", "2024-03-31"), time.Now())
	if err != nil || sum.ByProject.Other == nil || len(sum.ByProject.Rows) != timesheet.MaxSummaryRows {
		t.Fatalf("%d rows by project, other %v (%v)", len(sum.ByProject.Rows), sum.ByProject.Other, err)
	}
	added := *sum.ByProject.Other
	if added.Seconds != 3*55 || added.EntryCount != 30 { // 1 to 10 seconds, three times each
		t.Errorf("what was left out is %+v", added)
	}
	for i, row := range sum.ByProject.Rows {
		if row.Totals.Seconds != int64(3*(60-i)) {
			t.Errorf("row %d is %s of %d seconds", i, row.Label, row.Totals.Seconds)
		}
		added.Seconds += row.Totals.Seconds
		added.Amounts[0].Minor += row.Totals.Amounts[0].Minor
	}
	if added.Seconds != 3*1830 || sum.Totals.Seconds != added.Seconds || sum.Totals.Amounts[0] != added.Amounts[0] || added.Amounts[0].Minor != 3*1830 {
		t.Errorf("rows and other add up to %+v, the totals are %+v", added, sum.Totals)
	}
	if len(sum.ByTime.Rows) != 3 || len(sum.ByUser.Rows) != 1 || sum.ByUser.Rows[0].Totals.Seconds != sum.Totals.Seconds {
		t.Errorf("by time %+v, by user %+v", sum.ByTime.Rows, sum.ByUser.Rows)
	}
}

// Nothing is there on a day that a zone skipped; a reversed period is refused,
// and so is one without an end.
func TestSummaryOfOddPeriods(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "Pacific/Apia")
	sum, err := s.Summary(t.Context(), v, period(t, "2011-12-30", "2011-12-30"), time.Now())
	if err != nil || sum.Totals.EntryCount != 0 || len(sum.ByTime.Rows) != 0 {
		t.Errorf("a day that was not has %+v (%v)", sum, err)
	}
	for _, p := range []timesheet.Period{period(t, "2024-01-02", "2024-01-01"), period(t, "1970-01-01", "2070-01-01")} {
		_, err := s.Summary(t.Context(), v, p, time.Now())
		wantCode(t, err, timesheet.CodeInvalid)
	}
}
