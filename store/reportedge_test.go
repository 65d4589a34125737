package store_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"headroom/store"
	"headroom/timesheet"
)

func TestReportEdges(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	owner := addWorkspace(t, s.Store, "Acme")
	ctx := t.Context()
	june := period(t, "2024-06-01", "2024-06-30")
	by := func(keys ...timesheet.GroupKey) timesheet.ReportInput {
		return timesheet.ReportInput{Period: june, GroupBy: keys, MaxRows: 100}
	}

	t.Run("case43_empty_range", func(t *testing.T) {
		now := instant(t, "2024-07-01T10:00:00Z")
		r, err := s.Report(ctx, owner, by(timesheet.GroupProject, timesheet.GroupTag), now)
		want := timesheet.Report{Rows: []timesheet.ReportRow{}, Totals: timesheet.Totals{Amounts: []timesheet.Money{}}, Source: timesheet.SourceRaw, AsOf: now, Basis: timesheet.AmountsExact}
		if diff := cmp.Diff(want, r); err != nil || diff != "" {
			t.Errorf("got error %v (-want +got):\n%s", err, diff)
		}
	})
	t.Run("case43_refused", func(t *testing.T) {
		long := by(timesheet.GroupDay)
		long.Period = period(t, "2000-01-01", "2099-12-31")
		if _, err := s.Report(ctx, owner, long, time.Now()); err != nil {
			t.Errorf("a hundred years: %v", err)
		}
		with := func(edit func(*timesheet.ReportInput)) timesheet.ReportInput {
			in := by(timesheet.GroupDay)
			edit(&in)
			return in
		}
		for name, in := range map[string]timesheet.ReportInput{
			"end before start":           with(func(in *timesheet.ReportInput) { in.Period = timesheet.Period{From: june.To, To: june.From} }),
			"more than a hundred years":  with(func(in *timesheet.ReportInput) { in.Period = period(t, "2000-01-01", "2100-01-01") }),
			"the filter's period":        with(func(in *timesheet.ReportInput) { in.Filter.Period = &timesheet.Period{From: 2, To: 1} }),
			"no key":                     by(),
			"four keys":                  by(timesheet.GroupDay, timesheet.GroupUser, timesheet.GroupTag, timesheet.GroupTask),
			"a key twice":                by(timesheet.GroupDay, timesheet.GroupUser, timesheet.GroupDay),
			"an unknown key":             by("HOUR"),
			"no rows":                    with(func(in *timesheet.ReportInput) { in.MaxRows = 0 }),
			"more rows than are allowed": with(func(in *timesheet.ReportInput) { in.MaxRows = timesheet.MaxReportRows + 1 }),
			"rounding to 0 minutes":      with(func(in *timesheet.ReportInput) { in.Rounding = &timesheet.Rounding{Mode: "UP", Scope: "ROW"} }),
			"rounding to 61 minutes": with(func(in *timesheet.ReportInput) {
				in.Rounding = &timesheet.Rounding{Mode: "UP", Minutes: 61, Scope: "ROW"}
			}),
			"no way to round": with(func(in *timesheet.ReportInput) {
				in.Rounding = &timesheet.Rounding{Mode: "ODD", Minutes: 6, Scope: "ROW"}
			}),
			"an unknown zone":             with(func(in *timesheet.ReportInput) { in.TimeZone = new("CEST") }),
			"a report of the future":      with(func(in *timesheet.ReportInput) { in.Freshness = &timesheet.Freshness{MaxAgeSeconds: -1} }),
			"a report of last week":       with(func(in *timesheet.ReportInput) { in.Freshness = &timesheet.Freshness{MaxAgeSeconds: 604800} }),
			"text that is no description": with(func(in *timesheet.ReportInput) { in.Filter.Text = "\x00" }),
		} {
			_, err := s.Report(ctx, owner, in, time.Now())
			if err == nil {
				t.Errorf("%s: accepted", name)
				continue
			}
			wantCode(t, err, timesheet.CodeInvalid)
		}
	})
	t.Run("case42_tags_counted_once", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		blue, red := addTag(t, s.Store, v, "blue"), addTag(t, s.Store, v, "red")
		for _, tags := range [][]timesheet.TagID{{blue.ID, red.ID}, {red.ID}, nil} {
			entry := hour(t)
			entry.Tags = timesheet.Some(tags)
			create(t, s.Store, v, entry)
		}
		wantSeconds(t, "by tag", seconds(t, s.Store, v, june, timesheet.GroupTag), map[string]int64{"blue": 3600, "red": 7200, "(none)": 3600})
		r, err := s.Report(ctx, v, by(timesheet.GroupTag, timesheet.GroupUser), time.Now())
		if err != nil || r.Totals.ExactSeconds != 3*3600 || r.Totals.EntryCount != 3 || r.Source != timesheet.SourceRaw {
			t.Errorf("got totals %+v from %s (%v), want three hours from RAW", r.Totals, r.Source, err)
		}
	})
	t.Run("case42_tag_renamed_and_deleted", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		tag := addTag(t, s.Store, v, "before")
		entry := hour(t)
		entry.Tags = timesheet.Some([]timesheet.TagID{tag.ID})
		create(t, s.Store, v, entry)
		done[timesheet.Tag](t)(s.UpdateTag(ctx, v, tag.ID, timesheet.TagInput{Name: timesheet.Some("after")}, nil, change("updateTag")))
		wantSeconds(t, "renamed", seconds(t, s.Store, v, june, timesheet.GroupTag), map[string]int64{"after": 3600})
		done[timesheet.Tag](t)(s.DeleteTag(ctx, v, tag.ID, nil, change("deleteTag")))
		wantSeconds(t, "deleted", seconds(t, s.Store, v, june, timesheet.GroupTag), map[string]int64{"after (deleted)": 3600})
	})
	t.Run("case34_deleted_project_and_client_keep_their_time", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		client := addClient(t, s.Store, v, "Initech")
		project := addProject(t, s.Store, v, "TPS", &client.ID)
		entry := hour(t)
		entry.Project = timesheet.Some(&project.ID)
		create(t, s.Store, v, entry)
		done[timesheet.Client](t)(s.DeleteClient(ctx, v, client.ID, nil, change("deleteClient")))
		wantSeconds(t, "of the project", seconds(t, s.Store, v, june, timesheet.GroupProject), map[string]int64{"TPS": 3600})
		done[timesheet.Project](t)(s.DeleteProject(ctx, v, project.ID, nil, change("deleteProject")))
		wantSeconds(t, "of the deleted project", seconds(t, s.Store, v, june, timesheet.GroupProject), map[string]int64{"TPS (deleted)": 3600})
		wantSeconds(t, "of the deleted client", seconds(t, s.Store, v, june, timesheet.GroupClient), map[string]int64{"Initech (deleted)": 3600})
	})
	t.Run("case35_removed_member_keeps_their_time", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		manager := addViewer(t, s.Store, v, "max", timesheet.RoleManager)
		member := addViewer(t, s.Store, v, "mia", timesheet.RoleMember)
		project := addProject(t, s.Store, v, "site", nil)
		done[timesheet.RateSet](t)(s.SetRate(ctx, v, timesheet.RateInput{Kind: timesheet.RateBill, User: &member.User, Minor: new(int64(6000)), Apply: timesheet.ApplyFuture}, change("setRate")))
		done[timesheet.Project](t)(s.SetBudget(ctx, v, project.ID, timesheet.BudgetInput{Minor: new(int64(24000)), Period: timesheet.BudgetTotal, Alerts: []int{50}}, change("setBudget")))
		for _, who := range []timesheet.UserID{v.User, member.User} {
			entry := hour(t)
			entry.User, entry.Project, entry.Billable = &who, timesheet.Some(&project.ID), timesheet.Some(true)
			create(t, s.Store, v, entry)
		}
		now := instant(t, "2024-06-05T10:00:00Z")
		read := func() (map[string]timesheet.Totals, map[timesheet.ProjectID]timesheet.Burn, *timesheet.Week) {
			r, err := s.Report(ctx, manager, by(timesheet.GroupUser, timesheet.GroupProject), now)
			burns, burnErr := s.Burns(ctx, manager, []timesheet.ProjectID{project.ID}, now)
			week, weekErr := s.WeekGrid(ctx, manager, member.User, nil, now)
			if err := errors.Join(err, burnErr, weekErr); err != nil {
				t.Fatal(err)
			}
			return flat(t, r), burns, week
		}
		report, burns, week := read()
		row := "/User:" + idText(member.User) + "|mia"
		want := map[string]timesheet.Totals{}
		for path, totals := range report {
			want[strings.Replace(path, row, row+" (deleted)", 1)] = totals
		}
		if report[row].ExactSeconds != 3600 || fmt.Sprint(report[""].Amounts) != "[60.00 EUR]" || burns[project.ID].Seconds != 7200 || week == nil || week.Totals.EntryCount != 1 {
			t.Fatalf("before: %+v, budget %+v, week %+v", report, burns, week)
		}
		done[timesheet.User](t)(s.RemoveMember(ctx, v, member.User, change("removeMember")))
		after, burnsAfter, weekAfter := read()
		for _, diff := range []string{cmp.Diff(want, after), cmp.Diff(burns, burnsAfter), cmp.Diff(week, weekAfter)} {
			if diff != "" {
				t.Errorf("after mia was removed (-want +got):\n%s", diff)
			}
		}
	})
	t.Run("case48_none_is_a_row", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		create(t, s.Store, v, hour(t))
		for _, key := range []timesheet.GroupKey{timesheet.GroupClient, timesheet.GroupProject, timesheet.GroupTask, timesheet.GroupTag} {
			r, err := s.Report(ctx, v, by(key), time.Now())
			kind := string(key[0]) + strings.ToLower(string(key[1:]))
			if err != nil || len(r.Rows) != 1 || r.Rows[0].Label != "(none)" || r.Rows[0].Key != kind+":none" || r.Rows[0].Totals.ExactSeconds != 3600 {
				t.Errorf("by %s: %+v (%v)", key, r.Rows, err)
			}
		}
	})
	t.Run("case40_names_in_every_script", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		names := []string{"İstanbul", "ISTANBUL", "ıstanbul", "Straße", "مشروع", "プロジェクト", "👩🏽‍🎨 art", "e\u0301te\u0301", "zero\u200bwidth"}
		want := map[string]int64{}
		for i, name := range names {
			project := addProject(t, s.Store, v, name, nil)
			entry := hour(t)
			entry.Project = timesheet.Some(&project.ID)
			entry.End.Value = entry.Start.Value.Add(time.Duration(i+1) * time.Second)
			create(t, s.Store, v, entry)
			want[project.Name] = int64(i + 1)
		}
		if len(want) != len(names) || want["été"] == 0 {
			t.Errorf("the names are %v, want all of them, composed", want)
		}
		wantSeconds(t, "by project", seconds(t, s.Store, v, june, timesheet.GroupProject), want)
	})
	t.Run("case49_amounts_beyond_64_bits", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		const n = 20_000
		mustExec(t, s.conn, `
			INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
			SELECT $1, gen_random_uuid(), $2, '2024-06-03 00:00Z', '2024-06-10 00:00Z', '2024-06-03', true, 1000000000, 'EUR' FROM generate_series(1, $3)`, v.Workspace.ID, v.User, n)
		r, err := s.Report(ctx, v, by(timesheet.GroupUser), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		// The sum of seconds x rate is 1.2e19, beyond 2^63.
		want := timesheet.Totals{
			ExactSeconds: n * 604_800, Seconds: n * 604_800, BillableSeconds: n * 604_800, EntryCount: n,
			Amounts: []timesheet.Money{{Minor: n * 168 * 1_000_000_000, Currency: "EUR"}},
		}
		if diff := cmp.Diff(want, r.Totals); diff != "" {
			t.Errorf("totals (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, r.Rows[0].Totals); diff != "" {
			t.Errorf("the row (-want +got):\n%s", diff)
		}
	})
	t.Run("too_many_groups", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		for _, at := range []string{"2024-06-03T08:00:00Z", "2024-06-04T08:00:00Z", "2024-06-05T08:00:00Z"} {
			create(t, s.Store, v, timesheet.EntryInput{Start: timesheet.Some(instant(t, at)), End: timesheet.Some(instant(t, at).Add(time.Hour))})
		}
		if r, err := s.ReportOf(ctx, v, by(timesheet.GroupDay), time.Now(), 3); err != nil || len(r.Rows) != 3 {
			t.Errorf("three groups of three: %+v (%v)", r.Rows, err)
		}
		_, err := s.ReportOf(ctx, v, by(timesheet.GroupDay), time.Now(), 2)
		wantRule(t, "three groups of two", err, timesheet.CodeOutOfRange, "groupBy")
	})
	t.Run("too_many_groups_of_tags", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		tags := make([]timesheet.TagID, 5)
		for i := range tags {
			tags[i] = addTag(t, s.Store, v, uuid.NewString()).ID
		}
		for _, some := range [][]timesheet.TagID{tags[:4], tags[1:]} { // two groups of the database
			e := hour(t)
			e.Tags = timesheet.Some(some)
			create(t, s.Store, v, e)
		}
		for _, keys := range [][]timesheet.GroupKey{
			{timesheet.GroupTag},
			{timesheet.GroupTag, timesheet.GroupUser},
			{timesheet.GroupDay, timesheet.GroupTag},
		} {
			r, err := s.ReportOf(ctx, v, by(keys...), time.Now(), 5)
			if err != nil || r.Totals.EntryCount != 2 {
				t.Errorf("by %v: five tags of five: %+v (%v)", keys, r.Totals, err)
			}
			_, err = s.ReportOf(ctx, v, by(keys...), time.Now(), 4)
			wantRule(t, "five tags of four", err, timesheet.CodeOutOfRange, "groupBy")
		}
	})
	t.Run("statements", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		project := addProject(t, s.Store, v, uuid.NewString(), nil)
		entry := hour(t)
		entry.Project = timesheet.Some(&project.ID)
		create(t, s.Store, v, entry)
		for _, tt := range []struct {
			in   timesheet.ReportInput
			want int
			from timesheet.ReportSource
		}{
			// One reads the workspace's version, two begin and end the snapshot. Few
			// sums come with their names and need none.
			{by(timesheet.GroupDay), 4, timesheet.SourceIndex},
			{by(timesheet.GroupProject, timesheet.GroupMonth), 2, timesheet.SourceRollup},
			{by(timesheet.GroupProject, timesheet.GroupMonth), 1, timesheet.SourceCache},
			{by(timesheet.GroupClient, timesheet.GroupMonth), 2, timesheet.SourceRollup},
			{by(timesheet.GroupBillable), 2, timesheet.SourceRollup},
			{by(timesheet.GroupClient, timesheet.GroupProject, timesheet.GroupUser), 7, timesheet.SourceRollup},
		} {
			op := store.NewOperation(1)
			r, err := s.Report(store.WithOperation(ctx, op), v, tt.in, time.Now())
			if err != nil || op.Statements() != tt.want || r.Source != tt.from {
				t.Errorf("by %v: %d statements from %s (%v), want %d from %s", tt.in.GroupBy, op.Statements(), r.Source, err, tt.want, tt.from)
			}
		}
	})
}

func TestSumsThatNumbersCannotCarry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		seconds int64
		x3600   string
		minor   int64
		code    timesheet.Code
	}{
		{name: "2^53 seconds", seconds: 1 << 53, x3600: "0"},
		{name: "2^53 + 1 seconds", seconds: 1<<53 + 1, x3600: "0", code: timesheet.CodeOutOfRange},
		{name: "half a cent to the even", x3600: "1800"},
		{name: "one and a half cents to the even", x3600: "5400", minor: 2},
		{name: "the most money", x3600: "33204139332677192906999", minor: math.MaxInt64},
		{name: "a fraction more", x3600: "33204139332677192907000", code: timesheet.CodeOutOfRange},
	} {
		got, err := store.TotalsOf(tt.seconds, "EUR", tt.x3600)
		wantRule(t, tt.name, err, tt.code, map[bool]string{true: "period"}[tt.seconds > 1<<53])
		if err == nil && (got.ExactSeconds != tt.seconds || got.Amounts[0] != timesheet.Money{Minor: tt.minor, Currency: "EUR"}) {
			t.Errorf("%s: got %+v, want %d seconds and %d", tt.name, got, tt.seconds, tt.minor)
		}
	}
}
