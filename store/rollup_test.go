package store_test

import (
	"database/sql"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"headroom/store"
	"headroom/timesheet"
)

// unlike counts the rows that the rollup has and the entries do not add up to,
// and the other way round. It shares nothing with the product's own check.
const unlike = `
WITH entries AS (
  SELECT to_char(e.day, 'YYYY-MM-01') AS month, coalesce(e.project_id, 0) AS project, e.user_id, e.billable, e.currency,
         count(*) AS n, sum(e.secs)::numeric AS secs, sum(e.amount_x3600::numeric) AS amount
  FROM time_entry e
  WHERE e.workspace_id = $1 AND e.deleted_at IS NULL AND e.ended_at IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
), sums AS (
  SELECT r.month::text, r.project_id, r.user_id, r.billable, r.currency, r.entries, r.secs::numeric, r.amount_x3600
  FROM rollup r
  WHERE r.workspace_id = $1 AND (r.entries, r.secs, r.amount_x3600) IS DISTINCT FROM (0, 0, 0)
)
SELECT count(*) FROM ((TABLE entries EXCEPT ALL TABLE sums) UNION ALL (TABLE sums EXCEPT ALL TABLE entries)) d`

// unlikeProjects counts the sums of projects, with their rests, that the entries
// do not add up to, and the other way round.
const unlikeProjects = `
WITH entries AS (
  SELECT to_char(e.day, 'YYYY-MM-01') AS month, coalesce(e.project_id, 0) AS project, e.billable, e.currency,
         count(*) AS n, sum(e.secs)::numeric AS secs, sum(e.amount_x3600::numeric) AS amount
  FROM time_entry e
  WHERE e.workspace_id = $1 AND e.deleted_at IS NULL AND e.ended_at IS NOT NULL
  GROUP BY 1, 2, 3, 4
), sums AS (
  SELECT month::text, project_id, billable, currency, sum(entries) AS n, sum(secs)::numeric AS secs, sum(amount) AS amount
  FROM (
    SELECT month, project_id, billable, currency, entries, secs, amount_x3600 AS amount FROM project_rollup WHERE workspace_id = $1
    UNION ALL
    SELECT month, project_id, billable, currency, entries - folded_entries, secs - folded_secs, amount_x3600 - folded_amount_x3600 FROM rollup WHERE workspace_id = $1 AND unfolded
  ) s
  GROUP BY 1, 2, 3, 4
  HAVING (sum(entries), sum(secs), sum(amount)) IS DISTINCT FROM (0, 0, 0)
)
SELECT count(*) FROM ((TABLE entries EXCEPT ALL TABLE sums) UNION ALL (TABLE sums EXCEPT ALL TABLE entries)) d`

