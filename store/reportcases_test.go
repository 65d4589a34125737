package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

// spans makes finished entries from pairs of start and end.
func spans(t testing.TB, s *store.Store, v timesheet.Viewer, times ...string) {
	t.Helper()
	for i := 0; i < len(times); i += 2 {
		create(t, s, v, span(t, times[i], times[i+1]))
	}
}

// rowsBy are the seconds of a report's rows by their labels.
func rowsBy(t testing.TB, s *store.Store, v timesheet.Viewer, in timesheet.ReportInput) map[string]int64 {
	t.Helper()
	in.MaxRows = 1000
	r, err := s.Report(t.Context(), v, in, instant(t, "2024-06-03T10:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for _, row := range r.Rows {
		rows[row.Label] = row.Totals.Seconds
	}
	return rows
}

func TestReportCases(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	day, month, year := []timesheet.GroupKey{timesheet.GroupDay}, []timesheet.GroupKey{timesheet.GroupMonth}, []timesheet.GroupKey{timesheet.GroupYear}
	t.Run("case01_midnight", func(t *testing.T) {
		v := in(t, s.Store, "Europe/Bucharest")
		spans(t, s.Store, v, "2024-06-03T20:30:00Z", "2024-06-03T22:00:00Z") // 23:30 to 01:00
		in := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: day}
		wantSeconds(t, "whole", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06-03": 5400})
		in.DayAttribution = timesheet.AttributeSplit
		wantSeconds(t, "split", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06-03": 1800, "2024-06-04": 3600})
	})
	t.Run("case02_ends_of_week_month_and_year", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		spans(t, s.Store, v, "2023-12-31T23:00:00Z", "2024-01-01T02:00:00Z") // a Sunday
		in := timesheet.ReportInput{Period: period(t, "2023-01-01", "2024-12-31"), GroupBy: year}
		wantSeconds(t, "whole", rowsBy(t, s.Store, v, in), map[string]int64{"2023": 10800})
		in.DayAttribution = timesheet.AttributeSplit
		wantSeconds(t, "split", rowsBy(t, s.Store, v, in), map[string]int64{"2023": 3600, "2024": 7200})
		in.GroupBy = month
		wantSeconds(t, "split by month", rowsBy(t, s.Store, v, in), map[string]int64{"2023-12": 3600, "2024-01": 7200})
		in.GroupBy = []timesheet.GroupKey{timesheet.GroupWeek}
		wantSeconds(t, "split by week", rowsBy(t, s.Store, v, in), map[string]int64{"2023-12-25": 3600, "2024-01-01": 7200})
	})
	t.Run("case05_days_of_23_and_25_hours", func(t *testing.T) {
		v := in(t, s.Store, "Europe/Bucharest")
		spans(t, s.Store, v, "2024-03-30T22:00:00Z", "2024-03-31T21:00:00Z")
		spring := timesheet.ReportInput{Period: period(t, "2024-03-01", "2024-12-31"), GroupBy: day, DayAttribution: timesheet.AttributeSplit}
		wantSeconds(t, "spring", rowsBy(t, s.Store, v, spring), map[string]int64{"2024-03-31": 82_800})
		e := span(t, "2024-10-26T21:00:00Z", "2024-10-27T22:00:00Z")
		if _, _, err := s.CreateTimeEntry(t.Context(), v, e, change("createTimeEntry")); err != nil { // it warns: longer than 24 hours
			t.Fatal(err)
		}
		wantSeconds(t, "and autumn", rowsBy(t, s.Store, v, spring), map[string]int64{"2024-03-31": 82_800, "2024-10-27": 90_000})
	})
	t.Run("case06_two_zones", func(t *testing.T) {
		v := in(t, s.Store, "Europe/Bucharest")
		spans(t, s.Store, v, "2024-06-04T03:30:00Z", "2024-06-04T04:30:00Z") // 23:30 of the day before in New York
		in := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: day}
		wantSeconds(t, "the workspace's", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06-04": 3600})
		in.TimeZone = new("America/New_York")
		wantSeconds(t, "New York's", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06-03": 3600})
		in.Period = period(t, "2024-06-04", "2024-06-30")
		wantSeconds(t, "New York's from the 4th on", rowsBy(t, s.Store, v, in), map[string]int64{})
	})
	t.Run("case07_days_stay_until_they_are_moved", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		spans(t, s.Store, v, "2024-06-30T23:30:00Z", "2024-06-30T23:45:00Z")
		in := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-07-31"), GroupBy: month}
		mustExec(t, s.conn, `UPDATE workspace SET time_zone = 'Europe/Bucharest' WHERE workspace_id = $1`, v.Workspace.ID)
		v.Workspace.TimeZone = "Europe/Bucharest"
		wantSeconds(t, "before", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06": 900})
		if found, err := s.RebuildRollup(t.Context(), v.Workspace); err != nil || found.Days != 1 {
			t.Fatalf("%+v, %v", found, err)
		}
		wantSeconds(t, "after", rowsBy(t, s.Store, v, in), map[string]int64{"2024-07": 900})
	})
	t.Run("case08_a_day_that_never_was", func(t *testing.T) {
		v := in(t, s.Store, "Pacific/Apia")
		spans(t, s.Store, v, "2011-12-30T09:00:00Z", "2011-12-30T11:00:00Z") // the 29th, 23:00, to the 31st, 01:00
		in := timesheet.ReportInput{Period: period(t, "2011-12-28", "2012-01-02"), GroupBy: day, DayAttribution: timesheet.AttributeSplit}
		wantSeconds(t, "split", rowsBy(t, s.Store, v, in), map[string]int64{"2011-12-29": 3600, "2011-12-31": 3600})
		half := in
		half.TimeZone = new("Asia/Kathmandu") // +5:45
		wantSeconds(t, "in Kathmandu", rowsBy(t, s.Store, v, half), map[string]int64{"2011-12-30": 7200})
	})
	t.Run("case09_week_start", func(t *testing.T) {
		v := in(t, s.Store, "UTC") // Monday
		spans(t, s.Store, v, "2024-06-01T08:00:00Z", "2024-06-01T09:00:00Z", "2024-06-02T08:00:00Z", "2024-06-02T10:00:00Z", "2024-06-03T08:00:00Z", "2024-06-03T11:00:00Z")
		in := timesheet.ReportInput{Period: period(t, "2024-05-01", "2024-06-30"), GroupBy: []timesheet.GroupKey{timesheet.GroupWeek}}
		for start, want := range map[time.Weekday]map[string]int64{
			time.Monday:   {"2024-05-27": 10800, "2024-06-03": 10800},
			time.Sunday:   {"2024-05-26": 3600, "2024-06-02": 18000},
			time.Saturday: {"2024-06-01": 21600},
		} {
			in.WeekStart = &start
			wantSeconds(t, start.String(), rowsBy(t, s.Store, v, in), want)
		}
		in.WeekStart = nil
		wantSeconds(t, "the workspace's", rowsBy(t, s.Store, v, in), map[string]int64{"2024-05-27": 10800, "2024-06-03": 10800})
	})
	t.Run("case10_29_february", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		spans(t, s.Store, v, "2024-02-29T08:00:00Z", "2024-02-29T09:00:00Z")
		in := timesheet.ReportInput{Period: period(t, "2024-02-01", "2024-02-29"), GroupBy: month}
		wantSeconds(t, "the whole month", rowsBy(t, s.Store, v, in), map[string]int64{"2024-02": 3600})
		in.Period = period(t, "2024-02-01", "2024-02-28")
		wantSeconds(t, "but its last day", rowsBy(t, s.Store, v, in), map[string]int64{})
		in.GroupBy = []timesheet.GroupKey{timesheet.GroupBillable} // without a key of time
		wantSeconds(t, "but its last day, by billable", rowsBy(t, s.Store, v, in), map[string]int64{})
	})
	t.Run("case11_rounding", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		spans(t, s.Store, v,
			"2024-06-03T09:00:00Z", "2024-06-03T09:00:01Z", // a second
			"2024-06-03T10:00:00Z", "2024-06-03T10:03:00Z", // exactly half
			"2024-06-04T10:00:00Z", "2024-06-04T10:02:59Z") // a second less
		in := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: month}
		mustExec(t, s.conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency) VALUES ($1, gen_random_uuid(), $2, '2024-06-05 08:00Z', '2024-06-05 08:00Z', '2024-06-05', false, 'EUR')`, v.Workspace.ID, v.User)
		for _, tt := range []struct {
			scope             timesheet.RoundingScope
			up, down, nearest int64
		}{
			{timesheet.RoundEntry, 1080, 0, 360},
			{timesheet.RoundRow, 360, 360, 360}, // of 360 seconds
			{timesheet.RoundDay, 720, 0, 360},   // of 181 and 179
		} {
			for mode, want := range map[timesheet.RoundingMode]int64{timesheet.RoundUp: tt.up, timesheet.RoundDown: tt.down, timesheet.RoundNearest: tt.nearest} {
				in.Rounding = &timesheet.Rounding{Mode: mode, Minutes: 6, Scope: tt.scope}
				wantSeconds(t, string(mode)+" by "+string(tt.scope), rowsBy(t, s.Store, v, in), map[string]int64{"2024-06": want})
			}
		}
	})
	t.Run("case12_starts_are_never_rounded", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		spans(t, s.Store, v, "2024-06-03T23:59:00Z", "2024-06-03T23:59:30Z")
		in := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: day, Rounding: &timesheet.Rounding{Mode: timesheet.RoundUp, Minutes: 60, Scope: timesheet.RoundEntry}}
		wantSeconds(t, "rounded", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06-03": 3600})
		if at := ask[time.Time](t, s.conn, `SELECT started_at FROM time_entry WHERE workspace_id = $1`, v.Workspace.ID); !at.Equal(instant(t, "2024-06-03T23:59:00Z")) {
			t.Errorf("the entry now starts at %s", at)
		}
	})
	t.Run("case28_case29_currencies_apart", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		mustExec(t, s.conn, `
			INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
			SELECT $1, gen_random_uuid(), $2, d, d + s * interval '1 second', d::date, true, 1800, c
			FROM (VALUES ('2024-06-03 08:00Z'::timestamptz)) AS a (d), unnest(ARRAY['JPY', 'EUR', 'KWD', 'CLF']) c, unnest(ARRAY[1, 3]) s`, v.Workspace.ID, v.User)
		r, err := s.Report(t.Context(), v, timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: month, MaxRows: 1}, time.Now())
		want := []timesheet.Money{{Minor: 2, Currency: "CLF"}, {Minor: 2, Currency: "EUR"}, {Minor: 2, Currency: "JPY"}, {Minor: 2, Currency: "KWD"}} // 7200 / 3600
		if diff := cmp.Diff(want, r.Totals.Amounts); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
	t.Run("case28_half_even_once_and_totals_of_leaves", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		for _, at := range []string{"2024-05-03", "2024-06-03", "2024-07-03"} { // half a cent in each of three months
			mustExec(t, s.conn, `
				INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
				VALUES ($1, gen_random_uuid(), $2, $3::date, $3::date + interval '3 seconds', $3, true, 1800, 'EUR')`, v.Workspace.ID, v.User, at)
		}
		r, err := s.Report(t.Context(), v, timesheet.ReportInput{Period: period(t, "2024-05-01", "2024-07-31"), GroupBy: month, MaxRows: 9}, time.Now())
		if err != nil || r.Rows[0].Totals.Amounts[0].Minor != 2 || r.Totals.Amounts[0].Minor != 6 {
			t.Errorf("1.5 cents a month are %+v, in all %+v (%v); want 2 and 6", r.Rows[0].Totals.Amounts, r.Totals.Amounts, err)
		}
	})
	t.Run("case47_running_timers", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		mustExec(t, s.conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, day, billable, currency) VALUES ($1, gen_random_uuid(), $2, '2024-06-02 22:00Z', '2024-06-02', false, 'EUR')`, v.Workspace.ID, v.User)
		in := timesheet.ReportInput{Period: period(t, "2024-06-01", "2024-06-30"), GroupBy: day}
		wantSeconds(t, "left out", rowsBy(t, s.Store, v, in), map[string]int64{})
		in.IncludeRunning = true // it is 10 o'clock of the 3rd
		wantSeconds(t, "counted", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06-02": 12 * 3600})
		in.DayAttribution = timesheet.AttributeSplit
		wantSeconds(t, "split", rowsBy(t, s.Store, v, in), map[string]int64{"2024-06-02": 2 * 3600, "2024-06-03": 10 * 3600})
	})
	t.Run("gaps_are_filled", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		spans(t, s.Store, v, "2024-06-03T08:00:00Z", "2024-06-03T09:00:00Z")
		in := timesheet.ReportInput{Period: period(t, "2024-05-31", "2024-07-01"), GroupBy: month, FillGaps: true}
		wantSeconds(t, "months", rowsBy(t, s.Store, v, in), map[string]int64{"2024-05": 0, "2024-06": 3600, "2024-07": 0})
	})
}

