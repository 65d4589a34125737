package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
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
	explain *explanation // of each field, where it was asked for
	timings timings
	started time.Time // of the execution
	op      *store.Operation
	refusal *limits.Refusal // the gate's
	without graph.Shed      // what the answer lacks
	actual  float64         // points, once it has run
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
	if s.health.away() {
		return nil, s.unavailable()
	}
	if f := s.checkBlocks(r); f != nil {
		return nil, f
	}
	reserved, f := s.reserve(r)
	if f != nil {
		return nil, f
	}
	defer reserved.Cancel() // a no-op once it is settled: refusals cost nothing
	if resp := s.keptFirst(ctx, r, opCtx); resp != nil {
		reserved.Settle(s.spent(r))
		return resp, nil
	}
	deadline := r.arrived.Add(s.deadlines[r.class])
	permit, f := s.admit(ctx, r, deadline)
	if f != nil {
		reserved.Cancel()
		s.holdEarly(r, f)
		return nil, f
	}
	defer permit.Drop()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	s.lookout.begin(r, s.now())
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
	if f := s.checkDebt(ctx, r); f != nil {
		return nil, f
	}
	p, f := decode(r.Request, &r.timings)
	if f != nil {
		return nil, f
	}
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
	if asksToExplain(p) {
		r.explain = &explanation{}
	}
	return opCtx, s.quote(r)
}

// find returns the document that a request sends or names by its id.
func (s *Server) find(ctx context.Context, r *request, p *params) (*document, *fault) {
	if doc, f := s.persisted.resolve(p); doc != nil || f != nil {
		return doc, f
	}
	if f := s.unread(p); f != nil {
		return nil, f
	}
	return s.documents.find(ctx, *p, &r.timings)
}

// unread refuses a document that would have to be parsed while so many wait that
// it could not run: reading it is the server's own time. One that may stop a timer
// is read all the same.
func (s *Server) unread(p *params) *fault {
	if !s.static.Full(limits.Interactive) || s.documents.cached(documentKeyOf(p.operation, p.query)) != nil || strings.Contains(p.query, "stopTimer") {
		return nil
	}
	return refuse(codeOverloaded, "the server is busy: documents that it does not know have to wait").
		with("class", limits.Interactive.String()).with("reason", limits.QueueFull.String()).retry(jitter(2 * time.Second))
}

// checkHeaders refuses what needs no look at the body.
func (s *Server) checkHeaders(r *request) (f *fault) {
	media, ok := negotiate(r.Header.Values("Accept"))
	if !ok {
		return refuse(codeNotAcceptable, "answers are "+mediaGraphQL+" or "+mediaJSON)
	}
	r.media = media
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		return refuse(codeMethod, "send queries by POST or GET")
	}
	return checkContentType(r.Request)
}

// checkDebt refuses a client that owes points for documents that were refused.
// The refusal is held back a moment, so that one that does nothing else cannot
// spend the server's time on refusals either.
func (s *Server) checkDebt(ctx context.Context, r *request) *fault {
	short := r.account.debt()
	if short == nil || s.mode.of(RuleBudgets) != Enforce {
		return nil
	}
	s.holdDebt(ctx, r.account.front.Key)
	return throttled(short)
}

// coerce reads the variables by the document's types. The executor finds the
// document through documentKey and parses nothing.
func (s *Server) coerce(r *request, p params) (*graphql.OperationContext, *fault) {
	ctx := context.WithValue(graphql.StartOperationTrace(r.Context()), documentKey{}, r.doc)
	if errs := checkVariables(ctx, s.documents.schema, r.doc.op, p.variables); len(errs) > 0 {
		return nil, unfit(errs)
	}
	opCtx, errs := s.exec.CreateOperationContext(ctx, &graphql.RawParams{
		Query: p.query, OperationName: p.operation, Variables: p.variables, Headers: r.Header,
	})
	if len(errs) > 0 {
		return nil, unfit(errs)
	}
	r.vars = opCtx.Variables
	opCtx.DisableIntrospection = false // decided by authorize
	return opCtx, nil
}

func unfit(errs gqlerror.List) *fault {
	f := refuse(codeBadUserInput, "the variables do not fit the document")
	f.errors = errs[:min(len(errs), maxErrors)]
	return f
}

// quote prices the operation and compares it with what one may cost.
// Lists without a usable size have no price and are refused.
func (s *Server) quote(r *request) *fault {
	began := time.Now()
	r.est = s.estimatorFor(r.viewer)
	r.price = r.doc.formula.Price(r.vars, r.est)
	r.price.Work = s.work.Forecast(&r.price)
	asked := limits.Control
	if r.Header.Get("X-Headroom-Class") == limits.Background.String() {
		asked = limits.Background
	}
	r.class = classOf(r.doc.op.Operation, r.price, asked)
	if r.over = s.caps.Check(r.doc.formula, r.price, r.vars, r.est); r.over != nil {
		s.suggestExport(r, r.over)
	}
	r.timings.price = time.Since(began)
	if bad := r.price.Invalid; bad != nil {
		r.price = limits.Price{} // there is no price to tell
		return refuse(codeSlicing, bad.Error()).with("path", bad.Path).with("arguments", bad.Arguments)
	}
	return nil
}

// classOf is the class of an operation of this price.
func classOf(kind ast.Operation, p limits.Price, asked limits.Class) limits.Class {
	class := limits.Classify(p, asked)
	if class == limits.Report && kind == ast.Mutation {
		return limits.Background // the pool of reports only reads
	}
	return class
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
		with("estimated", round(over.Estimated)).with("max", over.Max).with("unit", over.Unit).with("suggestions", over.Suggestions)
}

// reserve takes the operation's points from the budgets of person and
// workspace.
func (s *Server) reserve(r *request) (*limits.Reservation, *fault) {
	if s.mode.Mode == Off {
		return &limits.Reservation{}, nil
	}
	reserved, short := r.account.reserve(r.price.Expected)
	if short == nil {
		return reserved, nil
	}
	r.account.short = short
	s.metrics.budget.WithLabelValues("refused").Add(r.price.Expected)
	s.metrics.refused(r.class, codeThrottled, s.mode.of(RuleBudgets))
	if s.mode.of(RuleBudgets) == Measure {
		return &limits.Reservation{}, nil
	}
	return nil, throttled(short)
}

func throttled(short *limits.Shortage) *fault {
	return refuse(codeThrottled, fmt.Sprintf("the budget of %s points is used up for the moment; it restores %g a second", text(short.Rate.Size), short.Rate.Restore)).
		with("cost", round(short.Cost)).retry(short.RetryAfter)
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
	r.timings.queue = time.Since(began)
	if refusal == nil {
		return permit, nil
	}
	r.refusal = refusal
	s.metrics.refusedAfter(r.class, r.timings.queue)
	if refusal.Early > 0 {
		s.charge(r, refusalPoints) // it was told when, and came before
	}
	code := codeOverloaded
	if refusal.Reason == limits.Expired {
		code = codeDeadline
	}
	f := refuse(code, fmt.Sprintf("the server is busy: %s operations have to wait", refusal.Class)).
		with("class", refusal.Class.String()).with("reason", refusal.Reason.String()).retry(refusal.RetryAfter)
	f.status = http.StatusServiceUnavailable
	if split, mixed := limits.SuggestSplit(r.price); mixed {
		f.with("suggestions", []limits.Suggestion{split})
	}
	return nil, f
}

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
	ctx = context.WithValue(ctx, requestIDKey{}, r.id)
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
