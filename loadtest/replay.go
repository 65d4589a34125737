package loadtest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	vegeta "github.com/tsenart/vegeta/v12/lib"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"golang.org/x/sync/errgroup"
)

// A Replay is a capture to be sent again.
type Replay struct {
	File   string
	Speed  float64   // how many times faster it is sent; 0: 1
	Rate   float64   // arrivals a second of a file that holds no times
	Export io.Writer // write vegeta's JSON targets there and send nothing; nil: send
}

// script is a stream whose every arrival is given. It is its own shape.
type script []scripted

// scripted is one call of a script.
type scripted struct {
	due  time.Duration // since the phase's start
	op   *Operation
	user *User
	vars map[string]any
}

func (s script) length() time.Duration { return s[len(s)-1].due + time.Second }

func (s script) by(t float64) float64 {
	n, _ := slices.BinarySearchFunc(s, t, func(c scripted, t float64) int { return cmp.Compare(c.due.Seconds(), t) })
	return float64(n)
}

// dues are the times as they are given.
func (s script) dues() []time.Duration {
	list := make([]time.Duration, len(s))
	for i, call := range s {
		list[i] = call.due
	}
	return list
}

// scripted is a call that was given, ready to be sent.
func (d *deck) scripted(c scripted) (call, error) {
	op, err := d.load(c.op) // it is loaded already
	if err != nil {
		return call{}, err
	}
	variables, err := json.Marshal(c.vars)
	if err != nil {
		return call{op: op}, fmt.Errorf("encode the variables of %s: %w", op.Name, err)
	}
	return call{op: op, user: c.user, body: slices.Concat(op.head, variables, []byte("}"))}, nil
}

// peak is the greatest number within a second.
func (s script) peak() float64 {
	most, from := 0, 0
	for i := range s {
		for s[i].due-s[from].due >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return float64(most)
}

func (s script) check() error { return nil }

// Send replays a capture and judges it by the promises of an ordinary minute.
func (r Replay) Send(ctx context.Context, c Config) (*Record, error) {
	if r.Speed == 0 {
		r.Speed = 1
	}
	if !(r.Speed > 0 && r.Speed <= 100) {
		return nil, stopf(ExitUsage, "a speed of %v is not between 0 and 100", r.Speed)
	}
	captured, err := readCapture(r.File, r.Rate)
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer s.client.close()
	scenario, err := s.replay(ctx, captured, r)
	if err != nil {
		return nil, err
	}
	if r.Export != nil {
		return nil, s.export(r.Export, scenario)
	}
	s.scripted = scenario
	return s.run(ctx, nil)
}

// replay turns a capture into a scenario of one phase.
func (s *session) replay(ctx context.Context, c *capture, r Replay) (*Scenario, error) {
	t, err := s.translator(ctx, c)
	if err != nil {
		return nil, err
	}
	streams, retries := map[Class]script{}, 0
	var first *int64
	for _, row := range c.rows {
		if row.Attempt > 1 {
			retries++ // whoever replays makes retries of their own
			continue
		}
		op := t.operations[row.Operation]
		user := t.users[row.User]
		if op == nil || user == nil {
			continue
		}
		if first == nil {
			first = &row.At
		}
		due := time.Duration(float64(row.At-*first) / r.Speed * float64(time.Microsecond))
		class := op.Class
		streams[class] = append(streams[class], scripted{due, op.Operation, user, t.variables(op, row, user)})
	}
	if len(streams) == 0 {
		return nil, stopf(ExitUsage, "%s holds nothing to send again", r.File)
	}
	ordinary, err := loadSpec("smoke") // its promises are those of an ordinary minute
	if err != nil {
		return nil, err
	}
	phase := Phase{Name: "replay", Judged: true}
	scenario := &Scenario{Name: "replay", Rounds: 1}
	for _, class := range slices.Sorted(maps.Keys(streams)) {
		stream := streams[class]
		phase.For = max(phase.For, stream.length())
		phase.Streams = append(phase.Streams, Stream{Class: class, Rate: stream})
		if known := ordinary.classes[class]; known != nil {
			for _, o := range known.objectives {
				o.phase = phase.Name
				scenario.Objectives = append(scenario.Objectives, o)
			}
		}
	}
	scenario.Phases = []Phase{phase}
	s.spec = &spec{name: "replay", raw: t.fingerprint(c, r)}
	s.say("%s", t.summary(c, retries))
	return scenario, nil
}

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
		return nil, errs
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

// export writes what would be sent as vegeta's JSON targets, in order, without
// tokens.
func (s *session) export(w io.Writer, scenario *Scenario) error {
	plan, err := newPlan(scenario.Phases, s.Seed)
	if err != nil {
		return &Stop{ExitUsage, err}
	}
	encode := vegeta.NewJSONTargetEncoder(w)
	for _, arrival := range plan.arrivals {
		call := plan.streams[arrival.stream].Rate.(script)[arrival.nth]
		var body bytes.Buffer
		if err := json.NewEncoder(&body).Encode(map[string]any{"operationName": call.op.Name, "query": call.op.Document, "variables": call.vars}); err != nil {
			return fmt.Errorf("encode %s: %w", call.op.Name, err)
		}
		target := vegeta.Target{
			Method: http.MethodPost, URL: s.target.String(), Body: body.Bytes(),
			Header: http.Header{"Content-Type": {"application/json"}},
		}
		if err := encode.Encode(&target); err != nil {
			return fmt.Errorf("write the targets: %w", err)
		}
	}
	return nil
}
