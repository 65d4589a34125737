package limits

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

var roughly = cmpopts.EquateApprox(0, 1e-9)

func compile(t testing.TB, schema *ast.Schema, query string) *Formula {
	t.Helper()
	f, err := Compile(schema, loadQuery(t, schema, query), "")
	if err != nil {
		t.Fatalf("compile %s: %v", query, err)
	}
	return f
}

func TestPrice(t *testing.T) {
	type vars = map[string]any
	tests := []struct {
		name   string
		query  string
		vars   vars
		points float64
		nodes  int64
	}{
		{name: "a root field", query: `{ viewer { role user { name } } }`, points: 0.5},
		{name: "a meta field", query: `{ __typename }`},
		{name: "introspection, whatever is selected", query: `{ __schema { types { name fields { name } } } __type(name: "A") { name } }`, points: 2},
		{name: "a page and what it holds", query: `{ projects(first: 50) { nodes { client { name } } } }`, points: 2.5, nodes: 100},
		{name: "edges weigh nothing", query: `{ projects(last: 50) { edges { cursor node { id } } pageInfo { hasNextPage } } }`, points: 1.5, nodes: 50},
		{name: "nodes and edges are two lists", query: `{ projects(first: 10) { edges { node { id } } nodes { id } } }`, points: 0.9, nodes: 20},
		{name: "a leaf with a weight", query: `{ projects(first: 1) { totalCount } }`, points: 20.5},
		{name: "lists in lists", query: `{ projects(first: 10) { nodes { tasks(first: 20) { nodes { id } } } } }`, points: 0.5 + 0.2 + 4, nodes: 210},
		{name: "assumed size", query: `{ tags { id } }`, points: 1.5, nodes: 50},
		{name: "assumed size without the argument", query: `{ recent { tags { id } } }`, points: 0.5 + 10*0.02 + 50*0.02, nodes: 60},
		{name: "or with null", query: `{ recent(limit: null) { seconds } }`, points: 0.7, nodes: 10},
		{name: "slicing argument before assumed size", query: `{ recent(limit: 3) { seconds } }`, points: 0.56, nodes: 3},
		{name: "of several slicing arguments the largest", query: `{ a: window(first: 3, last: 2) { id } b: window(first: 5, last: 6) { id } c: window { id } }`, points: 1.5 + 13*0.02, nodes: 13},
		{name: "size 0", query: `{ recent(limit: 0) { seconds } }`, points: 0.5},
		{name: "default of the argument", query: `{ search(text: "a") { ... on Tag { id } } }`, points: 0.9, nodes: 20},
		{name: "of several types the dearest", query: `{ search(text: "a", first: 10) { ... on Tag { id } ... on Project { client { id } } ... on Entry { user { id } project { id } } } }`, points: 0.5 + 10*0.06, nodes: 30},
		{name: "fragments on interfaces", query: `{ node(id: 1) { ... on Node { id } ... on User { entries(first: 5) { user { id } } } } }`, points: 0.7, nodes: 10},
		{name: "alone no object weighs", query: `{ node(id: 1) { ... on Task { project { client { id } } } } }`, points: 0.5},
		{
			name: "a report", query: `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key totals { seconds } children { children { key } } } totals { amounts { minor } } } }`,
			vars: vars{"in": vars{"maxRows": int64(100)}}, points: 62, nodes: 100,
		},
		{name: "a report's default size", query: `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`, vars: vars{"in": vars{}}, points: 80, nodes: 1000},
		{name: "a report by literal", query: `{ timesheetReport(input: {from: "a"}) { rows { key } } }`, points: 80, nodes: 1000},
		{name: "a report with a size variable within a literal", query: `query($n: Int!) { timesheetReport(input: {maxRows: $n}) { rows { key } } }`, vars: vars{"n": json.Number("50")}, points: 61, nodes: 50},
		{name: "without its rows", query: `{ timesheetReport(input: {maxRows: 10000}) { truncated } }`, points: 60},
		{name: "weights of input fields", query: `query($f: FilterInput) { timesheetReport(input: {maxRows: 0, filter: $f}) { truncated } }`, vars: vars{"f": vars{"text": "a", "any": []any{vars{"text": "b"}, vars{"tags": []any{"1"}}}}}, points: 74},
		{name: "mutation", query: `mutation { stopTimer { entry { project { id } tags { id } } userErrors { message } } }`, points: 2 + 5*0.02, nodes: 5},
		{name: "a negative weight stops at nothing", query: `mutation { createEntry(dry: true) { entry { id } } }`, points: 0},
		{name: "and counts only where given", query: `mutation($d: Boolean) { createEntry(dry: $d) { entry { id } } }`, vars: vars{"d": nil}, points: 2},
		{name: "subscription", query: `subscription { changed { id } }`, points: 0.5},
		{name: "aliases are fields of their own", query: `{ a: tags { id } b: tags { id } }`, points: 3, nodes: 100},
		{name: "equal response keys are one", query: `{ tags { id } tags { name } ...F } fragment F on Query { tags { id } }`, points: 1.5, nodes: 50},
		{name: "and merge what is below", query: `{ projects(first: 10) { nodes { client { id } } } ...F } fragment F on Query { projects(first: 10) { nodes { client { name } related(first: 2) { id } } } }`, points: 0.5 + 10*0.02*4, nodes: 40},
		{name: "variable as int", query: `query($n: Int) { recent(limit: $n) { id } }`, vars: vars{"n": 7}, points: 0.64, nodes: 7},
		{name: "as float64", query: `query($n: Int) { recent(limit: $n) { id } }`, vars: vars{"n": 7.0}, points: 0.64, nodes: 7},
		{name: "as uint8", query: `query($n: Int) { recent(limit: $n) { id } }`, vars: vars{"n": uint8(7)}, points: 0.64, nodes: 7},
		{name: "by its default", query: `query($n: Int = 7) { recent(limit: $n) { id } }`, points: 0.64, nodes: 7},
		{name: "null in spite of its default", query: `query($n: Int = 7) { recent(limit: $n) { id } }`, vars: vars{"n": nil}, points: 0.7, nodes: 10},
		{name: "not provided", query: `query($n: Int) { recent(limit: $n) { id } }`, points: 0.7, nodes: 10},
		{name: "not provided, so the argument's default", query: `query($n: Int) { search(text: "a", first: $n) { ... on Tag { id } } }`, points: 0.9, nodes: 20},
		{name: "skip and include by literal", query: `{ tags @skip(if: true) { id } viewer @include(if: true) { role } recent @include(if: false) { id } }`, points: 0.5},
		{name: "by variable", query: `query($a: Boolean!) { tags @skip(if: $a) { id } viewer @include(if: $a) { role } }`, vars: vars{"a": true}, points: 0.5},
		{name: "by the variable's default", query: `query($a: Boolean = false) { tags @include(if: $a) { id } viewer { role } }`, points: 0.5},
		{name: "a fragment left out", query: `query($a: Boolean!) { ...F @include(if: $a) viewer { role } } fragment F on Query { tags { id } }`, vars: vars{"a": false}, points: 0.5},
		{
			name:  "a merged field keeps each part's condition",
			query: `query($a: Boolean!, $b: Boolean!) { tags @include(if: $a) { id } recent @include(if: $a) { user { id } } recent @include(if: $b) { tags { id } } }`,
			vars:  vars{"a": false, "b": true}, points: 0.5 + 10*0.02 + 50*0.02, nodes: 60,
		},
	}
	schema := tracker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, schema, tt.query).Price(tt.vars, nil)
			if p.Invalid != nil {
				t.Fatalf("invalid: %v", p.Invalid)
			}
			got := Price{Expected: p.Expected, Bound: p.Bound, Nodes: p.Nodes, Rows: p.Rows, Basis: p.Basis}
			want := Price{Expected: tt.points, Bound: tt.points, Nodes: tt.nodes, Rows: tt.nodes, Basis: Declared}
			if diff := cmp.Diff(want, got, roughly); diff != "" {
				t.Errorf("price (-want +got):\n%s", diff)
			}
			if want := time.Duration(p.Expected * float64(time.Millisecond)); p.Work != want {
				t.Errorf("work %v, want %v", p.Work, want)
			}
		})
	}
}

