package timesheet

import "time"

// ClientInput creates or changes a client.
type ClientInput struct {
	Name Opt[string]
}

// ProjectInput creates or changes a project.
type ProjectInput struct {
	Name     Opt[string]
	Client   Opt[*ClientID]
	Code     Opt[*string]
	Color    Opt[*string]
	Billable Opt[bool]
	// RateOrder holds each scope once; only to change.
	RateOrder Opt[[]RateScope]
}

// TaskInput creates or changes a task; Project is needed to create one.
type TaskInput struct {
	Project         ProjectID
	Name            Opt[string]
	Done            Opt[bool]
	Billable        Opt[*bool]
	EstimateSeconds Opt[*int64]
}

// TagInput creates or changes a tag.
type TagInput struct {
	Name Opt[string]
}

// EntryInput creates or changes a time entry.
type EntryInput struct {
	ID          *EntryID // minted by the client; only to create
	User        *UserID  // nil: the viewer; only to create
	Project     Opt[*ProjectID]
	Task        Opt[*TaskID]
	Tags        Opt[[]TagID]
	Start       Opt[time.Time]
	End         Opt[time.Time] // of a running timer: stops it
	Description Opt[string]
	Billable    Opt[bool] // not given: the task's, else the project's default
	Invoiced    Opt[bool] // only in bulk
}

// TimerInput starts a timer.
type TimerInput struct {
	ID          *EntryID
	Project     *ProjectID
	Task        *TaskID
	Tags        []TagID
	Description string
	Billable    *bool      // nil: the task's, else the project's default
	Start       *time.Time // nil: now
	IfRunning   IfRunning
}

// IfRunning says what starting a timer does to one that runs.
type IfRunning string

// A running timer is stopped at the new one's start unless the caller wants
// the start to fail.
const (
	IfRunningStop IfRunning = "STOP"
	IfRunningFail IfRunning = "FAIL"
)

// WorkspaceInput changes a workspace.
type WorkspaceInput struct {
	Name          Opt[string]
	WeekStart     Opt[time.Weekday]
	OverlapPolicy Opt[OverlapPolicy]
	TimeZone      Opt[string]
}

// BulkResult is what a bulk edit did to one entry.
type BulkResult struct {
	ID    EntryID
	Entry *TimeEntry // as it is now; nil where Error is set
	Error *Error
}

// ListFilter narrows a list of named things.
type ListFilter struct {
	Text     string // part of the name
	Archived *bool
	Client   *ClientID // projects only
	Roles    []Role    // users only
}

// ListOrder orders a list of named things.
type ListOrder string

// Lists are alphabetical unless the newest are wanted first.
const (
	OrderName   ListOrder = "NAME"
	OrderNewest ListOrder = "NEWEST"
)