func wantRollup(t testing.TB, conn *pgx.Conn, v timesheet.Viewer, after string) {
	t.Helper()
	if n := ask[int](t, conn, unlike, v.Workspace.ID); n > 0 {
		t.Errorf("after %s the rollup and the entries differ in %d rows", after, n)
	}
	if n := ask[int](t, conn, unlikeProjects, v.Workspace.ID); n > 0 {
		t.Errorf("after %s the sums of projects and the entries differ in %d rows", after, n)
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM project_total_drift($1)`, v.Workspace.ID); n > 0 {
		t.Errorf("after %s %d sums of projects over all months are not those of their months", after, n)
	}
}

// summed is the rollup's sum of a month: entries, seconds and the amount.
func summed(t testing.TB, conn *pgx.Conn, v timesheet.Viewer, month string) string {
	t.Helper()
	return ask[string](t, conn, `SELECT concat_ws(' ', coalesce(sum(entries), 0), coalesce(sum(secs), 0), coalesce(sum(amount_x3600), 0)) FROM rollup WHERE workspace_id = $1 AND month = $2::date`, v.Workspace.ID, month)
}

// Whatever becomes of an entry, its month's sums follow in the same
// transaction.
func TestRollupFollowsEntries(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	ctx := t.Context()
	v := in(t, s.Store, "UTC")
	one, two := addProject(t, s.Store, v, "one", nil), addProject(t, s.Store, v, "two", nil)
	input := span(t, "2024-06-03T08:00:00Z", "2024-06-03T09:00:00Z")
	input.Project = timesheet.Some(&one.ID)
	e := create(t, s.Store, v, input)
	mustExec(t, s.conn, `INSERT INTO rate (workspace_id, kind, minor, currency) VALUES ($1, 'BILL', 7, 'EUR')`, v.Workspace.ID)
	mustExec(t, s.conn, `UPDATE time_entry SET rate_minor = 7 WHERE workspace_id = $1`, v.Workspace.ID)
	edit := func(in timesheet.EntryInput) func() {
		return func() {
			done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, e.ID, in, nil, change("updateTimeEntry")))
		}
	}
	for _, step := range []struct {
		name       string
		do         func()
		june, july string
	}{
		{"case36_a_rate", func() {}, "1 3600 25200", "0 0 0"},
		{"case36_another_project", edit(timesheet.EntryInput{Project: timesheet.Some(&two.ID)}), "1 3600 25200", "0 0 0"},
		{"case36_no_project", edit(timesheet.EntryInput{Project: timesheet.Some[*timesheet.ProjectID](nil)}), "1 3600 25200", "0 0 0"},
		{"case36_longer", edit(timesheet.EntryInput{End: timesheet.Some(instant(t, "2024-06-03T10:00:00Z"))}), "1 7200 50400", "0 0 0"},
		{"case30_not_billable", edit(timesheet.EntryInput{Billable: timesheet.Some(false)}), "1 7200 0", "0 0 0"},
		{"case30_billable", edit(timesheet.EntryInput{Billable: timesheet.Some(true)}), "1 7200 50400", "0 0 0"},
		{"case36_another_month", edit(timesheet.EntryInput{Start: timesheet.Some(instant(t, "2024-07-01T08:00:00Z")), End: timesheet.Some(instant(t, "2024-07-01T09:00:00Z"))}), "0 0 0", "1 3600 25200"},
		{"a_description", edit(timesheet.EntryInput{Description: timesheet.Some("x")}), "0 0 0", "1 3600 25200"},
		{"deleted", func() {
			done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, v, e.ID, nil, change("deleteTimeEntry")))
		}, "0 0 0", "0 0 0"},
		{"restored", func() {
			done[timesheet.TimeEntry](t)(s.RestoreTimeEntry(ctx, v, e.ID, change("restoreTimeEntry")))
		}, "0 0 0", "1 3600 25200"},
		{"two_inserts_and_a_move_in_one_statement", func() {
			mustExec(t, s.conn, `
				INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
				SELECT $1, gen_random_uuid(), $2, d, d + interval '1 minute', d::date, true, 60, c
				FROM unnest(ARRAY['2024-06-01 00:00Z', '2024-07-31 00:00Z']::timestamptz[]) d, unnest(ARRAY['EUR', 'JPY']) c`, v.Workspace.ID, v.User)
		}, "2 120 7200", "3 3720 32400"},
		{"all_in_june", func() {
			mustExec(t, s.conn, `UPDATE time_entry SET day = '2024-06-30' WHERE workspace_id = $1`, v.Workspace.ID)
		}, "5 3840 39600", "0 0 0"},
		{"rows_deleted", func() {
			mustExec(t, s.conn, `DELETE FROM time_entry WHERE workspace_id = $1 AND currency = 'JPY'`, v.Workspace.ID)
		}, "3 3720 32400", "0 0 0"},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			wantRollup(t, s.conn, v, step.name)
			if june, july := summed(t, s.conn, v, "2024-06-01"), summed(t, s.conn, v, "2024-07-01"); june != step.june || july != step.july {
				t.Errorf("June has %s, July %s; want %s and %s", june, july, step.june, step.july)
			}
		})
	}
	t.Run("case47_a_timer_counts_once_it_has_stopped", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		rows := func() int {
			return ask[int](t, s.conn, `SELECT count(*) FROM rollup WHERE workspace_id = $1`, v.Workspace.ID)
		}
		startAt(t, s.Store, v, ago(time.Hour))
		if n := rows(); n != 0 {
			t.Errorf("a running timer has %d rows", n)
		}
		done[timesheet.TimeEntry](t)(s.StopTimer(ctx, v, nil, nil, change("stopTimer")))
		if n := rows(); n != 1 {
			t.Errorf("a stopped timer has %d rows, want 1", n)
		}
		wantRollup(t, s.conn, v, "stopping")
	})
	t.Run("case49_sums_beyond_64_bits", func(t *testing.T) {
		v := in(t, s.Store, "UTC")
		week := `
			INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
			SELECT $1, gen_random_uuid(), $2, '2024-06-03 00:00Z', '2024-06-10 00:00Z', '2024-06-03', true, 1000000000, 'EUR' FROM generate_series(1, 15300)`
		mustExec(t, s.conn, week, v.Workspace.ID, v.User)
		mustExec(t, s.conn, week, v.Workspace.ID, v.User)
		wantRollup(t, s.conn, v, "30,600 weeks")
		if got := summed(t, s.conn, v, "2024-06-01"); got != "30600 18506880000 18506880000000000000" {
			t.Errorf("the sum is %s", got)
		}
	})
}

// A transaction that turns the triggers off is not summed up until the
// difference is added; the next one is again.
func TestRollupFoldedOnce(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	year := func(fold string) {
		t.Helper()
		err := s.Transact(t.Context(), func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SELECT set_config('headroom.fold', $1, true)`, fold); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `
				INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency)
				SELECT $1, gen_random_uuid(), $2, d, d + interval '1 minute', d::date, true, 60, 'EUR'
				FROM generate_series('2024-01-01 00:00Z'::timestamptz, '2024-12-31 00:00Z', '1 day') d`, v.Workspace.ID, v.User)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	year("off")
	if n := ask[int](t, s.conn, unlike, v.Workspace.ID); n != 12 {
		t.Errorf("without folding the rollup lacks %d rows, want 12", n)
	}
	year("on")
	if n := ask[int](t, s.conn, unlike, v.Workspace.ID); n != 24 {
		t.Errorf("with half of the entries folded %d rows differ, want 12 that are and 12 that should be", n)
	}
	if n := ask[int](t, s.conn, `SELECT repair_rollup($1)`, v.Workspace.ID); n != 12 {
		t.Errorf("%d rows were repaired, want 12", n)
	}
	wantRollup(t, s.conn, v, "the repair")
	if got := summed(t, s.conn, v, "2024-02-01"); got != "58 3480 208800" {
		t.Errorf("February has %s, want two years' 58 entries", got)
	}
	if n := ask[int](t, s.conn, `SELECT repair_rollup($1)`, v.Workspace.ID); n != 0 {
		t.Errorf("a second repair changed %d rows", n)
	}
}

