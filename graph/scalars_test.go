package graph_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/graph"
	"headroom/timesheet"
)

func text(m graphql.Marshaler) string {
	var b strings.Builder
	m.MarshalGQL(&b)
	return b.String()
}

// long writes a number in a context that collects errors.
func long(n int64) (string, gqlerror.List) {
	ctx := graphql.WithResponseContext(context.Background(), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	return text(graphql.WrapContextMarshaler(ctx, graph.MarshalLong(n))), graphql.GetErrors(ctx)
}

// readBack reads a scalar and writes it again.
var readBack = map[string]func(any) (string, error){
	"DateTime": func(v any) (string, error) {
		t, err := graph.UnmarshalDateTime(v)
		return text(graph.MarshalDateTime(t)), err
	},
	"Date": func(v any) (string, error) {
		d, err := graph.UnmarshalDate(v)
		return text(graph.MarshalDate(d)), err
	},
	"Long": func(v any) (string, error) {
		n, err := graph.UnmarshalLong(context.Background(), v)
		s, _ := long(n)
		return s, err
	},
	"TimeZone": func(v any) (string, error) {
		z, err := graph.UnmarshalTimeZone(v)
		return text(graph.MarshalTimeZone(z)), err
	},
	"UUID": func(v any) (string, error) {
		id, err := graph.UnmarshalUUID(v)
		return text(graph.MarshalUUID(id)), err
	},
	"Weekday": func(v any) (string, error) {
		d, err := graph.UnmarshalWeekday(v)
		return text(graph.MarshalWeekday(d)), err
	},
}

func TestScalars(t *testing.T) {
	tests := []struct {
		scalar, name string
		in           any
		want         string // empty: refused
	}{
		{"DateTime", "UTC", "2026-03-31T09:30:00Z", `"2026-03-31T09:30:00Z"`},
		{"DateTime", "offset", "2026-03-31T11:30:00+02:00", `"2026-03-31T09:30:00Z"`},
		{"DateTime", "an odd offset", "2026-03-31T15:15:00+05:45", `"2026-03-31T09:30:00Z"`},
		{"DateTime", "fractions are cut", "2026-03-31T09:30:00.999999999Z", `"2026-03-31T09:30:00Z"`},
		{"DateTime", "leap day", "2024-02-29T00:00:00Z", `"2024-02-29T00:00:00Z"`},
		{"DateTime", "last second", "9999-12-31T23:59:59Z", `"9999-12-31T23:59:59Z"`},
		{"DateTime", "first second", "0001-01-01T00:00:00Z", `"0001-01-01T00:00:00Z"`},
		{"DateTime", "leap second", "2016-12-31T23:59:60Z", ""},
		{"DateTime", "no leap day", "2025-02-29T00:00:00Z", ""},
		{"DateTime", "year 10000 in UTC", "9999-12-31T23:59:59-01:00", ""},
		{"DateTime", "year 0", "0000-06-01T00:00:00Z", ""},
		{"DateTime", "year 0 in UTC", "0001-01-01T00:00:00+01:00", ""},
		{"DateTime", "24:00", "2026-03-31T24:00:00Z", ""},
		{"DateTime", "no offset", "2026-03-31T09:30:00", ""},
		{"DateTime", "no seconds", "2026-03-31T09:30Z", ""},
		{"DateTime", "a space", "2026-03-31 09:30:00Z", ""},
		{"DateTime", "a comma", "2026-03-31T09:30:00,5Z", ""},
		{"DateTime", "one digit", "2026-03-31T9:30:00Z", ""},
		{"DateTime", "offset of a day", "2026-03-31T09:30:00+24:00", ""},
		{"DateTime", "five digits", "12026-03-31T09:30:00Z", ""},
		{"DateTime", "a date", "2026-03-31", ""},
		{"DateTime", "space around", " 2026-03-31T09:30:00Z", ""},
		{"DateTime", "a number", int64(1774949400), ""},
		{"DateTime", "endless fraction", "2026-03-31T09:30:00." + strings.Repeat("9", 1000) + "Z", ""},
		{"DateTime", "empty", "", ""},

		{"Date", "a day", "2026-03-31", `"2026-03-31"`},
		{"Date", "first day", "0001-01-01", `"0001-01-01"`},
		{"Date", "last day", "9999-12-31", `"9999-12-31"`},
		{"Date", "year 0", "0000-12-31", ""},
		{"Date", "no such day", "2026-02-30", ""},
		{"Date", "one digit", "2026-3-31", ""},
		{"Date", "an instant", "2026-03-31T00:00:00Z", ""},
		{"Date", "a number", json.Number("20260331"), ""},

		{"Long", "literal", int64(-42), `-42`},
		{"Long", "variable", json.Number("9007199254740992"), `9007199254740992`},
		{"Long", "lowest", int64(-1 << 53), `-9007199254740992`},
		{"Long", "too high", json.Number("9007199254740993"), ""},
		{"Long", "too low", int64(-1<<53 - 1), ""},
		{"Long", "beyond 64 bits", json.Number("99999999999999999999"), ""},
		{"Long", "fraction", json.Number("1.5"), ""},
		{"Long", "exponent", json.Number("1e3"), ""},
		{"Long", "a string", "42", ""},
		{"Long", "a float", 42.0, ""},

		{"TimeZone", "a place", "Europe/Bucharest", `"Europe/Bucharest"`},
		{"TimeZone", "UTC", "UTC", `"UTC"`},
		{"TimeZone", "an abbreviation", "CEST", ""},
		{"TimeZone", "the machine's", "Local", ""},
		{"TimeZone", "an offset", "+02:00", ""},
		{"TimeZone", "a path", "../Europe/Bucharest", ""},
		{"TimeZone", "empty", "", ""},
		{"TimeZone", "a number", int64(2), ""},

		{"UUID", "version 7", "01890a5d-ac96-774b-bcce-b302099a8057", `"01890a5d-ac96-774b-bcce-b302099a8057"`},
		{"UUID", "upper case", "01890A5D-AC96-774B-BCCE-B302099A8057", `"01890a5d-ac96-774b-bcce-b302099a8057"`},
		{"UUID", "no dashes", "01890a5dac96774bbcceb302099a8057", ""},
		{"UUID", "braces", "{01890a5d-ac96-774b-bcce-b302099a8057}", ""},
		{"UUID", "no digits", "01890a5d-ac96-774b-bcce-b302099a805g", ""},
		{"UUID", "a number", int64(7), ""},

		{"Weekday", "Monday", "MONDAY", `"MONDAY"`},
		{"Weekday", "Sunday", "SUNDAY", `"SUNDAY"`},
		{"Weekday", "lower case", "monday", ""},
		{"Weekday", "a number", int64(1), ""},
	}
	for _, test := range tests {
		t.Run(test.scalar+"/"+test.name, func(t *testing.T) {
			got, err := readBack[test.scalar](test.in)
			if test.want == "" {
				broken, ok := timesheet.AsError(err)
				if !ok || broken.Code != timesheet.CodeInvalid {
					t.Errorf("%v: got %s, %v; want it refused as %s", test.in, got, err, timesheet.CodeInvalid)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("%v: got %s, %v; want %s", test.in, got, err, test.want)
			}
		})
	}
}

// The schema's weekdays are those of package time.
func TestWeekdaysAreAllThere(t *testing.T) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.Trim(text(graph.MarshalWeekday(d)), `"`)
		if schema().Types["Weekday"].EnumValues.ForName(name) == nil {
			t.Errorf("%s is not in the schema", name)
		}
	}
}

