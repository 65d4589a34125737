package csvfile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"headroom/csvfile"
	"headroom/timesheet"
)

func fromText(text string) csvfile.Source {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := timesheet.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// read returns a file's good rows and the text of its errors.
func read(t testing.TB, text string, o csvfile.Options) (rows []timesheet.ImportRow, bad []string) {
	t.Helper()
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	r, err := csvfile.New(t.Context(), fromText(text), o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	for row, e := range r.Rows(t.Context()) {
		if e != nil {
			bad = append(bad, e.Error())
		} else {
			rows = append(rows, row)
		}
	}
	if err := r.Err(); err != nil {
		t.Fatalf("Rows: %v", err)
	}
	if r.Len() != len(rows)+len(bad) {
		t.Errorf("Len is %d for %d rows and %d bad ones", r.Len(), len(rows), len(bad))
	}
	return rows, bad
}

const ownHeader = "description,billable,client,project,tags,start,end,task,user_name,user_email\n"

func TestOwnFormat(t *testing.T) {
	rows, bad := read(t, ownHeader+
		`"Call, then notes",true,Acme,Site,"urgent, phone",2024-03-01T09:00:00Z,2024-03-01T10:30:00Z,Design,Ana Pop,ana@example.com`+"\n"+
		`,,,,,2024-03-01T09:00:00+02:00,2024-03-01T10:30:00+02:00,,\N,bo@example.com`+"\n", csvfile.Options{})
	billable := true
	want := []timesheet.ImportRow{{
		Line: 2, User: "Ana Pop", Email: "ana@example.com", Client: "Acme", Project: "Site", Task: "Design", Tags: []string{"urgent", "phone"},
		Description: "Call, then notes", Billable: &billable,
		Start: time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC), End: time.Date(2024, 3, 1, 10, 30, 0, 0, time.UTC),
	}, {
		Line: 3, Email: "bo@example.com",
		Start: time.Date(2024, 3, 1, 7, 0, 0, 0, time.UTC), End: time.Date(2024, 3, 1, 8, 30, 0, 0, time.UTC),
	}}
	for i := range rows {
		if len(rows[i].Cells) != 10 {
			t.Errorf("row %d keeps %d cells, want 10", i, len(rows[i].Cells))
		}
		rows[i].Cells = nil
	}
	if diff := cmp.Diff(want, rows); diff != "" || bad != nil {
		t.Errorf("bad rows %v; rows (-want +got):\n%s", bad, diff)
	}
}

// TestSpans reads one row per case, in Europe/Bucharest, where clocks skipped
// 03:00-04:00 on 2024-03-31 and repeated 03:00-04:00 on 2024-10-27.
func TestSpans(t *testing.T) {
	for _, c := range []struct {
		name, header, row, want string
	}{
		{"start and end", "start,end", "2024-03-01 09:00,2024-03-01 10:30", "07:00 90m"},
		{"start and minutes", "start,duration_minutes", "2024-03-01 09:00,65", "07:00 65m"},
		{"start and hours with a comma", "start,duration_hours", `2024-03-01 09:00,"1,5"`, "07:00 90m"},
		{"start and a duration", "start,duration", "2024-03-01 09:00,1h 5m", "07:00 65m"},
		{"start and end win over the duration", "start,end,duration", "2024-03-01 09:00,2024-03-01 09:18,18:25 h", "07:00 18m"},
		{"start and end win over a duration in words", "start,end,duration", "2024-03-01 09:00,2024-03-01 09:18,a while", "07:00 18m"},
		{"an empty end leaves it to the duration", "start,end,duration", `2024-03-01 09:00,\N,0:18`, "07:00 18m"},
		{"date and times", "date,start,end", "2024-03-01,9:00 AM,1:00 PM", "07:00 240m"},
		{"a date with a time of its own", "date,start,end", "2024-03-01 00:00:00,9:00,2024-03-02 09:00", "07:00 1440m"},
		{"date and hours begin with the day", "date,duration_hours", "2024-03-01,8", "22:00 480m"},
		{"a start of one day", "start,duration", "2024-03-01,8:00", "22:00 480m"},
		{"until midnight", "start,end", "2024-03-01 23:00,2024-03-01 24:00", "21:00 60m"},
		{"no length", "start,end", "2024-03-01 09:00,2024-03-01 09:00", "07:00 0m"},
		{"over the hour that is skipped", "start,end", "2024-03-31 02:30,2024-03-31 04:30", "00:30 60m"},
		{"within the hour that is skipped", "start,end", "2024-03-31 03:30,2024-03-31 04:30", `line 2, column start: DST_GAP "2024-03-31 03:30": clocks in Europe/Bucharest skipped this time; it can be 2024-03-31T00:30:00Z or 2024-03-31T01:30:00Z`},
		{"within the hour that repeats, the earlier", "start,duration", "2024-10-27 03:30,0:10", "00:30 10m"},
		{"both ends in it", "start,end", "2024-10-27 03:30,2024-10-27 03:40", "00:30 10m"},
		{"the end before the start on the clock", "start,end", "2024-10-27 03:40,2024-10-27 03:10", "00:40 30m"},
		{"the duration says the later start", "start,end,duration", "2024-10-27 03:30,2024-10-27 04:30,1:00", "01:30 60m"},
		{"the duration says both", "start,end,duration", "2024-10-27 03:30,2024-10-27 03:40,1:10", "00:30 70m"},
		{"a duration that fits nothing", "start,end,duration", "2024-10-27 03:30,2024-10-27 04:30,9:00", "00:30 120m"},
		{"an offset is no question", "start,duration", "2024-10-27T03:30:00+02:00,0:10", "01:30 10m"},
		{"no start", "start,duration", `\N,0:10`, `line 2, column start: MISSING "\N": the start is missing`},
		{"no end", "start,end", "2024-03-01 09:00,", `line 2, column end: MISSING "": neither the end nor the duration is given`},
		{"no duration", "start,duration_hours", "2024-03-01 09:00,", `line 2, column duration_hours: MISSING "": neither the end nor the duration is given`},
		{"a start without a day", "start,duration", "09:00,0:10", `line 2, column start: BAD_DATE "09:00": the date is missing`},
		{"a date that is missing", "date,start,duration", ",09:00,0:10", `line 2, column date: MISSING "": the date is missing`},
		{"a date that is none", "date,start,duration", "someday,09:00,0:10", `line 2, column date: BAD_DATE "someday": this is no date, such as 2026-03-31`},
		{"an end of one day", "start,end", "2024-03-01 09:00,2024-03-02", `line 2, column end: BAD_DATE "2024-03-02": the time of day is missing`},
		{"no date", "start,end", "2024-03-01 09:00,later", `line 2, column end: BAD_DATE "later": this is no date with a time, such as 2026-03-31 14:05`},
		{"no duration", "start,duration_minutes", "2024-03-01 09:00,-5", `line 2, column duration_minutes: BAD_DURATION "-5": write minutes as 65 or 65.5`},
		{"too long", "start,duration", "2024-03-01 09:00,9999999", `line 2, column duration: TOO_LONG "9999999": an entry lasts at most 7 days`},
		{"unclear", "start,duration,billable", "2024-03-01 09:00,1:00,maybe", `line 2, column billable: BAD_BILLABLE "maybe": write yes or no, true or false, 1 or 0`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, bad := read(t, "user,"+c.header+"\nAna,"+c.row+"\n", csvfile.Options{Zone: zone(t, "Europe/Bucharest")})
			var got strings.Builder
			got.WriteString(strings.Join(bad, "; "))
			for _, row := range rows {
				got.WriteString(fmt.Sprintf("%s %.0fm", row.Start.UTC().Format("15:04"), row.End.Sub(row.Start).Minutes()))
			}
			if got.String() != c.want {
				t.Errorf("got  %s\nwant %s", got.String(), c.want)
			}
		})
	}
}

