package server

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// secret marks every text of the victim's workspace.
const secret = "Zanzibar"

// tenant is a workspace with one object of each type, by global id.
type tenant struct {
	token string
	ids   map[string]string // of each type
}

// populate fills a workspace through the API, marking every text.
func (r *rig) populate(token, mark string) tenant {
	r.t.Helper()
	n := tenant{token: token, ids: map[string]string{}}
	make := func(typ, query string, input map[string]any) {
		a := r.must(call{query: query, variables: map[string]any{"input": input}, token: token, accept: mediaGraphQL})
		id, ok := find(a.Data, "id").(string)
		if !ok || len(a.Errors) > 0 {
			r.t.Fatalf("make a %s: %s", typ, a.raw)
		}
		n.ids[typ] = id
	}
	make("Client", `mutation($input: CreateClientInput!) { createClient(input: $input) { client { id } } }`, map[string]any{"name": mark + " client"})
	make("Project", `mutation($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }`, map[string]any{"name": mark + " project", "clientId": n.ids["Client"]})
	make("Task", `mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }`, map[string]any{"name": mark + " task", "projectId": n.ids["Project"]})
	make("Tag", `mutation($input: CreateTagInput!) { createTag(input: $input) { tag { id } } }`, map[string]any{"name": mark + " tag"})
	make("User", `mutation($input: InviteMemberInput!) { inviteMember(input: $input) { user { id } } }`, map[string]any{"name": mark + " user", "email": mark + "@people.example", "role": "MEMBER"})
	make("TimeEntry", `mutation($input: CreateTimeEntryInput!) { createTimeEntry(input: $input) { timeEntry { id } } }`, map[string]any{
		"startedAt": "2026-03-02T08:00:00Z", "endedAt": "2026-03-02T09:00:00Z", "description": mark + " entry",
		"projectId": n.ids["Project"], "taskId": n.ids["Task"], "tagIds": []string{n.ids["Tag"]},
	})
	make("Token", `mutation($input: CreateTokenInput!) { createToken(input: $input) { token { id } } }`, map[string]any{"name": mark + " token"})
	if r.server.exports.Folder != nil {
		make("ReportExport", `mutation($input: ReportExportCreateInput!) { reportExportCreate(input: $input) { reportExport { id } } }`, map[string]any{
			"period": map[string]any{"from": "2026-01-01", "to": "2026-12-31"},
		})
	}
	r.must(call{query: `mutation($input: SetRateInput!) { setRate(input: $input) { rate { scope } } }`, variables: map[string]any{"input": map[string]any{
		"projectId": n.ids["Project"], "userId": n.ids["User"], "minor": 100,
	}}, token: token, accept: mediaGraphQL})
	r.must(call{query: `mutation($id: ID!) { setBudget(input: {projectId: $id, seconds: 3600}) { project { id } } }`, variables: map[string]any{"id": n.ids["Project"]}, token: token, accept: mediaGraphQL})
	a := r.must(call{query: `{ viewer { workspace { id } } }`, token: token})
	n.ids["Workspace"] = find(a.Data, "id").(string)
	return n
}

// find returns the first value under a key, at any depth.
func find(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		if found, ok := v[key]; ok {
			return found
		}
		for _, child := range v {
			if found := find(child, key); found != nil {
				return found
			}
		}
	case []any:
		for _, child := range v {
			if found := find(child, key); found != nil {
				return found
			}
		}
	}
	return nil
}

// Every argument and input field of type ID, at any depth, of every operation
// and of every field below one, gets another workspace's id of the right type,
// and finds nothing.
func TestNoIDReachesAnotherWorkspace(t *testing.T) {
	dsn := storetest.New(t)
	r := exportRig(t, openDSN(t, dsn), nil)
	db := observe(t, dsn).db
	victim := r.populate(r.token, secret)
	intruder, err := r.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Intruders", TimeZone: "UTC", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Ivan", Email: "ivan@intruders.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	own := r.populate(r.mint(intruder, intruder.User, timesheet.ScopeWrite), "Own")
	before := fingerprint(t, db, r.owner.Workspace.ID)
	w := &walker{t: t, schema: r.server.documents.schema, own: own}
	tried := 0
	for _, attack := range w.attacks(victim) {
		t.Run(attack.name, func(t *testing.T) {
			r.t = t
			a := r.must(call{query: attack.query, variables: attack.variables, token: own.token, accept: mediaGraphQL})
			for _, e := range a.Errors {
				t.Errorf("the attack does not get as far as a look-up: %s\n%s", e.Message, attack.query)
			}
			if strings.Contains(a.raw, secret) {
				t.Errorf("the answer holds the other workspace's data: %s", a.raw)
			}
			if attack.mutation && !strings.Contains(a.raw, `"NOT_FOUND"`) && !strings.Contains(a.raw, `"NOT_RUNNING"`) {
				t.Errorf("the mutation does not say NOT_FOUND: %s", a.raw)
			}
		})
		tried++
	}
	if after := fingerprint(t, db, r.owner.Workspace.ID); after != before {
		t.Error("an attack changed the other workspace's rows")
	}
	if tried < 50 {
		t.Errorf("only %d fields were attacked: the walk has lost some", tried)
	}
}

