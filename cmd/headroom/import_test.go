package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// importInto runs the command on a workspace in Bucharest.
func importInto(t *testing.T, s *store.Store, v timesheet.Viewer, c ImportCmd) (stdout, stderr string, err error) {
	t.Helper()
	if c.DateOrder == "" {
		c.DateOrder = "auto"
	}
	if err := c.check(); err != nil {
		return "", "", err
	}
	var out, told bytes.Buffer
	err = c.run(t.Context(), s, v, &out, &told)
	return out.String(), told.String(), err
}

func importWorkspace(t *testing.T) (*store.Store, timesheet.Viewer) {
	t.Helper()
	s := storetest.Open(t)
	v, err := s.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Logs", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR", Owner: store.Person{Name: "Olga", Email: "olga@example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// workLogs are the real work logs; where they are missing the test is skipped.
func workLogs(t *testing.T) string {
	path := filepath.Join("..", "..", "..", "shared", "data", "cesaw_task_facts.csv.xz")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real work logs are not beside the repository: %v", err)
	}
	return path
}

func TestImportWorkLogs(t *testing.T) {
	s, v := importWorkspace(t)
	c := ImportCmd{
		File: workLogs(t), Timezone: "UTC", Errors: filepath.Join(t.TempDir(), "errors.csv"),
		Map: []string{"user=person_key", "project=project_key", "task=phase_short_name", "start=task_actual_start_date", "duration_minutes=task_actual_time_minutes"},
	}
	preview := c
	preview.Preview = true
	for _, run := range []struct {
		name string
		c    ImportCmd
		want string
	}{
		{"preview", preview, "preview, nothing is written\n60974 created, 0 unchanged, 843 bad, 247 users, 45 projects, 7856237 minutes\n"},
		{"import", c, "60974 created, 0 unchanged, 843 bad, 247 users, 45 projects, 7856237 minutes\n"},
		{"again", c, "0 created, 60974 unchanged, 843 bad, 247 users, 45 projects, 7856237 minutes\n"},
	} {
		stdout, stderr, err := importInto(t, s, v, run.c)
		if err != nil || stdout != run.want {
			t.Fatalf("%s: %v\ngot  %swant %s", run.name, err, stdout, run.want)
		}
		if n := strings.Count(stderr, "\nline "); n != toldWithFile {
			t.Errorf("%s: %d bad rows are told, want %d", run.name, n, toldWithFile)
		}
		if want := "\nbad rows: 843, all in " + c.Errors + " with what is wrong\n"; !strings.HasSuffix(stderr, want) {
			t.Errorf("%s: told\n%s\nwant at its end%s", run.name, stderr, want)
		}
		if want := `, column task_actual_start_date: MISSING "\N": `; !strings.Contains(stderr, want) {
			t.Errorf("%s: told\n%s\nwant %s", run.name, stderr, want)
		}
	}
	t.Run("errors file", func(t *testing.T) { checkRejects(t, c.Errors) })
	t.Run("report from sums", func(t *testing.T) { compareReport(t, s, v, c.File, timesheet.SourceRollup) })
	v.Workspace.RollupDrifted = true // as if a check had found them wrong
	t.Run("report from entries", func(t *testing.T) { compareReport(t, s, v, c.File, timesheet.SourceIndex) })
}

// checkRejects reads the bad rows back: they are the file's own.
func checkRejects(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 844 {
		t.Fatalf("%d rows with the header, want 844: %v", len(rows), err)
	}
	if got := rows[0]; got[5] != "task_actual_start_date" || got[12] != "error" {
		t.Errorf("the header is %q", got)
	}
	reasons := map[string]int{}
	for _, row := range rows[1:] {
		reasons[row[5]+" "+row[12]]++
	}
	want := map[string]int{
		`\N task_actual_start_date MISSING: the start is missing`:                                                                842,
		"0016-01-11 16:22:26 task_actual_start_date OUT_OF_RANGE: an entry starts in 1970 or later, and at most a year from now": 1,
	}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// sum is what a group of a report adds up to.
type sum struct{ Seconds, Count int64 }

// oracle sums up the file by project and month, knowing nothing of ours: the
// months are those of Bucharest, where the workspace is.
func oracle(t *testing.T, path string) map[string]sum {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := xz.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(unpacked).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Bucharest")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]sum{}
	for _, row := range rows[1:] {
		start, err := time.Parse("1/2/2006 15:04", row[5])
		if err != nil {
			continue
		}
		minutes, err := strconv.ParseInt(row[7], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		group := row[0] + " " + start.In(zone).Format("2006-01")
		sums[group] = sum{sums[group].Seconds + 60*minutes, sums[group].Count + 1}
	}
	return sums
}

func compareReport(t *testing.T, s *store.Store, v timesheet.Viewer, path string, from timesheet.ReportSource) {
	want := oracle(t, path)
	report, err := s.Report(t.Context(), v, timesheet.ReportInput{
		Period:  timesheet.Period{From: timesheet.NewDate(2000, 1, 1), To: timesheet.NewDate(2030, 1, 1)},
		GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupMonth}, Sort: timesheet.SortLabel, MaxRows: timesheet.MaxReportRows,
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]sum{}
	var total, projects sum
	for _, project := range report.Rows {
		projects = sum{projects.Seconds + project.Totals.ExactSeconds, projects.Count + project.Totals.EntryCount}
		for _, month := range project.Children {
			got[project.Label+" "+month.Label] = sum{month.Totals.ExactSeconds, month.Totals.EntryCount}
			total = sum{total.Seconds + month.Totals.ExactSeconds, total.Count + month.Totals.EntryCount}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by project and month (-oracle +report):\n%s", diff)
	}
	if all := (sum{7856237 * 60, 60974}); total != all || projects != all || (sum{report.Totals.ExactSeconds, report.Totals.EntryCount}) != all {
		t.Errorf("leaves %v, projects %v and totals %d of %d, want %v", total, projects, report.Totals.ExactSeconds, report.Totals.EntryCount, all)
	}
	if report.Truncated || report.Source != from {
		t.Errorf("truncated %v, source %s, want %s", report.Truncated, report.Source, from)
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImportOwnFormat(t *testing.T) {
	s, v := importWorkspace(t)
	path := writeFile(t, "entries.csv", "description,billable,client,project,tags,start,end,task,user_name,user_email\n"+
		"Call,true,Acme,Site,\"phone,urgent\",2024-03-01 09:00,2024-03-01 10:30,Design,Olga,olga@example.com\n"+
		"Gap,true,Acme,Site,,2024-03-31 03:30,2024-03-31 04:30,,Olga,olga@example.com\n")
	stdout, stderr, err := importInto(t, s, v, ImportCmd{File: path})
	if want := "1 created, 0 unchanged, 1 bad, 1 users, 1 projects, 90 minutes\n"; err != nil || stdout != want {
		t.Errorf("%v\ngot  %swant %s", err, stdout, want)
	}
	if want := `line 3, column start: DST_GAP "2024-03-31 03:30": clocks in Europe/Bucharest skipped`; !strings.Contains(stderr, want) {
		t.Errorf("told\n%s\nwant %s", stderr, want)
	}
	page, err := s.TimeEntries(t.Context(), v, timesheet.EntryFilter{}, timesheet.Page{First: 10})
	if err != nil || len(page.Nodes) != 1 {
		t.Fatalf("%d entries: %v", len(page.Nodes), err)
	}
	if e := page.Nodes[0]; e.UserID != v.User || !e.StartedAt.Equal(time.Date(2024, 3, 1, 7, 0, 0, 0, time.UTC)) || len(e.TagIDs) != 2 {
		t.Errorf("the entry is %+v, want Olga's from 9:00 in Bucharest with two tags", e)
	}
	stdout, stderr, err = importInto(t, s, v, ImportCmd{File: path, Timezone: "UTC", Create: "none", Map: []string{"client="}})
	if want := "2 created, 0 unchanged, 0 bad, 1 users, 1 projects, 150 minutes\n"; err != nil || stdout != want {
		t.Errorf("as UTC: %v\ngot  %swant %s%s", err, stdout, want, stderr)
	}
}

func TestImportTellsOfTheFirstBadRows(t *testing.T) {
	s, v := importWorkspace(t)
	path := writeFile(t, "a.csv", "user,start,duration\n"+strings.Repeat("Ana,\x1b[2J,1:00\n", toldWithoutFile+20))
	_, stderr, err := importInto(t, s, v, ImportCmd{File: path, DateOrder: "dmy"})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(stderr, `, column start: BAD_DATE "\x1b[2J": `); n != toldWithoutFile {
		t.Errorf("%d bad rows are told, want %d:\n%q", n, toldWithoutFile, stderr)
	}
	if want := "\nbad rows: 120, of which 100 are told here; --errors FILE keeps them all\n"; !strings.HasSuffix(stderr, want) {
		t.Errorf("told\n%s\nwant at its end%s", stderr, want)
	}
}

func TestImportFilesRefused(t *testing.T) {
	s, v := importWorkspace(t)
	good := writeFile(t, "good.csv", "user,start,duration\nAna,2024-03-01 09:00,1:00\n")
	for _, c := range []struct {
		name string
		c    ImportCmd
		want string
	}{
		{"no such file", ImportCmd{File: "nowhere.csv"}, "stat nowhere.csv: no such file or directory"},
		{"unknown zone", ImportCmd{File: good, Timezone: "CEST"}, `--timezone: "CEST" is no IANA time zone; did you mean Europe/Berlin, Europe/Paris, Europe/Madrid?`},
		{"bad mapping", ImportCmd{File: good, Map: []string{"who=user"}}, `--map: there is no field "who"; the fields are user, user_email, client, project, task, tags, description, billable, start, end, date, duration_minutes, duration_hours, duration, external_id`},
		{"errors over the file", ImportCmd{File: good, Errors: good}, fmt.Sprintf("--errors %s would replace the file that is imported", good)},
		{"errors nowhere", ImportCmd{File: good, Errors: "/nowhere/errors.csv"}, "open /nowhere/errors.csv: no such file or directory"},
		{"no matching columns", ImportCmd{File: writeFile(t, "a.csv", "a,b\n1,2\n")}, "/a.csv: the file has no column for user, start, end or duration: name it with --map field=column; its columns are a, b"},
		{"broken archive", ImportCmd{File: writeFile(t, "a.csv.gz", "\x1f\x8b\x08broken")}, "/a.csv.gz: the archive is broken or incomplete: fetch or pack it again (unexpected EOF)"},
		{"program", ImportCmd{File: writeFile(t, "ls", "\x7fELF\x02\x01\x01\x00\x00\n")}, "/ls: this is no text file: save the table as CSV in UTF-8"},
		{"commands to the terminal", ImportCmd{File: writeFile(t, "a.csv", "a\x1b[2Jb\n1\n")}, `; its columns are a\x1b[2Jb`},
		{"unclear dates", ImportCmd{File: writeFile(t, "a.csv", "user,start,duration\nAna,03/04/2024 09:00,1:00\n")}, "/a.csv: dates such as 03/04/2024 09:00 can be day/month/year or month/day/year, and none in the file tells which: say --date-order dmy or --date-order mdy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, _, err := importInto(t, s, v, c.c)
			if err == nil || !strings.HasSuffix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || stdout != "" {
				t.Errorf("got  %v, %q\nwant %s", err, stdout, c.want)
			}
		})
	}
	if text, err := os.ReadFile(good); err != nil || !strings.HasPrefix(string(text), "user,") {
		t.Errorf("the file is now %q, %v", text, err)
	}
	entries, err := s.TimeEntries(t.Context(), v, timesheet.EntryFilter{}, timesheet.Page{First: 1})
	if err != nil || len(entries.Nodes) != 0 {
		t.Errorf("%d entries were imported, %v", len(entries.Nodes), err)
	}
}

func TestImportOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("the system has no /dev/full")
	}
	s, v := importWorkspace(t)
	path := writeFile(t, "entries.csv", "user,start,duration\nAna,2024-03-01 09:00,1:00\nBo,never,1:00\n")
	_, _, err := importInto(t, s, v, ImportCmd{File: path, Errors: "/dev/full"})
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line about the full disk", err)
	}
}
