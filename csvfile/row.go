package csvfile

import (
	"fmt"
	"strings"
	"time"

	"headroom/timesheet"
)

// cells are those of one row, by field.
type cells struct {
	columns columns
	values  []string
}

// text is a field's cell without surrounding spaces; empty, and \N as
// databases write it, is missing.
func (c cells) text(field timesheet.ImportField) string {
	i, ok := c.columns[field]
	if !ok {
		return ""
	}
	text := strings.TrimSpace(c.values[i])
	if text == `\N` {
		return ""
	}
	return text
}

// fault is what is wrong with a field.
type fault struct {
	field   timesheet.ImportField
	code    timesheet.RowCode
	message string
}

// splitTags cuts a cell at its commas.
func splitTags(text string) (tags []string) {
	for tag := range strings.SplitSeq(text, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// words that say whether an entry is billable.
var words = map[string]bool{
	"true": true, "yes": true, "y": true, "t": true, "1": true, "billable": true,
	"false": false, "no": false, "n": false, "f": false, "0": false, "non-billable": false, "not billable": false,
}

func (c cells) billable(row *timesheet.ImportRow) *fault {
	text := c.text(timesheet.FieldBillable)
	if text == "" {
		return nil
	}
	value, ok := words[strings.ToLower(text)]
	if !ok {
		return &fault{timesheet.FieldBillable, timesheet.RowBadBillable, "write yes or no, true or false, 1 or 0"}
	}
	row.Billable = &value
	return nil
}

// span finds the row's start and end. Both win over a duration, which only
// stands for a missing end, and chooses between the instants of an ambiguous
// local time: duration columns are often localised or rounded.
func (c cells) span(row *timesheet.ImportRow, order Order, zone *time.Location) *fault {
	ends, bad := c.instants(timesheet.FieldEnd, order, zone, false)
	if bad != nil {
		return bad
	}
	duration, lasts, bad := c.duration()
	if bad != nil && len(ends) == 0 {
		return bad
	}
	starts, bad := c.instants(timesheet.FieldStart, order, zone, lasts)
	if bad != nil {
		return bad
	}
	switch {
	case len(starts) == 0:
		return &fault{timesheet.FieldStart, timesheet.RowMissing, "the start is missing"}
	case len(ends) > 0:
		row.Start, row.End = choose(starts, ends, duration, lasts)
	case lasts:
		row.Start, row.End = starts[0], starts[0].Add(duration)
	default:
		return c.noEnd()
	}
	return nil
}

// noEnd blames the field that the file has for the end of an entry.
func (c cells) noEnd() *fault {
	for _, f := range []timesheet.ImportField{timesheet.FieldEnd, timesheet.FieldDurationMinutes, timesheet.FieldDurationHours, timesheet.FieldDuration} {
		if c.columns.has(f) {
			return &fault{f, timesheet.RowMissing, "neither the end nor the duration is given"}
		}
	}
	return nil
}

// choose takes the earliest instants that fit: the end not before the start,
// and as far from it as the duration says, if one is given.
func choose(starts, ends []time.Time, duration time.Duration, lasts bool) (start, end time.Time) {
	for _, exact := range []bool{lasts, false} {
		for _, s := range starts {
			for _, e := range ends {
				off := (e.Sub(s) - duration).Abs()
				if !e.Before(s) && (!exact || off <= time.Minute) {
					return s, e
				}
			}
		}
	}
	return starts[0], ends[0]
}

// duration reads whichever duration is given; lasts is false for none.
func (c cells) duration() (d time.Duration, lasts bool, bad *fault) {
	for _, form := range []struct {
		field timesheet.ImportField
		parse func(string) (int64, bool)
		hint  string
	}{
		{timesheet.FieldDurationMinutes, parseMinutes, "write minutes as 65 or 65.5"},
		{timesheet.FieldDurationHours, parseDuration, "write hours as 1.08, 1,08 or 1:05"},
		{timesheet.FieldDuration, parseDuration, "write 1:05:00, 1:05, 1.08, 1h 5m or PT1H5M"},
	} {
		text := c.text(form.field)
		if text == "" {
			continue
		}
		secs, ok := form.parse(text)
		if !ok {
			return 0, false, &fault{form.field, timesheet.RowBadDuration, form.hint}
		}
		if secs > int64(timesheet.MaxEntry/time.Second) {
			return 0, false, &fault{form.field, timesheet.RowTooLong, "an entry lasts at most 7 days"}
		}
		return time.Duration(secs) * time.Second, true, nil
	}
	return 0, false, nil
}

// instants reads the start or the end: no instant where it is missing, two
// where the local time is ambiguous. A start that is only a day begins with it
// where dayIsEnough.
func (c cells) instants(field timesheet.ImportField, order Order, zone *time.Location, dayIsEnough bool) ([]time.Time, *fault) {
	text := c.text(field)
	if text == "" && (!dayIsEnough || c.text(timesheet.FieldDate) == "") {
		return nil, nil
	}
	m, ok := parseMoment(text, order)
	if text != "" && !ok {
		return nil, &fault{field, timesheet.RowBadDate, "this is no date with a time, such as 2026-03-31 14:05"}
	}
	if !m.hasDate {
		day, ok := parseMoment(c.text(timesheet.FieldDate), order)
		if !ok || !day.hasDate {
			return nil, c.noDay(field)
		}
		m.local.Year, m.local.Month, m.local.Day = day.local.Year, day.local.Month, day.local.Day
	}
	switch {
	case m.hasTime:
		return resolve(m, field, zone)
	case dayIsEnough:
		return []time.Time{timesheet.NewDate(m.local.Year, m.local.Month, m.local.Day).Start(zone)}, nil
	}
	return nil, &fault{field, timesheet.RowBadDate, "the time of day is missing"}
}

// noDay blames the date column where there is one.
func (c cells) noDay(field timesheet.ImportField) *fault {
	switch {
	case !c.columns.has(timesheet.FieldDate):
		return &fault{field, timesheet.RowBadDate, "the date is missing"}
	case c.text(timesheet.FieldDate) == "":
		return &fault{timesheet.FieldDate, timesheet.RowMissing, "the date is missing"}
	}
	return &fault{timesheet.FieldDate, timesheet.RowBadDate, "this is no date, such as 2026-03-31"}
}

func resolve(m moment, field timesheet.ImportField, zone *time.Location) ([]time.Time, *fault) {
	if m.hasOffset {
		utc := timesheet.Resolve(m.local, time.UTC).Earlier
		return []time.Time{utc.Add(-m.offset)}, nil
	}
	switch r := timesheet.Resolve(m.local, zone); r.Kind {
	case timesheet.Gap:
		return nil, &fault{field, timesheet.RowDSTGap, fmt.Sprintf("clocks in %s skipped this time; it can be %s or %s",
			zone, r.Earlier.UTC().Format(time.RFC3339), r.Later.UTC().Format(time.RFC3339))}
	case timesheet.Ambiguous:
		return []time.Time{r.Earlier, r.Later}, nil
	default:
		return []time.Time{r.Earlier}, nil
	}
}
