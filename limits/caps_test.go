package limits

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestCaps(t *testing.T) {
	tests := []struct {
		name  string
		caps  Caps
		query string
		vars  map[string]any
		want  *CostError
	}{
		{name: "within", caps: DefaultCaps, query: `{ projects(first: 100) { nodes { id } } }`},
		{name: "just within", caps: Caps{Points: 2.5, Nodes: 100}, query: `{ projects(first: 100) { nodes { id } } }`},
		{
			name: "a page too large", caps: Caps{Points: 2.41, Nodes: 100}, query: `{ projects(first: 100) { nodes { id } } }`,
			want: &CostError{Unit: Points, Estimated: 2.5, Max: 2.41, Suggestions: []Suggestion{
				{Kind: ReduceArgument, Path: "projects", Argument: "first", Given: Amount{N: 100}, MaxAccepted: Amount{N: 95}, Estimated: 2.4},
			}},
		},
		{
			name: "too many nodes", caps: Caps{Points: 1000, Nodes: 500},
			query: `query($n: Int!) { projects(last: $n) { nodes { tasks(first: 10) { nodes { id } } } } }`,
			vars:  map[string]any{"n": json.Number("100")},
			want: &CostError{Unit: Nodes, Estimated: 1100, Max: 500, Suggestions: []Suggestion{
				{Kind: ReduceArgument, Path: "projects", Argument: "last", Given: Amount{N: 100}, MaxAccepted: Amount{N: 45}, Estimated: 495},
				{Kind: ReduceArgument, Path: "projects.nodes.tasks", Argument: "first", Given: Amount{N: 10}, MaxAccepted: Amount{N: 4}, Estimated: 500},
			}},
		},
		{
			name: "a dotted argument", caps: Caps{Points: 100, Nodes: 10_000},
			query: `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`,
			vars:  map[string]any{"in": map[string]any{"maxRows": 10_000}},
			want: &CostError{Unit: Points, Estimated: 260, Max: 100, Suggestions: []Suggestion{
				{Kind: ReduceArgument, Path: "timesheetReport", Argument: "input.maxRows", Given: Amount{N: 10_000}, MaxAccepted: Amount{N: 2000}, Estimated: 100},
			}},
		},
		{
			name: "a dear leaf", caps: Caps{Points: 10, Nodes: 100}, query: `{ projects(first: 1) { totalCount nodes { id } } }`,
			want: &CostError{Unit: Points, Estimated: 20.52, Max: 10, Suggestions: []Suggestion{
				{Kind: DropField, Path: "projects.totalCount", Saves: 20},
			}},
		},
		{
			name: "two dear fields", caps: Caps{Points: 70, Nodes: 1000}, query: `{ a: timesheetReport(input: {maxRows: 1}) { truncated } b: timesheetReport(input: {maxRows: 1}) { truncated } }`,
			want: &CostError{Unit: Points, Estimated: 120, Max: 70, Suggestions: []Suggestion{{Kind: SplitOperation, Path: "a"}}},
		},
		{
			name: "beyond help", caps: Caps{Points: 10, Nodes: 1000}, query: `{ timesheetReport(input: {maxRows: 1}) { truncated } }`,
			want: &CostError{Unit: Points, Estimated: 60, Max: 10},
		},
		{
			name: "a merged field", caps: Caps{Points: 1, Nodes: 1000},
			query: `{ projects(first: 50) { nodes { id } } ...F } fragment F on Query { projects(first: 50) { nodes { name } } }`,
			want: &CostError{Unit: Points, Estimated: 1.5, Max: 1, Suggestions: []Suggestion{
				{Kind: ReduceArgument, Path: "projects", Argument: "first", Given: Amount{N: 50}, MaxAccepted: Amount{N: 25}, Estimated: 1},
			}},
		},
		{
			name: "merged in one of two places", caps: Caps{Points: 10, Nodes: 1000},
			query: `{ projects(first: 10) { nodes { related(first: 50) { id } ...P } } recent(limit: 10) { project { ...P } } } fragment P on Project { related(first: 50) { name } }`,
			want: &CostError{Unit: Points, Estimated: 1 + 10*0.02*51 + 10*0.02*52, Max: 10, Suggestions: []Suggestion{
				{Kind: ReduceArgument, Path: "projects.nodes.related", Argument: "first", Given: Amount{N: 50}, MaxAccepted: Amount{N: 21}, Estimated: 1 + 0.2*22 + 0.2*23},
			}},
		},
		{
			name: "the largest Int", caps: DefaultCaps, query: `{ projects(first: 2147483647) { nodes { id } } }`,
			want: &CostError{Unit: Points, Estimated: 0.5 + 0.02*2147483647, Max: 1000, Suggestions: []Suggestion{
				{Kind: ReduceArgument, Path: "projects", Argument: "first", Given: Amount{N: 2147483647}, MaxAccepted: Amount{N: 10_000}, Estimated: 200.5},
			}},
		},
	}
	schema := tracker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := compile(t, schema, tt.query)
			got := tt.caps.Check(f, f.Price(tt.vars, nil), tt.vars, nil)
			if diff := cmp.Diff(tt.want, got, roughly); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSuggestionJSON(t *testing.T) {
	got, err := json.Marshal([]Suggestion{
		{Kind: ReduceArgument, Path: "projects", Argument: "first", Given: Amount{N: 100}, MaxAccepted: Amount{N: 24}, Estimated: 997},
		{Kind: DropField, Path: "a.b", Saves: 2000},
		{Kind: SplitOperation, Path: "summary"},
	})
	const want = `[{"kind":"REDUCE_ARGUMENT","path":"projects","argument":"first","given":100,"maxAccepted":24,"estimated":997},` +
		`{"kind":"DROP_FIELD","path":"a.b","saves":2000},{"kind":"SPLIT_OPERATION","path":"summary"}]`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

// TestSuggestionsHold applies each suggestion to random documents: the result is
// accepted, and one more than MaxAccepted is refused.
func TestSuggestionsHold(t *testing.T) {
	schema := tracker(t)
	vars := map[string]any{"a": true, "b": true, "n": int64(40)}
	tried := map[string]int{}
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 2))
		if seed%20 == 10 {
			schema = randomSchema(t, rng)
		}
		w := &writer{rng: rng, schema: schema, budget: 40, unique: true, sizes: []string{"2", "10", "100", "$n"}}
		query := w.document(rng.IntN(4))
		price := func(change func(*ast.QueryDocument)) (*Formula, Price) {
			doc := loadUnused(t, schema, query)
			change(doc)
			f, err := Compile(schema, doc, "")
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, query)
			}
			return f, f.Price(vars, nil)
		}
		f, p := price(func(*ast.QueryDocument) {})
		caps := Caps{Points: p.Expected * (0.2 + 0.9*rng.Float64()), Nodes: int64(float64(p.Nodes) * (0.2 + 0.9*rng.Float64()))}
		refused := caps.Check(f, p, vars, nil)
		if refused == nil {
			continue
		}
		for _, s := range refused.Suggestions {
			tried[s.Kind]++
			fail := func(what string, p Price) {
				t.Fatalf("seed %d, caps %+v, %+v: %s: %v points, %d nodes\n%s", seed, caps, s, what, p.Expected, p.Nodes, query)
			}
			accepted := func(change func(*ast.QueryDocument)) (Price, bool) {
				_, p := price(change)
				return p, p.Expected <= caps.Points && p.Nodes <= caps.Nodes
			}
			key := s.Path[strings.LastIndexByte(s.Path, '.')+1:]
			switch s.Kind {
			case ReduceArgument:
				if p, ok := accepted(setSize(key, s.Argument, s.MaxAccepted.N)); !ok {
					fail("applied and refused", p)
				}
				if p, ok := accepted(setSize(key, s.Argument, s.MaxAccepted.N+1)); ok {
					fail("one more is accepted", p)
				}
			case ReduceAll:
				all := func(n int64) func(*ast.QueryDocument) {
					return func(doc *ast.QueryDocument) {
						for _, p := range s.Places {
							setSize(p.Path[strings.LastIndexByte(p.Path, '.')+1:], p.Argument, n)(doc)
						}
					}
				}
				if p, ok := accepted(all(s.MaxAccepted.N)); !ok {
					fail("applied and refused", p)
				}
				if p, ok := accepted(all(s.MaxAccepted.N + 1)); ok {
					fail("one more is accepted", p)
				}
			case DropField:
				if p, ok := accepted(keepFields(func(f *ast.Field) bool { return f.Alias != key })); !ok {
					fail("without the field refused", p)
				}
			case DropFields:
				left := func(kept string) func(*ast.Field) bool {
					return func(f *ast.Field) bool {
						return f.Alias == kept || !slices.ContainsFunc(s.Places, func(p Place) bool { return p.Path == f.Alias })
					}
				}
				if p, ok := accepted(keepFields(left(""))); !ok {
					fail("without the fields refused", p)
				}
				if p, ok := accepted(keepFields(left(s.Places[len(s.Places)-1].Path))); ok {
					fail("with one of them accepted", p)
				}
			case SplitOperation:
				if p, ok := accepted(keepFields(func(f *ast.Field) bool { return f.Alias != key })); !ok {
					fail("the rest refused", p)
				}
			}
		}
	}
	if tried[ReduceArgument] < 300 || tried[ReduceAll] < 30 || tried[DropField] < 100 || tried[DropFields] < 30 || tried[SplitOperation] < 30 {
		t.Errorf("tried %v: too few to say anything", tried)
	}
}

