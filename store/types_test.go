package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"headroom/store/storetest"
	"headroom/timesheet"
)

// The words of the domain go to and from the database as they are.
func TestDomainTypesThroughPgx(t *testing.T) {
	conn := connectTo(t, storetest.New(t))
	one, two := mustEntryID(t, "0198a000-0000-7000-8000-000000000001"), mustEntryID(t, "0198a000-0000-7000-8000-0000000000ff")
	day, early := timesheet.NewDate(2026, time.February, 28), timesheet.NewDate(1583, time.January, 1)
	client := timesheet.ClientID(7)

	check(t, conn, `SELECT $1::uuid`, one)
	check(t, conn, `SELECT $1::uuid`, &one)
	check(t, conn, `SELECT $1::uuid`, (*timesheet.EntryID)(nil))
	check(t, conn, `SELECT $1::uuid[]`, []timesheet.EntryID{one, two})
	check(t, conn, `SELECT $1::uuid[]`, []timesheet.EntryID{})
	check(t, conn, `SELECT $1::date`, day)
	check(t, conn, `SELECT $1::date`, early)
	check(t, conn, `SELECT $1::date`, &day)
	check(t, conn, `SELECT $1::date`, (*timesheet.Date)(nil))
	check(t, conn, `SELECT $1::date[]`, []timesheet.Date{day, early})
	check(t, conn, `SELECT $1::bigint`, timesheet.UserID(1)<<60)
	check(t, conn, `SELECT $1::bigint`, &client)
	check(t, conn, `SELECT $1::bigint`, (*timesheet.ClientID)(nil))
	check(t, conn, `SELECT $1::bigint[]`, []timesheet.TagID{3, 1, 2})
	check(t, conn, `SELECT $1::smallint`, time.Saturday)
	check(t, conn, `SELECT $1::text`, timesheet.RoleManager)
	check(t, conn, `SELECT $1::text[]`, []timesheet.Role{timesheet.RoleOwner, timesheet.RoleViewer})
}

// check sends a value and wants it back, alone and in rows.
func check[T any](t *testing.T, conn *pgx.Conn, sql string, want T) {
	t.Helper()
	var got T
	if err := conn.QueryRow(t.Context(), sql, want).Scan(&got); err != nil {
		t.Errorf("%s of %T: %v", sql, want, err)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s of %T (-want +got):\n%s", sql, want, diff)
	}
	rows, err := conn.Query(t.Context(), sql, want)
	if err != nil {
		t.Errorf("%s of %T: %v", sql, want, err)
		return
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil || len(all) != 1 || !cmp.Equal(all[0], want) {
		t.Errorf("%s of %T in rows: got %v, %v", sql, want, all, err)
	}
}

func mustEntryID(t testing.TB, s string) timesheet.EntryID {
	t.Helper()
	id, err := timesheet.ParseEntryID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDomainTypesThroughCopy(t *testing.T) {
	conn := connectTo(t, storetest.New(t))
	ctx := t.Context()
	if _, err := conn.Exec(ctx, `CREATE TEMP TABLE copied (id uuid, day date, project bigint, tags bigint[])`); err != nil {
		t.Fatal(err)
	}
	type row struct {
		ID      timesheet.EntryID
		Day     timesheet.Date
		Project *timesheet.ProjectID
		Tags    []timesheet.TagID
	}
	project := timesheet.ProjectID(9)
	want := []row{
		{mustEntryID(t, "0198a000-0000-7000-8000-000000000001"), timesheet.NewDate(2012, time.October, 28), &project, []timesheet.TagID{1, 2}},
		{mustEntryID(t, "0198a000-0000-7000-8000-000000000002"), timesheet.NewDate(1970, time.January, 1), nil, []timesheet.TagID{}},
	}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"id", "day", "project", "tags"},
		pgx.CopyFromSlice(len(want), func(i int) ([]any, error) {
			return []any{want[i].ID, want[i].Day, want[i].Project, want[i].Tags}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, `SELECT id, day, project, tags FROM copied ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("copied rows (-want +got):\n%s", diff)
	}
}
