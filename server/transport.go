package server

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/graph"
	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// request is one GraphQL request on its way through the server.
type request struct {
	*http.Request
	id      string
	arrived time.Time
	media   string // of the answer
	client  string // the program that asks, as it calls itself
	token   *credential
	viewer  timesheet.Viewer // once the document is known to need one
	account account
	doc     *document
	vars    map[string]any
	est     limits.Estimator
	price   limits.Price
	over    *limits.CostError // what is too much for one operation
	class   limits.Class
	explain *explanation  // of each field, where it was asked for
	wrong   gqlerror.List // of a preview: what resolvers refuse of the arguments
	timings timings
	started time.Time // of the execution
	op      *store.Operation
	refusal *limits.Refusal // the gate's
	held    bool            // until its time, and asked again
	without graph.Shed      // what the answer lacks
	actual  float64         // points, once it has run
	leaves  bool            // its connection ends with the answer
	parked  time.Duration   // for how long its answer was held back
	broke   bool            // a field of its answer failed for a reason of ours

	standing     []budgetState // what header and body tell of the budgets, from states
	standingRoom [3]budgetState
}

// do answers one GraphQL request. Read it from top to bottom: the checks stand
// in order of their price, and nothing touches the database before a permit is
// held, but for a member's role that is not yet cached.
func (s *Server) do(ctx context.Context, r *request) (*graphql.Response, *fault) {
	opCtx, f := s.understand(ctx, r)
	if f != nil {
		return nil, f
	}
	if f := s.judge(r); f != nil {
		return nil, f
	}
	if f := s.shut(r); f != nil {
		return nil, f
	}
	reserved, f := s.reserve(r)
	if f != nil {
		return nil, f
	}
	defer func() { reserved.Cancel() }() // a no-op once it is settled: refusals cost nothing
	if resp := s.keptFirst(ctx, r, opCtx); resp != nil {
		reserved.Settle(s.spent(r))
		return resp, nil
	}
	permit, deadline, f := s.enter(ctx, r, &reserved)
	if f != nil {
		return nil, f
	}
	defer permit.Drop()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s.lookout.begin(r, s.now(), end)
	defer s.lookout.end(r)
	resp, f := s.run(ctx, r, opCtx, permit, timesheet.Service{Class: serviceClass[r.class]})
	s.settle(r, permit, reserved, f)
	return resp, f
}

// understand goes as far as the price, which is all that a preview needs.
func (s *Server) understand(ctx context.Context, r *request) (*graphql.OperationContext, *fault) {
	if f := s.checkHeaders(r); f != nil {
		return nil, f
	}
	if f := s.authenticate(r); f != nil {
		return nil, f
	}
	if f := s.checkDebt(r); f != nil {
		return nil, f
	}
	p, f := decode(r.Request, &r.timings)
	if f != nil {
		return nil, f
	}
	cameWhole(ctx)
	if r.doc, f = s.find(ctx, r, &p); f != nil {
		return nil, f
	}
	if r.Method == http.MethodGet && r.doc.op.Operation == ast.Mutation {
		return nil, refuse(codeMethod, "mutations are sent by POST")
	}
	if f := s.authorize(ctx, r); f != nil {
		return nil, f
	}
	if r.token != nil {
		s.persisted.remember(p, r.account.budgets[0].Key)
	}
	opCtx, f := s.coerce(r, p)
	if f != nil {
		return nil, f
	}
	explain, f := asksToExplain(p)
	if f != nil {
		return nil, f
	}
	if explain {
		r.explain = &explanation{}
	}
	return opCtx, s.quote(r)
}

// judge refuses what is too much for one operation.
func (s *Server) judge(r *request) *fault {
	over := r.over
	if over == nil {
		return nil
	}
	s.metrics.refused(r.class, codeTooExpensive, s.mode.of(RuleCaps))
	if s.mode.of(RuleCaps) == Measure {
		return nil
	}
	return refuse(codeTooExpensive, over.Error()).
		with("estimated", round(over.Estimated)).with("max", over.Max).with("unit", over.Unit).with("suggestions", append([]limits.Suggestion{}, over.Suggestions...)) // a list, be it empty
}

// reserve takes the operation's points from the budgets of person and
// workspace. Whoever stops a timer needs none: time that was worked would be lost.
func (s *Server) reserve(r *request) (*limits.Reservation, *fault) {
	if s.mode.Mode == Off {
		return &limits.Reservation{}, nil
	}
	reserved, short := r.account.reserve(r.price.Expected)
	if short == nil {
		return reserved, nil
	}
	if r.class == limits.Control {
		return &limits.Reservation{}, nil
	}
	r.account.short = short
	s.metrics.budget.WithLabelValues("refused").Add(r.price.Expected)
	s.metrics.refused(r.class, codeThrottled, s.mode.of(RuleBudgets))
	if s.mode.of(RuleBudgets) == Measure {
		return &limits.Reservation{}, nil
	}
	return nil, r.throttled()
}

// shut refuses everybody while the database is away, and those whom people have blocked.
func (s *Server) shut(r *request) *fault {
	if s.health.away() {
		return s.unavailable()
	}
	return s.checkBlocks(r)
}

// enter asks the gate for a permit, and says until when it may be used. Who came before
// the time that it was told is held until then and asks once more in place of being
// refused: whoever does not read times would only come again, or not at all.
func (s *Server) enter(ctx context.Context, r *request, reserved **limits.Reservation) (*limits.Permit, time.Time, *fault) {
	for deadline := r.arrived.Add(s.deadlines[r.class]); ; {
		permit, f := s.admit(ctx, r, deadline)
		if f == nil {
			return permit, deadline, nil
		}
		(*reserved).Cancel() // held operations hold no points
		if !s.holdEarly(r, f) {
			return nil, deadline, f
		}
		r.refusal, r.held = nil, true
		if f := s.shut(r); f != nil { // since it was held
			return nil, deadline, f
		}
		again, short := s.reserve(r)
		if short != nil {
			return nil, deadline, short
		}
		*reserved = again
		if least := time.Now().Add(s.deadlines[limits.Interactive]); least.After(deadline) {
			deadline = least
		}
	}
}

// admit asks the gate for a permit and waits at most until the deadline.
func (s *Server) admit(ctx context.Context, r *request, deadline time.Time) (*limits.Permit, *fault) {
	if f := s.readOnly(r); f != nil {
		return nil, f
	}
	began := time.Now()
	permit, refusal := s.deciding().Admit(ctx, limits.Request{
		Class: r.class, Tenant: r.account.tenant, Client: r.account.front.Key, Work: r.price.Work, Deadline: deadline,
	})
	waited := time.Since(began)
	r.timings.queue += waited // who is held asks twice
	if refusal == nil {
		return permit, nil
	}
	r.refusal = refusal
	s.metrics.refusedAfter(r.class, waited)
	if refusal.Early > 0 && !r.held {
		s.charge(r, refusalPoints) // it was told when, and came before
	}
	code := codeOverloaded
	if refusal.Reason == limits.Expired {
		code = codeDeadline
	}
	f := refuse(code, "the server is busy: "+refusal.Class.String()+" operations have to wait").
		with("class", refusal.Class.String()).with("reason", refusal.Reason.String()).retry(refusal.RetryAfter)
	f.status = http.StatusServiceUnavailable
	if split, mixed := limits.SuggestSplit(r.price); mixed {
		f.with("suggestions", []limits.Suggestion{split})
	}
	return nil, f
}