// eachSet calls change for every selection set of a document.
func eachSet(doc *ast.QueryDocument, change func(ast.SelectionSet) ast.SelectionSet) {
	var walk func(ast.SelectionSet) ast.SelectionSet
	walk = func(set ast.SelectionSet) ast.SelectionSet {
		set = change(set)
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				s.SelectionSet = walk(s.SelectionSet)
			case *ast.InlineFragment:
				s.SelectionSet = walk(s.SelectionSet)
			}
		}
		return set
	}
	for _, op := range doc.Operations {
		op.SelectionSet = walk(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		f.SelectionSet = walk(f.SelectionSet)
	}
}

func setSize(key, argument string, n int64) func(*ast.QueryDocument) {
	return func(doc *ast.QueryDocument) {
		eachSet(doc, func(set ast.SelectionSet) ast.SelectionSet {
			for _, s := range set {
				f, ok := s.(*ast.Field)
				if !ok || f.Alias != key {
					continue
				}
				v := &ast.Value{Kind: ast.IntValue, Raw: strconv.FormatInt(n, 10)}
				if arg := f.Arguments.ForName(argument); arg != nil {
					arg.Value = v
				} else { // it was given by default
					f.Arguments = append(f.Arguments, &ast.Argument{Name: argument, Value: v})
				}
			}
			return set
		})
	}
}

