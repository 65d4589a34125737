package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

// planNode is a step of a plan that was run.
type planNode struct {
	Relation string     `json:"Relation Name"`
	Index    string     `json:"Index Name"`
	Removed  float64    `json:"Rows Removed by Filter"`
	Rows     float64    `json:"Actual Rows"`
	Loops    float64    `json:"Actual Loops"`
	Plans    []planNode `json:"Plans"`
}

// read adds up the rows that were read of each table, and by each index, there with
// those that were of no use.
func (n planNode) read(rows map[string]int) {
	if n.Relation != "" {
		rows[n.Relation] += int(n.Rows * n.Loops)
	}
	if n.Index != "" {
		rows[n.Index] += int((n.Rows + n.Removed) * n.Loops)
	}
	for _, below := range n.Plans {
		below.read(rows)
	}
}

func rowsRead(t testing.TB, conn *pgx.Conn, b store.Built) map[string]int {
	t.Helper()
	var text string
	if err := conn.QueryRow(t.Context(), "EXPLAIN (ANALYZE, FORMAT JSON) "+b.SQL, b.Args...).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	plans[0].Plan.read(rows)
	return rows
}

// Whole months read as many sums with three times as many entries, and no
// entry; odd days add the entries of those days.
func TestRowsReadDoNotGrowWithEntries(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	people := []timesheet.UserID{v.User, addViewer(t, s.Store, v, "ana", timesheet.RoleMember).User}
	projects := []timesheet.ProjectID{addProject(t, s.Store, v, "one", nil).ID, addProject(t, s.Store, v, "two", nil).ID}
	year := timesheet.ReportInput{Period: period(t, "2024-01-01", "2024-12-31"), GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupUser}, MaxRows: 1}
	odd := year
	odd.Period = period(t, "2023-12-31", "2025-01-01")
	var sums, entries []int
	for range 3 {
		mustExec(t, s.conn, `
			INSERT INTO time_entry (workspace_id, id, user_id, project_id, started_at, ended_at, day, billable, rate_minor, currency)
			SELECT $1, gen_random_uuid(), u, p, d, d + interval '1 minute', d::date, true, 60, 'EUR'
			FROM generate_series('2023-06-01 00:00Z'::timestamptz, '2025-06-01 00:00Z', '12 hours') d, unnest($2::bigint[]) u, unnest($3::bigint[]) p`, v.Workspace.ID, people, projects)
		mustExec(t, s.conn, `VACUUM ANALYZE time_entry, rollup`)
		rows := rowsRead(t, s.conn, store.BuiltReport(v, year))
		if rows["time_entry"] != 0 {
			t.Errorf("whole months read %d entries", rows["time_entry"])
		}
		if rows := rowsRead(t, s.conn, store.BuiltSummary(v, year.Period)); rows["time_entry"] != 0 || rows["rollup"] != 48 {
			t.Errorf("a year's summary reads %v, want 48 sums", rows)
		}
		sums = append(sums, rows["rollup"])
		byProject := year
		byProject.GroupBy = []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupMonth}
		folded(t, s.Store, time.Now())
		mustExec(t, s.conn, `VACUUM ANALYZE rollup, project_rollup`)
		if rows := rowsRead(t, s.conn, store.BuiltReport(v, byProject)); rows["project_rollup"] != 24 || rows["rollup"] != 0 {
			t.Errorf("a year by project reads %v, want 24 sums of projects", rows)
		}
		entries = append(entries, rowsRead(t, s.conn, store.BuiltReport(v, odd))["time_entry"])
	}
	if got := fmt.Sprint(sums); got != "[48 48 48]" { // 12 months of 2 people on 2 projects
		t.Errorf("the year reads %s sums, want 48 each time", got)
	}
	if got := fmt.Sprint(entries); got != "[16 32 48]" { // 2 days of 2 entries of 2 people on 2 projects
		t.Errorf("the odd days read %s entries, want 16 more each time", got)
	}
}

// A year of three is found by the index: the sums of the other years are not read,
// though they lie in the same table.
func TestAYearReadsItsMonths(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	mustExec(t, s.conn, `
		INSERT INTO rollup (workspace_id, month, project_id, user_id, billable, currency, entries, secs, amount_x3600, folded_entries, folded_secs, folded_amount_x3600)
		SELECT $1, m, n % 20 + 1, n, true, 'EUR', 8, 3600, 18000000, 8, 3600, 18000000
		FROM generate_series(timestamp '2023-01-01', '2025-12-01', '1 month') m, generate_series(1, 700) n
		ORDER BY m`, v.Workspace.ID)
	mustExec(t, s.conn, `VACUUM ANALYZE rollup`)
	year := store.BuiltReport(v, timesheet.ReportInput{Period: period(t, "2024-01-01", "2024-12-31"), GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupUser}, MaxRows: 1})
	var plan string
	err := s.Snapshot(t.Context(), func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), "EXPLAIN "+year.SQL, append([]any{pgx.QueryExecModeCacheDescribe}, year.Args...)...)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		plan = strings.Join(lines, "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "rollup_pk") || strings.Contains(plan, "Seq Scan on rollup") {
		t.Errorf("a year reads the sums of all years:\n%s", plan)
	}
}

// A report that splits finds the entries of more than twelve hours by themselves,
// however many others there are; and where entries keep the day of another zone is
// read from two ends of an index.
func TestRowsReadForTheirTimes(t *testing.T) {
	t.Parallel()
	s := openDatabase(t)
	v := in(t, s.Store, "UTC")
	split := timesheet.ReportInput{Period: period(t, "2024-01-01", "2024-12-31"), GroupBy: []timesheet.GroupKey{timesheet.GroupProject}, DayAttribution: timesheet.AttributeSplit, MaxRows: 1}
	fill := func(lasts, every, zone string) {
		mustExec(t, s.conn, `
			INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, day_zone, billable, rate_minor, currency)
			SELECT $1, gen_random_uuid(), $2, d, d + $3::interval, d::date, nullif($5, ''), true, 60, 'EUR'
			FROM generate_series('2023-06-01 00:00Z'::timestamptz, '2025-06-01 00:00Z', $4::interval) d`, v.Workspace.ID, v.User, lasts, every, zone)
		mustExec(t, s.conn, `VACUUM ANALYZE time_entry, rollup`)
	}
	fill("13 hours", "1 day", "")
	var long, all []int
	for range 3 {
		fill("1 minute", "3 hours", "")
		rows := rowsRead(t, s.conn, store.BuiltReport(v, split))
		long, all = append(long, rows["time_entry_long"]), append(all, rows["time_entry_report"])
	}
	if got := fmt.Sprint(long); got != "[12 12 12]" { // one on each of the last six days before the year and of it
		t.Errorf("the index of long entries reads %s, want 12 each time", got)
	}
	if all[0] == 0 || all[2] <= all[0] {
		t.Errorf("the days at the end of the year read %v entries, want more each time", all)
	}
	kept := store.Built{SQL: readSource(t).constants["readKeptDays"], Args: []any{v.Workspace.ID}}
	if rows := rowsRead(t, s.conn, kept); rows["time_entry_kept"] != 0 {
		t.Errorf("where no day is kept, %v are read", rows)
	}
	fill("1 minute", "12 hours", "Europe/Bucharest")
	if rows := rowsRead(t, s.conn, kept); rows["time_entry_kept"] != 2 || rows["time_entry"] != 2 {
		t.Errorf("the first and the last of 1,463 kept days read %v, want 2", rows)
	}
}
