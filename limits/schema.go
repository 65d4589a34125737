package limits

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// CheckSchema reports everything that would make prices of this schema wrong;
// call it once at start. See "The schema" in the package comment for the rules.
// The error joins one line for each defect, with type, field and position.
func CheckSchema(schema *ast.Schema) error {
	c := &checker{schema: schema, sizedBy: sizedBy(schema)}
	cycles := newDefaultCycles(schema, func(t, f string, at *ast.Position) {
		c.defect(at, "%s.%s: the default leads back to itself: such a value has no end", t, f)
	})
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		t := schema.Types[name]
		if t.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		c.weight(t.Directives, t.Position, 0, "%s", name)
		cycles.walk(name)
		for _, f := range t.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				c.field(t, f)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Directives)) {
		for _, a := range schema.Directives[name].Arguments {
			if a.Directives.ForName("cost") != nil {
				c.defect(a.Position, "@%s(%s:): @cost on a directive's argument is not counted: put it on the fields and their arguments", name, a.Name)
			}
		}
	}
	return errors.Join(c.defects...)
}

type checker struct {
	schema  *ast.Schema
	sizedBy map[string][]sizer
	defects []error
}

// sizer is a field that returns an object, and the fields of that object whose
// size it tells.
type sizer struct {
	coordinate string
	sized      []string
}

// sizedBy lists, for each object type, the fields that return it alone.
func sizedBy(schema *ast.Schema) map[string][]sizer {
	out := map[string][]sizer{}
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		t := schema.Types[name]
		if t.Kind != ast.Object || strings.HasPrefix(name, "__") {
			continue
		}
		for _, f := range t.Fields {
			s := sizer{name + "." + f.Name, listSizeOf(f.Directives).sized}
			returned := f.Type.Name()
			out[returned] = append(out[returned], s)
			for _, p := range schema.PossibleTypes[returned] {
				if p.Name != returned {
					out[p.Name] = append(out[p.Name], s)
				}
			}
		}
	}
	return out
}

func (c *checker) defect(pos *ast.Position, format string, args ...any) {
	at := ""
	if pos != nil {
		at = fmt.Sprintf("%d:%d: ", pos.Line, pos.Column)
		if pos.Src != nil && pos.Src.Name != "" {
			at = pos.Src.Name + ":" + at
		}
	}
	c.defects = append(c.defects, errors.New(at+fmt.Sprintf(format, args...)))
}

// weight checks a @cost directive; lowest is the least weight allowed there.
func (c *checker) weight(directives ast.DirectiveList, pos *ast.Position, lowest float64, place string, args ...any) {
	d := directives.ForName("cost")
	if d == nil {
		return
	}
	if d.Position != nil {
		pos = d.Position
	}
	place = fmt.Sprintf(place, args...)
	switch w, err := parseWeight(d); {
	case err != nil:
		c.defect(pos, "%s: the weight of @cost is no finite number", place)
	case w < lowest:
		c.defect(pos, "%s: a negative @cost is for arguments and input fields only", place)
	}
}

func (c *checker) field(t *ast.Definition, f *ast.FieldDefinition) {
	lowest := 0.0
	if t.Kind == ast.InputObject {
		lowest = math.Inf(-1)
	}
	c.weight(f.Directives, f.Position, lowest, "%s.%s", t.Name, f.Name)
	for _, a := range f.Arguments {
		c.weight(a.Directives, a.Position, math.Inf(-1), "%s.%s(%s:)", t.Name, f.Name, a.Name)
	}
	if t.Kind == ast.Interface && f.Directives.ForName("cost") != nil {
		c.defect(f.Position, "%s.%s: @cost belongs on the fields of the types that implement the interface", t.Name, f.Name)
	}
	if d := f.Directives.ForName("class"); d != nil && !isRootType(c.schema, t) {
		c.defect(f.Position, "%s.%s: @class belongs on root fields", t.Name, f.Name)
	}
	if l := listSizeOf(f.Directives); l.declared {
		c.listSize(t, f, l)
	} else if t.Kind == ast.Object {
		c.unsized(t, f)
	}
}

