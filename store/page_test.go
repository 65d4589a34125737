package store

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

type pageRow struct{ name, id string }

var pageOrder = keyset[pageRow]{
	name: "rows", columns: []string{"name", "id"}, types: []string{"text", "bigint"},
	values: func(r pageRow) []string { return []string{r.name, r.id} },
}

func TestWindow(t *testing.T) {
	cursor := pageOrder.encode(pageRow{"b", "2"})
	newest := pageOrder
	newest.desc = true
	for name, c := range map[string]struct {
		order keyset[pageRow]
		page  timesheet.Page
		where string
		tail  string
	}{
		"first":              {pageOrder, timesheet.Page{First: 3}, "", "ORDER BY name, id LIMIT 4"},
		"first after":        {pageOrder, timesheet.Page{First: 3, After: cursor}, "AND (name, id) > ($1::text::text, $2::text::bigint)", "ORDER BY name, id LIMIT 4"},
		"last":               {pageOrder, timesheet.Page{Last: 3}, "", "ORDER BY name DESC, id DESC LIMIT 4"},
		"last before":        {pageOrder, timesheet.Page{Last: 3, Before: cursor}, "AND (name, id) < ($1::text::text, $2::text::bigint)", "ORDER BY name DESC, id DESC LIMIT 4"},
		"newest first after": {newest, timesheet.Page{First: 3, After: cursor}, "AND (name, id) < ($1::text::text, $2::text::bigint)", "ORDER BY name DESC, id DESC LIMIT 4"},
		"newest last before": {newest, timesheet.Page{Last: 100, Before: cursor}, "AND (name, id) > ($1::text::text, $2::text::bigint)", "ORDER BY name, id LIMIT 101"},
	} {
		t.Run(name, func(t *testing.T) {
			var args arguments
			where, tail, err := c.order.window(c.page, &args)
			if err != nil {
				t.Fatal(err)
			}
			spaced := func(s string) string { return strings.Join(strings.Fields(s), " ") }
			if diff := cmp.Diff([]string{c.where, c.tail}, []string{spaced(where), spaced(tail)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want := arguments{"b", "2"}
			if c.where != "" && !cmp.Equal(want, args) {
				t.Errorf("arguments are %v, want %v", args, want)
			}
		})
	}
}

func TestWindowRefuses(t *testing.T) {
	cursor := pageOrder.encode(pageRow{"b", "2"})
	otherOrder := pageOrder
	otherOrder.name = "other"
	raw := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, page := range map[string]timesheet.Page{
		"no size":            {},
		"a negative size":    {First: -1},
		"too large":          {Last: timesheet.MaxPage + 1},
		"nonsense":           {First: 1, After: "nonsense"},
		"padded":             {First: 1, After: cursor + "="},
		"of another order":   {First: 1, After: otherOrder.encode(pageRow{"b", "2"})},
		"too few values":     {First: 1, After: raw(`["rows","b"]`)},
		"a word as a number": {First: 1, After: raw(`["rows","b","x"]`)},
		"a number too large": {First: 1, After: raw(`["rows","b","9223372036854775808"]`)},
		"U+0000":             {First: 1, After: raw(`["rows","b\u0000","1"]`)},
	} {
		t.Run(name, func(t *testing.T) {
			var args arguments
			_, _, err := pageOrder.window(page, &args)
			if broken, ok := timesheet.AsError(err); !ok || broken.Code != timesheet.CodeInvalid {
				t.Errorf("got %v, want INVALID", err)
			}
		})
	}
}

func TestWindowRefusesTheOtherEnd(t *testing.T) {
	cursor := pageOrder.encode(pageRow{"b", "2"})
	for field, page := range map[string]timesheet.Page{
		"before": {First: 1, Before: cursor},
		"after":  {Last: 1, After: cursor},
	} {
		for _, page := range []timesheet.Page{page, {First: page.First, Last: page.Last, After: cursor, Before: cursor}} {
			var args arguments
			_, _, err := pageOrder.window(page, &args)
			broken, ok := timesheet.AsError(err)
			if !ok || broken.Code != timesheet.CodeInvalid || broken.Field != field || broken.Message != "first goes with after, last with before" {
				t.Errorf("%+v: got %+v, want INVALID of %s", page, err, field)
			}
		}
	}
}

func TestPage(t *testing.T) {
	rows := func(ids string) (all []pageRow) {
		for _, id := range ids {
			all = append(all, pageRow{"n", string(id)})
		}
		return all
	}
	for name, c := range map[string]struct {
		page           timesheet.Page
		rows           string
		want           string
		next, previous bool
	}{
		"a whole list":            {timesheet.Page{First: 3}, "123", "123", false, false},
		"more follow":             {timesheet.Page{First: 2}, "123", "12", true, false},
		"after a cursor":          {timesheet.Page{First: 2, After: "x"}, "12", "12", false, true},
		"backwards":               {timesheet.Page{Last: 2}, "321", "23", false, true},
		"backwards from a cursor": {timesheet.Page{Last: 2, Before: "x"}, "21", "12", true, false},
		"nothing":                 {timesheet.Page{First: 2}, "", "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := pageOrder.page(c.page, rows(c.rows))
			var ids strings.Builder
			for i, row := range got.Nodes {
				ids.WriteString(row.id)
				if got.Cursor(i) != pageOrder.encode(row) {
					t.Errorf("cursor %d is not that of its node", i)
				}
			}
			if ids.String() != c.want || got.HasNextPage != c.next || got.HasPreviousPage != c.previous {
				t.Errorf("got %q, next %v, previous %v; want %q, %v, %v", ids.String(), got.HasNextPage, got.HasPreviousPage, c.want, c.next, c.previous)
			}
		})
	}
}

// A cursor is refused, or its values are readable as their types and give the
// same cursor again.
func FuzzCursor(f *testing.F) {
	order := keyset[[]string]{
		name: "all types", columns: []string{"a", "b", "c", "d"}, types: []string{"text", "bigint", "uuid", "timestamptz"},
		values: func(row []string) []string { return row },
	}
	f.Add(order.encode([]string{"name", "-5", "0198a000-0000-7000-8000-000000000001", "2024-05-06T07:08:09Z"}))
	f.Add(order.encode([]string{"", "1", "0198A000-0000-7000-8000-000000000001", "9999-12-31T23:59:59.999999999+23:59"}))
	f.Add(order.encode([]string{"", "+1", "0198a000-0000-7000-8000-000000000001", "0001-01-01T00:00:00,5-15:00"}))
	f.Add("WyJyb3dzIl0")
	f.Fuzz(func(t *testing.T, cursor string) {
		values, err := order.decode(cursor)
		if err != nil {
			return
		}
		again, err := order.decode(order.encode(values))
		if err != nil || !cmp.Equal(values, again) {
			t.Errorf("%q gives %q, and that gives %q, %v", cursor, values, again, err)
		}
		for i, value := range values {
			if text, ok := canonical(order.types[i], value); !ok || text != value {
				t.Errorf("%q is let through as %s, which is written %q", value, order.types[i], text)
			}
		}
	})
}
