package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"headroom/timesheet"
)

// odd are values of scalars, some of which one or the other field refuses.
var odd = map[string][]any{
	"Int":      {-1, 0, 1, 61, 101, 10_001, 86_401, 2147483647},
	"String":   {"", "garbage", strings.Repeat("x", timesheet.MaxName+1), strings.Repeat("x", timesheet.MaxDescription+1), "\x00"},
	"Boolean":  {true, false},
	"Date":     {"0001-01-01", "2026-12-31", "9999-12-31"},
	"TimeZone": {"UTC", "Mars/Phobos"},
	"ID":       {"garbage"},
}

// oddity is a set of arguments with one odd value, or two that may not go together.
type oddity map[string]any

// oddWalk makes them from the schema.
type oddWalk struct {
	schema *ast.Schema
	odd    map[string][]any
}

// tries gives every argument of a field, at any depth, its odd values.
func (w oddWalk) tries(f *ast.FieldDefinition) (all []oddity) {
	plain := oddity{}
	for _, arg := range f.Arguments {
		if arg.Name == "first" || arg.Type.NonNull && arg.DefaultValue == nil {
			plain[arg.Name] = w.plain(arg.Type)
		}
	}
	for _, arg := range f.Arguments {
		for _, v := range w.values(arg.Type) {
			o := maps.Clone(plain)
			o[arg.Name] = v
			all = append(all, o)
			if last := maps.Clone(o); f.Arguments.ForName("last") != nil { // the same from the other end
				delete(last, "first")
				last["last"] = 1
				if arg.Name == "first" || arg.Name == "last" {
					last["last"] = v
				}
				all = append(all, last)
			}
		}
	}
	return all
}

// plain is a value that every field accepts.
func (w oddWalk) plain(typ *ast.Type) any {
	def := w.schema.Types[typ.Name()]
	switch {
	case typ.Elem != nil:
		return []any{w.plain(typ.Elem)}
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		object := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				object[f.Name] = w.plain(f.Type)
			}
		}
		return object
	case typ.Name() == "Int":
		return 1
	case typ.Name() == "Date":
		return "2026-01-01"
	}
	return w.odd[typ.Name()][0]
}

func (w oddWalk) values(typ *ast.Type) (all []any) {
	def := w.schema.Types[typ.Name()]
	switch {
	case typ.Elem != nil:
		items := w.values(typ.Elem)
		all = append(all, []any{}, []any{items[0], items[0]}, slices.Repeat(items[:1], 101), items[:min(4, len(items))])
		for _, item := range items {
			all = append(all, []any{item})
		}
	case def.Kind == ast.Enum:
		for _, v := range def.EnumValues {
			all = append(all, v.Name)
		}
	case def.Kind == ast.InputObject:
		for _, f := range def.Fields {
			for _, v := range w.values(f.Type) {
				object := w.plain(ast.NamedType(def.Name, nil)).(map[string]any)
				object[f.Name] = v
				all = append(all, object)
			}
		}
	default:
		all = w.odd[typ.Name()]
	}
	return all
}