// unsized checks a field without @listSize: it needs one if it returns a list of
// what costs something, unless every field that leads here tells its size.
func (c *checker) unsized(t *ast.Definition, f *ast.FieldDefinition) {
	returned := c.schema.Types[f.Type.Name()]
	if f.Type.Elem == nil || returned == nil {
		return
	}
	if returned.IsLeafType() && weightOr(returned.Directives, 0) == 0 {
		return
	}
	if f.Type.Elem.Elem != nil {
		c.defect(f.Position, "%s.%s: a list of lists cannot be priced", t.Name, f.Name)
		return
	}
	for _, s := range c.sizedBy[t.Name] {
		if !slices.Contains(s.sized, f.Name) {
			c.defect(f.Position, "%s.%s: a list needs @listSize, or its name in the sizedFields of %s", t.Name, f.Name, s.coordinate)
			return
		}
	}
	if len(c.sizedBy[t.Name]) == 0 {
		c.defect(f.Position, "%s.%s: a list needs @listSize", t.Name, f.Name)
	}
}

// listSize checks the rules of section 9.2 of IBM's specification, made stricter
// where a size would be unknown.
func (c *checker) listSize(t *ast.Definition, f *ast.FieldDefinition, l listSize) {
	complain := func(format string, args ...any) {
		c.defect(f.Position, "%s.%s: "+format, append([]any{t.Name, f.Name}, args...)...)
	}
	isList := f.Type.Elem != nil
	switch {
	case !isList && len(l.sized) == 0:
		complain("@listSize is for a list, or needs sizedFields")
	case isList && len(l.sized) > 0:
		complain("a list has no sizedFields")
	case isList && f.Type.Elem.Elem != nil:
		complain("a list of lists cannot be priced")
	}
	for _, name := range l.sized {
		if problem := c.sizedField(f, name); problem != "" {
			complain("sizedFields: %s %s", name, problem)
		}
	}
	defaults := false
	for _, name := range l.slicing {
		problem, hasDefault := c.slicingArgument(f, name)
		if problem != "" {
			complain("slicingArguments: %s %s", name, problem)
		}
		defaults = defaults || hasDefault
	}
	switch {
	case l.assumedIsInvalid:
		complain("assumedSize must be a number from 0")
	case len(l.slicing) == 0 && l.assumed < 0:
		complain("@listSize needs slicingArguments or assumedSize")
	case len(l.slicing) > 0 && l.assumed >= 0 && l.requireOne:
		complain("assumedSize is never used: set requireOneSlicingArgument to false")
	case len(l.slicing) > 0 && l.assumed >= 0 && defaults:
		complain("assumedSize is never used: a slicing argument has a default")
	case len(l.slicing) > 0 && l.assumed < 0 && !l.requireOne && !defaults:
		complain("without a slicing argument the size is unknown: give assumedSize")
	}
}

// sizedField says what is wrong with a name in sizedFields.
func (c *checker) sizedField(f *ast.FieldDefinition, name string) string {
	def := c.schema.Types[f.Type.Name()]
	if def == nil {
		return "has no parent type"
	}
	for _, t := range append(slices.Clone(c.schema.PossibleTypes[def.Name]), def) {
		if t.Kind == ast.Union {
			continue
		}
		switch child := t.Fields.ForName(name); {
		case child == nil:
			return "is no field of " + t.Name
		case child.Type.Elem == nil:
			return "is no list on " + t.Name
		}
	}
	return ""
}

// slicingArgument says what is wrong with a possibly dotted slicing argument, and
// whether it has a default that always gives it a value.
func (c *checker) slicingArgument(f *ast.FieldDefinition, name string) (problem string, hasDefault bool) {
	path := strings.Split(name, ".")
	arg := f.Arguments.ForName(path[0])
	if arg == nil {
		return "is no argument", false
	}
	typ, def := arg.Type, arg.DefaultValue
	always := len(path) == 1 || typ.NonNull
	for i, key := range path[1:] {
		t := c.schema.Types[typ.Name()]
		if typ.Elem != nil || t == nil || t.Kind != ast.InputObject {
			return "leads through something that is no input object", false
		}
		field := t.Fields.ForName(key)
		if field == nil {
			return fmt.Sprintf("is no field of %s", t.Name), false
		}
		typ, def = field.Type, field.DefaultValue
		always = always && (typ.NonNull || i == len(path)-2)
	}
	if typ.Elem != nil || typ.Name() != "Int" {
		return "must be an Int", false
	}
	return "", always && def != nil && def.Kind != ast.NullValue
}
