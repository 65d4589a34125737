package store_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

// importRow is an hour of Ana's work; change makes it another.
func importRow(change func(*timesheet.ImportRow)) timesheet.ImportRow {
	start := time.Date(2012, 10, 29, 9, 0, 0, 0, time.UTC)
	row := timesheet.ImportRow{User: "Ana Pop", Client: "Acme", Project: "Site", Task: "Design", Description: "Call", Start: start, End: start.Add(time.Hour)}
	if change != nil {
		change(&row)
	}
	return row
}

// numbered yields rows as lines 2 and on of a file.
func numbered(rows ...timesheet.ImportRow) iter.Seq2[timesheet.ImportRow, *timesheet.RowError] {
	return func(yield func(timesheet.ImportRow, *timesheet.RowError) bool) {
		for i, row := range rows {
			row.Line, row.Cells = i+2, []string{row.User}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// doImport imports and returns the counts and the codes of the bad rows.
func doImport(t testing.TB, s *store.Store, v timesheet.Viewer, o store.ImportOptions, rows ...timesheet.ImportRow) (timesheet.ImportCounts, string) {
	t.Helper()
	var bad []string
	o.Bad = func(e *timesheet.RowError) error {
		bad = append(bad, fmt.Sprintf("%d %s %s", e.Line, e.Field, e.Code))
		return nil
	}
	counts, err := s.Import(t.Context(), v, numbered(rows...), o)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return counts, strings.Join(bad, "; ")
}

func wantCounts(t testing.TB, got timesheet.ImportCounts, want string) {
	t.Helper()
	if got.String() != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

const readImported = `SELECT coalesce(string_agg(concat_ws(' | ', m.name, m.role, coalesce(c.name, '-'), coalesce(p.name, '-'), coalesce(k.name, '-'),
  (SELECT string_agg(g.name, '+' ORDER BY g.name) FROM tag g WHERE g.id = ANY (e.tag_ids)), e.description, e.day, e.secs, e.billable,
  EXISTS (SELECT FROM project_member pm WHERE pm.project_id = e.project_id AND pm.user_id = e.user_id)), E'\n' ORDER BY e.started_at, m.name, e.id), '')
FROM time_entry e
JOIN membership m ON m.user_id = e.user_id
LEFT JOIN project p ON p.id = e.project_id
LEFT JOIN client c ON c.id = p.client_id
LEFT JOIN task k ON k.id = e.task_id
WHERE e.workspace_id = $1 AND e.deleted_at IS NULL`

func TestImportFindsAndCreates(t *testing.T) {
	s, v, conn := newDatabase(t)
	addViewer(t, s, v, "bo", timesheet.RoleMember)
	site := createProject(t, s, v, "SITE", createClient(t, s, v, "acme"))
	no := false
	later := func(h int, change func(*timesheet.ImportRow)) timesheet.ImportRow {
		return importRow(func(r *timesheet.ImportRow) {
			r.Start, r.End = r.Start.Add(time.Duration(h)*time.Hour), r.End.Add(time.Duration(h)*time.Hour)
			change(r)
		})
	}
	rows := []timesheet.ImportRow{
		importRow(nil),
		later(1, func(r *timesheet.ImportRow) {
			r.User, r.Client, r.Task = "Somebody", "", "design"
			r.Email = "BO@example.com"
		}),
		later(2, func(r *timesheet.ImportRow) { r.User, r.Client, r.Project, r.Task = "ANA POP", "", "", "" }),
		later(3, func(r *timesheet.ImportRow) {
			r.User, r.Email = "", "new@example.com"
			r.Tags = []string{"b", "a", "B"}
		}),
		later(4, func(r *timesheet.ImportRow) { r.Client, r.Billable = "Ärzte", &no }),
		later(13, func(r *timesheet.ImportRow) { r.User = "Bo"; r.Start = r.Start.Add(500 * time.Millisecond) }),
	}
	counts, bad := doImport(t, s, v, store.ImportOptions{Source: "entries.csv"}, rows...)
	wantCounts(t, counts, "6 created, 0 unchanged, 0 bad, 4 users, 3 projects, 360 minutes")
	if bad != "" {
		t.Errorf("bad rows: %s", bad)
	}
	want := strings.Join([]string{
		"Ana Pop | PLACEHOLDER | acme | SITE | Design | Call | 2012-10-29 | 3600 | t | t",
		"bo | MEMBER | acme | SITE | Design | Call | 2012-10-29 | 3600 | t | t",
		"Ana Pop | PLACEHOLDER | - | - | - | Call | 2012-10-29 | 3600 | f | f",
		"new@example.com | PLACEHOLDER | acme | SITE | Design | B+a | Call | 2012-10-29 | 3600 | t | t",
		"Ana Pop | PLACEHOLDER | Ärzte | Site | Design | Call | 2012-10-29 | 3600 | f | t",
		"bo | MEMBER | acme | SITE | Design | Call | 2012-10-30 | 3600 | t | t", // after midnight in Bucharest
	}, "\n")
	want = strings.Replace(want, "B+a", "a+b", 1)
	if diff := cmp.Diff(want, ask[string](t, conn, readImported, v.Workspace.ID)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := ask[string](t, conn, `SELECT changes::text FROM audit WHERE action = 'import' AND entity = 'Workspace' AND actor_id = $1`, v.User); got != `{"source": "entries.csv", "entries": 6}` && got != `{"entries": 6, "source": "entries.csv"}` {
		t.Errorf("audit says %s", got)
	}
	if got := ask[int](t, conn, `SELECT count(*) FROM project WHERE name = 'SITE' AND id = $1`, site.ID); got != 1 {
		t.Error("the project that was there has changed")
	}
}

func createClient(t testing.TB, s *store.Store, v timesheet.Viewer, name string) timesheet.Client {
	t.Helper()
	c, _, err := s.CreateClient(t.Context(), v, timesheet.ClientInput{Name: timesheet.Some(name)}, store.Change{Action: "createClient"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func createProject(t testing.TB, s *store.Store, v timesheet.Viewer, name string, c timesheet.Client) timesheet.Project {
	t.Helper()
	p, _, err := s.CreateProject(t.Context(), v, timesheet.ProjectInput{Name: timesheet.Some(name), Client: timesheet.Some(&c.ID)}, store.Change{Action: "createProject"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestImportAgainCreatesNothing(t *testing.T) {
	s, v, conn := newDatabase(t)
	rows := []timesheet.ImportRow{
		importRow(nil), importRow(nil), importRow(nil), // repeats are kept
		importRow(func(r *timesheet.ImportRow) { r.ExternalID = "7" }),
		importRow(func(r *timesheet.ImportRow) { r.Description = "Caf\u00e9"; r.Tags = []string{"a", "b"} }),
	}
	counts, _ := doImport(t, s, v, store.ImportOptions{}, rows...)
	wantCounts(t, counts, "5 created, 0 unchanged, 0 bad, 1 users, 1 projects, 300 minutes")
	mustExec(t, conn, `UPDATE project SET name = 'Renamed', name_key = 'renamed'`)
	mustExec(t, conn, `UPDATE time_entry SET deleted_at = now() WHERE description = 'Café'`)
	mustExec(t, conn, `UPDATE time_entry SET description = 'edited' WHERE description = 'Call'`)

	zone := time.FixedZone("", 3*3600)
	for i := range rows {
		rows[i].Start = rows[i].Start.In(zone)
	}
	rows[0].User, rows[1].Project = "  ana POP ", "SITE"
	rows[4].Description, rows[4].Tags = "Cafe\u0301", []string{"B", "A", "a"}
	counts, _ = doImport(t, s, v, store.ImportOptions{}, rows...)
	wantCounts(t, counts, "0 created, 5 unchanged, 0 bad, 1 users, 1 projects, 300 minutes")
	counts, _ = doImport(t, s, v, store.ImportOptions{}, append(rows, importRow(nil))...)
	wantCounts(t, counts, "1 created, 5 unchanged, 0 bad, 1 users, 1 projects, 360 minutes")

	other := addWorkspace(t, s, "Other")
	counts, _ = doImport(t, s, other, store.ImportOptions{}, rows...)
	wantCounts(t, counts, "5 created, 0 unchanged, 0 bad, 1 users, 1 projects, 300 minutes")
}

func TestImportOfKnownNamesOnly(t *testing.T) {
	s, v, conn := newDatabase(t)
	doImport(t, s, v, store.ImportOptions{}, importRow(func(r *timesheet.ImportRow) { r.Tags = []string{"old"} }))
	named := func(set func(*timesheet.ImportRow)) timesheet.ImportRow {
		return importRow(func(r *timesheet.ImportRow) { r.Description = "new"; set(r) })
	}
	before := ask[int64](t, conn, `SELECT last_value FROM object_id`)
	counts, bad := doImport(t, s, v, store.ImportOptions{KnownOnly: true},
		named(func(r *timesheet.ImportRow) { r.User = "Bo" }),
		named(func(r *timesheet.ImportRow) { r.Email = "ana@example.com" }),
		named(func(r *timesheet.ImportRow) { r.Client = "Umbrella" }),
		named(func(r *timesheet.ImportRow) { r.Project = "Shop" }),
		named(func(r *timesheet.ImportRow) { r.Task = "Build" }),
		named(func(r *timesheet.ImportRow) { r.Tags = []string{"OLD", "new"} }),
		named(func(r *timesheet.ImportRow) { r.Tags = []string{"OLD"} }),
	)
	wantCounts(t, counts, "1 created, 0 unchanged, 6 bad, 1 users, 1 projects, 60 minutes")
	want := "2 user UNKNOWN_NAME; 3 user_email UNKNOWN_NAME; 4 client UNKNOWN_NAME; 5 project UNKNOWN_NAME; 6 task UNKNOWN_NAME; 7 tags UNKNOWN_NAME"
	if bad != want {
		t.Errorf("got  %s\nwant %s", bad, want)
	}
	if got := ask[int](t, conn, `SELECT (SELECT count(*) FROM membership) + (SELECT count(*) FROM project) + (SELECT count(*) FROM task) + (SELECT count(*) FROM tag) + (SELECT count(*) FROM client)`); got != 2+1+1+1+1 {
		t.Errorf("%d named things, want 6: something was created after id %d", got, before)
	}
}

func TestImportRefusesRowByRow(t *testing.T) {
	s, v, conn := newDatabase(t)
	mustExec(t, conn, `ALTER TABLE time_entry ADD CONSTRAINT poisoned CHECK (description <> 'poison')`)
	long := strings.Repeat("x", 256)
	with := func(set func(*timesheet.ImportRow)) timesheet.ImportRow { return importRow(set) }
	counts, bad := doImport(t, s, v, store.ImportOptions{},
		with(nil),
		with(func(r *timesheet.ImportRow) { r.Description = "poison" }),
		with(func(r *timesheet.ImportRow) { r.User = "" }),
		with(func(r *timesheet.ImportRow) { r.Project = "" }),
		with(func(r *timesheet.ImportRow) { r.Start = time.Date(16, 1, 11, 16, 22, 26, 0, time.UTC) }),
		with(func(r *timesheet.ImportRow) { r.Start = time.Now().AddDate(2, 0, 0) }),
		with(func(r *timesheet.ImportRow) { r.End = r.Start.Add(-time.Second) }),
		with(func(r *timesheet.ImportRow) { r.End = r.Start.Add(7*24*time.Hour + time.Second) }),
		with(func(r *timesheet.ImportRow) { r.Description = strings.Repeat("é", 3001) }),
		with(func(r *timesheet.ImportRow) { r.Tags = strings.Split(long[:101], "")[:51] }),
		with(func(r *timesheet.ImportRow) { r.Task = long }),
		with(func(r *timesheet.ImportRow) { r.Tags = []string{"fine", long} }),
		with(func(r *timesheet.ImportRow) { r.Client = "a\x07b" }),
		with(func(r *timesheet.ImportRow) { r.User = "\u200b" }),
		with(func(r *timesheet.ImportRow) { r.Email = "nobody" }),
		with(func(r *timesheet.ImportRow) { r.Description = "a\x00b" }),
		with(func(r *timesheet.ImportRow) { r.Description = "poison"; r.User = "Only Poison" }),
		with(func(r *timesheet.ImportRow) { r.Description = strings.Repeat("é", 3000) }),
		with(func(r *timesheet.ImportRow) { r.End = r.Start.Add(7 * 24 * time.Hour) }),
		with(func(r *timesheet.ImportRow) { r.End = r.Start }),
	)
	wantCounts(t, counts, "4 created, 0 unchanged, 16 bad, 1 users, 1 projects, 10200 minutes")
	want := strings.Join([]string{
		"3  REFUSED", "4 user MISSING", "5 project MISSING", "6 start OUT_OF_RANGE", "7 start OUT_OF_RANGE", "8 end END_BEFORE_START", "9 end TOO_LONG",
		"10 description TEXT_TOO_LONG", "11 tags TOO_MANY_TAGS", "12 task NAME_TOO_LONG", "13 tags NAME_TOO_LONG", "14 client BAD_NAME", "15 user BAD_NAME",
		"16 user_email BAD_NAME", "17 description INVALID_UTF8", "18  REFUSED",
	}, "; ")
	if bad != want {
		t.Errorf("bad rows\ngot  %s\nwant %s", bad, want)
	}
	if got := ask[int](t, conn, `SELECT count(*) FROM membership WHERE name = 'Only Poison'`); got != 0 {
		t.Error("a person was left behind whose only row was refused")
	}
}

func TestImportPreviewWritesNothing(t *testing.T) {
	s, v, conn := newDatabase(t)
	rows := []timesheet.ImportRow{
		importRow(nil), importRow(nil),
		importRow(func(r *timesheet.ImportRow) { r.User, r.Client, r.Tags = "Bo", "", []string{"a"} }),
		importRow(func(r *timesheet.ImportRow) { r.User = "" }),
	}
	const state = `SELECT concat_ws(',', (SELECT last_value FROM object_id), (SELECT count(*) FROM time_entry), (SELECT count(*) FROM membership), (SELECT count(*) FROM audit), (SELECT max(xmin::text) FROM workspace))`
	before := ask[string](t, conn, state)
	counts, _ := doImport(t, s, v, store.ImportOptions{Preview: true}, rows...)
	wantCounts(t, counts, "3 created, 0 unchanged, 1 bad, 2 users, 2 projects, 180 minutes")
	if after := ask[string](t, conn, state); after != before {
		t.Errorf("a preview changed the database from %s to %s", before, after)
	}
	real, _ := doImport(t, s, v, store.ImportOptions{}, rows...)
	if real != counts {
		t.Errorf("the import counts %s, its preview %s", real, counts)
	}
	counts, _ = doImport(t, s, v, store.ImportOptions{Preview: true}, rows...)
	wantCounts(t, counts, "0 created, 3 unchanged, 1 bad, 2 users, 2 projects, 180 minutes")
}

// manyRows are n rows of five people on three projects.
func manyRows(n int) []timesheet.ImportRow {
	rows := make([]timesheet.ImportRow, n)
	for i := range rows {
		rows[i] = importRow(func(r *timesheet.ImportRow) {
			r.User, r.Project = fmt.Sprint("Person ", i%5), fmt.Sprint("Project ", i%3)
			r.Start, r.End = r.Start.Add(time.Duration(i/2)*time.Minute), r.End.Add(time.Duration(i/2)*time.Minute)
		})
	}
	return rows
}

func TestImportGoesOnWhereItWasEnded(t *testing.T) {
	s, v, conn := newDatabase(t)
	rows := manyRows(25_000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	counts, err := s.Import(ctx, v, numbered(rows...), store.ImportOptions{Progress: func(timesheet.ImportCounts) { cancel() }})
	if !errors.Is(err, context.Canceled) || counts.Created != 10_000 {
		t.Fatalf("ended with %s and %v, want one batch of 10000", counts, err)
	}
	if got := ask[int](t, conn, `SELECT count(*) FROM time_entry`); got != counts.Created {
		t.Errorf("%d entries are there, %d were counted", got, counts.Created)
	}
	counts, _ = doImport(t, s, v, store.ImportOptions{}, rows...)
	wantCounts(t, counts, "15000 created, 10000 unchanged, 0 bad, 5 users, 3 projects, 1500000 minutes")
}

// Two files that name the same new people are imported at once: names of people
// are not unique, so only the wait for each other keeps them one person each.
func TestImportsAtOnceShareTheWork(t *testing.T) {
	s, v, conn := newDatabase(t)
	rows := manyRows(12_000)
	var group sync.WaitGroup
	var counts [2]timesheet.ImportCounts
	for i := range counts {
		group.Go(func() {
			var err error
			if counts[i], err = s.Import(t.Context(), v, numbered(rows[6000*i:6000*i+6000]...), store.ImportOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := counts[0].Created + counts[1].Created; got != len(rows) {
		t.Errorf("created %d of %d rows", got, len(rows))
	}
	if got := ask[string](t, conn, `SELECT concat_ws(' ', (SELECT count(*) FROM time_entry), (SELECT count(*) FROM membership), (SELECT count(*) FROM project), (SELECT count(*) FROM task))`); got != "12000 6 3 3" {
		t.Errorf("entries, members, projects and tasks are %s, want 12000 6 3 3", got)
	}
}

func TestImportRights(t *testing.T) {
	s, v := newWorkspace(t)
	for role, want := range map[timesheet.Role]bool{
		timesheet.RoleAdmin: true, timesheet.RoleManager: false, timesheet.RoleMember: false, timesheet.RoleViewer: false,
	} {
		w := addViewer(t, s, v, strings.ToLower(string(role)), role)
		_, err := s.Import(t.Context(), w, numbered(importRow(nil)), store.ImportOptions{})
		if want && err != nil {
			t.Errorf("%s may not import: %v", role, err)
		} else if !want {
			wantCode(t, err, timesheet.CodeForbidden)
		}
	}
}

func TestImportEndsWhenNobodyHearsOfBadRows(t *testing.T) {
	s, v := newWorkspace(t)
	full := errors.New("disk full")
	_, err := s.Import(t.Context(), v, numbered(importRow(func(r *timesheet.ImportRow) { r.User = "" })), store.ImportOptions{Bad: func(*timesheet.RowError) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

// An import looks into one index, whatever the planner has heard of: nothing, a
// table of a page, another workspace's entries only, or the rows themselves.
func TestImportKeysAreReadFromTheirIndex(t *testing.T) {
	s, v, conn := newDatabase(t)
	other := addWorkspace(t, s, "Loaded")
	load := func(n int) {
		mustExec(t, conn, `
INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency)
SELECT $1, gen_random_uuid(), $2, '2026-03-02 08:00+00', '2026-03-02 09:00+00', '2026-03-02', true, 'EUR'
FROM generate_series(1, $3)`, other.Workspace.ID, other.User, n)
		mustExec(t, conn, `VACUUM (ANALYZE) time_entry`)
	}
	src := readSource(t)
	mustExec(t, conn, strings.Replace(src.constants["planImports"], "SET LOCAL", "SET", 1))
	for _, step := range []struct {
		knows string
		do    func()
	}{
		{"nothing", func() {}},
		{"a table of a page", func() { load(2) }},
		{"other entries only", func() { load(20_000) }},
		{"what was so before an import", func() { doImport(t, s, v, store.ImportOptions{}, manyRows(10_000)...) }},
		{"the import", func() { load(1) }},
	} {
		step.do()
		for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
			mustExec(t, conn, `SET plan_cache_mode = `+mode)
			mustExec(t, conn, `PREPARE absent (bigint, bytea[]) AS `+src.constants["readImportKeys"])
			rows, err := conn.Query(t.Context(), fmt.Sprintf(`EXPLAIN EXECUTE absent (%d, '{}')`, v.Workspace.ID))
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			if plan := strings.Join(lines, "\n"); !strings.Contains(plan, "Scan using time_entry_import") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") {
				t.Errorf("with a %s and a planner that knows of %s, the plan is not that of time_entry_import:\n%s", mode, step.knows, plan)
			}
			mustExec(t, conn, `DEALLOCATE absent`)
		}
	}
}
