package timesheet

import "time"

// Workspace is a tenant: the people of one company and what they track.
type Workspace struct {
	ID            WorkspaceID
	Name          string
	TimeZone      string // IANA name; decides the day of an entry
	WeekStart     time.Weekday
	Currency      string // ISO 4217
	OverlapPolicy OverlapPolicy
	LockedThrough *Date // the last day of closed books; nil: none are
	// PendingTimeZone is the zone that entries are being moved to; nil: none.
	PendingTimeZone *string
	Version         int
	RollupDrifted   bool // the sums of months are known to be wrong
}

// Locked tells whether a day is in closed books.
func (w Workspace) Locked(day Date) bool { return w.LockedThrough != nil && day <= *w.LockedThrough }

// OverlapPolicy says what happens to an entry that overlaps another one of the
// same person.
type OverlapPolicy string

// Overlaps are allowed by default: a third of real neighbours overlap.
const (
	OverlapAllow  OverlapPolicy = "ALLOW"
	OverlapWarn   OverlapPolicy = "WARN"
	OverlapReject OverlapPolicy = "REJECT"
)

// User is a person in one workspace.
type User struct {
	ID      UserID
	Name    string
	Email   *string
	Role    Role
	Deleted bool // removed from the workspace
	Version int
}

// Client is whom projects are done for.
type Client struct {
	ID       ClientID
	Name     string
	Archived bool
	Deleted  bool
	Version  int
}

// Project groups tasks and entries.
type Project struct {
	ID       ProjectID
	ClientID *ClientID
	Name     string
	Code     *string
	Color    *string // #rrggbb
	Archived bool
	Deleted  bool
	Billable bool
	// RateOrder is the order in which scopes are asked for an hourly rate.
	RateOrder []RateScope
	Version   int
}

// Task is a part of one project.
type Task struct {
	ID              TaskID
	ProjectID       ProjectID
	Name            string
	Done            bool
	Archived        bool
	Deleted         bool
	Billable        *bool // nil: as the project
	EstimateSeconds *int64
	Version         int
}

// Tag labels entries across projects.
type Tag struct {
	ID       TagID
	Name     string
	Archived bool
	Deleted  bool
	Version  int
}

// TimeEntry is a span of one person's work; without an end it is the running
// timer.
type TimeEntry struct {
	ID          EntryID
	UserID      UserID
	ProjectID   *ProjectID
	TaskID      *TaskID
	TagIDs      []TagID
	StartedAt   time.Time
	EndedAt     *time.Time
	Seconds     *int64 // nil while it runs
	Day         Date   // of the start, in the workspace's zone
	Description string
	Billable    bool
	AmountX3600 *int64 // seconds x hourly rate in minor units; nil while it runs
	CostX3600   int64  // in the workspace's currency; 0 while it runs
	Currency    string // of what is billed
	Invoiced    bool
	Deleted     bool
	Version     int
}

// Bounds of a time entry.
const (
	MaxEntry       = 7 * 24 * time.Hour // a longer entry is refused
	ReviewEntry    = 24 * time.Hour     // a longer one is accepted with a warning
	MaxFuture      = 366 * 24 * time.Hour
	ClockTolerance = 2 * time.Minute // how far a device's clock may be ahead
	MaxDescription = 3000            // characters
	MaxName        = 255             // characters
	MaxTags        = 50              // of one entry
	MaxBulk        = 1000            // entries of one bulk edit
	MaxDayEntries  = 200             // entries of one day view
	MaxWeekRows    = 200             // rows of one week grid
)

// FirstStart is the earliest start an entry may have.
var FirstStart = time.Unix(0, 0).UTC()

// Token is a credential of one person in one workspace. Its secret is not
// stored: the text is authenticated by the server's key.
type Token struct {
	ID        TokenID
	UserID    UserID
	Name      string
	Scope     Scope
	CreatedAt time.Time
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// Scope is what a token may be used for.
type Scope string

// A read token cannot run mutations.
const (
	ScopeRead  Scope = "READ"
	ScopeWrite Scope = "WRITE"
)

// AuditEvent is one change, kept for the owners of a workspace.
type AuditEvent struct {
	ID       int64
	At       time.Time
	ActorID  *UserID
	TokenID  *TokenID
	Action   string // the mutation's name
	Entity   string // the changed object's type
	EntityID string // its key within the type
	Changes  string // JSON object of the input's fields
}

// Totals sum up entries. Amounts of different currencies are never added.
type Totals struct {
	ExactSeconds    int64
	Seconds         int64
	BillableSeconds int64
	EntryCount      int64
	Amounts         []Money // by currency, in alphabetical order
}

// Week is a person's week by what they worked on.
type Week struct {
	First     Date      // its first day
	Rows      []WeekRow // the most time first, at most MaxWeekRows
	Truncated bool
	Totals    Totals // of the whole week, also when truncated; without the running timer
}

// WeekRow is a week's work on one task, or on a project without a task.
type WeekRow struct {
	ProjectID *ProjectID
	TaskID    *TaskID
	Days      []int64 // seconds of each of the seven days
	Seconds   int64
}

// Day is what an app shows at start.
type Day struct {
	Day       Date
	Entries   []TimeEntry // oldest first, at most MaxDayEntries
	Truncated bool
	Totals    Totals // of the whole day, also when truncated; without the running timer
	Running   *TimeEntry
}
