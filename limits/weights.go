package limits

import (
	"math"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// Default weights in points, which are milliseconds; @cost(weight:) overrides
// each. Scalars, enums and arguments weigh nothing.
const (
	RootWeight          = 0.5  // a field of the query or subscription type
	MutationWeight      = 2.0  // a field of the mutation type
	ObjectWeight        = 0.02 // an object in a list, or below one
	IntrospectionWeight = 1.0  // __schema or __type, however much is selected
)

const (
	// maxPoints and maxObjects are where prices and counts saturate: far above
	// any cap, exact in a float64, and finite when multiplied.
	maxPoints  = 1e12
	maxObjects = 1 << 53
	// unknownSize is the size of a list of which nothing is known: the largest
	// GraphQL Int. An unknown cost is the maximum cost.
	unknownSize = math.MaxInt32
)

// weightOf reads @cost from a list of directives. A weight that is no number is
// reported by CheckSchema and costs the maximum here.
func weightOf(directives ast.DirectiveList) (float64, bool) {
	d := directives.ForName("cost")
	if d == nil {
		return 0, false
	}
	w, err := parseWeight(d)
	if err != nil {
		return maxPoints, true
	}
	return w, true
}

func parseWeight(d *ast.Directive) (float64, error) {
	raw := ""
	if arg := d.Arguments.ForName("weight"); arg != nil {
		raw = arg.Value.Raw
	}
	w, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsNaN(w) || math.IsInf(w, 0) {
		return 0, strconv.ErrSyntax
	}
	return w, nil
}

// weightOr returns the declared weight or the default.
func weightOr(directives ast.DirectiveList, def float64) float64 {
	if w, ok := weightOf(directives); ok {
		return w
	}
	return def
}

// listSize is the content of a @listSize directive; its zero value is that of a
// field without one.
type listSize struct {
	declared         bool
	assumed          int64 // -1: none
	slicing          []string
	sized            []string
	requireOne       bool
	assumedIsInvalid bool
}

func listSizeOf(directives ast.DirectiveList) listSize {
	d := directives.ForName("listSize")
	if d == nil {
		return listSize{assumed: -1}
	}
	l := listSize{declared: true, assumed: -1, requireOne: true}
	for _, arg := range d.Arguments {
		switch arg.Name {
		case "assumedSize":
			if arg.Value.Kind == ast.NullValue {
				continue
			}
			n, err := strconv.ParseInt(arg.Value.Raw, 10, 32)
			l.assumed, l.assumedIsInvalid = n, err != nil || n < 0
		case "slicingArguments":
			l.slicing = stringsOf(arg.Value)
		case "sizedFields":
			l.sized = stringsOf(arg.Value)
		case "requireOneSlicingArgument":
			l.requireOne = arg.Value.Raw != "false"
		}
	}
	return l
}

// SlicingArguments are the names of all arguments of a schema that a list's size is
// read from, dotted where they lie in an input object, sorted.
func SlicingArguments(schema *ast.Schema) (names []string) {
	for _, t := range schema.Types {
		for _, f := range t.Fields {
			names = append(names, listSizeOf(f.Directives).slicing...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// stringsOf reads a list of strings; a single string is a list of one.
func stringsOf(v *ast.Value) []string {
	switch v.Kind {
	case ast.ListValue:
		var out []string
		for _, child := range v.Children {
			out = append(out, child.Value.Raw)
		}
		return out
	case ast.StringValue, ast.BlockValue:
		return []string{v.Raw}
	default:
		return nil
	}
}
