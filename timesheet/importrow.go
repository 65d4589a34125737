package timesheet

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ImportField is a field of an imported row, by the word that --map uses.
type ImportField string

// The fields a file can hold. Start and end hold a date with a time of day, or
// the time alone where date holds the day; one of the durations can stand for
// the end.
const (
	FieldUser            ImportField = "user"
	FieldUserEmail       ImportField = "user_email"
	FieldClient          ImportField = "client"
	FieldProject         ImportField = "project"
	FieldTask            ImportField = "task"
	FieldTags            ImportField = "tags"
	FieldDescription     ImportField = "description"
	FieldBillable        ImportField = "billable"
	FieldStart           ImportField = "start"
	FieldEnd             ImportField = "end"
	FieldDate            ImportField = "date"
	FieldDurationMinutes ImportField = "duration_minutes"
	FieldDurationHours   ImportField = "duration_hours"
	FieldDuration        ImportField = "duration"
	FieldExternalID      ImportField = "external_id"
)

// ImportFields are all fields, in the order in which they are documented.
var ImportFields = []ImportField{
	FieldUser, FieldUserEmail, FieldClient, FieldProject, FieldTask, FieldTags, FieldDescription, FieldBillable,
	FieldStart, FieldEnd, FieldDate, FieldDurationMinutes, FieldDurationHours, FieldDuration, FieldExternalID,
}

// ImportRow is one row of a file, read, with names still to be found in the
// workspace. Empty names are missing.
type ImportRow struct {
	Line        int // in the file, 1-based; where a row spans lines, its first
	User        string
	Email       string
	Client      string
	Project     string
	Task        string
	Tags        []string
	Description string
	Billable    *bool // nil: the task's, else the project's default
	Start, End  time.Time
	ExternalID  string
	Cells       []string // the row as it stands in the file
}

// Check tells which rule of a single entry the row breaks; nil for none. An
// import is history: it may overlap, and it may be of any year since 1970.
func (r ImportRow) Check(now time.Time) *RowError {
	fault := func(field ImportField, code RowCode, message string) *RowError {
		return &RowError{Line: r.Line, Field: field, Code: code, Message: message, Cells: r.Cells}
	}
	switch {
	case r.User == "" && r.Email == "":
		return fault(FieldUser, RowMissing, "nobody is named")
	case r.Project == "" && (r.Client != "" || r.Task != ""):
		return fault(FieldProject, RowMissing, "a client or a task needs a project")
	case r.Start.Before(FirstStart) || r.Start.After(now.Add(MaxFuture)):
		return fault(FieldStart, RowOutOfRange, "an entry starts in 1970 or later, and at most a year from now")
	case r.End.Before(r.Start):
		return fault(FieldEnd, RowEndBeforeStart, "the end is before the start; work past midnight needs an end with its own date")
	case r.End.Sub(r.Start) > MaxEntry:
		return fault(FieldEnd, RowTooLong, "an entry lasts at most 7 days")
	case utf8.RuneCountInString(r.Description) > MaxDescription:
		return fault(FieldDescription, RowTextTooLong, "a description has at most 3000 characters")
	case len(r.Tags) > MaxTags:
		return fault(FieldTags, RowTooManyTags, "an entry has at most 50 tags")
	}
	for _, name := range append([]named{{FieldUser, r.User}, {FieldClient, r.Client}, {FieldProject, r.Project}, {FieldTask, r.Task}}, tagNames(r.Tags)...) {
		if utf8.RuneCountInString(name.text) > MaxName {
			return fault(name.field, RowNameTooLong, "a name has at most 255 characters")
		}
	}
	return nil
}

type named struct {
	field ImportField
	text  string
}

func tagNames(tags []string) []named {
	names := make([]named, len(tags))
	for i, tag := range tags {
		names[i] = named{FieldTags, tag}
	}
	return names
}

// RowError says what is wrong with one row of a file, and where.
type RowError struct {
	Line    int
	Field   ImportField // empty for the whole row
	Column  string      // the file's own name of the field
	Code    RowCode
	Value   string // as it stands in the file, at most MaxRowValue characters
	Message string
	Cells   []string // the row as it stands in the file
}

// MaxRowValue is how much of a wrong value is shown, in characters.
const MaxRowValue = 120

// Error is one line for a person.
func (e *RowError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %d", e.Line)
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %s", Printable(e.Column))
	}
	fmt.Fprintf(&b, ": %s \"%s\": %s", e.Code, Printable(e.Value), e.Message)
	return b.String()
}

// Printable is a text of a stranger's as a terminal may show it: as it stands,
// but for what has no shape, which is escaped as Go does, so that it is one
// line and commands no terminal.
func Printable(text string) string {
	var b strings.Builder
	for i, size := 0, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		if unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.Quote(text[i : i+size])
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// RowCode says what is wrong with a row.
type RowCode string

// What can be wrong with a row of a file.
const (
	RowBadDate        RowCode = "BAD_DATE"
	RowDSTGap         RowCode = "DST_GAP"
	RowEndBeforeStart RowCode = "END_BEFORE_START"
	RowTooLong        RowCode = "TOO_LONG"
	RowOutOfRange     RowCode = "OUT_OF_RANGE"
	RowBadDuration    RowCode = "BAD_DURATION"
	RowBadBillable    RowCode = "BAD_BILLABLE"
	RowMissing        RowCode = "MISSING"
	RowUnknownName    RowCode = "UNKNOWN_NAME"
	RowNameTooLong    RowCode = "NAME_TOO_LONG"
	RowBadName        RowCode = "BAD_NAME"
	RowTextTooLong    RowCode = "TEXT_TOO_LONG"
	RowTooManyTags    RowCode = "TOO_MANY_TAGS"
	RowInvalidUTF8    RowCode = "INVALID_UTF8"
	RowColumns        RowCode = "WRONG_NUMBER_OF_COLUMNS"
	RowBadQuotes      RowCode = "BAD_QUOTES"
	RowPeriodLocked   RowCode = "PERIOD_LOCKED"
	RowRefused        RowCode = "REFUSED" // by the database, for a reason of its own
)

// ImportCounts sum up an import.
type ImportCounts struct {
	Created, Unchanged, Bad int
	Users, Projects         int   // that the created and unchanged rows name
	Seconds                 int64 // of the created and unchanged rows
}

// String is the line an import ends with.
func (c ImportCounts) String() string {
	return fmt.Sprintf("%d created, %d unchanged, %d bad, %d users, %d projects, %d minutes",
		c.Created, c.Unchanged, c.Bad, c.Users, c.Projects, c.Seconds/60)
}
