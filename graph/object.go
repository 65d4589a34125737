package graph

import (
	"strconv"

	"headroom/timesheet"
)

// Node is a value of one of the types that implement Node in the schema: a
// timesheet.Project, a *timesheet.TimeEntry and so on, or nil.
type Node any

// CostBudget is what a person may still spend, in points.
type CostBudget struct {
	MaximumAvailable   float64
	CurrentlyAvailable float64
	RestoreRate        float64 // points a second
}

// AuditEvent is one change as the schema shows it.
type AuditEvent struct{ timesheet.AuditEvent }

// ID is the event's own.
func (e AuditEvent) ID() ID { return newID("AuditEvent", strconv.FormatInt(e.AuditEvent.ID, 10)) }

// EntityID is the id of the changed object, as that object shows it.
func (e AuditEvent) EntityID() ID { return newID(e.Entity, e.AuditEvent.EntityID) }
