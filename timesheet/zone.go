package timesheet

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a container without zone files must not change anybody's day
)

// LoadZone returns the zone of an IANA name such as Europe/Bucharest. Empty
// names, Local, fixed offsets and abbreviations are refused with suggestions:
// CEST names an offset, not a place, and is wrong half of the year.
func LoadZone(name string) (*time.Location, error) {
	area, _, place := strings.Cut(name, "/")
	if name == "UTC" || name == "Etc/UTC" || place && !slices.Contains(noAreas, area) {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	near := suggestZones(name)
	return nil, Errorf(CodeInvalid, "timeZone", "%q is no IANA time zone; did you mean %s?", name, strings.Join(near, ", "))
}

// noAreas begin names that are no places: fixed offsets with the sign turned
// round, and some systems' copies of the database, of which one counts leap
// seconds.
var noAreas = []string{"Etc", "posix", "right"}

// abbreviations people type, and the places they most often mean by them.
var abbreviations = map[string][]string{
	"CET": {"Europe/Berlin", "Europe/Paris", "Europe/Madrid"}, "CEST": {"Europe/Berlin", "Europe/Paris", "Europe/Madrid"},
	"EET": {"Europe/Bucharest", "Europe/Athens", "Europe/Helsinki"}, "EEST": {"Europe/Bucharest", "Europe/Athens", "Europe/Helsinki"},
	"GMT": {"UTC", "Europe/London", "Africa/Abidjan"}, "BST": {"Europe/London"}, "WET": {"Europe/Lisbon"}, "Z": {"UTC"},
	"EST": {"America/New_York", "America/Toronto"}, "EDT": {"America/New_York", "America/Toronto"},
	"CST": {"America/Chicago", "Asia/Shanghai"}, "CDT": {"America/Chicago"},
	"MST": {"America/Denver", "America/Phoenix"}, "MDT": {"America/Denver"},
	"PST": {"America/Los_Angeles"}, "PDT": {"America/Los_Angeles"},
	"IST": {"Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"}, "JST": {"Asia/Tokyo"}, "KST": {"Asia/Seoul"},
	"AEST": {"Australia/Sydney", "Australia/Brisbane"}, "AEDT": {"Australia/Sydney"}, "MSK": {"Europe/Moscow"},
}

// places whose zone a misspelt name is compared with.
var places = strings.Fields(`Africa/Cairo Africa/Johannesburg Africa/Lagos Africa/Nairobi America/Argentina/Buenos_Aires
America/Bogota America/Chicago America/Denver America/Halifax America/Los_Angeles America/Mexico_City America/New_York
America/Phoenix America/Santiago America/Sao_Paulo America/Toronto America/Vancouver Asia/Bangkok Asia/Dubai
Asia/Hong_Kong Asia/Jakarta Asia/Jerusalem Asia/Karachi Asia/Kathmandu Asia/Kolkata Asia/Manila Asia/Seoul Asia/Shanghai
Asia/Singapore Asia/Taipei Asia/Tehran Asia/Tokyo Atlantic/Reykjavik Australia/Adelaide Australia/Brisbane
Australia/Melbourne Australia/Perth Australia/Sydney Europe/Amsterdam Europe/Athens Europe/Berlin Europe/Brussels
Europe/Bucharest Europe/Budapest Europe/Copenhagen Europe/Dublin Europe/Helsinki Europe/Istanbul Europe/Kiev
Europe/Lisbon Europe/London Europe/Madrid Europe/Moscow Europe/Oslo Europe/Paris Europe/Prague Europe/Rome
Europe/Sofia Europe/Stockholm Europe/Vienna Europe/Warsaw Europe/Zurich Pacific/Apia Pacific/Auckland Pacific/Honolulu UTC`)

func suggestZones(name string) []string {
	if near, ok := abbreviations[strings.ToUpper(name)]; ok {
		return near
	}
	want := strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])
	ranked := slices.Clone(places)
	slices.SortStableFunc(ranked, func(a, b string) int { return zoneDistance(a, want) - zoneDistance(b, want) })
	return ranked[:3]
}

// zoneDistance compares the city of a zone with what was typed: 0 for the
// same, 1 for a shared beginning, else the number of differing letters.
func zoneDistance(zone, want string) int {
	city := strings.ToLower(zone[strings.LastIndexByte(zone, '/')+1:])
	if city == want {
		return 0
	}
	if want != "" && strings.HasPrefix(city, want) {
		return 1
	}
	return 1 + editDistance(city, want)
}

// editDistance is Levenshtein's, over bytes; both words are short.
func editDistance(a, b string) int {
	if len(b) > 40 {
		b = b[:40]
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// Local is a time as it stands on a wall, without a zone.
type Local struct {
	Year                 int
	Month                time.Month
	Day, Hour, Min, Secs int
}

func (l Local) in(zone *time.Location) time.Time {
	return time.Date(l.Year, l.Month, l.Day, l.Hour, l.Min, l.Secs, 0, zone)
}

func localOf(t time.Time) Local {
	y, m, d := t.Date()
	h, mi, s := t.Clock()
	return Local{y, m, d, h, mi, s}
}

// Resolution is what a local time can mean in a zone.
type Resolution struct {
	Kind Kind
	// Earlier and Later are the two instants of an ambiguous time, equal for
	// an exact one, and the two readings of a missing one: with the offset
	// after the change and with the offset before it.
	Earlier, Later time.Time
	// After is the first instant after a gap; for other kinds it is Earlier.
	After time.Time
}

// Kind says how many instants a local time has.
type Kind int

// Most local times are Exact; once a year one hour is Ambiguous, and one is
// missing, a Gap.
const (
	Exact Kind = iota
	Ambiguous
	Gap
)

// Resolve finds the instants of a local time by trying the offsets in force a
// day before and a day after it. Libraries differ here: Postgres takes the
// later instant of an ambiguous time and Go promises neither.
func Resolve(local Local, zone *time.Location) Resolution {
	wall := local.in(time.UTC)
	local = localOf(wall) // carries 24:00 over to the next day
	_, before := wall.Add(-24 * time.Hour).In(zone).Zone()
	_, after := wall.Add(24 * time.Hour).In(zone).Zone()
	a := wall.Add(-time.Duration(before) * time.Second)
	b := wall.Add(-time.Duration(after) * time.Second)
	fitsA, fitsB := localOf(a.In(zone)) == local, localOf(b.In(zone)) == local
	switch {
	case fitsA && fitsB && !a.Equal(b):
		return Resolution{Kind: Ambiguous, Earlier: earlier(a, b), Later: later(a, b), After: earlier(a, b)}
	case fitsA:
		return Resolution{Earlier: a, Later: a, After: a}
	case fitsB:
		return Resolution{Earlier: b, Later: b, After: b}
	}
	return Resolution{Kind: Gap, Earlier: earlier(a, b), Later: later(a, b), After: changeBetween(earlier(a, b), later(a, b), zone)}
}

// changeBetween finds the first instant whose offset is the one in force at
// hi, by bisection to the second.
func changeBetween(lo, hi time.Time, zone *time.Location) time.Time {
	_, want := hi.In(zone).Zone()
	for hi.Sub(lo) > time.Second {
		mid := lo.Add(hi.Sub(lo) / 2).Truncate(time.Second)
		if _, offset := mid.In(zone).Zone(); offset == want {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
