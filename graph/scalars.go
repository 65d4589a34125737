package graph

import (
	"context"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"headroom/timesheet"
)

// maxNumber is the largest n for which every JSON reader keeps n and -n: 2^53.
const maxNumber = 1 << 53

// invalid is how a scalar refuses a value.
func invalid(format string, args ...any) error {
	return timesheet.Errorf(timesheet.CodeInvalid, "", format, args...)
}

// MarshalDateTime writes an instant in UTC and whole seconds.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return written(t.UTC().AppendFormat(make([]byte, 0, 24), `"2006-01-02T15:04:05Z"`))
}

// written is JSON as it will stand in the answer.
type written []byte

// MarshalGQL writes it.
func (b written) MarshalGQL(w io.Writer) { _, _ = w.Write(b) } // it is a buffer

// dateTime is the form that RFC 3339 has and package time is more lenient than.
var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// UnmarshalDateTime reads an instant as RFC 3339 writes it, with seconds and
// an offset, in the years 1 to 9999 of UTC. There are no leap seconds.
func UnmarshalDateTime(v any) (time.Time, error) {
	text, _ := v.(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !dateTime.MatchString(text) {
		return time.Time{}, invalid("a DateTime is written as 2026-03-31T09:30:00Z or 2026-03-31T11:30:00+02:00")
	}
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, invalid("a DateTime lies in the years 1 to 9999")
	}
	return t, nil
}

// MarshalDate writes a day.
func MarshalDate(d timesheet.Date) graphql.Marshaler { return graphql.MarshalString(d.String()) }

// UnmarshalDate reads a day as YYYY-MM-DD, in the years 1 to 9999.
func UnmarshalDate(v any) (timesheet.Date, error) {
	text, _ := v.(string)
	d, err := timesheet.ParseDate(text)
	if err != nil || text < "0001" {
		return 0, invalid("a Date is written as 2026-03-31")
	}
	return d, nil
}

// MarshalLong writes a whole number that every JSON reader keeps.
func MarshalLong(n int64) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		if n < -maxNumber || n > maxNumber {
			return timesheet.Errorf(timesheet.CodeOutOfRange, "", "%d is beyond 2^53", n)
		}
		_, err := io.WriteString(w, strconv.FormatInt(n, 10))
		return err
	})
}

// UnmarshalLong reads a whole number.
func UnmarshalLong(_ context.Context, v any) (int64, error) {
	n, ok := int64(0), false
	switch v := v.(type) {
	case int64:
		n, ok = v, true
	case json.Number:
		parsed, err := v.Int64()
		n, ok = parsed, err == nil
	}
	if !ok || n < -maxNumber || n > maxNumber {
		return 0, invalid("a whole JSON number between -2^53 and 2^53 is needed")
	}
	return n, nil
}

// MarshalTimeZone writes a zone's name.
func MarshalTimeZone(name string) graphql.Marshaler { return graphql.MarshalString(name) }

// UnmarshalTimeZone reads the IANA name of a zone that [timesheet.LoadZone]
// knows.
func UnmarshalTimeZone(v any) (string, error) {
	name, ok := v.(string)
	if !ok {
		return "", invalid("a TimeZone is the IANA name of a zone, such as Europe/Bucharest")
	}
	_, err := timesheet.LoadZone(name)
	return name, err
}

// MarshalUUID writes a UUID.
func MarshalUUID(id timesheet.EntryID) graphql.Marshaler { return graphql.MarshalString(id.String()) }

// UnmarshalUUID reads a UUID in its canonical form, upper or lower case.
func UnmarshalUUID(v any) (timesheet.EntryID, error) {
	text, _ := v.(string)
	id, err := timesheet.ParseEntryID(text)
	if err != nil {
		return id, invalid("a UUID is written as 01890a5d-ac96-774b-bcce-b302099a8057")
	}
	return id, nil
}

// MarshalWeekday writes a day of the week.
func MarshalWeekday(d time.Weekday) graphql.Marshaler {
	return graphql.MarshalString(strings.ToUpper(d.String()))
}

// UnmarshalWeekday reads a day of the week.
func UnmarshalWeekday(v any) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if v == strings.ToUpper(d.String()) {
			return d, nil
		}
	}
	return 0, invalid("a Weekday is one of MONDAY to SUNDAY")
}
