package timesheet

import "time"

// OffsetSpan is a span of time in which a zone keeps one offset from UTC.
type OffsetSpan struct {
	From, Until time.Time // half-open
	Seconds     int       // east of UTC
}

// Offsets are the spans of a zone that cover from until, in their order and
// without gaps. With them a database finds the day of an instant by adding,
// and knows nothing of zones.
func Offsets(zone *time.Location, from, until time.Time) (spans []OffsetSpan) {
	offset := func(t time.Time) int { _, s := t.In(zone).Zone(); return s }
	for from.Before(until) {
		seconds, end := offset(from), from
		for end.Before(until) && offset(end) == seconds {
			end = nextChange(end, zone, until)
		}
		spans = append(spans, OffsetSpan{from, end, seconds})
		from = end
	}
	return spans
}

// nextChange is the next instant at which a zone may change its offset, limit
// at the latest. The library's years of the future have 365 days: on the last one
// of a leap year it names no later instant, and is asked again a quarter on.
func nextChange(t time.Time, zone *time.Location, limit time.Time) time.Time {
	_, change := t.In(zone).ZoneBounds()
	switch {
	case change.IsZero() || change.After(limit):
		return limit
	case !change.After(t):
		return t.Add(15 * time.Minute)
	}
	return change
}
