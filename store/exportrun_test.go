package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

var exportTerms = store.ExportTerms{Keep: time.Hour, Quota: 1 << 30}

// everExported is a period with every entry of these tests.
var everExported = timesheet.Period{From: timesheet.NewDate(2020, 1, 1), To: timesheet.NewDate(2030, 12, 31)}

func createExport(t testing.TB, s *store.Store, v timesheet.Viewer, in timesheet.ExportInput) timesheet.Export {
	t.Helper()
	if in.Period == (timesheet.Period{}) {
		in.Period = everExported
	}
	if in.Format == "" {
		in.Format = timesheet.ExportCSV
	}
	x, _, err := s.CreateExport(t.Context(), v, in, exportTerms, store.Change{Action: "reportExportCreate", Input: in})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func startExport(t testing.TB, s *store.Store) *store.ExportRun {
	t.Helper()
	run, err := s.StartExport(t.Context(), "here")
	if err != nil {
		t.Fatal(err)
	}
	if run != nil {
		t.Cleanup(func() { run.Close(context.WithoutCancel(t.Context())) })
	}
	return run
}

// collected keeps what an export writes.
type collected struct {
	entries []timesheet.ExportEntry
	groups  []timesheet.ExportGroup
	first   func() error // called before the first row
}

func (c *collected) Entry(e timesheet.ExportEntry) error {
	if c.first != nil {
		first := c.first
		c.first = nil
		if err := first(); err != nil {
			return err
		}
	}
	c.entries = append(c.entries, e)
	return nil
}

func (c *collected) Group(g timesheet.ExportGroup) error {
	c.groups = append(c.groups, g)
	return nil
}

// readExport runs one export of a viewer and collects its rows.
func readExport(t testing.TB, s *store.Store, v timesheet.Viewer, in timesheet.ExportInput) *collected {
	t.Helper()
	createExport(t, s, v, in)
	c := &collected{}
	finish(t, startExport(t, s), c)
	return c
}

func finish(t testing.TB, run *store.ExportRun, c *collected) {
	t.Helper()
	if run == nil {
		t.Fatal("there is no export to run")
	}
	who, err := run.Viewer(t.Context())
	if err == nil {
		err = run.Read(t.Context(), who, c, func() error { return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := run.Finish(t.Context(), 1, "sum"); err != nil || !kept {
		t.Fatal("finish the export:", kept, err)
	}
	run.Close(t.Context())
}

func exportPool(t testing.TB, s *store.Store) store.PoolStat {
	t.Helper()
	for _, stat := range s.Stats() {
		if stat.Class == "export" {
			return stat
		}
	}
	t.Fatal("there is no pool of exports")
	return store.PoolStat{}
}

// All rows are of one moment, however much is written while they are read.
func TestExportIsOneSnapshot(t *testing.T) {
	s, owner, conn := newDatabase(t)
	mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency, description)
		SELECT $1, gen_random_uuid(), $2, s, s + interval '1 hour', s::date, true, 'EUR', 'generation 0'
		FROM generate_series('2024-01-01'::timestamptz, '2024-12-31', '1 hour') s`, owner.Workspace.ID, owner.User)
	createExport(t, s, owner, timesheet.ExportInput{})
	c := &collected{first: func() error {
		_, err := conn.Exec(t.Context(), `UPDATE time_entry SET description = 'generation 1'`)
		if err == nil {
			_, err = conn.Exec(t.Context(), `UPDATE time_entry SET deleted_at = now() WHERE started_at > '2024-06-01'`)
		}
		if err == nil {
			_, err = conn.Exec(t.Context(), `UPDATE membership SET name = 'Renamed'`)
		}
		return err
	}}
	finish(t, startExport(t, s), c)
	if want := 365*24 + 1; len(c.entries) != want {
		t.Errorf("%d rows, want %d", len(c.entries), want)
	}
	for i, e := range c.entries {
		if e.Description != "generation 0" || e.User != "Olga" {
			t.Fatalf("row %d is of another moment: %q by %s", i, e.Description, e.User)
		}
	}
	if busy := exportPool(t, s).Busy; busy != 0 {
		t.Errorf("%d connections are held after the export", busy)
	}
}

// Of two processes that want the same job one gets it, and a workspace has one
// export that runs, whoever runs it.
func TestExportsRunOnce(t *testing.T) {
	dsn := storetest.New(t)
	stores := []*store.Store{openStore(t, dsn), openStore(t, dsn)}
	s := stores[0]
	acme := addWorkspace(t, s, "Acme")
	other, err := s.CreateWorkspace(t.Context(), store.NewWorkspace{Name: "Other", TimeZone: "UTC", Currency: "EUR", Owner: store.Person{Name: "Ivan", Email: "ivan@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	first, second := createExport(t, s, acme, timesheet.ExportInput{}), createExport(t, s, acme, timesheet.ExportInput{})
	third := createExport(t, s, other, timesheet.ExportInput{})
	one := startExport(t, stores[0])
	two := startExport(t, stores[1])
	if one == nil || two == nil || one.ID != first.ID || two.ID != third.ID {
		t.Fatalf("started %v and %v, want the first of each workspace", one, two)
	}
	one.Close(t.Context()) // as if its process had been killed: the job runs, and nobody holds its lock
	if run := startExport(t, stores[0]); run != nil {
		t.Fatalf("started %d while the workspace's first one runs", run.ID)
	}
	if n, err := s.AdoptExports(t.Context()); n != 1 || err != nil {
		t.Fatalf("adopted %d exports (%v), want the one whose process is gone", n, err)
	}
	again := startExport(t, stores[0])
	if again == nil || again.ID != first.ID {
		t.Fatalf("started %v, want the adopted one", again)
	}
	finish(t, again, &collected{})
	if run := startExport(t, stores[0]); run == nil || run.ID != second.ID {
		t.Errorf("started %v, want the second one", run)
	}
}

// An export that kills its server each time fails in the end.
func TestExportThatKillsItsServerFails(t *testing.T) {
	s, owner := newWorkspace(t)
	x := createExport(t, s, owner, timesheet.ExportInput{})
	for range 3 {
		run := startExport(t, s)
		if run == nil {
			t.Fatal("it was given up too early")
		}
		run.Close(t.Context())
		if n, err := s.AdoptExports(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if run := startExport(t, s); run != nil {
		t.Error("it began a fourth time")
	}
	x, err := s.Export(t.Context(), owner, x.ID)
	if err != nil || x.Status != timesheet.ExportFailed || x.Failure == nil || *x.Failure != timesheet.ExportInterrupted {
		t.Errorf("the export is %+v, %v", x, err)
	}
}

// Five wait, and the rest are refused: asked one after another, and at once.
func TestExportQueueIsBounded(t *testing.T) {
	s, owner := newWorkspace(t)
	done := make(chan error)
	const asked = 100
	in := timesheet.ExportInput{Period: everExported, Format: timesheet.ExportCSV}
	for i := range asked {
		go func() {
			key := fmt.Sprint(i)
			_, _, err := s.CreateExport(t.Context(), owner, in, exportTerms, store.Change{Action: "reportExportCreate", Input: in, Key: &key})
			done <- err
		}()
	}
	taken := 0
	for range asked {
		err := <-done
		if err == nil {
			taken++
			continue
		}
		wantCode(t, err, timesheet.CodeExportQueueFull)
	}
	if taken != timesheet.MaxWaitingExports {
		t.Errorf("%d of %d wait, want %d", taken, asked, timesheet.MaxWaitingExports)
	}
}

func TestExportQuotaIsAsked(t *testing.T) {
	s, owner := newWorkspace(t)
	createExport(t, s, owner, timesheet.ExportInput{})
	run := startExport(t, s)
	finish(t, run, &collected{})
	in := timesheet.ExportInput{Period: everExported, Format: timesheet.ExportCSV}
	_, _, err := s.CreateExport(t.Context(), owner, in, store.ExportTerms{Keep: time.Hour, Quota: 1}, store.Change{Action: "reportExportCreate"})
	wantCode(t, err, timesheet.CodeExportQuota)
	if room, err := s.ExportRoom(t.Context(), owner.Workspace.ID, 10); room != 9 || err != nil {
		t.Errorf("there is room for %d bytes, %v; want 9", room, err)
	}
	if _, _, err := s.CancelExport(t.Context(), owner, run.ID, store.Change{Action: "reportExportCancel"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateExport(t.Context(), owner, in, store.ExportTerms{Keep: time.Hour, Quota: 1}, store.Change{Action: "reportExportCreate"}); err != nil {
		t.Errorf("after the file was deleted: %v", err)
	}
}

// A cancelled export notices it, and gives its connection back.
func TestExportIsCancelled(t *testing.T) {
	s, owner, conn := newDatabase(t)
	mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency)
		SELECT $1, gen_random_uuid(), $2, s, s, s::date, true, 'EUR'
		FROM generate_series('2024-01-01'::timestamptz, '2024-12-31', '1 hour') s`, owner.Workspace.ID, owner.User)
	x := createExport(t, s, owner, timesheet.ExportInput{})
	run := startExport(t, s)
	ctx, leave := context.WithCancel(t.Context())
	err := run.Read(ctx, owner, &collected{}, func() error { leave(); return nil })
	run.Close(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the export ended with %v", err)
	}
	if run.Rows != 2000 {
		t.Errorf("it read %d rows after it was cancelled, want one batch", run.Rows)
	}
	if stat := exportPool(t, s); stat.Busy != 0 {
		t.Errorf("%d connections are held", stat.Busy)
	}
	for range 2 { // again, it is as it was
		x, _, err = s.CancelExport(t.Context(), owner, x.ID, store.Change{Action: "reportExportCancel"})
		if err != nil || x.Status != timesheet.ExportCanceled {
			t.Errorf("the export is %s, %v", x.Status, err)
		}
	}
	if going, err := run.Tell(t.Context()); going || err != nil {
		t.Errorf("a cancelled export goes on: %v, %v", going, err)
	}
	if kept, err := run.Finish(t.Context(), 1, "sum"); kept || err != nil {
		t.Errorf("a cancelled export was finished: %v, %v", kept, err)
	}
}

// What is over is told apart, and no file of it is needed.
func TestExportsExpire(t *testing.T) {
	s, owner, conn := newDatabase(t)
	live := func() map[timesheet.ExportID]bool {
		t.Helper()
		ids, err := s.LiveExports(t.Context(), "here")
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	x := createExport(t, s, owner, timesheet.ExportInput{})
	finish(t, startExport(t, s), &collected{})
	if !live()[x.ID] {
		t.Error("the file of a ready export is not needed")
	}
	mustExec(t, conn, `UPDATE export_job SET expires_at = now()`)
	if n, err := s.ExpireExports(t.Context()); n != 1 || err != nil {
		t.Errorf("%d exports have expired, %v", n, err)
	}
	if len(live()) != 0 {
		t.Error("the file of an expired export is needed")
	}
	if x, err := s.Export(t.Context(), owner, x.ID); err != nil || x.Status != timesheet.ExportExpired {
		t.Errorf("the export is %s, %v", x.Status, err)
	}
	mustExec(t, conn, `UPDATE export_job SET finished_at = now() - interval '31 days'`)
	if _, err := s.ExpireExports(t.Context()); err != nil {
		t.Error(err)
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM export_job`); n != 0 {
		t.Errorf("%d exports are remembered after a month", n)
	}
}

// Exports read the index by start, so that the first row comes at once.
func TestExportPlan(t *testing.T) {
	_, owner, conn := newDatabase(t)
	mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency)
		SELECT $1, gen_random_uuid(), $2, s, s, s::date, true, 'EUR'
		FROM generate_series('2020-01-01'::timestamptz, '2024-12-31', '1 hour') s`, owner.Workspace.ID, owner.User)
	mustExec(t, conn, `VACUUM ANALYZE time_entry`)
	b := store.BuiltExport(owner, timesheet.ExportInput{Period: everExported})
	rows, err := conn.Query(t.Context(), "EXPLAIN "+strings.Replace(b.SQL, "SELECT", "DECLARE c CURSOR FOR SELECT", 1), append([]any{pgx.QueryExecModeDescribeExec}, b.Args...)...)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(plan, "\n"); !strings.Contains(text, "time_entry_started") || strings.Contains(text, "Sort") {
		t.Errorf("the export sorts all rows before the first:\n%s", text)
	}
}
