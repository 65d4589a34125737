package server

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"headroom/timesheet"
)

// dearestVariables adds to vars, for each variable that an operation was not given,
// the dearest that a client may send, whatever its default; assumed tells what that
// was where it can matter. sizes are the most that slicing arguments may be.
func (d *document) dearestVariables(schema *ast.Schema, sizes map[string]int64, vars map[string]any) (all, assumed map[string]any) {
	all, assumed = map[string]any{}, map[string]any{}
	used := usesOf(d.op)
	for _, def := range d.op.VariableDefinitions {
		v, given := vars[def.Variable]
		if given {
			all[def.Variable] = v
			continue
		}
		v = dearest(schema, sizes, def.Type, used[def.Variable], 0)
		if d.formula.Conditional(def.Variable) {
			v, assumed[def.Variable] = nil, "true or false"
		}
		switch v.(type) {
		case int64:
			assumed[def.Variable] = v
		case map[string]any:
			assumed[def.Variable] = "its dearest"
		}
		if v != nil || def.DefaultValue != nil {
			all[def.Variable] = v
		}
	}
	return all, assumed
}

// maxInputDepth bounds the search in input types, which may contain themselves.
const maxInputDepth = 4

// dearest is the dearest value of a type that stands for arguments or input fields
// of these names, nil where none is dearer than no value: a period that is not
// given is all time, a list of ids that is not given is everybody.
func dearest(schema *ast.Schema, sizes map[string]int64, typ *ast.Type, names []string, depth int) any {
	def := schema.Types[typ.Name()]
	if def == nil || depth == maxInputDepth {
		return nil
	}
	if typ.Elem != nil {
		return dearestLists[listUse{def.Name, slices.Contains(names, "tagIds")}]
	}
	switch {
	case def.Kind == ast.InputObject:
		object := map[string]any{}
		for _, f := range def.Fields {
			if v := dearest(schema, sizes, f.Type, []string{f.Name}, depth+1); v != nil || f.DefaultValue != nil {
				object[f.Name] = v
			}
		}
		return object
	case def.Name == "Int":
		if most := largest(sizes, names); most > 0 {
			return most
		}
		return nil
	case def.Name == "Boolean":
		return true
	}
	return dearestScalars[def.Name]
}

// largest is the most that any slicing argument or input field of these names may
// be, 0 if none is one.
func largest(sizes map[string]int64, names []string) (most int64) {
	for argument, size := range sizes {
		if slices.Contains(names, argument[strings.LastIndexByte(argument, '.')+1:]) {
			most = max(most, size)
		}
	}
	return most
}

// dearestScalars are the values for which most is read: a text is compared with each
// description, other midnights and days that are split with each entry's times.
var dearestScalars = map[string]any{
	"String":         "?",
	"TimeZone":       "Pacific/Kiritimati",
	"DayAttribution": string(timesheet.AttributeSplit),
	"RoundingScope":  string(timesheet.RoundDay),
}

// listUse is a list by the type of its elements, and whether it names tags.
type listUse struct {
	typ  string
	tags bool
}

// dearestLists are those that make more rows, or that no index holds. Other lists
// of ids narrow.
var dearestLists = map[listUse]any{
	{"GroupKey", false}: []any{string(timesheet.GroupUser), string(timesheet.GroupTask), string(timesheet.GroupDay)},
	{"ID", true}:        []any{"?"},
}

// usesOf are the names of the arguments and input fields that each variable of an
// operation stands for.
func usesOf(op *ast.OperationDefinition) map[string][]string {
	uses, seen := map[string][]string{}, map[*ast.FragmentDefinition]bool{}
	addUses(uses, seen, op.SelectionSet)
	return uses
}

func addUses(uses map[string][]string, seen map[*ast.FragmentDefinition]bool, set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			for _, arg := range s.Arguments {
				addValueUses(uses, arg.Name, arg.Value)
			}
			addUses(uses, seen, s.SelectionSet)
		case *ast.InlineFragment:
			addUses(uses, seen, s.SelectionSet)
		case *ast.FragmentSpread:
			if f := s.Definition; f != nil && !seen[f] {
				seen[f] = true
				addUses(uses, seen, f.SelectionSet)
			}
		}
	}
}

// addValueUses adds the variables within a value; an element of a list has the
// list's name.
func addValueUses(uses map[string][]string, name string, v *ast.Value) {
	if v.Kind == ast.Variable {
		uses[v.Raw] = append(uses[v.Raw], name)
	}
	for _, child := range v.Children {
		inner := name
		if child.Name != "" {
			inner = child.Name
		}
		addValueUses(uses, inner, child.Value)
	}
}
