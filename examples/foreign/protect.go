package foreign

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"headroom/limits"
)

// Limits is a gqlgen extension that protects queries and mutations: give it to
// Server.Use. A server with many requests keeps the formulas by their text
// instead of compiling one for each.
type Limits struct {
	Schema *ast.Schema
	Guard  limits.Guard
	Caps   limits.Caps
	Budget *limits.Budget
	Gate   limits.Gate
	Caller func(context.Context) string // whose points are spent
}

// ExtensionName implements graphql.HandlerExtension.
func (*Limits) ExtensionName() string { return "limits" }

// Validate refuses a schema with lists that nobody can price.
func (l *Limits) Validate(graphql.ExecutableSchema) error { return limits.CheckSchema(l.Schema) }

// MutateOperationParameters looks at a document before it is validated. What
// cannot be parsed is left to gqlgen, which says why.
func (l *Limits) MutateOperationParameters(_ context.Context, p *graphql.RawParams) *gqlerror.Error {
	if doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: p.Query}, 1000); err == nil {
		if over := l.Guard.Check(doc, p.OperationName); over != nil {
			return gqlerror.WrapIfUnwrapped(over)
		}
	}
	return nil
}

// InterceptOperation prices an operation, and runs it when it may.
func (l *Limits) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	formula, err := limits.Compile(l.Schema, op.Doc, op.OperationName)
	if err != nil {
		return refuse("DOCUMENT_LIMIT_EXCEEDED", err.Error(), nil)
	}
	price := formula.Price(op.Variables, nil)
	if wrong := price.Invalid; wrong != nil {
		return refuse("COST_INVALID_SLICING_ARGUMENTS", wrong.Error(), wrong.Arguments)
	}
	if over := l.Caps.Check(formula, price, op.Variables, nil); over != nil {
		return refuse("COST_ESTIMATED_TOO_EXPENSIVE", over.Error(), over.Suggestions)
	}
	points, short := limits.Reserve(price.Expected, limits.Account{Budget: l.Budget, Key: l.Caller(ctx)})
	if short != nil {
		return refuse("THROTTLED", "your budget is short, come back in so many seconds", short.RetryAfter.Seconds())
	}
	permit, full := l.Gate.Admit(ctx, limits.Request{Class: limits.Classify(price, limits.Control), Tenant: l.Caller(ctx), Work: price.Work, Deadline: time.Now().Add(2 * time.Second)})
	if full != nil {
		points.Cancel()
		return refuse("OVERLOADED", "come back in so many seconds", full.RetryAfter.Seconds())
	}
	defer points.Settle(price.Expected)
	defer permit.Done(limits.Outcome{})
	return graphql.OneShot(next(ctx)(ctx))
}

func refuse(code, message string, help any) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{{Message: message, Extensions: map[string]any{"code": code, "help": help}}}})
}