func TestLongRefusesToBeRounded(t *testing.T) {
	for _, n := range []int64{1<<53 + 1, -1<<53 - 1, math.MaxInt64, math.MinInt64} {
		got, errs := long(n)
		if got != "null" || len(errs) != 1 {
			t.Errorf("%d: got %s with %d errors, want null with one", n, got, len(errs))
		}
	}
}

// FuzzScalars: what is accepted is written, and read again, as the same.
func FuzzScalars(f *testing.F) {
	for _, seed := range []string{
		"2026-03-31T09:30:00Z", "2016-12-31T23:59:60Z", "2026-03-31T11:30:00.5+02:00", "2026-03-31", "0000-01-01",
		"Europe/Bucharest", "CEST", "../UTC", "01890a5d-ac96-774b-bcce-b302099a8057", "MONDAY", "42", "1e400", "-0", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for scalar, read := range readBack {
			for _, v := range []any{in, json.Number(in)} {
				once, err := read(v)
				if err != nil {
					if _, ok := timesheet.AsError(err); !ok {
						t.Errorf("%s of %q: %v is no broken rule", scalar, in, err)
					}
					continue
				}
				var back any
				d := json.NewDecoder(strings.NewReader(once))
				d.UseNumber()
				if err := d.Decode(&back); err != nil {
					t.Fatalf("%s of %q wrote %s, which is no JSON: %v", scalar, in, once, err)
				}
				if twice, err := read(back); err != nil || twice != once {
					t.Errorf("%s of %q: wrote %s, read it as %s, %v", scalar, in, once, twice, err)
				}
			}
		}
	})
}
