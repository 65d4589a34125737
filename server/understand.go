package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/limits"
)

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
func (s *Server) checkDebt(r *request) *fault {
	short := r.account.debt()
	if short == nil || s.mode.of(RuleBudgets) != Enforce {
		return nil
	}
	s.holdDebt(r)
	if r.account.short = r.account.debt(); r.account.short == nil { // paid off meanwhile: it may come back at once
		short.RetryAfter, short.Available = 0, 0
		r.account.short = short
	}
	return r.throttled()
}

// coerce reads the variables by the document's types. The executor finds the
// document through documentKey and parses nothing.
func (s *Server) coerce(r *request, p params) (*graphql.OperationContext, *fault) {
	began := time.Now()
	defer func() { r.timings.coerce = time.Since(began) }()
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
