package timesheet

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Date is a calendar day without a zone, counted in days since 1970-01-01.
type Date int32

// NewDate returns the day; values out of range are carried over as in
// [time.Date].
func NewDate(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is no date of the form 2026-03-31", s)
	}
	return NewDate(t.Date()), nil
}

// DayOf is the day on which an instant falls in a zone.
func DayOf(t time.Time, zone *time.Location) Date {
	return NewDate(t.In(zone).Date())
}

func (d Date) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String is YYYY-MM-DD.
func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// Weekday of the day.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// Calendar splits the day into year, month and day of the month.
func (d Date) Calendar() (year int, month time.Month, day int) { return d.utc().Date() }

// Week is the first day of the day's week, for weeks that begin on start.
func (d Date) Week(start time.Weekday) Date {
	return d - Date((int(d.Weekday())-int(start)+7)%7)
}

// Month is the first day of the day's month.
func (d Date) Month() Date { y, m, _ := d.Calendar(); return NewDate(y, m, 1) }

// Year is the first day of the day's year.
func (d Date) Year() Date { y, _, _ := d.Calendar(); return NewDate(y, time.January, 1) }

// Start is the first instant of the day in a zone. Where midnight does not
// exist (a change to summer time at 00:00), it is the first instant after it.
func (d Date) Start(zone *time.Location) time.Time {
	y, m, day := d.Calendar()
	local := Local{Year: y, Month: m, Day: day}
	r := Resolve(local, zone)
	if r.Kind == Gap {
		return r.After
	}
	return r.Earlier
}

// Value stores the day as a date.
func (d Date) Value() (driver.Value, error) { return d.String(), nil }

// Scan reads a date column.
func (d *Date) Scan(src any) (err error) {
	switch v := src.(type) {
	case time.Time:
		*d = NewDate(v.Date())
		return nil
	case string:
		*d, err = ParseDate(v)
		return err
	}
	return fmt.Errorf("cannot read a date from %T", src)
}

// Period is a span of days, both ends included.
type Period struct{ From, To Date }

// MaxPeriodYears bounds what one report or list may span.
const MaxPeriodYears = 100

// Check refuses a reversed or endless period.
func (p Period) Check(field string) error {
	if p.To < p.From {
		return Errorf(CodeInvalid, field, "the period ends (%s) before it begins (%s)", p.To, p.From)
	}
	y, m, d := p.From.Calendar()
	if p.To >= NewDate(y+MaxPeriodYears, m, d) {
		return Errorf(CodeInvalid, field, "the period is longer than %d years", MaxPeriodYears)
	}
	return nil
}

// Months are the whole months of the period, nil where it has none, and the days
// beside them, in at most two parts.
func (p Period) Months() (whole *Period, rest []Period) {
	months := Period{From: p.From.Month(), To: (p.To + 1).Month() - 1}
	if months.From < p.From {
		months.From = (months.From + 31).Month()
	}
	if months.To < months.From {
		return nil, []Period{p}
	}
	for _, days := range []Period{{p.From, months.From - 1}, {months.To + 1, p.To}} {
		if days.From <= days.To {
			rest = append(rest, days)
		}
	}
	return &months, rest
}
