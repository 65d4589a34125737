package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"headroom/graph"
	"headroom/proof"
)

// What must never come out of a capture, whichever argument it went into.
const (
	canaryNumber = "471147114711"
	canaryDay    = "4711-03-05"
	canaryUUID   = "47114711-4711-4711-8711-471147114711"
)

var canaries = []string{canary, canaryNumber, canaryDay, canaryUUID, "America/Belem", "XPF"}

// strays writes random documents whose every argument holds a canary, some in
// variables and some as literals.
type strays struct {
	*rand.Rand
	schema    *ast.Schema
	variables []string // declarations
	values    map[string]any
}

// TestCaptureLeaksNothing redacts random operations over all of the schema.
func TestCaptureLeaksNothing(t *testing.T) {
	n := proof.Size(t, 10_000, 200)
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	d := newDocuments(schema)
	r := &redactor{schema: schema, key: []byte("a key of the tests"), weeks: 60}
	random := proof.Rand(t, 0)
	seen := map[string]bool{}
	for range n {
		s := &strays{Rand: random, schema: schema, values: map[string]any{}}
		text, field := s.document()
		doc, f := d.find(t.Context(), params{query: text}, &timings{})
		if f != nil {
			t.Fatalf("%s: %s %v", text, f.message, f.errors)
		}
		rewritten, err := r.rewrite(t.Context(), doc)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out, err := json.Marshal(captureRow{Variables: r.variables(rewritten, s.values)})
		if err != nil {
			t.Fatal(err)
		}
		all := rewritten.Name + rewritten.Text + string(out)
		for _, secret := range append(canaries, idOf("Project")) {
			if strings.Contains(all, secret) {
				t.Fatalf("%s with %v became %s", text, s.values, all)
			}
		}
		if _, f := d.find(t.Context(), params{query: rewritten.Text}, &timings{}); f != nil {
			t.Fatalf("%s became %s, which is not valid: %s %v", text, rewritten.Text, f.message, f.errors)
		}
		seen[field] = true
	}
	if fields := len(schema.Query.Fields) + len(schema.Mutation.Fields) - 2; proof.Full() && len(seen) < fields {
		t.Errorf("%d of %d root fields were drawn", len(seen), fields)
	}
	proof.Result(t, "%d operations over %d root fields leaked nothing", n, len(seen))
}

// document draws a root field and fills all its arguments.
func (s *strays) document() (text, field string) {
	root := []*ast.Definition{s.schema.Query, s.schema.Mutation}[s.IntN(2)]
	var def *ast.FieldDefinition
	for def == nil || strings.HasPrefix(def.Name, "__") {
		def = root.Fields[s.IntN(len(root.Fields))]
	}
	var args []string
	for _, a := range def.Arguments {
		// Only one end of a page may be asked for.
		if a.Name == "last" || a.Name == "before" {
			continue
		}
		args = append(args, a.Name+": "+s.argument(a.Type, 0))
	}
	call := canary + ": " + def.Name
	if len(args) > 0 {
		call += "(" + strings.Join(args, ", ") + ")"
	}
	if s.composite(def.Type) {
		call += " { ..." + canary + " }"
		text = "fragment " + canary + " on " + def.Type.Name() + " { x" + canary + ": __typename } "
	}
	head := strings.ToLower(root.Name) + " " + canary
	if len(s.variables) > 0 {
		head += "(" + strings.Join(s.variables, ", ") + ")"
	}
	return text + head + " { " + call + " } # " + canary, def.Name
}

func (s *strays) composite(t *ast.Type) bool {
	switch s.schema.Types[t.Name()].Kind {
	case ast.Object, ast.Interface, ast.Union:
		return true
	}
	return false
}

// argument is a literal, or a variable whose value is kept aside.
func (s *strays) argument(t *ast.Type, depth int) string {
	if s.IntN(2) == 0 {
		return s.literal(t, depth)
	}
	name := fmt.Sprintf("v%s%d", canary, len(s.variables))
	s.variables = append(s.variables, "$"+name+": "+t.String())
	s.values[name] = s.value(t, depth)
	return "$" + name
}

func (s *strays) literal(t *ast.Type, depth int) string {
	if t.Elem != nil {
		return "[" + s.argument(t.Elem, depth+1) + ", " + s.literal(t.Elem, depth+1) + "]"
	}
	def := s.schema.Types[t.NamedType]
	if def.Kind == ast.InputObject {
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull || depth < 3 {
				fields = append(fields, f.Name+": "+s.argument(f.Type, depth+1))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	}
	if def.Kind == ast.Enum {
		return def.EnumValues[s.IntN(len(def.EnumValues))].Name
	}
	text, err := json.Marshal(s.leaf(def.Name))
	if err != nil {
		panic(err)
	}
	if def.Name == "String" && s.IntN(3) == 0 {
		return `"""` + canary + `"""`
	}
	return string(text)
}

func (s *strays) value(t *ast.Type, depth int) any {
	if t.Elem != nil {
		return []any{s.value(t.Elem, depth+1), s.value(t.Elem, depth+1)}
	}
	def := s.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.InputObject:
		out := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull || depth < 3 {
				out[f.Name] = s.value(f.Type, depth+1)
			}
		}
		return out
	case ast.Enum:
		return def.EnumValues[s.IntN(len(def.EnumValues))].Name
	}
	return s.leaf(def.Name)
}

// leaf is a valid value of a scalar with a canary in it.
func (s *strays) leaf(name string) any {
	switch name {
	case "Boolean":
		return s.IntN(2) == 0
	case "Int":
		return 1 + s.IntN(50)
	case "Float", "Long", "Seconds":
		return json.Number(canaryNumber)
	case "ID":
		return idOf("Project")
	case "UUID":
		return canaryUUID
	case "Date":
		return canaryDay
	case "DateTime":
		return canaryDay + "T09:30:00Z"
	case "TimeZone":
		return "America/Belem"
	case "CurrencyCode":
		return "XPF"
	}
	return "to " + canary + " with love"
}

func idOf(kind string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + canaryNumber))
}
