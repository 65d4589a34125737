package csvfile

import (
	"bytes"
	"encoding/csv"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

// exported is an entry with the texts that spreadsheets misread.
func exported(description string) timesheet.ExportEntry {
	start := time.Date(2026, time.March, 29, 0, 30, 0, 0, time.UTC)
	end, seconds, amount := start.Add(90*time.Minute), int64(5400), int64(5400*1001)
	return timesheet.ExportEntry{
		TimeEntry: timesheet.TimeEntry{
			StartedAt: start, EndedAt: &end, Seconds: &seconds, Day: timesheet.NewDate(2026, time.March, 29),
			Description: description, Billable: true, AmountX3600: &amount, Currency: "EUR",
		},
		User: "Ana", Email: "ana@example.com", Client: "ACME, Inc.", Project: "=HYPERLINK(1)", Task: "-1", Tags: []string{"@a", "b"},
	}
}

func export(t *testing.T, in timesheet.ExportInput, write func(*Export) error) string {
	t.Helper()
	var b bytes.Buffer
	x, err := NewExport(&b, in)
	if err == nil {
		err = write(x)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExportedEntries(t *testing.T) {
	write := func(x *Export) error { return x.Entry(exported("a \"b\",\nc")) }
	want := "description,billable,client,project,tags,start,end,task,user_name,user_email,id,day,seconds,currency,amount_minor,amount,amount_x3600\r\n" +
		"\"a \"\"b\"\",\nc\",true,\"ACME, Inc.\",'=HYPERLINK(1),\"'@a, b\",2026-03-29T00:30:00Z,2026-03-29T02:00:00Z,'-1,Ana,ana@example.com," +
		"00000000-0000-0000-0000-000000000000,2026-03-29,5400,EUR,1502,15.02,5405400\r\n"
	if diff := cmp.Diff(want, export(t, timesheet.ExportInput{Format: timesheet.ExportCSV}, write)); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if got := export(t, timesheet.ExportInput{Format: timesheet.ExportCSV, ByteOrderMark: true}, write); got != "\ufeff"+want {
		t.Errorf("with a byte order mark the file begins with %q", got[:20])
	}
	want = `{"id":"00000000-0000-0000-0000-000000000000","start":"2026-03-29T00:30:00Z","end":"2026-03-29T02:00:00Z","day":"2026-03-29",` +
		`"seconds":5400,"description":"a \"b\",\nc","billable":true,"client":"ACME, Inc.","project":"=HYPERLINK(1)","task":"-1","tags":["@a","b"],` +
		`"user_name":"Ana","user_email":"ana@example.com","currency":"EUR","amount_minor":1502,"amount":"15.02","amount_x3600":"5405400"}` + "\n"
	if diff := cmp.Diff(want, export(t, timesheet.ExportInput{Format: timesheet.ExportJSONL}, write)); diff != "" {
		t.Errorf("JSON Lines (-want +got):\n%s", diff)
	}
}

func TestExportedLeaves(t *testing.T) {
	in := timesheet.ExportInput{Format: timesheet.ExportCSV, GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupMonth}}
	write := func(x *Export) error {
		return x.Group(timesheet.ExportGroup{
			Labels: []string{"+1", "2026-03"}, Entries: 2, Seconds: 7200, BillableSeconds: 3600,
			AmountX3600: new(big.Int).Mul(big.NewInt(1<<62), big.NewInt(10)), Currency: "JPY",
		})
	}
	want := "project,month,entries,seconds,billable_seconds,currency,amount_minor,amount,amount_x3600\r\n" +
		"'+1,2026-03,2,7200,3600,JPY,12810238940076078,12810238940076078,46116860184273879040\r\n"
	if diff := cmp.Diff(want, export(t, in, write)); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	in.Format = timesheet.ExportJSONL
	want = `{"labels":{"month":"2026-03","project":"+1"},"entries":2,"seconds":7200,"billable_seconds":3600,` +
		`"currency":"JPY","amount_minor":12810238940076078,"amount":"12810238940076078","amount_x3600":"46116860184273879040"}` + "\n"
	if diff := cmp.Diff(want, export(t, in, write)); diff != "" {
		t.Errorf("JSON Lines (-want +got):\n%s", diff)
	}
	in.Rounding = &timesheet.Rounding{Mode: timesheet.RoundUp, Minutes: 6, Scope: timesheet.RoundRow}
	for format, want := range map[timesheet.ExportFormat]string{
		timesheet.ExportCSV: "project,month,entries,seconds,billable_seconds,currency,amount_minor,amount,amount_x3600,exact_seconds\r\n" +
			"p,2026-03,1,360,360,EUR,1,0.01,3600,7\r\n",
		timesheet.ExportJSONL: `{"labels":{"month":"2026-03","project":"p"},"entries":1,"seconds":360,"billable_seconds":360,` +
			`"currency":"EUR","amount_minor":1,"amount":"0.01","amount_x3600":"3600","exact_seconds":7}` + "\n",
	} {
		in.Format = format
		got := export(t, in, func(x *Export) error {
			return x.Group(timesheet.ExportGroup{Labels: []string{"p", "2026-03"}, Entries: 1, Seconds: 360, BillableSeconds: 360, ExactSeconds: 7, AmountX3600: big.NewInt(3600), Currency: "EUR"})
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rounded %s (-want +got):\n%s", format, diff)
		}
	}
}

// What is written is read again as it was, formulas too; other programs' files
// keep their apostrophes.
func TestExportIsReadAgain(t *testing.T) {
	texts := []string{
		"plain", "=1+1", "+1", "-1", "@x", "'tis", "'=1", "''-2", "＝1", "a,b", "a\"b", "a\nb", "a\r\nb", "ünï", "",
	}
	file := export(t, timesheet.ExportInput{Format: timesheet.ExportCSV}, func(x *Export) error {
		for _, text := range texts {
			if err := x.Entry(exported(text)); err != nil {
				return err
			}
		}
		return nil
	})
	var got []string
	for row, bad := range readExport(t, file).Rows(t.Context()) {
		if bad != nil {
			t.Fatal(bad)
		}
		got = append(got, row.Description)
		if row.Project != "=HYPERLINK(1)" || row.Task != "-1" || !slices.Equal(row.Tags, []string{"@a", "b"}) || row.Email != "ana@example.com" || !*row.Billable {
			t.Errorf("read %+v", row)
		}
		if row.End.Sub(row.Start) != 90*time.Minute {
			t.Errorf("read %s to %s", row.Start, row.End)
		}
	}
	if diff := cmp.Diff(texts, got); diff != "" {
		t.Errorf("descriptions (-written +read):\n%s", diff)
	}
	for row := range readExport(t, "user,start,end,description\nAna,2026-03-02 08:00,2026-03-02 09:00,'=1\n").Rows(t.Context()) {
		if row.Description != "'=1" {
			t.Errorf("another program's %q became %q", "'=1", row.Description)
		}
	}
}

func readExport(t *testing.T, file string) *Reader {
	t.Helper()
	r, err := New(t.Context(), func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(file)), nil }, Options{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Whatever the text, the standard library reads the file, no cell begins like a
// formula, and taking the apostrophe off gives the text back.
func FuzzExportedText(f *testing.F) {
	for _, seed := range []string{"", "=1", "'", "''=", "a\r\nb", "\"", " x ", "\t", "＠"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := export(t, timesheet.ExportInput{Format: timesheet.ExportCSV}, func(x *Export) error { return x.Entry(exported(text)) })
		reader := csv.NewReader(strings.NewReader(file))
		rows, err := reader.ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%d rows, %v: %q", len(rows), err, file)
		}
		cell := rows[1][0]
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
			t.Errorf("%q begins like a formula", cell)
		}
		if want := strings.ReplaceAll(text, "\r\n", "\n"); harmless(cell) != want { // encoding/csv folds line ends
			t.Errorf("%q was written as %q and read as %q", text, cell, harmless(cell))
		}
	})
}
