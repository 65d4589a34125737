package timesheet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestImportRowCheck(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	start := time.Date(2012, 10, 1, 8, 0, 0, 0, time.UTC)
	good := ImportRow{
		Line: 7, User: "p1", Client: "c", Project: "p", Task: "t", Tags: []string{"a"},
		Start: start, End: start.Add(time.Hour), Cells: []string{"raw"},
	}
	for name, c := range map[string]struct {
		spoil func(*ImportRow)
		field ImportField
		code  RowCode // empty: none
	}{
		"good":                   {func(*ImportRow) {}, "", ""},
		"an address for a name":  {func(r *ImportRow) { r.User, r.Email = "", "a@example.com" }, "", ""},
		"nobody":                 {func(r *ImportRow) { r.User = "" }, FieldUser, RowMissing},
		"no project at all":      {func(r *ImportRow) { r.Client, r.Project, r.Task = "", "", "" }, "", ""},
		"a task alone":           {func(r *ImportRow) { r.Client, r.Project = "", "" }, FieldProject, RowMissing},
		"a client alone":         {func(r *ImportRow) { r.Project, r.Task = "", "" }, FieldProject, RowMissing},
		"the first second":       {func(r *ImportRow) { r.Start, r.End = FirstStart, FirstStart }, "", ""},
		"before 1970":            {func(r *ImportRow) { r.Start = FirstStart.Add(-time.Second) }, FieldStart, RowOutOfRange},
		"the year 16":            {func(r *ImportRow) { r.Start = time.Date(16, 1, 1, 0, 0, 0, 0, time.UTC) }, FieldStart, RowOutOfRange},
		"the furthest future":    {func(r *ImportRow) { r.Start = now.Add(MaxFuture); r.End = r.Start }, "", ""},
		"a second further":       {func(r *ImportRow) { r.Start = now.Add(MaxFuture + time.Second); r.End = r.Start }, FieldStart, RowOutOfRange},
		"end before start":       {func(r *ImportRow) { r.End = start.Add(-time.Second) }, FieldEnd, RowEndBeforeStart},
		"zero length":            {func(r *ImportRow) { r.End = start }, "", ""},
		"seven days":             {func(r *ImportRow) { r.End = start.Add(MaxEntry) }, "", ""},
		"a second longer":        {func(r *ImportRow) { r.End = start.Add(MaxEntry + time.Second) }, FieldEnd, RowTooLong},
		"the longest text":       {func(r *ImportRow) { r.Description = strings.Repeat("é", MaxDescription) }, "", ""},
		"a longer text":          {func(r *ImportRow) { r.Description = strings.Repeat("é", MaxDescription+1) }, FieldDescription, RowTextTooLong},
		"50 tags":                {func(r *ImportRow) { r.Tags = slices.Repeat([]string{"a"}, MaxTags) }, "", ""},
		"51 tags":                {func(r *ImportRow) { r.Tags = slices.Repeat([]string{"a"}, MaxTags+1) }, FieldTags, RowTooManyTags},
		"the longest name":       {func(r *ImportRow) { r.Task = strings.Repeat("é", MaxName) }, "", ""},
		"a longer user's name":   {func(r *ImportRow) { r.User = strings.Repeat("é", MaxName+1) }, FieldUser, RowNameTooLong},
		"a longer client's name": {func(r *ImportRow) { r.Client = strings.Repeat("é", MaxName+1) }, FieldClient, RowNameTooLong},
		"a longer tag":           {func(r *ImportRow) { r.Tags = []string{"a", strings.Repeat("é", MaxName+1)} }, FieldTags, RowNameTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			row := good
			c.spoil(&row)
			got := row.Check(now)
			switch {
			case c.code == "" && got == nil:
			case c.code == "" || got == nil:
				t.Errorf("got %v, want code %q", got, c.code)
			case got.Code != c.code || got.Field != c.field || got.Line != 7 || !slices.Equal(got.Cells, good.Cells):
				t.Errorf("got %+v, want %s in field %s of line 7, with its cells", got, c.code, c.field)
			}
		})
	}
}

func TestRowErrorIsOneLine(t *testing.T) {
	e := &RowError{Line: 3, Code: RowColumns, Value: "a\nb", Message: "9 columns instead of 10"}
	if got, want := e.Error(), `line 3: WRONG_NUMBER_OF_COLUMNS "a\nb": 9 columns instead of 10`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	e.Column = "Start date"
	if got := e.Error(); !strings.HasPrefix(got, "line 3, column Start date: ") {
		t.Errorf("the column is missing in %s", got)
	}
}

func ExampleImportCounts() {
	fmt.Println(ImportCounts{Created: 2, Bad: 1, Users: 1, Projects: 1, Seconds: 5400})
	// Output: 2 created, 0 unchanged, 1 bad, 1 users, 1 projects, 90 minutes
}
