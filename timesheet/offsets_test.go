package timesheet

import (
	"testing"
	"time"
)

// In every zone, the day that the offsets give an instant is the day of the
// instant, around every change and half a year from each.
func TestOffsetsGiveTheDay(t *testing.T) {
	from, until := time.Unix(0, 0).UTC(), time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range allZones(t) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		spans, end := Offsets(zone, from, until), from
		for _, s := range spans {
			if !s.From.Equal(end) || !s.Until.After(s.From) {
				t.Fatalf("%s: a span from %s to %s follows the one to %s", name, s.From, s.Until, end)
			}
			end = s.Until
			middle := s.From.Add(s.Until.Sub(s.From) / 2)
			for _, at := range []time.Time{s.From, s.From.Add(time.Hour), middle, s.Until.Add(-time.Second)} {
				at = at.Truncate(time.Second)
				if at.Before(s.From) || !at.Before(s.Until) {
					continue
				}
				if got, want := floorDay(at.Unix()+int64(s.Seconds)), DayOf(at, zone); got != want {
					t.Errorf("%s: %s is on %s by the offsets, on %s by the zone", name, at.UTC(), got, want)
				}
			}
		}
		if !end.Equal(until) {
			t.Errorf("%s: the spans end at %s", name, end)
		}
	}
}