func TestPriceInvalidSlicing(t *testing.T) {
	tests := []struct {
		name  string
		query string
		vars  map[string]any
		want  *SlicingError
	}{
		{
			name: "neither", query: `{ projects { nodes { id } } }`,
			want: &SlicingError{Path: "projects", Arguments: []string{"first", "last"}, Problem: "give exactly one of first, last"},
		},
		{
			name: "both", query: `{ p: projects(first: 1, last: 1) { nodes { id } } }`,
			want: &SlicingError{Path: "p", Arguments: []string{"first", "last"}, Problem: "give exactly one of first, last"},
		},
		{
			name: "null", query: `query($n: Int) { projects(first: $n) { nodes { id } } }`, vars: map[string]any{"n": nil},
			want: &SlicingError{Path: "projects", Arguments: []string{"first", "last"}, Problem: "give exactly one of first, last"},
		},
		{
			name: "negative by literal", query: `{ projects(first: 10) { nodes { tasks(first: -1) { nodes { id } } } } }`,
			want: &SlicingError{Path: "projects.nodes.tasks", Arguments: []string{"first"}, Problem: "first must not be negative"},
		},
		{
			name: "negative by variable", query: `query($n: Int) { recent(limit: $n) { id } }`, vars: map[string]any{"n": json.Number("-3")},
			want: &SlicingError{Path: "recent", Arguments: []string{"limit"}, Problem: "limit must not be negative"},
		},
		{
			name: "negative in a nested input", query: `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`,
			vars: map[string]any{"in": map[string]any{"maxRows": -1}},
			want: &SlicingError{Path: "timesheetReport", Arguments: []string{"input.maxRows"}, Problem: "input.maxRows must not be negative"},
		},
		{
			name: "no number", query: `query($n: Int) { recent(limit: $n) { id } }`, vars: map[string]any{"n": "many"},
			want: &SlicingError{Path: "recent", Arguments: []string{"limit"}, Problem: "limit must be a whole number"},
		},
		{
			name: "half a number", query: `query($n: Int) { recent(limit: $n) { id } }`, vars: map[string]any{"n": 1.5},
			want: &SlicingError{Path: "recent", Arguments: []string{"limit"}, Problem: "limit must be a whole number"},
		},
		{
			name: "the only one is missing", query: `{ viewer { user { e: entries { id } } } }`,
			want: &SlicingError{Path: "viewer.user.e", Arguments: []string{"first"}, Problem: "give first"},
		},
		{
			name:  "but not where the field is left out",
			query: `query($with: Boolean!, $n: Int) { viewer { role user { entries(first: $n) @include(if: $with) { id } } } }`,
			vars:  map[string]any{"with": false},
		},
	}
	schema := tracker(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, schema, tt.query).Price(tt.vars, nil)
			if diff := cmp.Diff(tt.want, p.Invalid); diff != "" {
				t.Errorf("invalid (-want +got):\n%s", diff)
			}
			if tt.want != nil && p.Expected < maxPoints {
				t.Errorf("price %v, want the maximum", p.Expected)
			}
		})
	}
}

