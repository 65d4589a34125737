package csvfile

import (
	"strings"
	"time"

	"headroom/timesheet"
)

// Order says how a date such as 03/04/2024 is read.
type Order int

// The order is decided over the whole file unless it is given.
const (
	OrderUnknown Order = iota
	DayFirst           // D/M/Y
	MonthFirst         // M/D/Y
)

// moment is a cell that holds a date, a time of day, or both.
type moment struct {
	hasDate, hasTime bool
	local            timesheet.Local
	hasOffset        bool
	offset           time.Duration // east of UTC
}

// scanner reads a cell from left to right.
type scanner struct{ s string }

// number reads 1 to limit digits; n is how many there were, 0 for none.
func (sc *scanner) number(limit int) (value, n int) {
	for n < len(sc.s) && n < limit && sc.s[n] >= '0' && sc.s[n] <= '9' {
		value = value*10 + int(sc.s[n]-'0')
		n++
	}
	sc.s = sc.s[n:]
	return value, n
}

// one reads a character of a set; 0 for none.
func (sc *scanner) one(set string) byte {
	if sc.s == "" || strings.IndexByte(set, sc.s[0]) < 0 {
		return 0
	}
	c := sc.s[0]
	sc.s = sc.s[1:]
	return c
}

func (sc *scanner) word(w string) bool {
	rest, ok := strings.CutPrefix(sc.s, w)
	sc.s = rest
	return ok
}

// tidy makes spaces plain and letters capital; spreadsheets put a narrow
// no-break space before PM.
func tidy(cell string) string {
	return strings.ToUpper(strings.Join(strings.Fields(cell), " "))
}

// parseMoment reads a date (year first, or in the given order), a time of day
// (24 or 12 hours, seconds optional), or a date with a time and an offset, as
// ISO 8601, RFC 3339 and spreadsheets write them. Fractions of a second are
// dropped.
func parseMoment(cell string, order Order) (m moment, ok bool) {
	sc := scanner{tidy(cell)}
	first := sc
	if _, n := first.number(4); n > 0 && first.one("/-.") != 0 {
		m.hasDate = true
		if !sc.date(&m.local, order) {
			return m, false
		}
		if sc.s == "" {
			return m, true
		}
		if sc.one("T ,") == 0 {
			return m, false
		}
		sc.one(" ")
	}
	m.hasTime = true
	return m, sc.clock(&m.local) && sc.zone(&m) && sc.s == "" && (m.hasDate || !m.hasOffset)
}

// date reads three numbers with the same separator.
func (sc *scanner) date(l *timesheet.Local, order Order) bool {
	a, na := sc.number(4)
	sep := sc.one("/-.")
	b, nb := sc.number(2)
	if nb == 0 || sc.one(string(sep)) == 0 {
		return false
	}
	c, nc := sc.number(4)
	switch {
	case na == 4 && (nc == 1 || nc == 2):
		l.Year, l.Month, l.Day = a, time.Month(b), c
	case na <= 2 && (nc == 4 || nc == 2):
		l.Year, l.Month, l.Day = fullYear(c, nc), time.Month(b), a
		if order == MonthFirst {
			l.Month, l.Day = time.Month(a), b
		}
	default:
		return false
	}
	return exists(l.Year, l.Month, l.Day)
}

// fullYear reads 13 as 2013 and 87 as 1987, as spreadsheets do.
func fullYear(y, digits int) int {
	switch {
	case digits > 2:
		return y
	case y < 70:
		return 2000 + y
	}
	return 1900 + y
}

func exists(year int, month time.Month, day int) bool {
	_, m, d := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Date()
	return m == month && d == day
}

// clock reads a time of day: 9:05, 09:05:00.250, 9:05 pm, 9 p.m. and 24:00.
func (sc *scanner) clock(l *timesheet.Local) bool {
	var nh, nm int
	if l.Hour, nh = sc.number(2); nh == 0 {
		return false
	}
	if sc.one(":") != 0 {
		if l.Min, nm = sc.number(2); nm != 2 || !sc.seconds(l) {
			return false
		}
	}
	half := sc.half()
	switch {
	case half != 0 && (l.Hour < 1 || l.Hour > 12), half == 0 && nm == 0:
		return false
	case half != 0:
		l.Hour %= 12
		if half == 'P' {
			l.Hour += 12
		}
	}
	return l.Hour < 24 && l.Min < 60 && l.Secs < 60 || l.Hour == 24 && l.Min == 0 && l.Secs == 0
}

func (sc *scanner) seconds(l *timesheet.Local) bool {
	if sc.one(":") == 0 {
		return true
	}
	var n int
	if l.Secs, n = sc.number(2); n != 2 {
		return false
	}
	if sc.one(".,") != 0 {
		_, n = sc.number(9)
	}
	return n > 0
}

// half reads AM or PM; 0 for a clock of 24 hours.
func (sc *scanner) half() byte {
	before := *sc
	sc.one(" ")
	half := sc.one("AP")
	if half != 0 && (sc.word("M") || sc.word(".M.")) {
		return half
	}
	*sc = before
	return 0
}

// zone reads Z, UTC or an offset such as +02:00; nothing is fine.
func (sc *scanner) zone(m *moment) bool {
	sc.one(" ")
	if sc.s == "" {
		return true
	}
	m.hasOffset = true
	if sc.word("Z") || sc.word("UTC") || sc.word("GMT") {
		return true
	}
	sign := sc.one("+-")
	hours, nh := sc.number(2)
	colon := sc.one(":") != 0
	minutes, nm := sc.number(2)
	m.offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if sign == '-' {
		m.offset = -m.offset
	}
	return sign != 0 && nh == 2 && (nm == 2 || nm == 0 && !colon) && hours < 24 && minutes < 60
}

// evidence is what the dates of a file tell about their order.
type evidence struct {
	dayFirst   int // dates whose first number can only be a day
	monthFirst int // dates whose second number can only be a day
	either     int // dates that differ by how they are read
	dotted     int // of these, written with dots, as only day-first dates are
	example    string
}

func (e *evidence) add(cell string) {
	sc := scanner{tidy(cell)}
	a, na := sc.number(4)
	sep := sc.one("/-.")
	b, nb := sc.number(2)
	if sep == 0 || na == 0 || na > 2 || nb == 0 || sc.one(string(sep)) == 0 {
		return
	}
	switch {
	case a > 12 && b > 12, a > 31, b > 31, a == b:
	case a > 12:
		e.dayFirst++
	case b > 12:
		e.monthFirst++
	default:
		e.either++
		if sep == '.' {
			e.dotted++
		}
		if e.example == "" {
			e.example = timesheet.Printable(clip(cell, 40))
		}
	}
}

// mixed is how many dates of the rarer order a file may hold for one to be
// taken as its order: one in a hundred of the others, as typing errors.
const mixed = 100

// decide tells the order of the file, or OrderUnknown where it must be asked.
func (e evidence) decide() Order {
	switch {
	case e.dayFirst > mixed*e.monthFirst:
		return DayFirst
	case e.monthFirst > mixed*e.dayFirst:
		return MonthFirst
	case e.dayFirst == 0 && e.monthFirst == 0 && e.dotted == e.either:
		return DayFirst
	}
	return OrderUnknown
}
