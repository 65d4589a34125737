package graph

import (
	"context"

	"headroom/timesheet"
)

// Connection is a page of a list as Relay has it.
type Connection[T any] timesheet.Connection[T]

// Edge is an item of a page with its cursor.
type Edge[T any] struct {
	Cursor string
	Node   T
}

// PageInfo says where a page stands in its list.
type PageInfo struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string // nil for an empty page
}

// The connections and edges of the schema, under the names it gives them.
type (
	UserConnection         = Connection[timesheet.User]
	ClientConnection       = Connection[timesheet.Client]
	ProjectConnection      = Connection[timesheet.Project]
	TaskConnection         = Connection[timesheet.Task]
	TagConnection          = Connection[timesheet.Tag]
	TimeEntryConnection    = Connection[timesheet.TimeEntry]
	RateConnection         = Connection[timesheet.Rate]
	ReportExportConnection = Connection[timesheet.Export]
	AuditConnection        = Connection[AuditEvent]

	UserEdge         = Edge[timesheet.User]
	ClientEdge       = Edge[timesheet.Client]
	ProjectEdge      = Edge[timesheet.Project]
	TaskEdge         = Edge[timesheet.Task]
	TagEdge          = Edge[timesheet.Tag]
	TimeEntryEdge    = Edge[timesheet.TimeEntry]
	RateEdge         = Edge[timesheet.Rate]
	ReportExportEdge = Edge[timesheet.Export]
	AuditEdge        = Edge[AuditEvent]
)

// Edges are the nodes with their cursors.
func (c Connection[T]) Edges() []Edge[T] {
	edges := make([]Edge[T], len(c.Nodes))
	for i, node := range c.Nodes {
		edges[i] = Edge[T]{Cursor: c.Cursor(i), Node: node}
	}
	return edges
}

// PageInfo is where the page stands.
func (c Connection[T]) PageInfo() PageInfo {
	info := PageInfo{HasNextPage: c.HasNextPage, HasPreviousPage: c.HasPreviousPage}
	if n := len(c.Nodes); n > 0 {
		info.StartCursor, info.EndCursor = new(c.Cursor(0)), new(c.Cursor(n-1))
	}
	return info
}

// TotalCount counts the whole list, which is a statement of its own; nil where
// the list cannot be counted, or while the server sheds load.
func (c Connection[T]) TotalCount(ctx context.Context) (*int, error) {
	if c.Total == nil || Sheds(ctx) {
		return nil, nil
	}
	n, err := c.Total(ctx)
	if err != nil {
		return nil, err
	}
	return &n, nil
}
