package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/csvfile"
	"headroom/demo"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

var ever = timesheet.Period{From: timesheet.NewDate(2000, 1, 1), To: timesheet.NewDate(2040, 1, 1)}

// exportTo writes all entries of a workspace into a file.
func exportTo(t *testing.T, s *store.Store, v timesheet.Viewer) string {
	t.Helper()
	in := timesheet.ExportInput{Period: ever, Format: timesheet.ExportCSV, ByteOrderMark: true}
	if _, _, err := s.CreateExport(t.Context(), v, in, store.ExportTerms{Keep: time.Hour, Quota: 1 << 30}, store.Change{Action: "reportExportCreate"}); err != nil {
		t.Fatal(err)
	}
	run, err := s.StartExport(t.Context(), "here")
	if err != nil || run == nil {
		t.Fatal(run, err)
	}
	defer run.Close(context.WithoutCancel(t.Context()))
	path := filepath.Join(t.TempDir(), "export.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csvfile.NewExport(file, run.Input)
	if err == nil {
		err = run.Read(t.Context(), v, rows, func() error { return nil })
	}
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// sums are what a workspace's reports say, with names for keys.
func sums(t *testing.T, s *store.Store, v timesheet.Viewer) map[string]timesheet.Totals {
	t.Helper()
	found := map[string]timesheet.Totals{}
	for _, by := range [][]timesheet.GroupKey{
		{timesheet.GroupClient, timesheet.GroupProject, timesheet.GroupTask},
		{timesheet.GroupUser, timesheet.GroupMonth},
		{timesheet.GroupTag, timesheet.GroupBillable},
	} {
		report, err := s.Report(t.Context(), v, timesheet.ReportInput{Period: ever, GroupBy: by, MaxRows: timesheet.MaxReportRows}, time.Now())
		if err != nil || report.Truncated {
			t.Fatal(report.Truncated, err)
		}
		addSums(found, "", report.Rows)
	}
	return found
}

func addSums(into map[string]timesheet.Totals, path string, rows []timesheet.ReportRow) {
	for _, row := range rows {
		row.Totals.Amounts = nil // imported entries have no rate
		into[path+"/"+row.Label] = row.Totals
		addSums(into, path+"/"+row.Label, row.Children)
	}
}

// What is exported can be imported into an empty workspace, and its reports say
// the same.
func TestExportIsImportedAgain(t *testing.T) {
	s := storetest.Open(t)
	from, _, err := s.LoadCompany(t.Context(), demo.Small(demo.SmallConfig{Name: "From", Entries: 3000, Until: time.Now()}), nil)
	if err != nil {
		t.Fatal(err)
	}
	path := exportTo(t, s, from)
	into, err := s.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Into", TimeZone: from.Workspace.TimeZone, WeekStart: from.Workspace.WeekStart, Currency: "EUR", Owner: store.Person{Name: "Ina", Email: "ina@into.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := importInto(t, s, into, ImportCmd{File: path})
	if err != nil || !strings.Contains(stdout, " 0 bad") {
		t.Fatalf("import: %v, %s%s", err, stdout, stderr)
	}
	want := sums(t, s, from)
	if len(want) < 50 {
		t.Fatalf("only %d sums are compared", len(want))
	}
	if diff := cmp.Diff(want, sums(t, s, into)); diff != "" {
		t.Errorf("sums (-exported +imported):\n%s", diff)
	}
}

// A server that is killed in the middle of an export leaves nothing that hangs:
// the next one writes the file from the beginning.
func TestKilledServersExportBeginsAnew(t *testing.T) {
	dsn, dir := storetest.New(t), t.TempDir()
	args := []string{"--database-url", dsn, "--db-cores", "1", "--export-dir", dir}
	made := runs(t, "token", "create", "--database-url", dsn, "--workspace", "Acme", "--email", "olga@acme.example")
	if made.code != 0 {
		t.Fatal(made.stderr)
	}
	token := strings.TrimSpace(made.out)
	p := serve(t, args...)
	p.ask(token, `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z"}) { timeEntry { id } } }`)
	release := holdEntries(t, dsn)
	id := startExport(t, p, token)
	p.waitForExport(token, id, "RUNNING")
	waitForPart(t, dir)
	p.signal(syscall.SIGKILL)
	release()
	p = serve(t, args...)
	x := p.waitForExport(token, id, "READY")
	resp, err := client.Get(p.url + x.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || strings.Count(string(body), "\n") != 2 {
		t.Errorf("status %d, %v: %s", resp.StatusCode, err, body)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*", "[0-9]*")); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v; want the file alone", files, err)
	}
}

// holdEntries keeps exports from reading any until release is called.
func holdEntries(t *testing.T, dsn string) (release func()) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tx, err := db.Begin()
	if err == nil {
		_, err = tx.Exec(`ALTER TABLE time_entry ADD COLUMN held int`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

type exportAnswer struct{ ID, Status, URL string }

func startExport(t *testing.T, p *process, token string) (id string) {
	t.Helper()
	var a struct {
		Data struct {
			ReportExportCreate struct{ ReportExport exportAnswer }
		}
	}
	body := p.ask(token, `mutation { reportExportCreate(input: {period: {from: "2026-01-01", to: "2026-12-31"}}) { reportExport { id } userErrors { message } } }`)
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Data.ReportExportCreate.ReportExport.ID == "" {
		t.Fatal(body, err)
	}
	return a.Data.ReportExportCreate.ReportExport.ID
}

// waitForPart waits until a server has begun to write a file.
func waitForPart(t *testing.T, dir string) {
	t.Helper()
	waitUntil(t, "a file that is written in "+dir, func() bool {
		parts, err := filepath.Glob(filepath.Join(dir, "*", "*.part"))
		if err != nil {
			t.Fatal(err)
		}
		return len(parts) == 1
	})
}

// waitForExport waits until an export has a status.
func (p *process) waitForExport(token, id, status string) exportAnswer {
	p.t.Helper()
	var last exportAnswer
	waitUntil(p.t, "an export that is "+status, func() bool {
		var a struct {
			Data struct{ ReportExport exportAnswer }
		}
		body := p.ask(token, fmt.Sprintf(`{ reportExport(id: %q) { id status url } }`, id))
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			p.t.Fatal(body, err)
		}
		last = a.Data.ReportExport
		return last.Status == status
	})
	return last
}

func TestExportFlags(t *testing.T) {
	for _, test := range []struct {
		args []string
		hint string
	}{
		{[]string{"--export-quota", "much"}, "--export-quota: \"much\" is no size"},
		{[]string{"--export-quota-workspace", "-1GiB"}, "--export-quota-workspace"},
		{[]string{"--export-ttl", "1s"}, "--export-ttl"},
	} {
		wantRefusal(t, runs(t, append([]string{"serve"}, test.args...)...), test.hint)
	}
	for text, want := range map[string]int64{"10GiB": 10 << 30, "1.5MiB": 3 << 19, "500MB": 500e6, "64 B": 64} {
		if got, err := parseBytes(text); got != want || err != nil {
			t.Errorf("%s is %d, %v; want %d", text, got, err, want)
		}
	}
}
