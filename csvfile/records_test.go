package csvfile

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func readAll(t testing.TB, r io.Reader) (all []record) {
	t.Helper()
	records := newRecords(r, ',')
	for {
		rec, err := records.next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		all = append(all, rec)
	}
}

func TestRecords(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []record
	}{
		{"plain", "a,b\nc,d\n", []record{{1, []string{"a", "b"}, ""}, {2, []string{"c", "d"}, ""}}},
		{"no line feed at the end", "a,b", []record{{1, []string{"a", "b"}, ""}}},
		{"carriage returns", "a,b\r\n\"c\",\"d\"\r\n\"e\",f\r", []record{{1, []string{"a", "b"}, ""}, {2, []string{"c", "d"}, ""}, {3, []string{"e", "f"}, ""}}},
		{"quotes", "\"a,\"\"b\"\"\",\"\"\n", []record{{1, []string{`a,"b"`, ""}, ""}}},
		{"a cell of two lines", "\"a\nb\",c\nd,e\n", []record{{1, []string{"a\nb", "c"}, ""}, {3, []string{"d", "e"}, ""}}},
		{"a quote inside", "5\" pipe,b\n", []record{{1, []string{`5" pipe`, "b"}, ""}}},
		{"blank lines and rows", "a\n\n,,\nb\n", []record{{1, []string{"a"}, ""}, {4, []string{"b"}, ""}}},
		{"text after a closing quote", "\"he said \"hi\" to\",b\nc,d\n", []record{{1, []string{`"he said "hi" to",b`}, faultQuote}, {2, []string{"c", "d"}, ""}}},
		{"a quote never closed loses one line", "a,\"b\nc,d\ne,f\n", []record{{1, []string{`a,"b`}, faultIncomplete}, {2, []string{"c", "d"}, ""}, {3, []string{"e", "f"}, ""}}},
		{"a quote at the very end", "a\n\"", []record{{1, []string{"a"}, ""}, {2, []string{`"`}, faultIncomplete}}},
		{"nothing", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.text), "by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
				if diff := cmp.Diff(c.want, readAll(t, r), cmp.AllowUnexported(record{})); diff != "" {
					t.Errorf("read %s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestRecordsGiveUpEndlessCells(t *testing.T) {
	long := strings.Repeat("x", 3*maxRecord)
	got := readAll(t, strings.NewReader("a,b\n\"open,"+long+"\nc,d\n"+long+"\ne,f\n\"open\n"+long+"\ng,h"))
	want := []int{1, 2, 3, 4, 5, 6, 7, 8}
	if got := readAll(t, strings.NewReader(long)); len(got) != 1 || got[0].fault == "" {
		t.Errorf("a file of one endless line has %d rows, the first with fault %q", len(got), got[0].fault)
	}
	var lines []int
	var good []string
	for _, rec := range got {
		lines = append(lines, rec.line)
		if rec.fault == "" {
			good = append(good, strings.Join(rec.cells, ","))
		} else if len(rec.cells[0]) > maxRecord {
			t.Errorf("line %d keeps %d bytes", rec.line, len(rec.cells[0]))
		}
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a,b", "c,d", "e,f", "g,h"}, good); diff != "" {
		t.Errorf("good rows (-want +got):\n%s", diff)
	}
}

// FuzzRecords compares with encoding/csv wherever that one finds no fault.
func FuzzRecords(f *testing.F) {
	for _, text := range []string{"a,b\n\"c\",\"d\"\"\"\r\n", "\"a\nb\",c", "a\n\n,\n", "\"", "a,\"b\nc", "\"a\"b,c\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got [][]string
		faults := 0
		for _, rec := range readAll(t, strings.NewReader(text)) {
			got = append(got, rec.cells)
			faults += len(rec.fault)
		}
		std := csv.NewReader(strings.NewReader(text))
		std.FieldsPerRecord = -1
		var want [][]string
		for {
			cells, err := std.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			if !(record{cells: cells}).blank() {
				want = append(want, cells)
			}
		}
		if faults > 0 {
			t.Fatalf("found a fault in %q where encoding/csv reads %q", text, want)
		}
		plain := cmp.Transformer("lines", func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") })
		if diff := cmp.Diff(want, got, plain); diff != "" {
			t.Errorf("%q (-encoding/csv +got):\n%s", text, diff)
		}
	})
}

func BenchmarkRecords(b *testing.B) {
	text := bytes.Repeat([]byte("100,296,31,11087,81765,10/29/2012 13:12,10/29/2012 13:20,7,90,337,DOC-Insp,\"Process, D\"\n"), 10000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		readAll(b, bytes.NewReader(text))
	}
}
