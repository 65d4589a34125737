package server

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"headroom/limits"
	"headroom/timesheet"
)

// rung is where the gate stands on the ladder of brownouts for a workspace.
func (s *Server) rung(tenant string) limits.Step {
	if s.adaptive == nil {
		return limits.Normal
	}
	return s.adaptive.Rung(tenant)
}

// keptFirst answers reports that may be older from those that are kept, without a
// seat of their class, once the gate wants it so. It returns nil where none is
// kept, where the operation asks for anything else, or where there is no seat: then
// the operation takes its usual way.
func (s *Server) keptFirst(ctx context.Context, r *request, opCtx *graphql.OperationContext) *graphql.Response {
	if r.class != limits.Report || r.explain != nil || s.rung(r.account.tenant) < limits.KeptReports || !onlyReports(r.price) {
		return nil
	}
	deadline := time.Now().Add(s.deadlines[limits.Interactive])
	permit, refusal := s.gate.Admit(ctx, limits.Request{
		Class: limits.Interactive, Tenant: r.account.tenant, Client: r.account.front.Key, Work: keptWork, Deadline: deadline,
	})
	if refusal != nil {
		return nil
	}
	defer permit.Drop()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	resp, f := s.run(ctx, r, opCtx, permit, asKept)
	if f != nil || len(resp.Errors) > 0 {
		return nil
	}
	return resp
}

// asKept has the store give kept reports only.
var asKept = timesheet.Service{Class: timesheet.ClassInteractive, KeptOnly: true}

// keptWork is about what it takes to see whether a report is fresh enough.
const keptWork = time.Millisecond

// onlyReports tells whether all root fields are reports that can be kept.
func onlyReports(p limits.Price) bool {
	return !slices.ContainsFunc(p.Fields, func(f limits.FieldPrice) bool {
		return f.Root && f.Coordinate != "Query.timesheetReport"
	})
}

// readOnly refuses writes on the rung of that name. Stopping a timer is none of
// them: it has a class of its own.
func (s *Server) readOnly(r *request) *fault {
	if r.doc.op.Operation != ast.Mutation || r.class == limits.Control || s.rung(r.account.tenant) < limits.ReadOnly {
		return nil
	}
	return refuse(codeReadOnly, "the server only reads for the moment, and stops timers").retry(jitter(readOnlyRetry))
}

const readOnlyRetry = 5 * time.Second

// shedField is a field that was left out, as extensions.shed tells it.
type shedField struct {
	Path   ast.Path `json:"path"`
	Reason string   `json:"reason"`
}

// shed lists what the answer lacks.
func (r *request) shed() (out []shedField) {
	for _, path := range r.without.Paths() {
		out = append(out, shedField{Path: path, Reason: codeOverloaded})
	}
	return out
}
