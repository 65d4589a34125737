package graph

import (
	"time"

	"headroom/timesheet"
)

// Payload is what a mutation answers: what it has written, or the rules that
// its input broke. Value is nil where nothing was written, except that a
// version conflict shows the object as it is now.
type Payload[T any] struct {
	Value      *T
	UserErrors []UserError
	Warnings   []UserError
}

// The payloads by what they hold; gqlgen.yml names the mutations.
type (
	WorkspacePayload = Payload[timesheet.Workspace]
	UserPayload      = Payload[timesheet.User]
	ClientPayload    = Payload[timesheet.Client]
	ProjectPayload   = Payload[timesheet.Project]
	TaskPayload      = Payload[timesheet.Task]
	TagPayload       = Payload[timesheet.Tag]
	TimeEntryPayload = Payload[timesheet.TimeEntry]
	ExportPayload    = Payload[timesheet.Export]

	UserDeleted      = Payload[timesheet.UserID]
	ClientDeleted    = Payload[timesheet.ClientID]
	ProjectDeleted   = Payload[timesheet.ProjectID]
	TaskDeleted      = Payload[timesheet.TaskID]
	TagDeleted       = Payload[timesheet.TagID]
	TimeEntryDeleted = Payload[timesheet.EntryID]
	TokenDeleted     = Payload[timesheet.TokenID]
)

// StartTimerPayload also holds the timer that ran before.
type StartTimerPayload struct {
	TimeEntryPayload
	Stopped *timesheet.TimeEntry
}

// InviteMemberPayload also holds the claim, which is shown this once.
type InviteMemberPayload struct {
	UserPayload
	Claim     *string
	ExpiresAt *time.Time
}

// ClaimInvitePayload also holds the text of the person's first token.
type ClaimInvitePayload struct {
	UserPayload
	Token *string
}

// CreateTokenPayload also holds the token's text, which is shown this once.
type CreateTokenPayload struct {
	Payload[timesheet.Token]
	Text *string
}

// BulkEditPayload tells what became of each entry, in the order of the input.
type BulkEditPayload struct {
	Results    []BulkEditResult
	UserErrors []UserError
	Warnings   []UserError
}

// BulkEditResult is what a bulk edit did to one entry.
type BulkEditResult struct {
	ID         ID // as it was sent
	TimeEntry  *timesheet.TimeEntry
	UserErrors []UserError
}

// SetRatePayload tells the rate and how many entries it has repriced.
type SetRatePayload struct {
	Rate       *timesheet.Rate
	Repriced   *int
	UserErrors []UserError
	Warnings   []UserError
}

// UserError is a broken rule as the schema shows it.
type UserError struct{ *timesheet.Error }

// Field is the input's field to blame, nil for none.
func (e UserError) Field() *string {
	if e.Error.Field == "" {
		return nil
	}
	return &e.Error.Field
}