func TestMapping(t *testing.T) {
	o := csvfile.Options{}
	var err error
	o.Mapping, err = csvfile.ParseMapping([]string{"user=person_key", "project=Project Key", "start = began", "duration_minutes=minutes", "end="})
	if err != nil {
		t.Fatal(err)
	}
	rows, bad := read(t, "person_key;project-key;began;minutes;end;Description\n7;Site;2024-03-01 09:00;10;never;Call\n", o)
	if len(rows) != 1 || bad != nil {
		t.Fatalf("%d rows, bad %v", len(rows), bad)
	}
	if r := rows[0]; r.User != "7" || r.Project != "Site" || r.Description != "Call" || r.End.Sub(r.Start) != 10*time.Minute {
		t.Errorf("read %+v", r)
	}
}

func TestParseMappingRefuses(t *testing.T) {
	for pair, want := range map[string]string{
		"user":             `"user" is no mapping: write field=column`,
		"person=x":         `there is no field "person"; the fields are user, user_email, client, project, task, tags, description, billable, start, end, date, duration_minutes, duration_hours, duration, external_id`,
		"user=a,b\nuser=b": `the field user is mapped twice`,
	} {
		if _, err := csvfile.ParseMapping(strings.Split(pair, "\n")); err == nil || err.Error() != want {
			t.Errorf("ParseMapping(%q): %v, want %s", pair, err, want)
		}
	}
}