// fingerprint is a hash over all rows of a workspace.
func fingerprint(t *testing.T, db *sql.DB, ws timesheet.WorkspaceID) string {
	t.Helper()
	var all strings.Builder
	for _, table := range []string{"workspace", "membership", "api_token", "client", "project", "project_member", "task", "tag", "time_entry", "idempotency", "audit", "rollup", "project_rollup", "project_total", "activity", "export_job", "rate", "budget"} {
		var sum sql.NullString
		query := fmt.Sprintf(`SELECT md5(string_agg(x::text, '|' ORDER BY x::text)) FROM %s x WHERE workspace_id = $1`, table)
		if err := db.QueryRow(query, ws).Scan(&sum); err != nil {
			t.Fatal(err)
		}
		all.WriteString(sum.String)
	}
	return all.String()
}

// attack is one operation with one foreign id in it.
type attack struct {
	name, query string
	variables   map[string]any
	mutation    bool
}

// walker makes attacks from the schema. What it cannot fill fails the test.
type walker struct {
	t      *testing.T
	schema *ast.Schema
	own    tenant
}

func (w *walker) attacks(victim tenant) (all []attack) {
	for _, f := range w.schema.Query.Fields {
		all = append(all, w.field("", f, victim, "{ %s }")...)
	}
	for _, f := range w.schema.Mutation.Fields {
		for _, a := range w.field("", f, victim, "{ %s }") {
			a.mutation = true
			all = append(all, a)
		}
	}
	for _, def := range w.schema.Types {
		if def.Kind != ast.Object || def == w.schema.Query || def == w.schema.Mutation || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			if len(w.idPaths(f.Arguments)) == 0 {
				continue
			}
			reach, ok := map[string]string{
				"Client":  "{ clients(first: 10) { nodes { %s } } }",
				"Project": "{ projects(first: 10) { nodes { %s } } }",
			}[def.Name]
			if !ok {
				w.t.Errorf("%s.%s takes an id, and the test knows no way to it", def.Name, f.Name)
				continue
			}
			all = append(all, w.field(def.Name+".", f, victim, reach)...)
		}
	}
	return all
}

// idPaths are the ways from a field's arguments to its inputs of type ID.
func (w *walker) idPaths(args ast.ArgumentDefinitionList) (paths [][]string) {
	for _, arg := range args {
		paths = append(paths, w.idPathsOf([]string{arg.Name}, arg.Type)...)
	}
	return paths
}

func (w *walker) idPathsOf(path []string, typ *ast.Type) (paths [][]string) {
	def := w.schema.Types[typ.Name()]
	switch {
	case typ.Name() == "ID":
		return [][]string{slices.Clone(path)}
	case def.Kind != ast.InputObject:
		return nil
	case len(path) > 6:
		w.t.Errorf("%v: the input nests too deep for the test", path)
		return nil
	}
	for _, f := range def.Fields {
		paths = append(paths, w.idPathsOf(append(path, f.Name), f.Type)...)
	}
	return paths
}