func keepFields(keep func(*ast.Field) bool) func(*ast.QueryDocument) {
	return func(doc *ast.QueryDocument) {
		eachSet(doc, func(set ast.SelectionSet) ast.SelectionSet {
			return slices.DeleteFunc(set, func(s ast.Selection) bool {
				f, ok := s.(*ast.Field)
				return ok && !keep(f)
			})
		})
	}
}

// shrinking is an estimator whose rows follow the page that is asked for.
type shrinking struct{}

func (shrinking) Estimate(coordinate string, args Arguments) (Estimate, bool) {
	n, ok := args.Get("first").(int64)
	return Estimate{Rows: n / 2, MaxRows: n, Work: 10, MaxWork: 10}, ok && coordinate == "Query.projects"
}

func TestSuggestionsAskTheEstimator(t *testing.T) {
	f := compile(t, tracker(t), `{ projects(first: 100) { nodes { id } } }`)
	caps := Caps{Points: 0.4, Nodes: 1000}
	got := caps.Check(f, f.Price(nil, shrinking{}), nil, shrinking{})
	if got == nil || len(got.Suggestions) != 1 || got.Suggestions[0].MaxAccepted.N != 39 {
		t.Errorf("refusal %+v, want a page of 39, of which 19 are expected", got)
	}
}

