package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/store"
	"headroom/timesheet"
)

// newExecutor is gqlgen's, which takes parsed documents from the context and
// hides what is internal.
func newExecutor(es graphql.ExecutableSchema, log *slog.Logger) *executor.Executor {
	e := executor.New(es)
	e.SetQueryCache(requestDocument{})
	e.SetErrorPresenter(presenter(log))
	e.SetRecoverFunc(recovered)
	return e
}

func presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error { return present(ctx, log, err) }
}

func recovered(_ context.Context, p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }

// Get implements graphql.Cache.
func (requestDocument) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	doc, ok := contextDocument(ctx)
	if !ok {
		return nil, false
	}
	return doc.doc, true
}

// Add implements graphql.Cache; documents are kept by the transport.
func (requestDocument) Add(context.Context, string, *ast.QueryDocument) {}

// present is what a client reads of a resolver's error: broken rules as they
// are, everything else by a code and the request's id.
func present(ctx context.Context, log *slog.Logger, err error) *gqlerror.Error {
	e := graphql.DefaultErrorPresenter(ctx, err)
	cause := errors.Unwrap(e)
	if cause == nil {
		return coded(e, codeBadUserInput) // the executor's own, about the input
	}
	var shown *gqlerror.Error
	if rule, ok := timesheet.AsError(cause); ok {
		e.Message = rule.Message
		if rule.Code == timesheet.CodeForbidden {
			return coded(e, codeForbidden)
		}
		e = coded(e, codeBadUserInput)
		if e.Extensions["rule"] = rule.Code; rule.Field != "" {
			e.Extensions["field"] = rule.Field
		}
		return e
	}
	switch {
	case errors.Is(cause, store.ErrNotKept), errors.Is(cause, store.ErrRehearsed):
		return coded(e, codeOverloaded) // nobody is shown it: a report is then made, a rehearsal only looks for broken rules
	case errors.Is(cause, store.ErrNoViewer):
		e.Message = "this field needs a token"
		return coded(e, codeUnauthenticated)
	case store.IsTimeout(cause) || errors.Is(cause, context.Canceled):
		e.Message = "the statement took too long"
		return coded(e, codeDeadline)
	case store.IsUnavailable(cause):
		e.Message = "the database is away"
		return coded(e, codeUnavailable)
	case errors.As(cause, &shown) && shown.Extensions["code"] != nil:
		return shown
	}
	id, who := "", who{}
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		id, who = r.id, whoAsks(r)
	}
	log.Error("a field failed", "request", id, "operation", who.operation, "client", who.client, "workspace", int64(who.tenant), "path", e.Path.String(), "error", cause)
	e.Message = "internal error"
	coded(e, codeInternal).Extensions["requestId"] = id
	return e
}

func coded(e *gqlerror.Error, code string) *gqlerror.Error {
	if e.Extensions == nil {
		e.Extensions = map[string]any{}
	}
	e.Extensions["code"] = code
	return e
}

// brokeDown reports whether a field of an answer failed for a reason of ours.
func brokeDown(resp *graphql.Response) bool {
	return slices.ContainsFunc(resp.Errors, func(e *gqlerror.Error) bool { return e.Extensions["code"] == codeInternal })
}

// internal is the answer to a failure of the server itself.
func (s *Server) internal(id string) *fault {
	return refuse(codeInternal, "internal error").with("requestId", id)
}
