package limits

import (
	"fmt"
	"maps"
	"reflect"
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
// or by default. Almost no schema has any. The error is a default without end.
func (c *compiler) inputWeights(field *ast.Field, def *ast.FieldDefinition) (out []inputWeight, err error) {
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
		newDefaultCycles(c.schema, func(t, f string, _ *ast.Position) {
			err = fmt.Errorf("the default of %s.%s leads back to itself", t, f)
		}).walk(d.Type.Name())
	}
	return out, err
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
	def := schema.Types[typ.Name()]
	if def == nil || def.Kind != ast.InputObject {
		return 0
	}
	sum := 0.0
	list, object := plain(v)
	for _, item := range list {
		sum += weigh(schema, typ, item)
	}
	if object == nil {
		return sum
	}
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

// plain returns a list or an object as decoders of JSON make them, whatever types
// of Go the caller has given them.
func plain(v any) (list []any, object map[string]any) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return v, nil
	case map[string]any:
		return nil, v
	}
	switch r := reflect.ValueOf(v); {
	case r.Kind() == reflect.Pointer && !r.IsNil():
		return plain(r.Elem().Interface())
	case r.Kind() == reflect.Slice || r.Kind() == reflect.Array:
		list = make([]any, r.Len())
		for i := range list {
			list[i] = r.Index(i).Interface()
		}
	case r.Kind() == reflect.Map && r.Type().Key().Kind() == reflect.String:
		object = make(map[string]any, r.Len())
		for _, key := range r.MapKeys() {
			object[key.String()] = r.MapIndex(key).Interface()
		}
	}
	return list, object
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

// Arguments are the coerced arguments of a field, read when they are asked for, so
// that a price of which nothing is known costs no map.
type Arguments struct {
	node *node
	vars map[string]any
	swap *swap   // nil: as the document says
	size float64 // of the list, as its slicing arguments say

	values map[string]any // instead of a node's
}

// GivenArguments are arguments that stand in no document, for tests of estimators.
func GivenArguments(values map[string]any, size float64) Arguments {
	return Arguments{values: values, size: size}
}

// Get returns an argument as a resolver would see it, nil where it is neither given
// nor has a default. What it returns must not be changed.
func (a Arguments) Get(name string) any {
	if a.node == nil {
		return a.values[name]
	}
	d := a.node.def.Arguments.ForName(name)
	if d == nil {
		return nil
	}
	v, _ := a.given(d)
	if a.swap == nil {
		return v
	}
	return a.swap.of(a.node, a.vars, name, v)
}

func (a Arguments) given(d *ast.ArgumentDefinition) (any, bool) {
	var value *ast.Value
	if arg := a.node.field.Arguments.ForName(d.Name); arg != nil {
		value = arg.Value
	}
	return argumentValue(d, value, a.vars)
}

// Size is how many elements the field's slicing arguments ask for, else the size
// that the schema assumes.
func (a Arguments) Size() float64 { return a.size }

// All returns the arguments that are given or have a default, by name.
func (a Arguments) All() map[string]any {
	if a.node == nil {
		return maps.Clone(a.values)
	}
	args := make(map[string]any, len(a.node.def.Arguments))
	for _, d := range a.node.def.Arguments {
		if v, ok := a.given(d); ok {
			args[d.Name] = v
		}
	}
	if a.swap != nil {
		for name, v := range args {
			args[name] = a.swap.of(a.node, a.vars, name, v)
		}
		if head, _, _ := strings.Cut(a.swap.argument, "."); head != "" {
			args[head] = a.Get(head)
		}
	}
	return args
}

// withField is a copy of an input object with a possibly dotted field set: the
// object may be the request's own.
func withField(object any, name string, value any) map[string]any {
	given, _ := object.(map[string]any)
	out := maps.Clone(given)
	if out == nil {
		out = map[string]any{}
	}
	head, rest, nested := strings.Cut(name, ".")
	if out[head] = value; nested {
		out[head] = withField(given[head], rest, value)
	}
	return out
}
