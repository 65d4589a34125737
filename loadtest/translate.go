package loadtest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"golang.org/x/sync/errgroup"
)

// fingerprint stands for what is asked for, in the hash of the scenario.
func (t *translator) fingerprint(c *capture, r Replay) []byte {
	sum := sha256.New()
	_ = json.NewEncoder(sum).Encode(c.rows) // what was decoded can be encoded, and a hash takes all
	fmt.Fprint(sum, r.Speed)
	return []byte(hex.EncodeToString(sum.Sum(nil)))
}

func (t *translator) summary(c *capture, retries int) string {
	text := fmt.Sprintf("replaying %d of %d captured requests", len(c.rows)-retries-t.left, len(c.rows))
	if retries > 0 {
		text += fmt.Sprintf(", without %d retries", retries)
	}
	if t.left > 0 {
		text += fmt.Sprintf(", without %d of documents beyond the %d commonest or for roles that no token has", t.left, mostDocuments)
	}
	if c.Dropped > 0 {
		text += fmt.Sprintf("; the server could not write down %d more", c.Dropped)
	}
	return text
}

// keyed finds variables that stand for an idempotency key.
var keyed = regexp.MustCompile(`idempotencyKey:\s*\$(\w+)`)

// mostDocuments is how many different documents are replayed.
const mostDocuments = 250

// replayed is a document with what its variables are.
type replayed struct {
	*Operation
	types map[string]*ast.Type
	keys  map[string]bool // variables that stand for an idempotency key
}

// translator maps what was captured to the people and data of a test server.
type translator struct {
	schema     *ast.Schema
	operations map[string]*replayed
	users      map[string]*User
	pools      map[*User]map[string][]string // ids that a person sees, by kind
	weeks      int                           // by which dates move
	left       int                           // rows that are left out
}

func (s *session) translator(ctx context.Context, c *capture) (*translator, error) {
	schema, text, err := s.client.schemaText(ctx)
	if err != nil {
		return nil, stopf(ExitUnreachable, "the server's schema cannot be read: %w", err)
	}
	t := &translator{schema: schema, operations: map[string]*replayed{}}
	sum := sha256.Sum256(text)
	same := c.Schema == hex.EncodeToString(sum[:])
	counts := map[string]int{}
	for _, row := range c.rows {
		counts[row.Operation]++
	}
	common := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, id := range common {
		if i >= mostDocuments {
			t.left += counts[id]
			continue
		}
		if t.operations[id], err = t.read(c.Documents[id]); err != nil {
			hint := ""
			if !same {
				hint = ": the capture is of another schema"
			}
			return nil, stopf(ExitUsage, "%s does not fit this server%s: %w", c.Documents[id].Name, hint, err)
		}
	}
	if !c.Began.IsZero() {
		t.weeks = int(math.Round(s.deck.scene.last.Sub(c.Began).Hours() / (7 * 24)))
	}
	t.people(c, s.deck.scene.users)
	if t.pools, err = s.client.pools(ctx, t.users); err != nil {
		return nil, err
	}
	return t, nil
}

// read understands a captured document.
func (t *translator) read(q *capturedQuery) (*replayed, error) {
	doc, errs := gqlparser.LoadQueryWithRules(t.schema, q.Text, rules.NewDefaultRules())
	if errs != nil {
		return nil, errors.New(inOneLine(errs))
	}
	if len(doc.Operations) != 1 {
		return nil, fmt.Errorf("it holds %d operations and not one", len(doc.Operations))
	}
	op := doc.Operations[0]
	r := &replayed{
		Operation: &Operation{Name: op.Name, Class: q.Class, Document: q.Text, Rejectable: true},
		types:     map[string]*ast.Type{}, keys: map[string]bool{},
	}
	if r.Class != ClassReport {
		r.Class = ClassInteractive
	}
	for _, v := range op.VariableDefinitions {
		r.types[v.Variable] = v.Type
	}
	for _, at := range keyed.FindAllStringSubmatch(q.Text, -1) {
		r.keys[at[1]] = true
	}
	return r, nil
}

// people maps the busiest captured person to the first test user of that role,
// and so on; where there are fewer test users, several share one.
func (t *translator) people(c *capture, users []*User) {
	t.users = map[string]*User{}
	counts, roles := map[string]int{}, map[string]string{}
	for _, row := range c.rows {
		counts[row.User]++
		roles[row.User] = row.Role
	}
	given := map[string]int{}
	for _, name := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}) {
		role := roles[name]
		var fit []*User
		for _, u := range users {
			if role == "" || u.Role == "" || u.Role == role || role == "admin" && u.Role == "owner" {
				fit = append(fit, u)
			}
		}
		if len(fit) == 0 {
			t.left += counts[name]
			continue
		}
		t.users[name] = fit[given[role]%len(fit)]
		given[role]++
	}
}

