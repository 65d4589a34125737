package limits

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// sizing says how many elements a list has: the largest of its slicing
// arguments, else the assumed size.
type sizing struct {
	args       []sliceArgument
	requireOne bool
	assumed    float64
}

type sliceArgument struct {
	name string // dotted if it lies in an input object
	source
}

// problem says what is wrong with a list's slicing arguments.
type problem struct {
	kind problemKind
	arg  int
}

type problemKind int

const (
	noProblem problemKind = iota
	notExactlyOne
	negative
	noNumber
)

// measure returns the size for these variables. swap, if not nil, replaces one
// argument.
func (z *sizing) measure(vars map[string]any, swap *swap) (float64, problem) {
	given, largest := 0, int64(0)
	for i := range z.args {
		n, kind := z.args[i].number(vars)
		n, kind = swap.size(z.args[i].name, n, kind)
		switch {
		case kind == isWrong:
			return unknownSize, problem{noNumber, i}
		case kind != isNumber:
			continue
		case n < 0:
			return unknownSize, problem{negative, i}
		}
		given++
		largest = max(largest, n)
	}
	switch {
	case len(z.args) > 0 && z.requireOne && given != 1:
		return unknownSize, problem{kind: notExactlyOne}
	case given > 0:
		return float64(largest), problem{}
	default:
		return z.assumed, problem{}
	}
}

// explain makes the error for a problem that measure found.
func (z *sizing) explain(p problem, path string) *SlicingError {
	if p.kind == notExactlyOne {
		e := &SlicingError{Path: path}
		for _, a := range z.args {
			e.Arguments = append(e.Arguments, a.name)
		}
		e.Problem = "give exactly one of " + strings.Join(e.Arguments, ", ")
		if len(e.Arguments) == 1 {
			e.Problem = "give " + e.Arguments[0]
		}
		return e
	}
	name := z.args[p.arg].name
	text := fmt.Sprintf("%s must not be negative", name)
	if p.kind == noNumber {
		text = fmt.Sprintf("%s must be a whole number", name)
	}
	return &SlicingError{Path: path, Arguments: []string{name}, Problem: text}
}

// source is where the number of a slicing argument comes from: the document, a
// variable, or a default.
type source struct {
	kind     sourceKind
	n        int64
	variable string
	path     []step  // into the variable's value
	unset    *source // if the variable is not provided
}

type step struct {
	field   string
	missing *source
}

type sourceKind int

const (
	isAbsent sourceKind = iota
	isNull
	isNumber
	isWrong
	isVariable
)

// number returns the value for these variables; the kind is never isVariable.
func (s *source) number(vars map[string]any) (int64, sourceKind) {
	if s.kind != isVariable {
		return s.n, s.kind
	}
	v, ok := vars[s.variable]
	if !ok {
		return s.unset.number(vars)
	}
	for i := range s.path {
		if v == nil {
			return 0, isNull
		}
		object, ok := v.(map[string]any)
		if !ok {
			return 0, isWrong
		}
		if v, ok = object[s.path[i].field]; !ok {
			return s.path[i].missing.number(vars)
		}
	}
	return toInt(v)
}

// toInt reads a whole number as JSON decoders and GraphQL servers produce it.
func toInt(v any) (int64, sourceKind) {
	switch v := v.(type) {
	case nil:
		return 0, isNull
	case int64:
		return v, isNumber
	case int:
		return int64(v), isNumber
	case float64:
		return wholeFloat(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, isNumber
		}
		f, err := v.Float64()
		if err != nil {
			return 0, isWrong
		}
		return wholeFloat(f)
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return r.Int(), isNumber
	case r.CanUint():
		return int64(min(r.Uint(), math.MaxInt64)), isNumber
	}
	return 0, isWrong
}

func wholeFloat(f float64) (int64, sourceKind) {
	if f != math.Trunc(f) || math.IsInf(f, 0) {
		return 0, isWrong
	}
	return int64(max(-maxObjects, min(f, maxObjects))), isNumber
}

// sizing compiles @listSize for one use of a field.
func (c *compiler) sizing(field *ast.Field, def *ast.FieldDefinition, l listSize) sizing {
	z := sizing{requireOne: l.requireOne, assumed: unknownSize}
	if l.assumed >= 0 {
		z.assumed = float64(l.assumed)
	}
	for _, name := range l.slicing {
		path := strings.Split(name, ".")
		s := &source{kind: isWrong}
		if argDef := def.Arguments.ForName(path[0]); argDef != nil {
			var value *ast.Value
			if arg := field.Arguments.ForName(path[0]); arg != nil {
				value = arg.Value
			}
			s = c.source(value, argDef.DefaultValue, argDef.Type, path[1:])
		}
		z.args = append(z.args, sliceArgument{name: name, source: *s})
	}
	return z
}

// source compiles the number at path within a value of type typ; def is the
// default that holds where the value is not given.
func (c *compiler) source(v, def *ast.Value, typ *ast.Type, path []string) *source {
	switch {
	case v == nil && def == nil:
		return &source{kind: isAbsent}
	case v == nil:
		return c.source(def, nil, typ, path)
	case v.Kind == ast.Variable:
		return c.variableSource(v.Raw, def, typ, path)
	case v.Kind == ast.NullValue:
		return &source{kind: isNull}
	case len(path) == 0:
		return literalSource(v)
	}
	field := c.inputField(typ, path[0])
	if field == nil || v.Kind != ast.ObjectValue {
		return &source{kind: isWrong}
	}
	return c.source(v.Children.ForName(path[0]), field.DefaultValue, field.Type, path[1:])
}

func (c *compiler) variableSource(name string, def *ast.Value, typ *ast.Type, path []string) *source {
	s := &source{kind: isVariable, variable: name}
	var own *ast.Value
	if d := c.op.VariableDefinitions.ForName(name); d != nil {
		own = d.DefaultValue
	}
	if own != nil && own.Kind == ast.Variable { // the grammar forbids it; it would not end
		return &source{kind: isWrong}
	}
	s.unset = c.source(own, def, typ, path)
	for len(path) > 0 {
		field := c.inputField(typ, path[0])
		if field == nil {
			return &source{kind: isWrong}
		}
		typ = field.Type
		s.path = append(s.path, step{path[0], c.source(nil, field.DefaultValue, typ, path[1:])})
		path = path[1:]
	}
	return s
}

func literalSource(v *ast.Value) *source {
	if v.Kind != ast.IntValue {
		return &source{kind: isWrong}
	}
	n, err := strconv.ParseInt(v.Raw, 10, 64) // on overflow n is the nearest int64
	if err != nil && n == 0 {
		return &source{kind: isWrong}
	}
	return &source{kind: isNumber, n: n}
}

func (c *compiler) inputField(typ *ast.Type, name string) *ast.FieldDefinition {
	if def := c.schema.Types[typ.Name()]; def != nil {
		return def.Fields.ForName(name)
	}
	return nil
}
