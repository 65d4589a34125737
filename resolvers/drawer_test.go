package resolvers_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// drawer draws documents that follow the schema: fields of every type, their
// arguments, aliases, repeats, fragments and conditions.
type drawer struct {
	random    *rand.Rand
	schema    *ast.Schema
	ids       []string
	names     int      // of aliases and fragments so far
	fragments []string // of the document
}

// unlike are fields that say when they were made, or whether somebody else's answer
// was given again.
var unlike = map[string]bool{"asOf": true, "source": true}

func (d *drawer) document() string {
	d.names, d.fragments = 0, nil
	return d.operation("query", d.fields(d.schema.Query, 5, false))
}

// operation is one of the fields that were drawn, with the fragments they spread and
// the variables of their conditions.
func (d *drawer) operation(kind, fields string) string {
	return kind + "($yes: Boolean = true, $no: Boolean = false) { yes: __typename @include(if: $yes) no: __typename @skip(if: $no) " + fields + " }" + strings.Join(d.fragments, "")
}

func (d *drawer) chance(percent int) bool { return d.random.IntN(100) < percent }

func (d *drawer) name() string {
	d.names++
	return "a" + strconv.Itoa(d.names)
}

// fields is a selection of a type without its braces. Below an interface all fields
// have names of their own: types may give one name different types.
func (d *drawer) fields(def *ast.Definition, depth int, alone bool) string {
	parts := []string{d.field(def, depth, alone)}
	for range d.random.IntN(5) {
		parts = append(parts, d.field(def, depth, alone))
	}
	if d.chance(15) { // again, with more of it perhaps
		parts = append(parts, parts[0])
	}
	for i, part := range parts {
		switch d.random.IntN(14) {
		case 0:
			parts[i] = "... on " + def.Name + " { " + part + " }"
		case 1:
			parts[i] = "... @include(if: $" + []string{"yes", "no"}[d.random.IntN(2)] + ") { " + part + " }"
		case 2:
			name := d.name()
			d.fragments = append(d.fragments, " fragment "+name+" on "+def.Name+" { "+part+" }")
			parts[i] = "..." + name
		}
	}
	return strings.Join(parts, " ")
}

func (d *drawer) field(def *ast.Definition, depth int, alone bool) string {
	var able []*ast.FieldDefinition
	for _, f := range def.Fields {
		if !strings.HasPrefix(f.Name, "__") && !unlike[f.Name] && (depth > 0 || d.schema.Types[f.Type.Name()].IsLeafType()) {
			able = append(able, f)
		}
	}
	if len(able) == 0 || d.chance(5) {
		return d.name() + ": __typename"
	}
	return d.named(able[d.random.IntN(len(able))], depth, alone)
}

func (d *drawer) named(f *ast.FieldDefinition, depth int, alone bool) string {
	text, args := f.Name, d.arguments(f)
	if args != "" || alone || d.chance(30) {
		text = d.name() + ": " + f.Name + args
	}
	if d.chance(10) {
		text += " @skip(if: $no)"
	}
	of := d.schema.Types[f.Type.Name()]
	switch {
	case of.IsLeafType():
		return text
	case of.Kind == ast.Interface || of.Kind == ast.Union:
		var types []string
		for _, one := range d.schema.GetPossibleTypes(of) {
			if d.chance(60) {
				types = append(types, "... on "+one.Name+" { "+d.fields(one, depth-1, true)+" }")
			}
		}
		return text + " { " + strings.Join(append(types, d.name()+": __typename"), " ") + " }"
	case args == "" && !alone && !strings.Contains(text, ":"):
		// It may stand there again: what is below it is asked for under names of its own.
		return text + " { " + d.fields(of, depth-1, true) + " }"
	}
	return text + " { " + d.fields(of, depth-1, alone) + " }"
}

func (d *drawer) arguments(f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		switch {
		case a.Name == "first" && d.chance(95):
			args = append(args, fmt.Sprint("first: ", 1+d.random.IntN(4)))
		case a.Name == "last" || a.Name == "after" || a.Name == "before":
			if d.chance(3) {
				args = append(args, a.Name+": "+d.value(a.Type, a.Name))
			}
		case a.Type.NonNull && a.DefaultValue == nil || d.chance(40):
			args = append(args, a.Name+": "+d.value(a.Type, a.Name))
		}
	}
	if len(args) == 0 {
		return ""
	}
	return "(" + strings.Join(args, ", ") + ")"
}

func (d *drawer) value(typ *ast.Type, name string) string {
	if !typ.NonNull && d.chance(10) {
		return "null"
	}
	if typ.Elem != nil {
		var items []string
		for range 1 + d.random.IntN(3) {
			items = append(items, d.value(typ.Elem, name))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	def := d.schema.Types[typ.NamedType]
	switch {
	case def.Kind == ast.Enum:
		return def.EnumValues[d.random.IntN(len(def.EnumValues))].Name
	case def.Kind == ast.InputObject:
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || d.chance(30) {
				fields = append(fields, f.Name+": "+d.value(f.Type, f.Name))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	switch def.Name {
	case "ID":
		return strconv.Quote(d.id(name))
	case "Int", "Long", "Seconds", "Float":
		return strconv.Itoa(1 + d.random.IntN(100))
	case "Boolean":
		return strconv.FormatBool(d.chance(50))
	case "Date":
		from := map[string]int{"from": 1, "to": 20}[name]
		return fmt.Sprintf(`"2026-03-%02d"`, 1+from+d.random.IntN(8))
	case "DateTime":
		return fmt.Sprintf(`"2026-03-%02dT%02d:00:00Z"`, 1+d.random.IntN(28), d.random.IntN(24))
	}
	return []string{`"Europe/Bucharest"`, `"e"`, `""`, `"quo\"te \u2028"`}[d.random.IntN(4)]
}

// id is mostly one of the type that an argument's name asks for.
func (d *drawer) id(name string) string {
	kind := strings.TrimSuffix(strings.TrimSuffix(name, "s"), "Id")
	var fit []string
	for _, id := range d.ids {
		if strings.EqualFold(kindOf(id), kind) {
			fit = append(fit, id)
		}
	}
	if len(fit) == 0 || d.chance(10) {
		fit = d.ids
	}
	return fit[d.random.IntN(len(fit))]
}

// kindOf is the type that an id names; empty for what is no id.
func kindOf(id string) string {
	text, _ := base64.RawURLEncoding.DecodeString(id)
	kind, _, _ := strings.Cut(string(text), ":")
	return kind
}
