package foreign

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"

	"headroom/limits"
)

type userKey struct{}

// serve starts the library with limits before it. Budgets restore next to
// nothing, so that what is left does not depend on how long a test takes.
func serve(t *testing.T, budget float64, gate limits.Gate) *client {
	t.Helper()
	points, err := limits.NewBudget(limits.Rate{Size: budget, Restore: 1e-5})
	if err != nil {
		t.Fatal(err)
	}
	schema := NewExecutableSchema(Config{Resolvers: Library{}})
	srv := handler.New(schema)
	srv.AddTransport(transport.POST{})
	srv.Use(&Limits{
		Schema: schema.Schema(), Guard: limits.DefaultGuard(), Caps: limits.Caps{Points: 100, Nodes: 10_000}, Budget: points, Gate: gate,
		Caller: func(ctx context.Context) string { return ctx.Value(userKey{}).(string) },
	})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, r.Header.Get("User"))))
	}))
	t.Cleanup(web.Close)
	return &client{t, web.URL, points}
}

// static is a gate with the seats of two cores.
func static(t *testing.T) limits.Gate {
	t.Helper()
	gate, err := limits.NewStatic(limits.StaticConfig{Seats: limits.SeatsFor(2)})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

type client struct {
	t      *testing.T
	url    string
	budget *limits.Budget
}

type answer struct {
	Data   struct{ Books []struct{ Title string } }
	Errors []struct {
		Message    string
		Extensions struct {
			Code string
			Help json.RawMessage
		}
	}
}

// code is the first error's, empty if there is none.
func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return cmp.Or(a.Errors[0].Extensions.Code, a.Errors[0].Message)
}

func (c *client) ask(user, query string, vars map[string]any) (out answer) {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User", user)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		c.t.Fatal(err)
	}
	return out
}

const shelf = `query($n: Int!) { books(first: $n) { title author { name books(first: 3) { title } } } }`

// TestForeign: a book of the shelf costs 0.1 + 2 + 3 x 0.1 = 2.4 points and the
// root field its own, so 41 books are within the cap of 100 and 42 are not.
func TestForeign(t *testing.T) {
	c := serve(t, 1000, static(t))
	if got := c.ask("ann", shelf, map[string]any{"n": 10}); got.code() != "" || len(got.Data.Books) != 10 {
		t.Fatalf("a cheap query: %+v, want its 10 books", got)
	}
	left := c.budget.Available("ann")
	if spent := 1000 - left; spent < 24 || spent > 25 {
		t.Errorf("it cost %.1f points, want 24.5", spent)
	}
	dear := c.ask("ann", shelf, map[string]any{"n": 500})
	if dear.code() != "COST_ESTIMATED_TOO_EXPENSIVE" || dear.Data.Books != nil {
		t.Fatalf("a dear one: %+v, want a refusal", dear)
	}
	var help []limits.Suggestion
	if err := json.Unmarshal(dear.Errors[0].Extensions.Help, &help); err != nil || len(help) == 0 {
		t.Fatalf("help %s: %v", dear.Errors[0].Extensions.Help, err)
	}
	if help[0].Kind != limits.ReduceArgument || help[0].Path != "books" || help[0].Argument != "first" {
		t.Fatalf("advice %+v, want a smaller page of books", help[0])
	}
	if c.budget.Available("ann") < left-0.01 {
		t.Error("the refusal cost points")
	}
	n := help[0].MaxAccepted.N
	if got := c.ask("ann", shelf, map[string]any{"n": n + 1}); got.code() != "COST_ESTIMATED_TOO_EXPENSIVE" {
		t.Errorf("%d books, one more than advised: %+v", n+1, got)
	}
	if got := c.ask("ann", shelf, map[string]any{"n": n}); got.code() != "" || int64(len(got.Data.Books)) != n || n != 41 {
		t.Errorf("the advice of %d books, want 41: %s with %d books", n, got.code(), len(got.Data.Books))
	}
}

func TestForeignRefuses(t *testing.T) {
	c := serve(t, 1000, static(t))
	deep := "{ books(first: 1) { " + strings.Repeat("author { books(first: 1) { ", 6) + "title" + strings.Repeat(" } }", 6) + " } }"
	for query, want := range map[string]string{
		deep:                                     "the document has depth 14, at most 12 are accepted",
		`{ books(first: 2147483647) { title } }`: "COST_ESTIMATED_TOO_EXPENSIVE",
		`{ books(first: -1) { title } }`:         "COST_INVALID_SLICING_ARGUMENTS",
		`{ books(first: 1) { pages } }`:          "GRAPHQL_VALIDATION_FAILED",
		`{ books(first: 1) `:                     "GRAPHQL_PARSE_FAILED",
	} {
		if got := c.ask("ann", query, nil); got.code() != want {
			t.Errorf("%s: %q, want %q", query, got.code(), want)
		}
	}
	if left := c.budget.Available("ann"); left < 999.99 {
		t.Errorf("refusals left %v of 1000 points", left)
	}
}

// Two pages of 90 points do not fit into a budget of 100, and one person's do
// not spend another's.
func TestForeignBudget(t *testing.T) {
	c := serve(t, 100, static(t))
	page := map[string]any{"n": 37}
	for i, want := range []string{"", "THROTTLED"} {
		if got := c.ask("ann", shelf, page); got.code() != want {
			t.Errorf("request %d of ann: %q, want %q", i+1, got.code(), want)
		}
	}
	if got := c.ask("bob", shelf, page); got.code() != "" {
		t.Errorf("bob pays for ann: %q", got.code())
	}
}

// full is a gate without a free seat.
type full struct{}

func (full) Admit(context.Context, limits.Request) (*limits.Permit, *limits.Refusal) {
	return nil, &limits.Refusal{Reason: limits.QueueFull, RetryAfter: 1e9}
}

func TestForeignGate(t *testing.T) {
	c := serve(t, 100, full{})
	if got := c.ask("ann", shelf, map[string]any{"n": 1}); got.code() != "OVERLOADED" || string(got.Errors[0].Extensions.Help) != "1" {
		t.Errorf("before a full gate: %+v, want to come back in 1 s", got)
	}
	if left := c.budget.Available("ann"); left < 99.99 {
		t.Errorf("the gate's refusal left %v of 100 points", left)
	}
}

// The documents promise that 40 lines are enough.
func TestProtectionIsShort(t *testing.T) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "protect.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	lines, counted := 0, []string{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			n := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1
			lines, counted = lines+n, append(counted, fmt.Sprintf("%s %d", f.Name.Name, n))
		}
	}
	if lines == 0 || lines >= 40 {
		t.Errorf("%d lines of functions (%s), want fewer than 40", lines, strings.Join(counted, ", "))
	}
}
