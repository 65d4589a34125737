package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// auditOrder is newest first: ids come from a sequence.
var auditOrder = keyset[timesheet.AuditEvent]{
	name: "audit", columns: []string{"a.id"}, types: []string{"bigint"}, desc: true,
	values: func(e timesheet.AuditEvent) []string { return []string{strconv.FormatInt(e.ID, 10)} },
}

func auditStatement(v timesheet.Viewer, p timesheet.Page) (string, arguments, error) {
	args := arguments{v.Workspace.ID}
	where, tail, err := auditOrder.window(p, &args)
	return `/* auditLog */
SELECT a.id, a.at, a.actor_id, a.token_id, a.action, a.entity, a.entity_id, a.changes::text
FROM audit a
WHERE a.workspace_id = $1` + where + tail, args, err
}

const countAudit = `/* countAudit */
SELECT count(*)
FROM audit
WHERE workspace_id = $1`

// AuditLog lists what was changed in the workspace, newest first, for owners
// and admins.
func (s *Store) AuditLog(ctx context.Context, v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.AuditEvent], error) {
	var none timesheet.Connection[timesheet.AuditEvent]
	if !v.Admin() {
		return none, timesheet.Errorf(timesheet.CodeForbidden, "", "only owners and admins read the audit log")
	}
	sql, args, err := auditStatement(v, p)
	if err != nil {
		return none, err
	}
	events, err := list(ctx, s, pgx.RowToStructByPos[timesheet.AuditEvent], sql, args...)
	if err != nil {
		return none, fmt.Errorf("list the audit log: %w", err)
	}
	log := auditOrder.page(p, events)
	log.Total = func(ctx context.Context) (int, error) { return s.count(ctx, countAudit, v.Workspace.ID) }
	return log, nil
}