func (w *walker) field(prefix string, f *ast.FieldDefinition, victim tenant, reach string) (all []attack) {
	for _, path := range w.idPaths(f.Arguments) {
		for _, typ := range w.typesOf(f, path) {
			foreign, ok := victim.ids[typ]
			if !ok {
				w.t.Errorf("%s%s: the other workspace has no %s to steal", prefix, f.Name, typ)
				continue
			}
			var args, declared []string
			variables := map[string]any{}
			for _, arg := range f.Arguments {
				value, given := w.fill([]string{arg.Name}, arg.Type, path, foreign)
				if !given {
					continue
				}
				variables[arg.Name] = value
				declared = append(declared, fmt.Sprintf("$%s: %s", arg.Name, arg.Type))
				args = append(args, fmt.Sprintf("%s: $%s", arg.Name, arg.Name))
			}
			operation := "query"
			if w.schema.Mutation.Fields.ForName(f.Name) == f {
				operation = "mutation"
			}
			body := fmt.Sprintf("%s(%s) %s", f.Name, strings.Join(args, ", "), w.select_(f.Type, 3))
			all = append(all, attack{
				name:      fmt.Sprintf("%s%s %s gets a %s", prefix, f.Name, strings.Join(path, "."), typ),
				query:     fmt.Sprintf("%s(%s) %s", operation, strings.Join(declared, ", "), fmt.Sprintf(reach, body)),
				variables: variables,
			})
		}
	}
	return all
}

// typesOf says which types of object an input of type ID means.
func (w *walker) typesOf(f *ast.FieldDefinition, path []string) []string {
	last := strings.TrimSuffix(path[len(path)-1], "s")
	if typ, ok := map[string]string{"projectId": "Project", "clientId": "Client", "taskId": "Task", "tagId": "Tag", "userId": "User"}[last]; ok {
		return []string{typ}
	}
	if f.Name == "node" || f.Name == "nodes" {
		return []string{"Workspace", "User", "Client", "Project", "Task", "Tag", "TimeEntry"}
	}
	for part, typ := range map[string]string{"reportExport": "ReportExport", "Client": "Client", "Project": "Project", "Task": "Task", "Tag": "Tag", "Token": "Token", "TimeEntr": "TimeEntry", "Timer": "TimeEntry", "continueEntry": "TimeEntry"} {
		if (last == "id") && strings.Contains(f.Name, part) {
			return []string{typ}
		}
	}
	w.t.Errorf("%s: the test does not know what %v is the id of", f.Name, path)
	return nil
}

// fill makes a valid value of an input: the foreign id at path, the intruder's
// own ids and plain values where one is needed, nothing elsewhere.
func (w *walker) fill(at []string, typ *ast.Type, path []string, foreign string) (value any, given bool) {
	onPath := len(at) <= len(path) && slices.Equal(at, path[:len(at)])
	name := at[len(at)-1]
	def := w.schema.Types[typ.Name()]
	switch {
	case typ.Name() == "ID" && onPath:
		value = foreign
	case name == "first":
		return 10, true
	case name == "projectId" && (onPath || slices.Contains([]string{"taskId"}, path[len(path)-1])):
		value = w.own.ids["Project"] // a task is only looked up in a project
	case def.Kind == ast.InputObject && (typ.NonNull || onPath):
		value = w.fillObject(at, def, path, foreign)
	case !typ.NonNull:
		return nil, false
	default:
		value = w.plain(at, typ, def)
	}
	if typ.Elem != nil {
		value = []any{value}
	}
	return value, true
}

func (w *walker) fillObject(at []string, def *ast.Definition, path []string, foreign string) map[string]any {
	object := map[string]any{}
	for _, f := range def.Fields {
		if f.DefaultValue != nil && f.Name != path[len(path)-1] {
			continue
		}
		if value, given := w.fill(append(slices.Clone(at), f.Name), f.Type, path, foreign); given {
			object[f.Name] = value
		}
	}
	return object
}

func (w *walker) plain(at []string, typ *ast.Type, def *ast.Definition) any {
	name := at[len(at)-1]
	if typ.Name() == "ID" {
		if own, ok := w.own.ids[map[string]string{"projectId": "Project", "userId": "User", "id": "TimeEntry", "ids": "TimeEntry"}[name]]; ok {
			return own
		}
	}
	if def.Kind == ast.Enum {
		return def.EnumValues[0].Name
	}
	value, ok := map[string]any{
		"startedAt": "2026-03-03T08:00:00Z", "endedAt": "2026-03-03T09:00:00Z", "name": "x", "lead": false,
		"from": "2026-01-01", "to": "2026-12-31",
	}[name]
	if !ok {
		w.t.Errorf("%v: the test has no value of type %s", at, typ)
	}
	return value
}