func TestPriceSaturates(t *testing.T) {
	const deep = `projects(first: 2147483647) { nodes { related(first: 2147483647) { related(first: 2147483647) { related(first: 2147483647) { related(first: 2147483647) { id } } } } } }`
	schema := tracker(t)
	for name, query := range map[string]string{
		"by literal":               `{ ` + deep + ` }`,
		"by variable":              `query($n: Int!) { ` + strings.ReplaceAll(deep, "2147483647", "$n") + ` }`,
		"by default":               `query($n: Int = 2147483647) { ` + strings.ReplaceAll(deep, "2147483647", "$n") + ` }`,
		"beyond every number":      `{ timesheetReport(input: {maxRows: 2147483647}) { rows { key totals { seconds } } } ` + deep + ` }`,
		"many times over, aliased": `{ a: ` + deep + ` b: ` + deep + ` c: ` + deep + ` }`,
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, schema, query).Price(map[string]any{"n": int64(math.MaxInt32)}, nil)
			if p.Expected != maxPoints || p.Bound != maxPoints || p.Nodes != maxObjects || p.Work <= 0 {
				t.Errorf("price %v/%v nodes %d work %v, want the maxima", p.Expected, p.Bound, p.Nodes, p.Work)
			}
		})
	}
}

// doubling is a document whose fragments double at each level: n levels are
// 2^n fields.
func doubling(n int) string {
	return "{ viewer { user { ...F0 } } }\n" +
		many2("fragment F%d on User { a: friend { ...F%[2]d } b: friend { ...F%[2]d } }\n", n) +
		fmt.Sprintf("fragment F%d on User { entries(first: 1) { id } }", n)
}

