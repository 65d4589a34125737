package csvfile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

func TestParseMoment(t *testing.T) {
	day := timesheet.Local{Year: 2012, Month: time.October, Day: 29}
	at := func(h, m, s int) timesheet.Local {
		l := day
		l.Hour, l.Min, l.Secs = h, m, s
		return l
	}
	date := func(l timesheet.Local) moment { return moment{hasDate: true, local: l} }
	both := func(l timesheet.Local) moment { return moment{hasDate: true, hasTime: true, local: l} }
	offset := func(l timesheet.Local, d time.Duration) moment {
		return moment{hasDate: true, hasTime: true, local: l, hasOffset: true, offset: d}
	}
	for _, c := range []struct {
		cell  string
		order Order
		want  moment
	}{
		{"10/29/2012 13:12", MonthFirst, both(at(13, 12, 0))},
		{"29/10/2012 1:12 PM", DayFirst, both(at(13, 12, 0))},
		{"29.10.2012 01:12:07", DayFirst, both(at(1, 12, 7))},
		{"29-10-12", DayFirst, date(day)},
		{"2012-10-29", MonthFirst, date(day)},
		{"2012/10/29 9 a.m.", DayFirst, both(at(9, 0, 0))},
		{"2012-10-29, 12:00 am", DayFirst, both(at(0, 0, 0))},
		{"2012-10-29 12:00\u202fPM", DayFirst, both(at(12, 0, 0))},
		{"2012-10-29T13:12:07Z", DayFirst, offset(at(13, 12, 7), 0)},
		{"2012-10-29t13:12:07.999z", DayFirst, offset(at(13, 12, 7), 0)},
		{"2012-10-29T13:12:07+05:45", DayFirst, offset(at(13, 12, 7), 5*time.Hour+45*time.Minute)},
		{"2012-10-29 13:12:07 -0330", DayFirst, offset(at(13, 12, 7), -3*time.Hour-30*time.Minute)},
		{"2012-10-29 13:12 UTC", DayFirst, offset(at(13, 12, 0), 0)},
		{"2012-10-29T13:12+02", DayFirst, offset(at(13, 12, 0), 2*time.Hour)},
		{"2012-10-29 24:00", DayFirst, both(at(24, 0, 0))},
		{"0016-01-11 16:22:26", MonthFirst, both(timesheet.Local{Year: 16, Month: 1, Day: 11, Hour: 16, Min: 22, Secs: 26})},
		{"13:12", DayFirst, moment{hasTime: true, local: timesheet.Local{Hour: 13, Min: 12}}},
		{"1:12:30pm", DayFirst, moment{hasTime: true, local: timesheet.Local{Hour: 13, Min: 12, Secs: 30}}},
	} {
		got, ok := parseMoment(c.cell, c.order)
		if !ok || !cmp.Equal(got, c.want, cmp.AllowUnexported(moment{})) {
			t.Errorf("parseMoment(%q) = %+v, %v, want %+v", c.cell, got, ok, c.want)
		}
	}
}

func TestParseMomentRefuses(t *testing.T) {
	for _, cell := range []string{
		"", "yesterday", "2012", "2012-13-01", "2012-02-30 10:00", "2012-10-29 25:00", "2012-10-29 24:01", "2012-10-29 10:60",
		"2012-10-29 10:00:60", "2012-10-29 13:00 PM", "2012-10-29 0:30 am", "2012-10-29 10", "2012-10-29 10:5", "10/29-2012 10:00",
		"29/10/2012 10:00 or so", "2012-10-29T10:00+2:00", "2012-10-29T10:00+24:00", "2012-10-29T10:00+02:0", "13:12Z", "1351516320", "1/2/345", "٢٩/١٠/٢٠١٢",
	} {
		if got, ok := parseMoment(cell, DayFirst); ok {
			t.Errorf("parseMoment(%q) = %+v, want a refusal", cell, got)
		}
	}
}

func TestEvidence(t *testing.T) {
	many := func(n int, cell string) []string {
		cells := make([]string, n)
		for i := range cells {
			cells[i] = cell
		}
		return cells
	}
	for _, c := range []struct {
		name  string
		cells []string
		want  Order
	}{
		{"one day first decides", []string{"03/04/2024", "13/04/2024"}, DayFirst},
		{"one month first decides", []string{"03/04/2024", "04/13/2024"}, MonthFirst},
		{"nothing tells", []string{"03/04/2024", "05/04/2024"}, OrderUnknown},
		{"a date that is no date tells nothing", []string{"03/04/2024", "13/15/2024"}, OrderUnknown},
		{"years first need no order", []string{"2024-04-03"}, DayFirst},
		{"the same either way", []string{"04/04/2024 10:00"}, DayFirst},
		{"dots are day first", []string{"03.04.2024"}, DayFirst},
		{"dots and slashes", []string{"03.04.2024", "03/04/2024"}, OrderUnknown},
		{"a file that mixes both", []string{"13/04/2024", "04/13/2024"}, OrderUnknown},
		{"a typing error among many", append(many(101, "04/13/2024"), "13/04/2024"), MonthFirst},
		{"too many typing errors", append(many(100, "04/13/2024"), "13/04/2024"), OrderUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e evidence
			for _, cell := range c.cells {
				e.add(cell)
			}
			if got := e.decide(); got != c.want {
				t.Errorf("order %v of %d dates, want %v", got, len(c.cells), c.want)
			}
		})
	}
}

func FuzzMoment(f *testing.F) {
	for _, cell := range []string{"10/29/2012 13:12", "2012-10-29T13:12:07+05:45", "0016-01-11 16:22:26", "1:12 PM", `\N`, "24:00"} {
		f.Add(cell, true)
	}
	f.Fuzz(func(t *testing.T, cell string, monthFirst bool) {
		order := DayFirst
		if monthFirst {
			order = MonthFirst
		}
		m, ok := parseMoment(cell, order)
		if !ok {
			return
		}
		if !m.hasDate && !m.hasTime {
			t.Errorf("%q is neither a date nor a time", cell)
		}
		if m.hasDate && !exists(m.local.Year, m.local.Month, m.local.Day) {
			t.Errorf("%q became the day %+v, which does not exist", cell, m.local)
		}
		if m.offset.Abs() >= 24*time.Hour || m.local.Hour > 24 || m.local.Min > 59 || m.local.Secs > 59 {
			t.Errorf("%q became %+v", cell, m)
		}
	})
}
