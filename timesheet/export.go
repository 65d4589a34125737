package timesheet

import (
	"math/big"
	"time"
)

// ExportID is the key of an export.
type ExportID int64

// ExportInput asks for a file: of entries, or with keys of a report's leaves.
type ExportInput struct {
	Period        Period
	Filter        EntryFilter
	GroupBy       []GroupKey // none: a row for each finished entry
	Format        ExportFormat
	ByteOrderMark bool // before CSV, for spreadsheets that take a file without one for Latin-1

	// How a report counts, as in ReportInput; for entries all are zero.
	Rounding       *Rounding      `json:",omitempty"`
	DayAttribution DayAttribution `json:",omitempty"`
	TimeZone       *string        `json:",omitempty"`
	WeekStart      *time.Weekday  `json:",omitempty"`
}

// Report is the report whose leaves a file holds.
func (in ExportInput) Report() ReportInput {
	return ReportInput{
		Period: in.Period, GroupBy: in.GroupBy, Filter: in.Filter, MaxRows: MaxReportRows,
		Rounding: in.Rounding, DayAttribution: in.DayAttribution, TimeZone: in.TimeZone, WeekStart: in.WeekStart,
	}
}

// ExportFormat is the form of a file.
type ExportFormat string

// CSV is RFC 4180 in UTF-8; JSONL has one JSON object a line.
const (
	ExportCSV   ExportFormat = "CSV"
	ExportJSONL ExportFormat = "JSONL"
)

// ExportStatus is how far an export is.
type ExportStatus string

// The first three go on by themselves; the others are final.
const (
	ExportQueued   ExportStatus = "QUEUED"
	ExportRunning  ExportStatus = "RUNNING"
	ExportReady    ExportStatus = "READY"
	ExportFailed   ExportStatus = "FAILED"
	ExportCanceled ExportStatus = "CANCELED"
	ExportExpired  ExportStatus = "EXPIRED"
)

// ExportFailure is why an export failed.
type ExportFailure string

// Interrupted means that servers were killed several times while it ran.
const (
	ExportDiskFull    ExportFailure = "DISK_FULL"
	ExportOverQuota   ExportFailure = "QUOTA_EXCEEDED"
	ExportTooLong     ExportFailure = "TOOK_TOO_LONG"
	ExportInterrupted ExportFailure = "INTERRUPTED"
	ExportNotAllowed  ExportFailure = "NOT_ALLOWED"
	ExportInternal    ExportFailure = "INTERNAL"
)

// MaxWaitingExports is how many exports of a workspace may wait for the one
// that runs.
const MaxWaitingExports = 5

// Export is a file that somebody asked for.
type Export struct {
	ID            ExportID
	UserID        UserID // who asked for it
	Status        ExportStatus
	Input         ExportInput
	Folder        string // where the file lies; empty before it is run
	Rows          int64  // written so far
	EstimatedRows *int64 // nil before it is run
	Bytes         *int64 // of the file, once it is ready
	SHA256        *string
	Failure       *ExportFailure
	CreatedAt     time.Time
	StartedAt     *time.Time
	FinishedAt    *time.Time
	ExpiresAt     time.Time // the file and its link end
}

// Format is the form of its file.
func (x Export) Format() ExportFormat { return x.Input.Format }

// HasFile tells whether there is a file or will be one.
func (x Export) HasFile() bool {
	return x.Status == ExportQueued || x.Status == ExportRunning || x.Status == ExportReady
}

// ExportEntry is an entry of an export, with the names of what it refers to.
type ExportEntry struct {
	TimeEntry
	User, Email           string // the address where whoever exports may see it
	Client, Project, Task string
	Tags                  []string
}

// ExportGroup is a leaf of an exported report in one currency.
type ExportGroup struct {
	Labels                   []string // one for each key
	Entries                  int64
	Seconds, BillableSeconds int64 // rounded as the report is
	ExactSeconds             int64
	AmountX3600              *big.Int
	Currency                 string
}