func TestFilesRefused(t *testing.T) {
	wide := strings.Repeat("c,", 100)
	packed := func(w func(io.Writer) io.WriteCloser) string {
		var b bytes.Buffer
		z := w(&b)
		io.WriteString(z, ownHeader+strings.Repeat("x", 100000))
		z.Close()
		return b.String()[:b.Len()-10]
	}
	gz := packed(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	xzip := packed(func(w io.Writer) io.WriteCloser { z, _ := xz.NewWriter(w); return z })
	for _, c := range []struct {
		name, text string
		mapping    csvfile.Mapping
		want       string
	}{
		{"empty", "", nil, "the file is empty"},
		{"only a mark", "\xef\xbb\xbf\n\n", nil, "the file is empty"},
		{"no matching columns", "a,b\n1,2\n", nil, "the file has no column for user, start, end or duration: name it with --map field=column; its columns are a, b"},
		{"one missing", "user,start,b\n1,2,3\n", nil, "the file has no column for end or duration: name it with --map field=column; its columns are user, start, b"},
		{"very wide", wide + "\n", nil, "the file has no column for user, start, end or duration: name it with --map field=column; its columns are " + strings.Repeat("c, ", 60) + "and 41 more"},
		{"a mapping to nothing", "user,start,end\n", csvfile.Mapping{"project": "job"}, `the file has no column "job" for project; its columns are user, start, end`},
		{"a name twice", "user,start,end,end\n", nil, `the file has 2 columns named "end", so end could be any of them`},
		{"broken header", "user,\"start\"x,end\n", nil, "the header in line 1 is no CSV: text follows a closing quote; a quote within a quoted cell is written twice"},
		{"dates that can be both", "user,start,duration\na,03/04/2024 10:00,1:00\n", nil, "dates such as 03/04/2024 10:00 can be day/month/year or month/day/year, and none in the file tells which: say --date-order dmy or --date-order mdy"},
		{"dates that are both", "user,start,duration\na,13/04/2024 10:00,1:00\na,04/13/2024 10:00,1:00\n", nil, "the file has 1 dates that can only be day/month/year and 1 that can only be month/day/year: say --date-order dmy or --date-order mdy"},
		{"a zip archive", "PK\x03\x04...", nil, "this is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV"},
		{"a cut gzip", gz, nil, "the archive is broken or incomplete: fetch or pack it again (unexpected EOF)"},
		{"a broken gzip", gz[:4] + "\xff\xff" + gz[6:len(gz)-20] + "garbage garbage garbage", nil, "the archive is broken or incomplete: fetch or pack it again (*)"},
		{"a cut xz", xzip, nil, "the archive is broken or incomplete: fetch or pack it again (*)"},
		{"an xz of nothing", "\xfd7zXZ\x00", nil, "the archive is broken or incomplete: fetch or pack it again (unexpected EOF)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := csvfile.New(t.Context(), fromText(c.text), csvfile.Options{Zone: time.UTC, Mapping: c.mapping})
			if err == nil {
				t.Fatal("the file is taken")
			}
			want, anyCause := strings.CutSuffix(c.want, "*)")
			if got := err.Error(); got != c.want && !(anyCause && strings.HasPrefix(got, want)) || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestDateOrderGiven(t *testing.T) {
	text := "user,start,duration\na,03/04/2024 10:00,1:00\na,13/04/2024 10:00,1:00\n"
	for order, want := range map[csvfile.Order]string{csvfile.OrderUnknown: "April 3", csvfile.DayFirst: "April 3", csvfile.MonthFirst: "March 4"} {
		rows, _ := read(t, text, csvfile.Options{DateOrder: order})
		if got := rows[0].Start.Format("January 2"); got != want {
			t.Errorf("order %d reads %s, want %s", order, got, want)
		}
	}
}

func TestEncodings(t *testing.T) {
	text := "user,project,start,duration\nZoë,Größe,2024-03-01 09:00,1:00\n日本,€,2024-03-01 09:00,1:00\n"
	latin := strings.ReplaceAll(text, "日本", "Łódź")
	encode := func(s string, w func(io.Writer) io.Writer) string {
		var b bytes.Buffer
		io.WriteString(w(&b), s)
		return b.String()
	}
	in1252, err := charmap.Windows1252.NewEncoder().String(strings.ReplaceAll(text, "日本", "Æsop"))
	if err != nil {
		t.Fatal(err)
	}
	utf16 := func(e unicode.Endianness) string {
		return encode(text, func(w io.Writer) io.Writer { return unicode.UTF16(e, unicode.UseBOM).NewEncoder().Writer(w) })
	}
	for _, c := range []struct{ name, text, want string }{
		{"UTF-8", text, "Zoë Größe 日本 €"},
		{"with its mark", "\xef\xbb\xbf" + text, "Zoë Größe 日本 €"},
		{"UTF-16, little first", utf16(unicode.LittleEndian), "Zoë Größe 日本 €"},
		{"UTF-16, big first", utf16(unicode.BigEndian), "Zoë Größe 日本 €"},
		{"Windows-1252", in1252, "Zoë Größe Æsop €"},
		{"gzip", encode(text, func(w io.Writer) io.Writer { return closing{gzip.NewWriter(w)} }), "Zoë Größe 日本 €"},
		{"two gzips", encode(text[:40], func(w io.Writer) io.Writer { return closing{gzip.NewWriter(w)} }) + encode(text[40:], func(w io.Writer) io.Writer { return closing{gzip.NewWriter(w)} }), "Zoë Größe 日本 €"},
		{"xz", encode(text, func(w io.Writer) io.Writer { z, _ := xz.NewWriter(w); return closing{z} }), "Zoë Größe 日本 €"},
		{"one broken row in UTF-8", strings.ReplaceAll(latin, "ź", "\xbc"), `Zoë Größe line 3, column user: INVALID_UTF8 "Łód` + "\ufffd" + `": this is no text in UTF-8`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, bad := read(t, c.text, csvfile.Options{})
			var got []string
			for _, row := range rows {
				got = append(got, row.User, row.Project)
			}
			if s := strings.Join(append(got, bad...), " "); s != c.want {
				t.Errorf("read %q, want %q", s, c.want)
			}
		})
	}
}

// closing ends an archive with its only write.
type closing struct{ io.WriteCloser }

func (c closing) Write(p []byte) (int, error) {
	n, err := c.WriteCloser.Write(p)
	return n, errors.Join(err, c.Close())
}

func TestBadRowsStopNothing(t *testing.T) {
	good := "Ana,2024-03-01 09:00,1:00,ok\n"
	rows, bad := read(t, "user,start,duration,note\n"+good+
		"Ana,2024-03-01 09:00,1:00\n"+good+
		"Ana,2024-03-01 09:00,1:00,ok,extra\n"+good+
		"\"Ana\" Maria,2024-03-01 09:00,1:00,ok\n"+good+
		"Ana,\xff,1:00,ok\n"+good+
		"A\x00na,2024-03-01 09:00,1:00,ok\n"+good+
		"Ana,"+strings.Repeat("é", 200)+",1:00,ok\n"+good+
		"\"Ana,2024-03-01 09:00,1:00,open\n"+good+good, csvfile.Options{})
	want := []string{
		`line 3: WRONG_NUMBER_OF_COLUMNS "Ana": the row has 3 columns, the header 4`,
		`line 5: WRONG_NUMBER_OF_COLUMNS "Ana": the row has 5 columns, the header 4`,
		`line 7: BAD_QUOTES ""Ana" Maria,2024-03-01 09:00,1:00,ok": text follows a closing quote; a quote within a quoted cell is written twice`,
		"line 9, column start: INVALID_UTF8 \"\ufffd\": this is no text in UTF-8",
		`line 11, column user: INVALID_UTF8 "A\x00na": this is no text in UTF-8`,
		`line 13, column start: BAD_DATE "` + strings.Repeat("é", 119) + `…": this is no date with a time, such as 2026-03-31 14:05`,
		`line 15: BAD_QUOTES ""Ana,2024-03-01 09:00,1:00,open": a quote is never closed`,
	}
	if diff := cmp.Diff(want, bad); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if len(rows) != 9 {
		t.Errorf("%d good rows, want 9", len(rows))
	}
}

func TestStrayQuotesAreNotClosedByLaterOnes(t *testing.T) {
	rows, bad := read(t, "user,start,duration\n\"Ana,2024-03-01 09:00,1:00\nBo,2024-03-01 09:00,1:00\nCy,2024-03-01 09:00,\"\nDi,2024-03-01 09:00,1:00\n", csvfile.Options{})
	if len(rows) != 2 || len(bad) != 2 || rows[0].User != "Bo" || rows[1].User != "Di" {
		t.Errorf("rows %+v, bad %v", rows, bad)
	}
}

func TestRejects(t *testing.T) {
	text := "user;start;duration\nAna;nil;1:00\nBo;2024-03-01 09:00\n\"C;\"\"D\"\nE;2024-03-01 09:00;1:00\n"
	r, err := csvfile.New(t.Context(), fromText(text), csvfile.Options{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	rejects, err := r.Rejects(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Rows(t.Context()) {
		if e == nil {
			continue
		}
		if err := rejects.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := rejects.Flush(); err != nil {
		t.Fatal(err)
	}
	back := csv.NewReader(&b)
	back.Comma = ';'
	got, err := back.ReadAll()
	want := [][]string{
		{"user", "start", "duration", "error"},
		{"Ana", "nil", "1:00", "start BAD_DATE: this is no date with a time, such as 2026-03-31 14:05"},
		{"Bo", "2024-03-01 09:00", "", "WRONG_NUMBER_OF_COLUMNS: the row has 2 columns, the header 3"},
		{`C;"D`, "", "", "WRONG_NUMBER_OF_COLUMNS: the row has 1 columns, the header 3"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("rejects (%v, -want +got):\n%s", err, diff)
	}
}

func TestCancelStopsReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := csvfile.New(ctx, fromText("user,start,duration\n"+strings.Repeat("Ana,2024-03-01 09:00,1:00\n", 20000)), csvfile.Options{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range r.Rows(ctx) {
		n++
		cancel()
	}
	if n == r.Len() || !errors.Is(r.Err(), context.Canceled) {
		t.Errorf("read %d of %d rows after the cancel, error %v", n, r.Len(), r.Err())
	}
}

// workLogs are the real work logs; where they are missing the test is skipped.
func workLogs(t testing.TB) string {
	path := filepath.Join("..", "..", "shared", "data", "cesaw_task_facts.csv.xz")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real work logs are not beside the repository: %v", err)
	}
	return path
}

func TestWorkLogs(t *testing.T) {
	mapping, err := csvfile.ParseMapping(strings.Split("user=person_key,project=project_key,task=phase_short_name,start=task_actual_start_date,duration_minutes=task_actual_time_minutes", ","))
	if err != nil {
		t.Fatal(err)
	}
	r, err := csvfile.New(t.Context(), csvfile.FromPath(workLogs(t)), csvfile.Options{Zone: time.UTC, Mapping: mapping})
	if err != nil {
		t.Fatal(err)
	}
	good, minutes, codes := 0, 0.0, map[timesheet.RowCode]int{}
	for row, e := range r.Rows(t.Context()) {
		if e == nil {
			e = row.Check(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		}
		if e != nil {
			codes[e.Code]++
			continue
		}
		good++
		minutes += row.End.Sub(row.Start).Minutes()
	}
	want := map[timesheet.RowCode]int{timesheet.RowMissing: 842, timesheet.RowOutOfRange: 1}
	if diff := cmp.Diff(want, codes); diff != "" || good != 60974 || minutes != 7856237 || r.Err() != nil {
		t.Errorf("%d good rows, want 60974; %.0f minutes, want 7856237; error %v; bad rows (-want +got):\n%s", good, minutes, r.Err(), diff)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(ownHeader + "Call,true,Acme,Site,a b,2024-03-01T09:00:00Z,2024-03-01T10:30:00Z,Design,Ana,ana@example.com\n")
	f.Add("user;start;duration\nAna;13/04/2024 9:00 PM;1:00\n\"open;x\nBo;\\N;0,5\n")
	f.Add("\xff\xfeu\x00s\x00e\x00r\x00,\x00")
	f.Add("\x1f\x8b\x08\x00")
	f.Add("\xfd7zXZ\x00\x00\x04")
	zone, err := timesheet.LoadZone("America/New_York")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := csvfile.New(t.Context(), fromText(text), csvfile.Options{Zone: zone, DateOrder: csvfile.DayFirst})
		if err != nil {
			return
		}
		n, line := 0, 0
		for row, e := range r.Rows(t.Context()) {
			n++
			if e != nil {
				if row.Line = e.Line; utf8.RuneCountInString(e.Value) > timesheet.MaxRowValue || e.Code == "" || len(e.Cells) == 0 {
					t.Errorf("an error of %d characters, code %q, %d cells", utf8.RuneCountInString(e.Value), e.Code, len(e.Cells))
				}
			} else if row.Start.IsZero() || row.Start.Nanosecond() != 0 || row.End.Nanosecond() != 0 || !utf8.ValidString(row.Description) {
				t.Errorf("read %+v", row)
			}
			if row.Line <= line {
				t.Errorf("line %d follows line %d", row.Line, line)
			}
			line = row.Line
		}
		if n != r.Len() || r.Err() != nil {
			t.Errorf("%d rows of %d, error %v", n, r.Len(), r.Err())
		}
	})
}

func BenchmarkRows(b *testing.B) {
	text := ownHeader + strings.Repeat("Call,true,Acme,Site,urgent,2024-03-01 09:00:00,2024-03-01 10:30:00,Design,Ana Pop,ana@example.com\n", 1000)
	r, err := csvfile.New(b.Context(), fromText(text), csvfile.Options{Zone: zone(b, "Europe/Bucharest")})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for range r.Rows(b.Context()) {
		}
	}
}

func ExampleReader() {
	text := "user;date;start;hours\nAna;29/10/2024;9:00 AM;1,5\nBo;29/10/2024;later;1,5\n"
	mapping, err := csvfile.ParseMapping([]string{"duration_hours=hours"})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := csvfile.New(context.Background(), fromText(text), csvfile.Options{Zone: time.UTC, Mapping: mapping})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Summary())
	for row, e := range r.Rows(context.Background()) {
		if e != nil {
			fmt.Println(e)
			continue
		}
		fmt.Println(row.User, row.Start.Format(time.RFC3339), row.End.Sub(row.Start))
	}
	// Output:
	// 2 rows: user from user, start from start, date from date, duration_hours from hours; local times are of UTC
	// Ana 2024-10-29T09:00:00Z 1h30m0s
	// line 3, column start: BAD_DATE "later": this is no date with a time, such as 2026-03-31 14:05
}
