package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// run executes the operation. It returns when its last statement has ended,
// also where the client is gone: until then the seat is not free.
func (s *Server) run(ctx context.Context, r *request, opCtx *graphql.OperationContext, permit *limits.Permit, service timesheet.Service) (*graphql.Response, *fault) {
	r.op, r.started = store.NewOperation(1), time.Now()
	defer r.op.Close()
	if slot, ok := permit.Slot().(*store.Slot); ok {
		r.op.RunIn(slot)
	}
	if answer := s.documents.introspected(r.doc, r.vars); answer != nil {
		return answer, nil
	}
	ctx = timesheet.WithService(ctx, service)
	if permit.Step() >= limits.NoExtras {
		ctx = graph.WithShed(ctx, &r.without)
	}
	ctx = store.WithOperation(ctx, r.op)
	ctx = context.WithValue(ctx, accountKey{}, r.account)
	ctx = context.WithValue(ctx, requestKey{}, r)
	if r.viewer.User != 0 {
		ctx = timesheet.WithViewer(ctx, r.viewer)
		ctx = dataloader.With(ctx, dataloader.New(s.store, r.viewer))
	}
	if r.explain != nil {
		r.explain.watch(r.price, opCtx)
	}
	if statement, reads := s.keepSample(r); statement != "" {
		defer s.offerSample(r, statement, reads)
	}
	handler, ctx := s.exec.DispatchOperation(ctx, opCtx)
	resp := handler(ctx)
	if resp == nil || ctx.Err() != nil {
		return nil, s.stopped(ctx, r)
	}
	if f := s.wholeFault(ctx, r, resp.Errors); f != nil {
		return nil, f
	}
	if len(resp.Data) > maxResponse && r.doc.op.Operation == ast.Query {
		return nil, refuse(codeDocumentLimit, "the answer is larger than 4 MiB: ask for smaller pages").with("limit", "responseBytes").with("max", maxResponse).with("actual", len(resp.Data))
	}
	s.documents.remember(r.doc, r.vars, resp)
	return resp, nil
}

// maxResponse is the largest answer to a query in bytes. What a mutation has
// done is told whatever its size.
const maxResponse = 4 << 20

// serviceClass translates the gate's classes for store and resolvers, which
// do not know the gate.
var serviceClass = map[limits.Class]timesheet.Class{
	limits.Control:     timesheet.ClassControl,
	limits.Interactive: timesheet.ClassInteractive,
	limits.Report:      timesheet.ClassReport,
	limits.Background:  timesheet.ClassBackground,
}

// stopped is the answer to an operation that its deadline or its client ended.
func (s *Server) stopped(ctx context.Context, r *request) *fault {
	if errors.Is(context.Cause(ctx), errKilled) {
		return r.killed()
	}
	if s.health.away() {
		return r.uncertain(s.unavailable())
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return r.uncertain(refuse(codeDeadline, "the client went away").with("reason", "canceled"))
	}
	return r.uncertain(refuse(codeDeadline, fmt.Sprintf("the operation took longer than %s", s.deadlines[r.class])))
}

// wholeFault finds the error that fails a whole request: what befalls the
// database befalls all fields, and a client that retries must see it.
func (s *Server) wholeFault(ctx context.Context, r *request, errs gqlerror.List) *fault {
	for _, e := range errs {
		switch e.Extensions["code"] {
		case codeUnavailable:
			return r.uncertain(s.unavailable())
		case codeDeadline:
			return s.stopped(ctx, r)
		case codeUnauthenticated:
			return refuse(codeUnauthenticated, e.Message)
		}
	}
	return nil
}

// uncertain marks a mutation that may or may not have taken effect: a retry
// needs its idempotency key.
func (r *request) uncertain(f *fault) *fault {
	if r.doc.op.Operation == ast.Mutation {
		f.with("outcome", "unknown")
	}
	return f
}

// rowPoints is what a row that was read or written counts for beside its time.
const rowPoints = 0.02

// settle ends the permit and replaces the reserved points by what the database
// and the server have spent, and never by more than was quoted: the price is a
// contract, and a storm makes every statement slower than it was.
func (s *Server) settle(r *request, permit *limits.Permit, reserved *limits.Reservation, f *fault) {
	spent := s.spent(r)
	outcome := limits.Outcome{DB: r.op.Busy(), Statements: r.op.Statements(), Rows: int(r.op.Rows())}
	switch {
	case f != nil:
		outcome.Err = errors.New(f.code)
	case outcome.Statements > 0:
		s.health.answered.Add(1)
	}
	s.teach(r, permit, f)
	permit.Done(outcome)
	reserved.Settle(spent)
}

// spent is what the operation took, in points.
func (s *Server) spent(r *request) float64 {
	r.actual = min(millis(r.op.Busy())+rowPoints*float64(r.op.Rows()), r.price.Expected)
	if r.doc.inspects {
		r.actual = max(r.price.Expected, millis(time.Since(r.started))) // the processor's, and nobody else's
	}
	return r.actual
}
