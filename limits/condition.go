package limits

import "github.com/vektah/gqlparser/v2/ast"

// mask is a set of @skip and @include conditions that must all hold, one bit
// for each. The empty mask always holds.
type mask uint64

// condition holds if the Boolean variable has the wanted value.
type condition struct {
	variable string
	want     bool
	// unset is whether it holds when the variable is not provided. Without a
	// default that is an error before execution, and pricing assumes the field.
	unset bool
}

// maxConditions is the number of bits in a mask. Further conditions count as
// true: the price is then a bound.
const maxConditions = 64

// Conditional tells whether @skip or @include asks for a variable. Given as nil,
// all its conditions hold: the price is a bound for both of its values.
func (f *Formula) Conditional(variable string) bool {
	for _, c := range f.conditions {
		if c.variable == variable {
			return true
		}
	}
	return false
}

// holding returns the conditions that hold for these variables.
func holding(conditions []condition, vars map[string]any) mask {
	var m mask
	for i, c := range conditions {
		holds := c.unset
		if v, given := vars[c.variable]; given {
			b, ok := v.(bool)
			holds = !ok || b == c.want
		}
		if holds {
			m |= 1 << i
		}
	}
	return m
}

// anyHolds reports whether one of the alternatives holds; no alternatives stand
// for "always".
func (m mask) anyHolds(alternatives []mask) bool {
	for _, a := range alternatives {
		if a&^m == 0 {
			return true
		}
	}
	return len(alternatives) == 0
}

// within adds a selection's own conditions to those of its surroundings. false:
// it is never included.
func (c *compiler) within(outer mask, directives ast.DirectiveList) (mask, bool) {
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		arg := d.Arguments.ForName("if")
		if arg == nil {
			continue
		}
		want := d.Name == "include"
		switch arg.Value.Kind {
		case ast.BooleanValue:
			if (arg.Value.Raw == "true") != want {
				return outer, false
			}
		case ast.Variable:
			outer |= c.conditionBit(arg.Value.Raw, want)
		}
	}
	return outer, true
}

func (c *compiler) conditionBit(variable string, want bool) mask {
	for i, known := range c.f.conditions {
		if known.variable == variable && known.want == want {
			return 1 << i
		}
	}
	if len(c.f.conditions) == maxConditions {
		return 0
	}
	unset := true
	if d := c.op.VariableDefinitions.ForName(variable); d != nil && d.DefaultValue != nil {
		unset = (d.DefaultValue.Raw == "true") == want
	}
	c.f.conditions = append(c.f.conditions, condition{variable, want, unset})
	return 1 << (len(c.f.conditions) - 1)
}

// maxAlternatives bounds how many different masks are kept for one field or
// fragment. A document with more is priced as if they always held.
const maxAlternatives = 8

// addAlternative adds m to the masks under which something is included, and
// reports whether that changes anything. nil stands for "never so far", a
// single empty mask for "always".
func addAlternative(alternatives []mask, m mask) ([]mask, bool) {
	for _, a := range alternatives {
		if a&^m == 0 { // a holds whenever m does
			return alternatives, false
		}
	}
	if m == 0 || len(alternatives) == maxAlternatives {
		return append(alternatives[:0], 0), true
	}
	return append(alternatives, m), true
}
