package server

import (
	"context"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"

	"headroom/graph"
)

const scalarRule = "CustomScalarValues"

// scalarLiterals checks the values of custom scalars that stand in the
// document: the specification's rules know their type and not their form.
func scalarLiterals(ctx context.Context) core.RuleFunc {
	return func(observers *core.Events, addError core.AddErrFunc) {
		observers.OnValue(func(_ *core.Walker, v *ast.Value) {
			if v.Definition == nil || v.Definition.Kind != ast.Scalar || v.Kind == ast.Variable || v.Kind == ast.NullValue || v.Kind == ast.ListValue {
				return
			}
			value, err := v.Value(nil)
			if err == nil {
				err = graph.CheckScalar(ctx, v.Definition.Name, value)
			}
			if err != nil {
				addError(core.Message("%s", err), core.At(v.Position))
			}
		})
	}
}

// scalarVariables checks the values of custom scalars among coerced variables.
func scalarVariables(ctx context.Context, schema *ast.Schema, op *ast.OperationDefinition, vars map[string]any) gqlerror.List {
	var errs gqlerror.List
	for _, def := range op.VariableDefinitions {
		if v, given := vars[def.Variable]; given {
			errs = checkScalars(ctx, schema, def.Type, v, ast.Path{ast.PathName("variable"), ast.PathName(def.Variable)}, errs)
		}
	}
	return errs
}

func checkScalars(ctx context.Context, schema *ast.Schema, typ *ast.Type, v any, path ast.Path, errs gqlerror.List) gqlerror.List {
	def := schema.Types[typ.Name()]
	if v == nil || def == nil || len(errs) == maxErrors {
		return errs
	}
	switch v := v.(type) {
	case []any:
		elem := typ
		if typ.Elem != nil {
			elem = typ.Elem
		}
		for i, item := range v {
			errs = checkScalars(ctx, schema, elem, item, append(path[:len(path):len(path)], ast.PathIndex(i)), errs)
		}
		return errs
	case map[string]any:
		for _, f := range def.Fields {
			if child, given := v[f.Name]; given {
				errs = checkScalars(ctx, schema, f.Type, child, append(path[:len(path):len(path)], ast.PathName(f.Name)), errs)
			}
		}
		return errs
	}
	if err := graph.CheckScalar(ctx, def.Name, v); err != nil {
		errs = append(errs, gqlerror.ErrorPathf(path, "%s", fmt.Sprint(err)))
	}
	return errs
}