// A key that names nothing matches nothing, whatever a report is read from.
func TestReportOfNobodysKey(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	w := newWorld(t, s.Store, s.conn, 100)
	v := w.owner
	mustExec(t, s.conn, `UPDATE time_entry SET project_id = NULL, task_id = NULL WHERE project_id = $1`, w.projects[1])
	if _, err := s.RebuildRollup(t.Context(), v.Workspace); err != nil {
		t.Fatal(err)
	}
	filters := map[string]timesheet.EntryFilter{
		"a project":            {Projects: []timesheet.ProjectID{0}},
		"projects":             {Projects: []timesheet.ProjectID{0, 0}},
		"a client":             {Clients: []timesheet.ClientID{0}},
		"a task":               {Tasks: []timesheet.TaskID{0}},
		"a tag":                {Tags: []timesheet.TagID{0}},
		"a user":               {Users: []timesheet.UserID{0}},
		"a project of persons": {Projects: []timesheet.ProjectID{0}, Users: []timesheet.UserID{v.User, w.users[1].User}},
	}
	sources := map[timesheet.ReportSource]bool{}
	whole := timesheet.ReportInput{Period: period(t, "2023-01-01", "2025-12-31"), MaxRows: 1000}
	odd := whole
	odd.Period = period(t, "2023-10-29", "2024-04-17")
	for _, by := range [][]timesheet.GroupKey{{timesheet.GroupProject}, {timesheet.GroupUser}, {timesheet.GroupMonth}, {timesheet.GroupDay}, {timesheet.GroupTask}} {
		for _, in := range []timesheet.ReportInput{whole, odd} {
			in.GroupBy = by
			for name, f := range filters {
				in.Filter = f
				r, err := s.Report(t.Context(), v, in, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				sources[r.Source] = true
				if r.Totals.EntryCount != 0 || len(r.Rows) != 0 {
					t.Errorf("by %v from %s of %s that nobody has: %+v", by, r.Source, name, r.Totals)
				}
			}
			in.Filter = timesheet.EntryFilter{Projects: []timesheet.ProjectID{0, w.projects[0]}}
			both, err := s.Report(t.Context(), v, in, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			in.Filter.Projects = w.projects[:1]
			if one, err := s.Report(t.Context(), v, in, time.Now()); err != nil || one.Totals.Seconds != both.Totals.Seconds {
				t.Errorf("by %v: %d s with a key that nobody has, %d without, %v", by, both.Totals.Seconds, one.Totals.Seconds, err)
			}
		}
	}
	if len(sources) < 3 {
		t.Errorf("read from %v alone", sources)
	}
}
