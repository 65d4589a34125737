package timesheet

import (
	"strings"
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	for _, c := range []struct {
		text    string
		days    Date
		weekday time.Weekday
		monday  string // the first day of the week
		sunday  string
		month   string
		year    string
	}{
		{"1970-01-01", 0, time.Thursday, "1969-12-29", "1969-12-28", "1970-01-01", "1970-01-01"},
		{"1969-12-31", -1, time.Wednesday, "1969-12-29", "1969-12-28", "1969-12-01", "1969-01-01"},
		{"2024-02-29", 19782, time.Thursday, "2024-02-26", "2024-02-25", "2024-02-01", "2024-01-01"},
		{"2026-03-01", 20513, time.Sunday, "2026-02-23", "2026-03-01", "2026-03-01", "2026-01-01"},
		{"2024-12-30", 20087, time.Monday, "2024-12-30", "2024-12-29", "2024-12-01", "2024-01-01"},
		{"0001-01-01", -719162, time.Monday, "0001-01-01", "0000-12-31", "0001-01-01", "0001-01-01"},
		{"9999-12-31", 2932896, time.Friday, "9999-12-27", "9999-12-26", "9999-12-01", "9999-01-01"},
	} {
		d, err := ParseDate(c.text)
		if err != nil || d != c.days || d.String() != c.text {
			t.Errorf("ParseDate(%s) = %d (%s), %v; want %d", c.text, d, d, err, c.days)
		}
		got := [...]string{d.Week(time.Monday).String(), d.Week(time.Sunday).String(), d.Month().String(), d.Year().String()}
		if want := [...]string{c.monday, c.sunday, c.month, c.year}; got != want || d.Weekday() != c.weekday {
			t.Errorf("%s: %s, weeks, month and year begin on %v; want %s, %v", c.text, d.Weekday(), got, c.weekday, want)
		}
	}
}

func TestParseDateRefuses(t *testing.T) {
	for _, text := range []string{"", "2024-02-30", "2023-02-29", "2024-2-1", "24-02-01", "2024-02-01T00:00:00Z", "01.02.2024", "10000-01-01"} {
		if d, err := ParseDate(text); err == nil {
			t.Errorf("ParseDate(%q) = %s, want an error", text, d)
		}
	}
}

func TestWeekHoldsItsDay(t *testing.T) {
	for start := time.Sunday; start <= time.Saturday; start++ {
		for d := NewDate(1999, 12, 20); d < NewDate(2000, 3, 10); d++ {
			if first := d.Week(start); first.Weekday() != start || first > d || d-first > 6 {
				t.Errorf("the week of %s that begins on %s begins on %s, a %s", d, start, first, first.Weekday())
			}
		}
	}
}

func TestDayOf(t *testing.T) {
	at := mustTime(t, "2024-05-06T22:30:00Z")
	for zone, want := range map[string]string{
		"UTC": "2024-05-06", "Europe/Bucharest": "2024-05-07", "America/New_York": "2024-05-06", "Pacific/Apia": "2024-05-07",
	} {
		if got := DayOf(at, mustZone(t, zone)); got.String() != want {
			t.Errorf("%s is on %s in %s, want %s", at, got, zone, want)
		}
	}
}

func TestDateStart(t *testing.T) {
	for name, c := range map[string]struct {
		zone  string
		day   Date
		start string
		hours float64 // of the day
	}{
		"plain":                   {"Europe/Bucharest", NewDate(2024, 5, 6), "2024-05-05T21:00:00Z", 24},
		"of 23 hours":             {"Europe/Bucharest", NewDate(2024, 3, 31), "2024-03-30T22:00:00Z", 23},
		"of 25 hours":             {"Europe/Bucharest", NewDate(2024, 10, 27), "2024-10-26T21:00:00Z", 25},
		"of 24.5 hours":           {"Australia/Lord_Howe", NewDate(2024, 4, 7), "2024-04-06T13:00:00Z", 24.5},
		"without midnight":        {"America/Sao_Paulo", NewDate(2018, 11, 4), "2018-11-04T03:00:00Z", 23},
		"with midnight twice":     {"America/Havana", NewDate(2024, 11, 3), "2024-11-03T04:00:00Z", 25},
		"that never was in Samoa": {"Pacific/Apia", NewDate(2011, 12, 30), "2011-12-30T10:00:00Z", 0},
	} {
		t.Run(name, func(t *testing.T) {
			zone := mustZone(t, c.zone)
			start, end := c.day.Start(zone), (c.day + 1).Start(zone)
			if got := start.UTC().Format(time.RFC3339); got != c.start || end.Sub(start).Hours() != c.hours {
				t.Errorf("%s begins at %s and has %v hours; want %s, %v", c.day, got, end.Sub(start).Hours(), c.start, c.hours)
			}
		})
	}
}