// Whatever a field that takes arguments refuses of them without asking the database,
// to whoever asks, the preview refuses with the same code and message, wherever the
// field stands; and what it accepts is answered.
func TestPreviewRefusesTheArgumentsThatTheRunRefuses(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User, c.Tenant = budget(1e9, 1e9), budget(1e9, 1e9) })
	own := r.populate(r.token, "Own")
	page := r.ask(`{ projects(first: 1) { pageInfo { endCursor } } }`, nil)
	w := oddWalk{schema: r.server.documents.schema, odd: maps.Clone(odd)}
	w.odd["ID"] = append([]any{own.ids["Workspace"], own.ids["User"], own.ids["Project"], own.ids["Client"]}, odd["ID"]...)
	w.odd["String"] = append([]any{find(page.Data, "endCursor")}, odd["String"]...)
	invited := r.ask(`mutation { inviteMember(input: {name: "Mia", email: "mia@acme.example", role: MEMBER}) { claim user { id } } }`, nil).Data
	member := find(r.ask(`mutation($c: String!) { claimInvite(input: {claim: $c}) { token } }`, map[string]any{"c": find(invited, "claim")}).Data, "token").(string)
	r.ask(`mutation($p: ID!, $u: ID!) { setProjectMember(input: {projectId: $p, userId: $u}) { project { id } } }`, map[string]any{"p": own.ids["Project"], "u": find(invited, "id")})
	tried, refused := 0, map[string]int{}
	for typ, reach := range map[string]string{
		"Query":   "{ %s }",
		"Client":  "{ clients(first: 10) { nodes { %s } } }",
		"Project": `{ node(id: "` + own.ids["Project"] + `") { ... on Project { %s } } }`,
	} {
		for _, f := range w.schema.Types[typ].Fields {
			for _, o := range w.tries(f) {
				query := o.query(w.schema, f, reach)
				for who, token := range map[string]string{"the owner": r.token, "a member": member} {
					ran := r.must(call{query: query, variables: o, token: token, accept: mediaGraphQL})
					priced := r.must(call{path: pathCost, query: query, variables: o, token: token, accept: mediaGraphQL})
					got, want, message := verdictOf(t, priced), verdictAccepted, ""
					if len(ran.Errors) > 0 {
						want, message = ran.code(), ran.Errors[0].Message
					}
					if got != want || !strings.Contains(priced.raw, quoted(message)) {
						t.Errorf("%s.%s of %s, %.200s: the preview says %.200s, /graphql %.200s", typ, f.Name, who, sprintJSON(o), priced.raw, ran.raw)
					}
					tried++
					refused[want]++
				}
			}
		}
	}
	t.Logf("%d operations: %v", tried, refused)
	if refused[codeBadUserInput] < 200 || refused[codeForbidden] < 50 || refused[verdictAccepted] < 200 {
		t.Errorf("%v: the walk has lost some", refused)
	}
}

// query is an operation that gives a field these arguments, by variables of its types.
func (o oddity) query(schema *ast.Schema, f *ast.FieldDefinition, reach string) string {
	var declared, given []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		declared = append(declared, "$"+name+": "+f.Arguments.ForName(name).Type.String())
		given = append(given, name+": $"+name)
	}
	field := f.Name + "(" + strings.Join(given, ", ") + ") " + leaves(schema, f)
	return "query(" + strings.Join(declared, ", ") + ") " + fmt.Sprintf(reach, field)
}

// leaves selects the least of a field.
func leaves(schema *ast.Schema, f *ast.FieldDefinition) string {
	if schema.Types[f.Type.Name()].IsLeafType() {
		return ""
	}
	return "{ __typename }"
}

func sprintJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// verdictOf is the code of a preview's verdict, or of its refusal.
func verdictOf(t *testing.T, a answer) string {
	t.Helper()
	var p preview
	if err := json.Unmarshal([]byte(a.raw), &p); err != nil {
		t.Fatal(err)
	}
	if len(a.Errors) > 0 {
		return a.code()
	}
	return p.Verdict.Code
}

// quoted is a text as it stands within JSON.
func quoted(text string) string { return strings.Trim(sprintJSON(text), `"`) }

// Every field that takes arguments and can be reached by a query is rehearsed.
func TestEveryFieldWithArgumentsIsRehearsed(t *testing.T) {
	r := newRig(t, nil)
	schema := r.server.documents.schema
	for _, def := range schema.Types {
		if def.Kind != ast.Object || def == schema.Mutation || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			if len(f.Arguments) > 0 && !strings.HasPrefix(f.Name, "__") && !slices.Contains([]string{"Query", "Client", "Project"}, def.Name) {
				t.Errorf("%s.%s takes arguments: graph.Rehearse does not know the type, nor does the test above", def.Name, f.Name)
			}
		}
	}
}