// A company that is loaded and rows that are imported are in the rollup.
func TestRollupOfLoadAndImport(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	owner, _, err := s.LoadCompany(t.Context(), tinyCompany(lateEntry, bareEntry), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantRollup(t, s.conn, owner, "a load")
	if n := ask[int](t, s.conn, `SELECT count(*) FROM rollup WHERE unfolded`); n > 0 {
		t.Errorf("a load leaves %d sums unfolded", n)
	}
	if got := summed(t, s.conn, owner, "2026-03-01"); got != "2 5460 54000000" {
		t.Errorf("the load has %s", got)
	}
	v := in(t, s.Store, "UTC")
	counts, err := s.Import(t.Context(), v, numbered(manyRows(25_000)...), store.ImportOptions{})
	if err != nil || counts.Created != 25_000 {
		t.Fatalf("imported %+v, error %v", counts, err)
	}
	wantRollup(t, s.conn, v, "an import of three batches")
	if n := ask[int](t, s.conn, `SELECT count(*) FROM rollup WHERE unfolded`); n > 0 {
		t.Errorf("an import leaves %d sums unfolded", n)
	}
	if n := ask[int](t, s.conn, `SELECT sum(entries) FROM rollup WHERE workspace_id = $1`, v.Workspace.ID); n != 25_000 {
		t.Errorf("the rollup counts %d entries, want 25000", n)
	}
}

// oldEntries are what a server of the first schema has written: 300 entries of
// five people over 17 months, some of them deleted, the last one running.
const oldEntries = `
INSERT INTO workspace (workspace_id, name, time_zone) VALUES (1, 'Old', 'UTC');
INSERT INTO membership (workspace_id, user_id, role, name, name_key) SELECT 1, n, 'MEMBER', 'P' || n, 'p' || n FROM generate_series(0, 4) n;
INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, rate_minor, currency, deleted_at)
SELECT 1, gen_random_uuid(), n % 5, s.at, CASE WHEN n < 300 THEN s.at + n * interval '1 minute' END, (s.at AT TIME ZONE 'UTC')::date,
       n % 3 > 0, n % 7 * 100, CASE WHEN n % 4 > 0 THEN 'EUR' ELSE 'JPY' END, CASE WHEN n % 10 = 1 THEN now() END
FROM generate_series(1, 300) n, LATERAL (SELECT '2024-01-01T00:00:00Z'::timestamptz + n * interval '41 hours' AS at) s`

// The data of before the rollup are in it once the migration is done, also
// where it broke off half way the first time.
func TestRollupIsBackfilled(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	mustExec(t, s.conn, `DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
	db, err := sql.Open("pgx", s.conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	upTo := func(version int64) {
		t.Helper()
		p, err := goose.NewProvider(goose.DialectPostgres, db, store.Migrations())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UpTo(t.Context(), version); err != nil {
			t.Fatal(err)
		}
	}
	upTo(1)
	mustExec(t, s.conn, oldEntries)
	upTo(2)
	mustExec(t, s.conn, `DROP TRIGGER time_entry_added ON time_entry; DROP FUNCTION repair_rollup; TRUNCATE rollup; DELETE FROM goose_db_version WHERE version_id = 2`)
	upTo(math.MaxInt64)
	wantRollup(t, s.conn, timesheet.Viewer{Workspace: timesheet.Workspace{ID: 1}}, "the migrations")
	if n := ask[int](t, s.conn, `SELECT sum(entries) FROM rollup`); n != 269 { // 30 are deleted, one runs
		t.Errorf("the rollup counts %d entries, want 269", n)
	}
}
