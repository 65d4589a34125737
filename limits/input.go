package limits

import (
	"maps"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// inputWeight is the price of giving an argument: its own weight and, by value,
// those of the input fields within it.
type inputWeight struct {
	def    *ast.ArgumentDefinition
	value  *ast.Value // nil: not given
	weight float64
}

// inputWeights returns the arguments of a field that can carry a weight, given
// or by default. Almost no schema has any.
func (c *compiler) inputWeights(field *ast.Field, def *ast.FieldDefinition) []inputWeight {
	var out []inputWeight
	for _, d := range def.Arguments {
		w, ok := weightOf(d.Directives)
		if !ok && !c.hasWeights(d.Type.Name()) {
			continue
		}
		in := inputWeight{def: d, weight: w}
		if arg := field.Arguments.ForName(d.Name); arg != nil {
			in.value = arg.Value
		}
		out = append(out, in)
	}
	return out
}

// hasWeights reports whether an input type has weights at any depth.
func (c *compiler) hasWeights(name string) bool {
	if known, ok := c.weighty[name]; ok {
		return known
	}
	c.weighty[name] = false // for a type that contains itself
	def := c.schema.Types[name]
	if def == nil || def.Kind != ast.InputObject {
		return false
	}
	for _, f := range def.Fields {
		if _, ok := weightOf(f.Directives); ok || c.hasWeights(f.Type.Name()) {
			c.weighty[name] = true
			return true
		}
	}
	return false
}

// of returns the weight for these variables.
func (in inputWeight) of(schema *ast.Schema, vars map[string]any) float64 {
	v, given := argumentValue(in.def, in.value, vars)
	if !given || v == nil {
		return 0
	}
	return in.weight + weigh(schema, in.def.Type, v)
}

// weigh sums the weights of the input fields that are given within a value. It
// is linear in the value.
func weigh(schema *ast.Schema, typ *ast.Type, v any) float64 {
	if list, ok := v.([]any); ok {
		sum := 0.0
		for _, item := range list {
			sum += weigh(schema, typ, item)
		}
		return sum
	}
	object, ok := v.(map[string]any)
	def := schema.Types[typ.Name()]
	if !ok || def == nil || def.Kind != ast.InputObject {
		return 0
	}
	sum := 0.0
	for _, f := range def.Fields {
		item, given := object[f.Name]
		if !given && f.DefaultValue != nil {
			item, _ = f.DefaultValue.Value(nil)
		}
		if item != nil {
			sum += weightOr(f.Directives, 0) + weigh(schema, f.Type, item)
		}
	}
	return sum
}

// argumentValue returns an argument's value as a resolver would see it, and
// whether there is one.
func argumentValue(def *ast.ArgumentDefinition, value *ast.Value, vars map[string]any) (any, bool) {
	if value != nil && value.Kind == ast.Variable {
		if _, ok := vars[value.Raw]; !ok && (value.VariableDefinition == nil || value.VariableDefinition.DefaultValue == nil) {
			value = nil
		}
	}
	if value == nil {
		value = def.DefaultValue
	}
	if value == nil {
		return nil, false
	}
	v, err := value.Value(vars)
	if err != nil { // a number out of range: as it stands in the document
		return value.Raw, true
	}
	return v, true
}

// arguments returns the arguments of a field for an Estimator.
func arguments(field *ast.Field, def *ast.FieldDefinition, vars map[string]any) map[string]any {
	args := make(map[string]any, len(def.Arguments))
	for _, d := range def.Arguments {
		var value *ast.Value
		if arg := field.Arguments.ForName(d.Name); arg != nil {
			value = arg.Value
		}
		if v, ok := argumentValue(d, value, vars); ok {
			args[d.Name] = v
		}
	}
	return args
}

// setArgument sets a possibly dotted argument without changing the maps within
// args, which may be the request's own.
func setArgument(args map[string]any, name string, value any) {
	head, rest, nested := strings.Cut(name, ".")
	if !nested {
		args[head] = value
		return
	}
	object, _ := args[head].(map[string]any)
	if object = maps.Clone(object); object == nil {
		object = map[string]any{}
	}
	setArgument(object, rest, value)
	args[head] = object
}
