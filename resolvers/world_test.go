package resolvers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/resolvers"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// roles are those that people can have who sign in.
var roles = []timesheet.Role{timesheet.RoleOwner, timesheet.RoleAdmin, timesheet.RoleManager, timesheet.RoleMember, timesheet.RoleViewer}

// world is a workspace with somebody of every role, on a database of its own,
// behind the executor and without HTTP.
type world struct {
	store  *store.Store
	schema *ast.Schema
	exec   *executor.Executor
	people map[timesheet.Role]timesheet.Viewer
	names  atomic.Int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := worldOn(storetest.Open(t))
	w.people = w.workspace(t, "Acme")
	return w
}

// worldOn is one without people.
func worldOn(s *store.Store) *world {
	root := resolvers.New(resolvers.Config{
		Store: s, MintToken: mintToken, MintClaim: mintClaim, ReadClaim: readClaim,
		Budget: func(context.Context) (available, size, restore float64) { return 1990.5, 2000, 100 },
		Exports: resolvers.Exports{
			Terms: store.ExportTerms{Keep: time.Hour, Quota: 1 << 20},
			Link: func(ws timesheet.WorkspaceID, x timesheet.Export) string {
				return fmt.Sprintf("/exports/%d in %d", x.ID, ws)
			},
			Changed: func() {},
		},
	})
	es := graph.NewExecutableSchema(graph.Config{Resolvers: root})
	return &world{store: s, schema: es.Schema(), exec: executor.New(es)}
}

// The texts of tokens and claims are the server's business; here they are
// readable.
func mintToken(ws timesheet.WorkspaceID, t timesheet.Token) string {
	return fmt.Sprintf("token %d of %d in %d", t.ID, t.UserID, ws)
}

func mintClaim(ws timesheet.WorkspaceID, user timesheet.UserID, claim int64) string {
	return fmt.Sprintf("claim %d of %d in %d", claim, user, ws)
}

func readClaim(text string) (ws timesheet.WorkspaceID, user timesheet.UserID, claim int64, ok bool) {
	n, err := fmt.Sscanf(text, "claim %d of %d in %d", &claim, &user, &ws)
	return ws, user, claim, n == 3 && err == nil
}

// workspace makes another workspace with somebody of every role.
func (w *world) workspace(t testing.TB, name string) map[timesheet.Role]timesheet.Viewer {
	t.Helper()
	owner, err := w.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: name, TimeZone: "Europe/Bucharest", WeekStart: 1, Currency: "EUR",
		Owner: store.Person{Name: "Olga", Email: "olga@" + name + ".example"},
	})
	if err != nil {
		t.Fatal("create a workspace:", err)
	}
	people := map[timesheet.Role]timesheet.Viewer{timesheet.RoleOwner: owner}
	for _, role := range roles[1:] {
		first := strings.ToLower(string(role))
		user, err := w.store.EnsureMember(t.Context(), owner, first, first+"@"+name+".example", role)
		if err != nil {
			t.Fatal("add a member:", err)
		}
		people[role] = timesheet.Viewer{Workspace: owner.Workspace, User: user.ID, Role: role, Scope: timesheet.ScopeWrite}
	}
	return people
}

// name is one that nothing has yet.
func (w *world) name() string { return "name " + strconv.FormatInt(w.names.Add(1), 10) }

// answer is what came back, and what it took.
type answer struct {
	data       map[string]any
	errors     gqlerror.List
	statements int
}

// ask sends a document as somebody; nil is a request without a token.
func (w *world) ask(ctx context.Context, v *timesheet.Viewer, document string, variables map[string]any) answer {
	response, op := w.respond(ctx, v, document, variables)
	got := answer{errors: response.Errors, statements: op.Statements()}
	if response.Data == nil { // it was not run
		return got
	}
	if err := json.Unmarshal(response.Data, &got.data); err != nil {
		panic(err) // the executor always writes JSON
	}
	return got
}

// respond is ask with the answer as the executor has written it.
func (w *world) respond(ctx context.Context, v *timesheet.Viewer, document string, variables map[string]any) (*graphql.Response, *store.Operation) {
	op := store.NewOperation(4)
	ctx = graphql.StartOperationTrace(store.WithOperation(ctx, op))
	if v != nil {
		ctx = timesheet.WithViewer(ctx, *v)
		ctx = dataloader.With(ctx, dataloader.New(w.store, *v))
	}
	request, errs := w.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: asJSON(variables)})
	if len(errs) > 0 {
		return &graphql.Response{Errors: errs}, op
	}
	next, ctx := w.exec.DispatchOperation(ctx, request)
	return next(ctx), op
}