// In every zone, the start of a day is on that day or, where there is no such
// day, on the next; the second before is on an earlier one.
func TestDateStartInEveryZone(t *testing.T) {
	for _, name := range allZones(t) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for d := NewDate(2010, 1, 1); d < NewDate(2012, 12, 31); d += 1 {
			start := d.Start(zone)
			if on, before := DayOf(start, zone), DayOf(start.Add(-time.Second), zone); on < d || on > d+1 || before >= d {
				t.Errorf("%s in %s starts at %s, on %s after %s", d, name, start, on, before)
			}
		}
	}
}

func TestDateAsAColumn(t *testing.T) {
	d := NewDate(2024, 2, 29)
	if v, err := d.Value(); err != nil || v != "2024-02-29" {
		t.Errorf("Value() = %v, %v", v, err)
	}
	for _, src := range []any{"2024-02-29", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)} {
		var got Date
		if err := got.Scan(src); err != nil || got != d {
			t.Errorf("Scan(%v) gave %s, %v", src, got, err)
		}
	}
	for _, src := range []any{nil, 5, "soon"} {
		var got Date
		if err := got.Scan(src); err == nil {
			t.Errorf("Scan(%v) gave %s, want an error", src, got)
		}
	}
}

func TestPeriodCheck(t *testing.T) {
	for name, c := range map[string]struct {
		period Period
		ok     bool
	}{
		"a day":                   {Period{NewDate(2024, 1, 1), NewDate(2024, 1, 1)}, true},
		"reversed":                {Period{NewDate(2024, 1, 2), NewDate(2024, 1, 1)}, false},
		"100 years":               {Period{NewDate(1970, 1, 1), NewDate(2069, 12, 31)}, true},
		"100 years and a day":     {Period{NewDate(1970, 1, 1), NewDate(2070, 1, 1)}, false},
		"from a leap day":         {Period{NewDate(2000, 2, 29), NewDate(2100, 2, 28)}, true},
		"too long from leap days": {Period{NewDate(2000, 2, 29), NewDate(2100, 3, 1)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.period.Check("period")
			broken, ok := AsError(err)
			if c.ok != (err == nil) || err != nil && (!ok || broken.Code != CodeInvalid || broken.Field != "period") {
				t.Errorf("Check() = %v, want ok %v", err, c.ok)
			}
		})
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("2024-02-29")
	f.Add("0000-01-01")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDate(text)
		if err == nil && d.String() != text {
			t.Errorf("ParseDate(%q).String() = %q", text, d)
		}
	})
}

func TestMonthsOfAPeriod(t *testing.T) {
	d := func(text string) Date {
		date, err := ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		return date
	}
	for _, test := range []struct{ from, to, months, rest string }{
		{"2024-02-01", "2024-02-29", "2024-02-01 2024-02-29", ""},
		{"2023-12-01", "2024-01-31", "2023-12-01 2024-01-31", ""},
		{"2024-02-02", "2024-02-29", "", "2024-02-02 2024-02-29"},
		{"2024-02-15", "2024-03-30", "", "2024-02-15 2024-03-30"},
		{"2024-01-31", "2024-03-01", "2024-02-01 2024-02-29", "2024-01-31 2024-01-31 2024-03-01 2024-03-01"},
		{"2024-01-01", "2024-03-05", "2024-01-01 2024-02-29", "2024-03-01 2024-03-05"},
		{"2024-01-20", "2024-02-29", "2024-02-01 2024-02-29", "2024-01-20 2024-01-31"},
		{"2024-03-05", "2024-03-05", "", "2024-03-05 2024-03-05"},
	} {
		whole, rest := Period{d(test.from), d(test.to)}.Months()
		var months []string
		if whole != nil {
			months = append(months, whole.From.String(), whole.To.String())
		}
		var days []string
		for _, p := range rest {
			days = append(days, p.From.String(), p.To.String())
		}
		if got := strings.Join(months, " "); got != test.months || strings.Join(days, " ") != test.rest {
			t.Errorf("%s to %s: %s and %s", test.from, test.to, got, days)
		}
	}
}