func TestPriceDoublingFragments(t *testing.T) {
	schema := tracker(t)
	f := compile(t, schema, doubling(10))
	if got, want := f.Price(nil, nil).Nodes, int64(1024); got != want {
		t.Errorf("10 levels: %d nodes, want %d", got, want)
	}
	ten, forty := len(f.nodes), len(compile(t, schema, doubling(40)).nodes)
	if forty > 5*ten {
		t.Errorf("40 levels compile to %d nodes, 10 to %d: not linear", forty, ten)
	}
	p := compile(t, schema, doubling(100)).Price(nil, nil)
	if p.Expected != maxPoints {
		t.Errorf("100 levels cost %v, want the maximum", p.Expected)
	}
	flat := "{ viewer { user { ...F0 } } } " + many2("fragment F%d on User { ...F%[2]d ...F%[2]d } ", 90) + "fragment F90 on User { entries(first: 1) { id } }"
	if got := compile(t, schema, flat).Price(nil, nil).Nodes; got != 1 {
		t.Errorf("fragments that double on one level: %d nodes, want 1", got)
	}
}

// Conditions are kept apart up to a bound; beyond it the price is that of a
// document in which they hold.
func TestPriceManyConditions(t *testing.T) {
	schema := tracker(t)
	off := func(n int) (declared string, vars map[string]any) {
		vars = map[string]any{}
		for i := range n {
			vars[fmt.Sprintf("v%d", i)] = false
		}
		return many("$v%d: Boolean!", n), vars
	}
	tests := []struct {
		name   string
		n      int
		format string
		want   float64
	}{
		{"8 of one field", 8, "tags @include(if: $v%d) { id }", 0},
		{"9 of one field", 9, "tags @include(if: $v%d) { id }", 1.5},
		{"8 of one fragment", 8, "...F @include(if: $v%d)", 0},
		{"9 of one fragment", 9, "...F @include(if: $v%d)", 1.5},
		{"64 of different fields", 64, "a%[1]d: viewer @include(if: $v%[1]d) { role }", 0},
		{"66 of different fields", 66, "a%[1]d: viewer @include(if: $v%[1]d) { role }", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			declared, vars := off(tt.n)
			query := "query(" + declared + ") { " + many(tt.format, tt.n) + "}"
			if strings.Contains(query, "...F") {
				query += " fragment F on Query { tags { id } }"
			}
			if got := compile(t, schema, query).Price(vars, nil).Expected; got != tt.want {
				t.Errorf("price %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPriceFields(t *testing.T) {
	schema := tracker(t)
	f := compile(t, schema, `query($x: Boolean!) {
		p: projects(first: 10) { totalCount nodes { name client { id } tasks(first: 3) @include(if: $x) { nodes { id } } } }
		audit
	}`)
	want := []FieldPrice{
		{Path: "p", Coordinate: "Query.projects", Root: true, Class: Interactive, Expected: 20.9, Bound: 20.9, Mostly: "ProjectConnection.totalCount"},
		{Path: "audit", Coordinate: "Query.audit", Root: true, Class: Report, Expected: 0.5, Bound: 0.5, Mostly: "Query.audit"},
		{Path: "p.totalCount", Coordinate: "ProjectConnection.totalCount", Class: Interactive, Expected: 20, Bound: 20},
		{Path: "p.nodes", Coordinate: "ProjectConnection.nodes", Class: Interactive, Expected: 0.4, Bound: 0.4},
		{Path: "p.nodes.client", Coordinate: "Project.client", Class: Interactive, Expected: 0.2, Bound: 0.2},
	}
	if diff := cmp.Diff(want, f.Price(map[string]any{"x": false}, nil).Fields, roughly); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if got := len(f.Price(map[string]any{"x": true}, nil).Fields); got != 7 {
		t.Errorf("%d fields with tasks, want 7", got)
	}
}

// The roots of a formula are all reported, however many fields there are.
func TestPriceFieldsAreBounded(t *testing.T) {
	schema := tracker(t)
	p := compile(t, schema, doubling(12)).Price(nil, nil)
	if len(p.Fields) != maxFieldPrices {
		t.Errorf("%d fields, want %d", len(p.Fields), maxFieldPrices)
	}
	if !p.Fields[0].Root || p.Fields[0].Expected != p.Expected {
		t.Errorf("the root is %+v, want it first and with the whole price %v", p.Fields[0], p.Expected)
	}
}

func TestCompileRefuses(t *testing.T) {
	schema := tracker(t)
	tests := []struct {
		name, query, operation, want string
	}{
		{"no such operation", `query A { viewer { role } }`, "B", `no operation named "B"`},
		{"no operation chosen", `query A { viewer { role } } query B { viewer { role } }`, "", `no operation named ""`},
		{"an unknown field", `{ nothing }`, "", "type Query has no field nothing"},
		{"two fields of one key", `{ a: viewer { role } a: tags { id } }`, "", "a is both viewer and tags on type Query"},
		{"a cycle", `{ viewer { user { ...F } } } fragment F on User { friend { ...F } }`, "", "fragments spread themselves below User"},
		{"depth without end", `{ viewer { user { ` + strings.Repeat("friend { ", 300) + "id" + strings.Repeat(" }", 303), "", "the document has depth 201, at most 200 are accepted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := parser.ParseQuery(&ast.Source{Input: tt.query})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Compile(schema, doc, tt.operation); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// A schema that nobody has checked must not take the process down.
func TestCompileRefusesCircularDefaults(t *testing.T) {
	schema := loadSchema(t, directives+`type Query { a(in: In): A } type A { x: Int }
		input In { x: Int @cost(weight: "5") l: [In!] y: In = {x: 1} }`)
	_, err := Compile(schema, loadQuery(t, schema, `{ a(in: {l: [{x: 1}, {x: 2}]}) { x } }`), "")
	if want := "the default of In.y leads back to itself"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Callers of Go give lists and objects in types of their own.
func TestPriceWeighsTypedVariables(t *testing.T) {
	type named string
	type object map[named]int
	schema := loadSchema(t, directives+`type Query { a(in: [In!]): Int } input In { x: Int @cost(weight: "5") more: [In!] }`)
	f, err := Compile(schema, loadQuery(t, schema, `query($in: [In!]) { a(in: $in) }`), "")
	if err != nil {
		t.Fatal(err)
	}
	one := map[string]any{"x": 1}
	for _, in := range []any{
		[]any{one, one},
		[]map[string]any{one, one},
		[2]map[string]int{{"x": 1}, {"x": 2}},
		[]object{{"x": 1}, {"x": 2}},
		[]*object{{"x": 1}, nil, {"x": 2}},
		map[string]any{"x": 1, "more": []map[string]any{one}},
		map[string][]any{"more": {one, &one}},
	} {
		if p := f.Price(map[string]any{"in": in}, nil); p.Expected != 10.5 {
			t.Errorf("%T: %v points, want 10.5", in, p.Expected)
		}
	}
}

func TestCompileChoosesTheOperation(t *testing.T) {
	schema := tracker(t)
	doc := loadQuery(t, schema, `query A { tags { id } } mutation B { stopTimer { entry { id } } }`)
	for name, want := range map[string]float64{"A": 1.5, "B": 2} {
		f, err := Compile(schema, doc, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Price(nil, nil).Expected; got != want {
			t.Errorf("operation %s costs %v, want %v", name, got, want)
		}
	}
}
