package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"

	"headroom/graph"
	"headroom/timesheet"
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
			if _, wrong := strconv.ParseInt(v.Raw, 10, 32); v.Definition.Name == "Int" && v.Kind == ast.IntValue && wrong != nil {
				err = fmt.Errorf("%s is no Int", v.Raw)
			}
			if err == nil {
				err = graph.CheckScalar(ctx, v.Definition.Name, value)
			}
			if err != nil {
				addError(core.Message("%s", err), core.At(v.Position))
			}
		})
	}
}

// checkVariables checks the values of variables as they came: the library's
// own coercion takes an enum value in any case, a number for a text, and knows
// nothing of the form of custom scalars; and what is missing it does not name. An
// integer that is written like 1.0 it replaces in vars by one that the library can
// read.
func checkVariables(ctx context.Context, schema *ast.Schema, op *ast.OperationDefinition, vars map[string]any) gqlerror.List {
	return (&coercion{ctx: ctx, schema: schema}).variables(op, vars)
}

func (c *coercion) variables(op *ast.OperationDefinition, vars map[string]any) gqlerror.List {
	for _, def := range op.VariableDefinitions {
		path := ast.Path{ast.PathName("variable"), ast.PathName(def.Variable)}
		if v, given := vars[def.Variable]; given {
			vars[def.Variable] = c.check(def.Type, v, path)
		} else if def.Type.NonNull && def.DefaultValue == nil {
			c.refuse(path, "is missing; its type is %s", def.Type)
		}
	}
	return c.errs
}

type coercion struct {
	ctx     context.Context
	schema  *ast.Schema
	foreign bool // its custom scalars are not ours, and have any form
	errs    gqlerror.List
}

// refuse says where among the variables something is wrong, and what.
func (c *coercion) refuse(path ast.Path, format string, args ...any) {
	if len(c.errs) < maxErrors {
		c.errs = append(c.errs, gqlerror.ErrorPathf(path, "%s "+format, append([]any{path[1:]}, args...)...))
	}
}

// check returns the value as the library is to read it.
func (c *coercion) check(typ *ast.Type, v any, path ast.Path) any {
	def := c.schema.Types[typ.Name()]
	if v == nil && typ.NonNull {
		c.refuse(path, "may not be null; its type is %s", typ)
	}
	if v == nil || def == nil || len(c.errs) == maxErrors {
		return v
	}
	items, isList := v.([]any)
	fields, isObject := v.(map[string]any)
	switch {
	case typ.Elem != nil && isList:
		for i, item := range items {
			items[i] = c.check(typ.Elem, item, append(path[:len(path):len(path)], ast.PathIndex(i)))
		}
	case typ.Elem != nil:
		return c.check(typ.Elem, v, path)
	case isList, isObject != (def.Kind == ast.InputObject):
		c.refuse(path, "is no %s", def.Name)
	case isObject:
		c.object(def, fields, path)
	default:
		if err := c.leaf(def, v); err != nil {
			c.refuse(path, "%s", err)
		} else if number, ok := v.(json.Number); ok && def.Name == "Int" {
			return integer(number)
		}
	}
	return v
}

// object checks the fields of an input, which it may not have or may lack.
func (c *coercion) object(def *ast.Definition, fields map[string]any, path ast.Path) {
	below := func(name string) ast.Path { return append(path[:len(path):len(path)], ast.PathName(name)) }
	known := 0
	for _, f := range def.Fields {
		if child, given := fields[f.Name]; given {
			known++
			fields[f.Name] = c.check(f.Type, child, below(f.Name))
		} else if f.Type.NonNull && f.DefaultValue == nil {
			c.refuse(below(f.Name), "is missing; its type is %s", f.Type)
		}
	}
	if known == len(fields) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if def.Fields.ForName(name) == nil && name != "__typename" {
			c.refuse(below(name), "is unknown: %s has no such field%s", def.Name, nearest(name, fieldNames(def)))
		}
	}
}

func enumNames(def *ast.Definition) (names []string) {
	for _, v := range def.EnumValues {
		names = append(names, v.Name)
	}
	return names
}

func fieldNames(def *ast.Definition) (names []string) {
	for _, f := range def.Fields {
		names = append(names, f.Name)
	}
	return names
}

// integer writes 1.0 and 1e2, which are integers too, without a fraction.
func integer(number json.Number) json.Number {
	if n, err := number.Float64(); err == nil {
		return json.Number(strconv.FormatFloat(n, 'f', -1, 64))
	}
	return number
}

// leaf checks a scalar or an enum value.
func (c *coercion) leaf(def *ast.Definition, v any) error {
	text, isText := v.(string)
	number, isNumber := v.(json.Number)
	_, isBool := v.(bool)
	fits := true
	switch {
	case def.Kind == ast.Enum:
		if !isText || def.EnumValues.ForName(text) == nil {
			return fmt.Errorf("is no %s, which is one of %s", def.Name, strings.Join(enumNames(def), ", "))
		}
	case def.Name == "String":
		fits = isText
	case def.Name == "Boolean":
		fits = isBool
	case def.Name == "Float":
		fits = isNumber
	case def.Name == "Int":
		n, err := number.Float64() // 1.0 is an integer too
		fits = isNumber && err == nil && n == math.Trunc(n) && n >= math.MinInt32 && n <= math.MaxInt32
	case def.Name == "ID":
		_, err := number.Int64()
		fits = isText || isNumber && err == nil
	case !c.foreign:
		err := graph.CheckScalar(c.ctx, def.Name, v)
		if rule, ok := timesheet.AsError(err); ok {
			err = errors.New(rule.Message)
		}
		if err != nil {
			return fmt.Errorf("is wrong: %w", err)
		}
	}
	if !fits {
		return fmt.Errorf("is no %s", def.Name)
	}
	return nil
}
