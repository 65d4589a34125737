package timesheet

import "time"

// ImportRow is one row of a file, read and checked, with names still to be
// found in the workspace. Empty names are missing.
type ImportRow struct {
	Line        int // in the file, 1-based; where a row spans lines, its first
	User        string
	Email       string
	Client      string
	Project     string
	Task        string
	Tags        []string
	Description string
	Billable    *bool // nil: the project's default
	Start, End  time.Time
	ExternalID  string
}

// RowError says what is wrong with one row of a file, and where.
type RowError struct {
	Line    int
	Column  string // the file's own name of the column; empty for the whole row
	Code    RowCode
	Value   string // as it stands in the file, at most 120 characters
	Message string
}

// RowCode says what is wrong with a row.
type RowCode string

// What can be wrong with a row of a file.
const (
	RowBadDate        RowCode = "BAD_DATE"
	RowAmbiguousDate  RowCode = "AMBIGUOUS_DATE"
	RowDSTGap         RowCode = "DST_GAP"
	RowEndBeforeStart RowCode = "END_BEFORE_START"
	RowTooLong        RowCode = "TOO_LONG"
	RowOutOfRange     RowCode = "OUT_OF_RANGE"
	RowBadDuration    RowCode = "BAD_DURATION"
	RowBadBillable    RowCode = "BAD_BILLABLE"
	RowMissing        RowCode = "MISSING"
	RowUnknownName    RowCode = "UNKNOWN_NAME"
	RowNameTooLong    RowCode = "NAME_TOO_LONG"
	RowTextTooLong    RowCode = "TEXT_TOO_LONG"
	RowTooManyTags    RowCode = "TOO_MANY_TAGS"
	RowInvalidUTF8    RowCode = "INVALID_UTF8"
	RowColumns        RowCode = "WRONG_NUMBER_OF_COLUMNS"
)

// ImportCounts sum up an import.
type ImportCounts struct {
	Created, Unchanged, Bad int
	Users, Projects         int   // that the rows name
	Minutes                 int64 // of the created and unchanged rows
}