// variables translates the values of a call.
func (t *translator) variables(op *replayed, row capturedCall, user *User) map[string]any {
	out := map[string]any{}
	for name, value := range row.Variables {
		if op.keys[name] {
			out[name] = freshKey()
		} else if kind := op.types[name]; kind != nil {
			out[name] = t.value(kind, value, user)
		}
	}
	return out
}

// freshKey is an idempotency key that this replay alone uses, so that it does
// work again and is not answered from what an earlier one did.
func freshKey() string { return uuid.NewString() }

func (t *translator) value(kind *ast.Type, value any, user *User) any {
	if list, ok := value.([]any); ok && kind.Elem != nil {
		out := make([]any, 0, len(list))
		for _, item := range list {
			out = append(out, t.value(kind.Elem, item, user))
		}
		return out
	}
	def := t.schema.Types[kind.Name()]
	if fields, ok := value.(map[string]any); ok && def != nil {
		out := map[string]any{}
		for name, inner := range fields {
			field := def.Fields.ForName(name)
			switch {
			case field == nil:
			case name == "idempotencyKey":
				out[name] = freshKey()
			default:
				out[name] = t.value(field.Type, inner, user)
			}
		}
		return out
	}
	text, ok := value.(string)
	if !ok {
		return value
	}
	switch kind.Name() {
	case "UUID":
		return freshKey()
	case "ID":
		return t.id(text, user)
	case "Date":
		return t.shift(text, time.DateOnly)
	case "DateTime":
		return t.shift(text, time.RFC3339)
	}
	return text
}

func (t *translator) shift(text, layout string) string {
	at, err := time.Parse(layout, text)
	if err != nil {
		return text
	}
	return at.AddDate(0, 0, 7*t.weeks).Format(layout)
}

// id maps a captured id to one of the same kind that the person sees, always
// the same one. Where the person sees none it stays what nothing has.
func (t *translator) id(text string, user *User) string {
	kind, _, _ := strings.Cut(text, ".")
	pool := t.pools[user][kind]
	if len(pool) == 0 {
		return text
	}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(text)) // a hash takes all
	return pool[int(sum.Sum32())%len(pool)]
}

// poolsQuery asks for ids of each kind that arguments take.
const poolsQuery = `{ viewer { user { id } } projects(first: 50) { nodes { id client { id } tasks(first: 5) { nodes { id } } } } tags(first: 20) { nodes { id } } timeEntries(first: 20) { nodes { id } } }`

// pools asks what ids each person sees.
func (c *client) pools(ctx context.Context, users map[string]*User) (map[*User]map[string][]string, error) {
	distinct := map[*User]bool{}
	for _, u := range users {
		distinct[u] = true
	}
	people := slices.Collect(maps.Keys(distinct))
	found := make([]map[string][]string, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, user := range people {
		group.Go(func() error {
			found[i] = c.pool(ctx, user)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, stopf(ExitInterrupted, "stopped before anything was sent")
	}
	pools := map[*User]map[string][]string{}
	for i, user := range people {
		pools[user] = found[i]
	}
	return pools, nil
}

func (c *client) pool(ctx context.Context, user *User) map[string][]string {
	type nodes struct{ Nodes []struct{ ID string } }
	var data struct {
		Viewer   struct{ User struct{ ID string } }
		Projects struct {
			Nodes []struct {
				ID     string
				Client *struct{ ID string }
				Tasks  nodes
			}
		}
		Tags, TimeEntries nodes
	}
	pool := map[string][]string{}
	if _, _, err := c.query(ctx, user.Token, poolsQuery, &data); err != nil {
		return pool // ids stay what nothing has
	}
	add := func(kind, id string) {
		if id != "" {
			pool[kind] = append(pool[kind], id)
		}
	}
	add("User", data.Viewer.User.ID)
	for _, p := range data.Projects.Nodes {
		add("Project", p.ID)
		if p.Client != nil {
			add("Client", p.Client.ID)
		}
		for _, task := range p.Tasks.Nodes {
			add("Task", task.ID)
		}
	}
	for _, tag := range data.Tags.Nodes {
		add("Tag", tag.ID)
	}
	for _, entry := range data.TimeEntries.Nodes {
		add("TimeEntry", entry.ID)
	}
	return pool
}
