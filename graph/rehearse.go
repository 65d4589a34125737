package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"headroom/timesheet"
)

// Rehearse calls the resolver of every field of an operation that takes arguments,
// once each and, below the roots, for an object that nobody has read. What they
// refuse is found by [graphql.GetErrors], at the places that the fields have in the
// document. Mutations are not called, nor is introspection. ctx has to hold the
// operation, a response, and what resolvers need; es is of [NewExecutableSchema].
func Rehearse(ctx context.Context, es graphql.ExecutableSchema) {
	oc := graphql.GetOperationContext(ctx)
	r := rehearsal{ec: newExecutionContext(oc, es.(*executableSchema), nil), schema: es.Schema()}
	root := r.schema.Query
	if oc.Operation.Operation == ast.Mutation {
		root = r.schema.Mutation
	}
	r.object(ctx, root, oc.Operation.SelectionSet)
}

// answers give a selection of an object of a type whose fields take arguments.
var answers = map[string]func(*executionContext, context.Context, ast.SelectionSet){
	"Query": func(ec *executionContext, ctx context.Context, set ast.SelectionSet) { ec._Query(ctx, set) },
	"Client": func(ec *executionContext, ctx context.Context, set ast.SelectionSet) {
		ec._Client(ctx, set, &timesheet.Client{})
	},
	"Project": func(ec *executionContext, ctx context.Context, set ast.SelectionSet) {
		ec._Project(ctx, set, &timesheet.Project{})
	},
}

type rehearsal struct {
	ec     *executionContext
	schema *ast.Schema
	sets   []ast.SelectionSet // stay in memory: gqlgen knows them by their addresses
}

func (r *rehearsal) object(ctx context.Context, def *ast.Definition, set ast.SelectionSet) {
	answer := answers[def.Name]
	for _, field := range graphql.CollectFields(r.ec.OperationContext, set, append([]string{def.Name}, def.Interfaces...)) {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		if answer != nil && len(field.Definition.Arguments) > 0 {
			alone := ast.SelectionSet{field.Field}
			r.sets = append(r.sets, alone)
			answer(r.ec, ctx, alone)
		}
		below := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: def.Name, Field: field})
		for _, of := range r.schema.GetPossibleTypes(r.schema.Types[field.Definition.Type.Name()]) {
			r.object(below, of, field.Selections)
		}
	}
}
