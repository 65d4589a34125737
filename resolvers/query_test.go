package resolvers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/store"
	"headroom/timesheet"
)

// ruleOf is the broken rule that a field's error tells of.
func ruleOf(errs gqlerror.List) timesheet.Code {
	for _, e := range errs {
		if broken, ok := timesheet.AsError(e); ok {
			return broken.Code
		}
	}
	return ""
}

// Without a token nothing is answered but claimInvite.
func TestNobodyIsAnsweredNothing(t *testing.T) {
	w := newWorld(t)
	for _, root := range []*ast.Definition{w.schema.Query, w.schema.Mutation} {
		for _, f := range root.Fields {
			if strings.HasPrefix(f.Name, "__") || f.Name == "claimInvite" {
				continue
			}
			t.Run(f.Name, func(t *testing.T) {
				got := w.ask(t.Context(), nil, w.anyDocument(root, f), nil)
				if len(got.errors) != 1 || !errors.Is(got.errors[0], store.ErrNoViewer) {
					t.Errorf("got %v, want ErrNoViewer", got.errors)
				}
				if got.data[f.Name] != nil || got.statements > 0 {
					t.Errorf("%d statements answered %v", got.statements, got.data)
				}
			})
		}
	}
}

// anyDocument asks for __typename of a root field, with any arguments.
func (w *world) anyDocument(root *ast.Definition, f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil || a.Name == "first" {
			args = append(args, a.Name+": "+w.anyValue(a.Type))
		}
	}
	list := ""
	if len(args) > 0 {
		list = "(" + strings.Join(args, ", ") + ")"
	}
	return fmt.Sprintf("%s { %s%s { __typename } }", strings.ToLower(root.Name), f.Name, list)
}

// anyValue is a literal of a type.
func (w *world) anyValue(typ *ast.Type) string {
	if typ.Elem != nil {
		return "[" + w.anyValue(typ.Elem) + "]"
	}
	def := w.schema.Types[typ.NamedType]
	switch {
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				fields = append(fields, f.Name+": "+w.anyValue(f.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case def.Name == "DateTime":
		return `"2026-03-02T08:00:00Z"`
	case def.Name == "Date":
		return `"2026-03-02"`
	case def.Name == "Int":
		return "1"
	case def.Name == "Boolean":
		return "true"
	}
	return `"x"`
}

func TestViewer(t *testing.T) {
	w := newWorld(t)
	got := w.query(t, w.people[member], `{ viewer { role user { name email role } workspace { name timeZone weekStart currency overlapPolicy version }
		budget { maximumAvailable currentlyAvailable restoreRate } } }`, nil)
	want := map[string]any{"viewer": map[string]any{
		"role": "MEMBER",
		"user": map[string]any{"name": "member", "email": "member@Acme.example", "role": "MEMBER"},
		"workspace": map[string]any{
			"name": "Acme", "timeZone": "Europe/Bucharest", "weekStart": "MONDAY", "currency": "EUR", "overlapPolicy": "ALLOW", "version": 1.0,
		},
		"budget": map[string]any{"maximumAvailable": 2000.0, "currentlyAvailable": 1990.5, "restoreRate": 100.0},
	}}
	if diff := cmp.Diff(want, got.data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// names are the values of a field of a list's nodes.
func names(list any, field string) (values []string) {
	nodes, _ := at(list, "nodes").([]any)
	for _, node := range nodes {
		values = append(values, at(node, field).(string))
	}
	return values
}

func TestListsByRole(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	client := w.must(t, v, "createClient", "client", map[string]any{"name": "Zeta"})
	w.must(t, v, "createClient", "client", map[string]any{"name": "Hidden"})
	theirs := w.must(t, v, "createProject", "project", map[string]any{"name": "Theirs", "clientId": client})
	w.must(t, v, "createProject", "project", map[string]any{"name": "Nobody's"})
	w.must(t, v, "createTag", "tag", map[string]any{"name": "urgent"})
	w.must(t, v, "setProjectMember", "project", map[string]any{"projectId": theirs, "userId": w.userID(t, member)})
	w.entry(t, v)
	document := `{
		users(first: 10) { nodes { name email } totalCount }
		clients(first: 10) { nodes { name projects(first: 10) { nodes { name } } } }
		projects(first: 10) { nodes { name client { name } members(first: 10) { nodes { name } } trackedSeconds } }
		tags(first: 10) { nodes { name } }
		timeEntries(first: 10) { nodes { user { name } } }
	}`
	for _, role := range roles {
		t.Run(string(role), func(t *testing.T) {
			got := w.query(t, w.people[role], document, nil).data
			all := role != member
			check := func(list, field string, everything, own []string) {
				t.Helper()
				want := own
				if all {
					want = everything
				}
				if diff := cmp.Diff(want, names(got[list], field)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", list, diff)
				}
			}
			people := []string{"admin", "manager", "member", "Olga", "viewer"}
			check("users", "name", people, people)
			check("clients", "name", []string{"Hidden", "Zeta"}, []string{"Zeta"})
			check("projects", "name", []string{"Nobody's", "Theirs"}, []string{"Theirs"})
			check("tags", "name", []string{"urgent"}, []string{"urgent"})
			check("timeEntries", "user.name", []string{"Olga"}, nil)
			if at(got, "users.totalCount") != 5.0 {
				t.Errorf("totalCount is %v, want 5", at(got, "users.totalCount"))
			}
			seesEmails := role == owner || role == admin || role == manager
			if email := at(got, "users.nodes.3.email"); (email != nil) != seesEmails {
				t.Errorf("Olga's address is %v", email)
			}
		})
	}
}

func (w *world) userID(t testing.TB, role timesheet.Role) string {
	t.Helper()
	return at(w.query(t, w.people[role], `{ viewer { user { id } } }`, nil).data, "viewer.user.id").(string)
}

func TestTheAuditLogIsForAdmins(t *testing.T) {
	w := newWorld(t)
	for _, role := range roles {
		got := w.ask(t.Context(), new(w.people[role]), `{ auditLog(first: 10) { nodes { action } } }`, nil)
		want := forbidden
		if role == owner || role == admin {
			want = ""
		}
		if code := ruleOf(got.errors); code != want {
			t.Errorf("%s: got %v, want %q", role, got.errors, want)
		}
	}
}