func TestSwappedArgumentLeavesTheRequestAlone(t *testing.T) {
	input := map[string]any{"a": map[string]any{"n": int64(9)}, "b": 1}
	got := withField(withField(input, "a.n", int64(4)), "other.n", int64(5))
	want := map[string]any{"a": map[string]any{"n": int64(4)}, "b": 1, "other": map[string]any{"n": int64(5)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(input); got != "map[a:map[n:9] b:1]" {
		t.Errorf("the request's input became %s", got)
	}
}

func TestClassify(t *testing.T) {
	tests := []struct {
		name, query string
		asked, want Class
		split       string // path SuggestSplit names, if any
	}{
		{name: "a read", query: `{ viewer { role } }`, want: Interactive},
		{name: "stopping a timer", query: `mutation { stopTimer { entry { id } } }`, want: Control},
		{name: "twice", query: `mutation { a: stopTimer { entry { id } } b: stopTimer { entry { id } } __typename }`, want: Control},
		{name: "and something else", query: `mutation { stopTimer { entry { id } } createEntry { entry { id } } }`, want: Interactive, split: "createEntry"},
		{name: "stopping with a dear answer", query: `mutation { stopTimer { entry { user { entries(first: 10000) { id } } } } }`, want: Report},
		{name: "a dear field", query: `{ recent(limit: 5000) { id } }`, want: Report},
		{name: "a field just cheap enough", query: `{ recent(limit: 2475) { id } }`, want: Interactive},
		{name: "two halves of a dear field", query: `{ a: recent(limit: 2000) { id } b: recent(limit: 2000) { id } }`, want: Interactive},
		{name: "a declared report", query: `{ viewer { role } audit }`, want: Report, split: "audit"},
		{name: "declared background, however dear", query: `{ exportAll }`, want: Background},
		{name: "background beside a report", query: `{ audit exportAll viewer { role } }`, want: Background, split: "exportAll"},
		{name: "nothing but a meta field", query: `{ __typename }`, want: Interactive},
		{name: "introspection", query: `{ __schema { types { name } } }`, want: Interactive},
		{name: "lowered by the caller", query: `{ viewer { role } }`, asked: Background, want: Background},
		{name: "not raised by the caller", query: `{ audit }`, asked: Interactive, want: Report},
	}
	schema := tracker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, schema, tt.query).Price(nil, nil)
			if got := Classify(p, tt.asked); got != tt.want {
				t.Errorf("class %v, want %v", got, tt.want)
			}
			s, mixed := SuggestSplit(p)
			if want := tt.split != ""; mixed != want || s.Path != tt.split {
				t.Errorf("split %+v %v, want %q", s, mixed, tt.split)
			}
		})
	}
}

func TestParseClass(t *testing.T) {
	for c := range numClasses {
		if got, err := ParseClass(c.String()); err != nil || got != c {
			t.Errorf("ParseClass(%q) = %v, %v", c.String(), got, err)
		}
	}
	if _, err := ParseClass("urgent"); err == nil {
		t.Error(`ParseClass("urgent") is no error`)
	}
}

// A change concerns its field and what lies below it, and no other that begins alike.
func TestSuggestionsConcernTheirFields(t *testing.T) {
	one := Suggestion{Kind: DropField, Path: "a.nodes"}
	all := Suggestion{Kind: ReduceAll, Places: []Place{{Path: "a"}, {Path: "b", Argument: "first"}}}
	for _, test := range []struct {
		change Suggestion
		path   string
		want   bool
	}{
		{one, "a.nodes", true},
		{one, "a.nodes.tasks", true},
		{one, "a", false},
		{one, "a.nodesOf", false},
		{all, "a.x", true},
		{all, "b", true},
		{all, "c", false},
	} {
		if got := test.change.Concerns(test.path); got != test.want {
			t.Errorf("%s concerns %s: %v, want %v", test.change.Kind, test.path, got, test.want)
		}
	}
}