// asJSON gives variables the types that they have in a request.
func asJSON(variables map[string]any) (decoded map[string]any) {
	text, err := json.Marshal(variables)
	if err != nil {
		panic(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&decoded); err != nil {
		panic(err)
	}
	return decoded
}

// query asks and fails the test on any error.
func (w *world) query(t testing.TB, v timesheet.Viewer, document string, variables map[string]any) answer {
	t.Helper()
	got := w.ask(t.Context(), &v, document, variables)
	if len(got.errors) > 0 {
		t.Fatalf("%s\n%v", document, got.errors)
	}
	return got
}

// mutate runs one mutation and returns its payload with every field of its
// objects.
func (w *world) mutate(t testing.TB, v *timesheet.Viewer, mutation string, input map[string]any) payload {
	t.Helper()
	got := w.ask(t.Context(), v, w.document(mutation), map[string]any{"input": input})
	if len(got.errors) > 0 {
		t.Fatalf("%s: %v", mutation, got.errors)
	}
	return payload(got.data[mutation].(map[string]any))
}

// must is mutate for what has to succeed; it returns the id of what was made.
func (w *world) must(t testing.TB, v timesheet.Viewer, mutation, object string, input map[string]any) string {
	t.Helper()
	p := w.mutate(t, &v, mutation, input)
	if code := p.code(); code != "" {
		t.Fatalf("%s: %s: %v", mutation, code, p["userErrors"])
	}
	return at(p, object+".id").(string)
}

// payload is what a mutation answered.
type payload map[string]any

// code is that of the first broken rule, empty for none.
func (p payload) code() timesheet.Code {
	for _, e := range p["userErrors"].([]any) {
		return timesheet.Code(e.(map[string]any)["code"].(string))
	}
	return ""
}

// at follows a dotted path through objects and lists; nil where it ends early.
func at(v any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case payload:
			v = in[step]
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// document is a mutation that asks for all of its payload.
func (w *world) document(mutation string) string {
	field := w.schema.Mutation.Fields.ForName(mutation)
	input := field.Arguments.ForName("input").Type.String()
	return fmt.Sprintf("mutation($input: %s) { %s(input: $input) %s }", input, mutation, w.selection(field.Type.Name(), 3))
}

// selection asks for the fields of a type and of what it holds, down to a
// depth. Lists that need paging arguments are left out.
func (w *world) selection(typeName string, depth int) string {
	var fields []string
	for _, f := range w.schema.Types[typeName].Fields {
		def := w.schema.Types[f.Type.Name()]
		switch {
		case strings.HasPrefix(f.Name, "__"), len(f.Arguments) > 0:
		case def.IsLeafType():
			fields = append(fields, f.Name)
		case depth > 1:
			fields = append(fields, f.Name+" "+w.selection(def.Name, depth-1))
		}
	}
	return "{ " + strings.Join(fields, " ") + " }"
}

// The things that tests need, made by the owner.

func (w *world) client(t testing.TB) string {
	t.Helper()
	return w.must(t, w.people[timesheet.RoleOwner], "createClient", "client", map[string]any{"name": w.name()})
}

func (w *world) project(t testing.TB) string {
	t.Helper()
	return w.must(t, w.people[timesheet.RoleOwner], "createProject", "project", map[string]any{"name": w.name()})
}

func (w *world) task(t testing.TB) string {
	t.Helper()
	return w.must(t, w.people[timesheet.RoleOwner], "createTask", "task", map[string]any{"projectId": w.project(t), "name": w.name()})
}

func (w *world) tag(t testing.TB) string {
	t.Helper()
	return w.must(t, w.people[timesheet.RoleOwner], "createTag", "tag", map[string]any{"name": w.name()})
}

func (w *world) person(t testing.TB) string {
	t.Helper()
	email := strings.ReplaceAll(w.name(), " ", "") + "@acme.example"
	return w.must(t, w.people[timesheet.RoleOwner], "inviteMember", "user", map[string]any{"name": w.name(), "email": email, "role": "MEMBER"})
}

// entry is an hour of somebody's work on 2 March 2026.
func (w *world) entry(t testing.TB, v timesheet.Viewer) string {
	t.Helper()
	return w.must(t, v, "createTimeEntry", "timeEntry", map[string]any{"startedAt": "2026-03-02T08:00:00Z", "endedAt": "2026-03-02T09:00:00Z"})
}

// timer starts somebody's timer, if they may have one.
func (w *world) timer(t testing.TB, v timesheet.Viewer) {
	t.Helper()
	w.mutate(t, &v, "startTimer", map[string]any{"description": "thinking"})
}
