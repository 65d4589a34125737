package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := timesheet.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func day(t testing.TB, text string) timesheet.Date {
	t.Helper()
	d, err := timesheet.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func period(t testing.TB, from, to string) timesheet.Period {
	t.Helper()
	return timesheet.Period{From: day(t, from), To: day(t, to)}
}

// in is a viewer of a new workspace in a zone.
func in(t testing.TB, s *store.Store, zone string) timesheet.Viewer {
	t.Helper()
	owner, err := s.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: zone, TimeZone: zone, WeekStart: time.Monday, Currency: "EUR", Owner: store.Person{Name: "Olga", Email: "olga@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return owner
}

// seconds are what a report by one key says, by label.
func seconds(t testing.TB, s *store.Store, v timesheet.Viewer, p timesheet.Period, key timesheet.GroupKey) map[string]int64 {
	t.Helper()
	r, err := s.Report(t.Context(), v, timesheet.ReportInput{Period: p, GroupBy: []timesheet.GroupKey{key}, MaxRows: 1000}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, row := range r.Rows {
		found[row.Label] = row.Totals.ExactSeconds
	}
	return found
}

func wantSeconds(t testing.TB, what string, got, want map[string]int64) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Entries belong whole to the day of their start in the workspace's zone.
func TestDaysAndZones(t *testing.T) {
	t.Parallel()
	s, bucharest := newWorkspace(t)
	ctx := t.Context()

	t.Run("case2_crosses_the_end_of_week_month_and_year", func(t *testing.T) {
		// 2023-12-31 is a Sunday.
		v := in(t, s, "Europe/Bucharest")
		create(t, s, v, span(t, "2023-12-31T23:30:00+02:00", "2024-01-01T01:30:00+02:00"))
		create(t, s, v, span(t, "2024-01-01T00:00:00+02:00", "2024-01-01T00:00:01+02:00"))
		p := period(t, "2023-01-01", "2024-12-31")
		wantSeconds(t, "by day", seconds(t, s, v, p, timesheet.GroupDay), map[string]int64{"2023-12-31": 7200, "2024-01-01": 1})
		wantSeconds(t, "by week", seconds(t, s, v, p, timesheet.GroupWeek), map[string]int64{"2023-12-25": 7200, "2024-01-01": 1})
		wantSeconds(t, "by month", seconds(t, s, v, p, timesheet.GroupMonth), map[string]int64{"2023-12": 7200, "2024-01": 1})
		wantSeconds(t, "by year", seconds(t, s, v, p, timesheet.GroupYear), map[string]int64{"2023": 7200, "2024": 1})
		wantSeconds(t, "of the old year", seconds(t, s, v, period(t, "2023-12-31", "2023-12-31"), timesheet.GroupYear), map[string]int64{"2023": 7200})
		wantSeconds(t, "of the new year", seconds(t, s, v, period(t, "2024-01-01", "2024-01-01"), timesheet.GroupYear), map[string]int64{"2024": 1})
	})
	t.Run("case2_week_that_begins_on_sunday", func(t *testing.T) {
		v := in(t, s, "Europe/Bucharest")
		v.Workspace.WeekStart = time.Sunday
		create(t, s, v, span(t, "2023-12-31T12:00:00+02:00", "2023-12-31T13:00:00+02:00"))
		create(t, s, v, span(t, "2024-01-06T12:00:00+02:00", "2024-01-06T13:00:00+02:00"))
		wantSeconds(t, "by week", seconds(t, s, v, period(t, "2024-01-01", "2024-01-31"), timesheet.GroupWeek), map[string]int64{"2023-12-31": 3600})
		wantSeconds(t, "by week", seconds(t, s, v, period(t, "2023-12-01", "2024-01-31"), timesheet.GroupWeek), map[string]int64{"2023-12-31": 7200})
	})
	t.Run("case3_dst_gap", func(t *testing.T) {
		// In Bucharest 2024-03-31 has no time from 03:00 to 04:00.
		local := timesheet.Local{Year: 2024, Month: time.March, Day: 31, Hour: 3, Min: 30}
		r := timesheet.Resolve(local, zone(t, "Europe/Bucharest"))
		if r.Kind != timesheet.Gap || !r.Earlier.Equal(instant(t, "2024-03-31T00:30:00Z")) || !r.Later.Equal(instant(t, "2024-03-31T01:30:00Z")) {
			t.Errorf("half past three is %+v, want a gap with both readings", r)
		}
		// With an offset it is an instant like any other.
		v := in(t, s, "Europe/Bucharest")
		e := create(t, s, v, span(t, "2024-03-31T02:30:00+02:00", "2024-03-31T04:30:00+03:00"))
		if *e.Seconds != 3600 || e.Day != day(t, "2024-03-31") {
			t.Errorf("from half past two to half past four are %d seconds on %v, want 3600", *e.Seconds, e.Day)
		}
		late := create(t, s, v, span(t, "2024-03-31T03:30:00+02:00", "2024-03-31T05:00:00+03:00"))
		if !late.StartedAt.Equal(instant(t, "2024-03-31T01:30:00Z")) || *late.Seconds != 1800 {
			t.Errorf("got %v and %d seconds", late.StartedAt, *late.Seconds)
		}
	})
	t.Run("case4_dst_overlap", func(t *testing.T) {
		// In Bucharest 03:30 comes twice on 2024-10-27, an hour apart.
		v := in(t, s, "Europe/Bucharest")
		for _, tt := range []struct {
			start, end string
			want       int64
		}{
			{"2024-10-27T03:30:00+03:00", "2024-10-27T03:30:00+02:00", 3600},
			{"2024-10-27T03:30:00+03:00", "2024-10-27T04:30:00+02:00", 7200},
			{"2024-10-27T03:30:00+02:00", "2024-10-27T04:30:00+02:00", 3600},
		} {
			e := create(t, s, v, span(t, tt.start, tt.end))
			if *e.Seconds != tt.want || e.Day != day(t, "2024-10-27") {
				t.Errorf("from %s to %s are %d seconds on %v, want %d", tt.start, tt.end, *e.Seconds, e.Day, tt.want)
			}
			edited := done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, e.ID, timesheet.EntryInput{End: timesheet.Some(e.EndedAt.Add(time.Minute))}, nil, change("updateTimeEntry")))
			if !edited.StartedAt.Equal(e.StartedAt) || *edited.Seconds != tt.want+60 {
				t.Errorf("editing the end made %v to %v of %v to %v", edited.StartedAt, edited.EndedAt, e.StartedAt, e.EndedAt)
			}
		}
	})
	t.Run("case5_days_of_23_and_25_hours", func(t *testing.T) {
		v := in(t, s, "Europe/Bucharest")
		z := zone(t, "Europe/Bucharest")
		want := map[string]int64{"2024-03-31": 82_800, "2024-06-03": 86_400, "2024-10-27": 90_000}
		for text, length := range want {
			d := day(t, text)
			e, warnings, err := s.CreateTimeEntry(ctx, v, timesheet.EntryInput{Start: timesheet.Some(d.Start(z)), End: timesheet.Some((d + 1).Start(z))}, change("createTimeEntry"))
			if err != nil || *e.Seconds != length || (len(warnings) > 0) != (length > 86_400) {
				t.Errorf("the whole of %s has %v seconds (%v, warnings %v), want %d", text, e.Seconds, err, warnings, length)
			}
			mine, err := s.MyDay(ctx, v, &d, nil, time.Now())
			if err != nil || mine.Totals.ExactSeconds != length || len(mine.Entries) != 1 {
				t.Errorf("my day of %s has %+v (%v)", text, mine, err)
			}
		}
		wantSeconds(t, "by day", seconds(t, s, v, period(t, "2024-01-01", "2024-12-31"), timesheet.GroupDay), want)
	})
	t.Run("case6_zone_of_the_person_and_of_the_workspace", func(t *testing.T) {
		// Half past eleven in New York is tomorrow in Bucharest.
		e := create(t, s, bucharest, span(t, "2024-06-03T23:30:00-04:00", "2024-06-04T00:30:00-04:00"))
		if e.Day != day(t, "2024-06-04") {
			t.Errorf("the workspace counts it on %v, want 2024-06-04", e.Day)
		}
		wantSeconds(t, "by day", seconds(t, s, bucharest, period(t, "2024-06-01", "2024-06-30"), timesheet.GroupDay), map[string]int64{"2024-06-04": 3600})
		newYork := zone(t, "America/New_York")
		for text, entries := range map[string]int{"2024-06-03": 1, "2024-06-04": 0} {
			d := day(t, text)
			mine, err := s.MyDay(ctx, bucharest, &d, newYork, time.Now())
			if err != nil || len(mine.Entries) != entries || mine.Day != d {
				t.Errorf("my day of %s in New York has %d entries (%v), want %d", text, len(mine.Entries), err, entries)
			}
		}
		mine, err := s.MyDay(ctx, bucharest, nil, newYork, instant(t, "2024-06-04T03:45:00Z"))
		if err != nil || mine.Day != day(t, "2024-06-03") || len(mine.Entries) != 1 {
			t.Errorf("my day at that moment is %v with %d entries (%v), want 2024-06-03 with one", mine.Day, len(mine.Entries), err)
		}
		mine, err = s.MyDay(ctx, bucharest, nil, nil, instant(t, "2024-06-04T03:45:00Z"))
		if err != nil || mine.Day != day(t, "2024-06-04") || len(mine.Entries) != 1 {
			t.Errorf("without a zone it is %v with %d entries (%v), want 2024-06-04 with one", mine.Day, len(mine.Entries), err)
		}
	})
	t.Run("case8_a_day_that_does_not_exist", func(t *testing.T) {
		// Samoa went from 2011-12-29 to 2011-12-31.
		v := in(t, s, "Pacific/Apia")
		for at := instant(t, "2011-12-29T00:00:00Z"); at.Before(instant(t, "2012-01-01T00:00:00Z")); at = at.Add(time.Hour) {
			create(t, s, v, timesheet.EntryInput{Start: timesheet.Some(at), End: timesheet.Some(at.Add(time.Hour))})
		}
		want := map[string]int64{"2011-12-28": 10 * 3600, "2011-12-29": 24 * 3600, "2011-12-31": 24 * 3600, "2012-01-01": 14 * 3600}
		wantSeconds(t, "by day", seconds(t, s, v, period(t, "2011-12-01", "2012-01-31"), timesheet.GroupDay), want)
		for d := day(t, "2011-12-28"); d <= day(t, "2012-01-01"); d++ {
			mine, err := s.MyDay(ctx, v, &d, nil, time.Now())
			if err != nil || mine.Totals.ExactSeconds != want[d.String()] {
				t.Errorf("my day of %v has %d seconds (%v), want %d", d, mine.Totals.ExactSeconds, err, want[d.String()])
			}
		}
	})
	t.Run("case8_offset_of_45_minutes", func(t *testing.T) {
		v := in(t, s, "Asia/Kathmandu")
		create(t, s, v, span(t, "2024-06-03T18:14:59Z", "2024-06-03T19:14:59Z"))
		create(t, s, v, span(t, "2024-06-03T18:15:00Z", "2024-06-03T20:15:00Z"))
		wantSeconds(t, "by day", seconds(t, s, v, period(t, "2024-06-01", "2024-06-30"), timesheet.GroupDay), map[string]int64{"2024-06-03": 3600, "2024-06-04": 7200})
	})
}

// A day with more entries than are shown has the totals of all of them.
func TestMyDayOfManyEntries(t *testing.T) {
	t.Parallel()
	s, v, conn := newDatabase(t)
	const many = 5000
	mustExec(t, conn, `
		INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
		SELECT $1, gen_random_uuid(), $2, at, at + interval '10 seconds', '2024-06-03', n % 2 = 0, 3600, 'EUR'
		FROM generate_series(1, $3) n, LATERAL (SELECT timestamptz '2024-06-03 06:00Z' + n * interval '10 seconds' AS at) s`, v.Workspace.ID, v.User, many)
	running := startAt(t, s, v, ago(time.Hour))
	op := store.NewOperation(1)
	d := day(t, "2024-06-03")
	mine, err := s.MyDay(store.WithOperation(t.Context(), op), v, &d, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := timesheet.Totals{ExactSeconds: 10 * many, Seconds: 10 * many, BillableSeconds: 5 * many, EntryCount: many, Amounts: []timesheet.Money{{Minor: 5 * many, Currency: "EUR"}}}
	if diff := cmp.Diff(want, mine.Totals); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	if !mine.Truncated || len(mine.Entries) != timesheet.MaxDayEntries || !mine.Entries[0].StartedAt.Equal(instant(t, "2024-06-03T06:00:10Z")) {
		t.Errorf("got %d entries, truncated %v, want the first %d", len(mine.Entries), mine.Truncated, timesheet.MaxDayEntries)
	}
	if mine.Running == nil || mine.Running.ID != running.ID {
		t.Errorf("got running %v, want %v", mine.Running, running.ID)
	}
	if op.Statements() != 2 {
		t.Errorf("it took %d statements, want 2", op.Statements())
	}
	op = store.NewOperation(1)
	d++
	if mine, err = s.MyDay(store.WithOperation(t.Context(), op), v, &d, nil, time.Now()); err != nil || op.Statements() != 1 {
		t.Errorf("an ordinary day took %d statements (%v), want 1", op.Statements(), err)
	}
	if diff := cmp.Diff(timesheet.Totals{Amounts: []timesheet.Money{}}, mine.Totals); diff != "" || mine.Truncated || mine.Running == nil {
		t.Errorf("an empty day is %+v (-want +got):\n%s", mine, diff)
	}
}