// select_ selects everything below a type that needs no arguments, and pages
// of ten.
func (w *walker) select_(typ *ast.Type, depth int) string {
	def := w.schema.Types[typ.Name()]
	if def.IsLeafType() {
		return ""
	}
	var b strings.Builder
	b.WriteString("{ __typename ")
	if def.Kind == ast.Interface {
		for _, t := range w.schema.PossibleTypes[def.Name] {
			fmt.Fprintf(&b, "... on %s { %s } ", t.Name, w.named(t))
		}
		return b.String() + "}"
	}
	for _, f := range def.Fields {
		child := w.schema.Types[f.Type.Name()]
		switch {
		case child.IsLeafType() && len(f.Arguments) == 0:
			b.WriteString(f.Name + " ")
		case depth > 0 && len(f.Arguments) == 0:
			b.WriteString(f.Name + " " + w.select_(f.Type, depth-1) + " ")
		}
	}
	return b.String() + "}"
}

func (w *walker) named(t *ast.Definition) string {
	if t.Fields.ForName("name") != nil {
		return "id name"
	}
	return "id description"
}

// The same walk over what answers hold: nothing of the victim's is in anything
// that the intruder can list.
func TestListsHoldOnlyTheOwnWorkspace(t *testing.T) {
	r := newRig(t, nil)
	r.populate(r.token, secret)
	intruder, err := r.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Intruders", TimeZone: "UTC", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Ivan", Email: "ivan@intruders.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := r.mint(intruder, intruder.User, timesheet.ScopeWrite)
	for _, query := range []string{
		`{ users(first: 100) { nodes { name email } totalCount } }`,
		`{ clients(first: 100) { nodes { name } totalCount } }`,
		`{ projects(first: 100) { nodes { name trackedSeconds } totalCount } }`,
		`{ tags(first: 100) { nodes { name } totalCount } }`,
		`{ timeEntries(first: 100) { nodes { description } totalCount } }`,
		`{ projectBudgets(first: 100) { nodes { name budget { seconds } burn { percent } } totalCount } }`,
		`{ rates(first: 100) { nodes { user { name } project { name } task { name } } totalCount } }`,
		`{ auditLog(first: 100) { nodes { changes action } } }`,
		`{ timesheetReport(input: {period: {from: "2000-01-01", to: "2050-01-01"}, groupBy: [CLIENT, PROJECT, TASK]}) { rows { label children { label children { label } } } totals { entryCount } } }`,
		`{ timesheetReport(input: {period: {from: "2000-01-01", to: "2050-01-01"}, groupBy: [TAG, USER]}) { rows { label children { label } } totals { entryCount } } }`,
		`{ summary(period: {from: "2000-01-01", to: "2050-01-01"}) { byProject { rows { label } } byUser { rows { label } } totals { entryCount } } }`,
		`{ timeEntries(first: 100, filter: {text: "` + secret + `"}) { nodes { description } totalCount } }`,
	} {
		a := r.must(call{query: query, token: token, accept: mediaGraphQL})
		if len(a.Errors) > 0 {
			t.Errorf("%s: %s", query, a.raw)
		}
		if strings.Contains(a.raw, secret) {
			t.Errorf("%s holds the other workspace's data: %s", query, a.raw)
		}
		for _, key := range []string{"totalCount", "entryCount"} {
			if n, ok := find(a.Data, key).(float64); ok && n > 1 { // the intruder themselves
				t.Errorf("%s counts the other workspace's rows: %s", query, a.raw)
			}
		}
	}
}

// A cursor is no way around either: it names a place and not a row.
func TestCursorOfAnotherWorkspace(t *testing.T) {
	r := newRig(t, nil)
	r.populate(r.token, secret)
	foreign := find(r.ask(`{ clients(first: 1) { pageInfo { endCursor } } }`, nil).Data, "endCursor")
	intruder, err := r.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Intruders", TimeZone: "UTC", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Ivan", Email: "ivan@intruders.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := r.must(call{
		query: `query($before: String) { clients(last: 10, before: $before) { nodes { name } } }`, variables: map[string]any{"before": foreign},
		token: r.mint(intruder, intruder.User, timesheet.ScopeWrite),
	})
	text, err := json.Marshal(a.Data)
	if err != nil || string(text) != `{"clients":{"nodes":[]}}` {
		t.Errorf("with another workspace's cursor: %s", a.raw)
	}
}
