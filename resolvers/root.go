package resolvers

import (
	"context"
	"time"

	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Config makes a [Root]. Every field but Now and Exports is required.
type Config struct {
	Store *store.Store
	Now   func() time.Time // nil: time.Now

	// MintToken is the text of a token, MintClaim that of an invitation and
	// ReadClaim what such a text says; ok is false for one that is not ours.
	MintToken func(timesheet.WorkspaceID, timesheet.Token) string
	MintClaim func(ws timesheet.WorkspaceID, user timesheet.UserID, claim int64) string
	ReadClaim func(text string) (ws timesheet.WorkspaceID, user timesheet.UserID, claim int64, ok bool)

	// Budget is what the person who asks may still spend, of how many points,
	// and how many come back a second.
	Budget func(context.Context) (available, size, restore float64)

	Exports Exports // the zero value: there are none
}

// Root resolves the whole schema.
type Root struct{ config Config }

var _ graph.ResolverRoot = (*Root)(nil)

// New returns the resolvers.
func New(c Config) *Root {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Root{config: c}
}

// The resolvers by type of the schema. Their methods are in files by subject.
type (
	query     struct{ Config }
	mutation  struct{ Config }
	viewer    struct{ Config }
	token     struct{}
	client    struct{}
	project   struct{}
	task      struct{}
	timeEntry struct{}
	weekRow   struct{}
	audit     struct{}

	reportExport struct{ Config }
	rate         struct{}
)

// Query resolves queries.
func (r *Root) Query() graph.QueryResolver { return query{r.config} }

// Mutation resolves mutations.
func (r *Root) Mutation() graph.MutationResolver { return mutation{r.config} }

// Viewer resolves who asks.
func (r *Root) Viewer() graph.ViewerResolver { return viewer{r.config} }

// Token resolves a token's references.
func (r *Root) Token() graph.TokenResolver { return token{} }

// Client resolves a client's references.
func (r *Root) Client() graph.ClientResolver { return client{} }

// Project resolves a project's references.
func (r *Root) Project() graph.ProjectResolver { return project{} }

// Task resolves a task's references.
func (r *Root) Task() graph.TaskResolver { return task{} }

// TimeEntry resolves an entry's references.
func (r *Root) TimeEntry() graph.TimeEntryResolver { return timeEntry{} }

// ReportExport resolves an export's link.
func (r *Root) ReportExport() graph.ReportExportResolver { return reportExport{r.config} }

// Rate resolves a rate's references.
func (r *Root) Rate() graph.RateResolver { return rate{} }

// AuditEvent resolves a change's references.
func (r *Root) AuditEvent() graph.AuditEventResolver { return audit{} }

// WeekRow resolves what a row of a week is about.
func (r *Root) WeekRow() graph.WeekRowResolver { return weekRow{} }
