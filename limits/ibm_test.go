package limits

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ibmSDL gives everything a weight of its own, so that no default of ours is in
// a sum.
const ibmSDL = directives + `
scalar Image @cost(weight: "4")
enum Grade @cost(weight: "2") { A B }
type Query {
  plain: Int @cost(weight: "5")
  float: Int @cost(weight: "1.5e1")
  filtered(filter: Filter @cost(weight: "15")): Int @cost(weight: "5")
  popular(approx: Boolean @cost(weight: "-3")): Int @cost(weight: "5")
  given(approx: Boolean @cost(weight: "-30")): Int @cost(weight: "5")
  moded(mode: Int = 1 @cost(weight: "2")): Int @cost(weight: "5")
  graded(grade: Grade): Int @cost(weight: "5")
  grade: Grade @cost(weight: "1")
  image: Image @cost(weight: "1")
  images: [Image] @cost(weight: "1") @listSize(assumedSize: 10)
  item: Item @cost(weight: "5")
  top: [Item] @cost(weight: "5") @listSize(assumedSize: 10)
  found: [Found] @cost(weight: "1") @listSize(assumedSize: 10)
  things: [Thing] @cost(weight: "1") @listSize(assumedSize: 10)
  users(max: Int!): [Item] @cost(weight: "1") @listSize(slicingArguments: ["max"])
  preset(max: Int = 7): [Item] @cost(weight: "1") @listSize(slicingArguments: ["max"])
  huge(max: Int = 2147483647): [Item] @cost(weight: "1") @listSize(slicingArguments: ["max"])
  window(first: Int, last: Int): [Item] @cost(weight: "1")
    @listSize(slicingArguments: ["first", "last"], assumedSize: 10, requireOneSlicingArgument: false)
  films(first: Int, last: Int): Films @cost(weight: "1") @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges"])
  classics: Films @cost(weight: "1") @listSize(assumedSize: 6, sizedFields: ["edges"])
  paged(in: PageInput): [Item] @cost(weight: "1") @listSize(slicingArguments: ["in.page.size"])
}
union Found = Item | Big
interface Thing { name: String }
type Item implements Thing @cost(weight: "3") { name: String rate: Int @cost(weight: "0.5") }
type Big implements Thing @cost(weight: "8") { name: String @cost(weight: "2") }
type Films @cost(weight: "0") { count: Int edges: [Edge] }
type Edge @cost(weight: "1") { node: Item }
input Filter { approx: Boolean @cost(weight: "-12") grade: Grade exact: Boolean = true @cost(weight: "1") }
input PageInput { page: Page }
input Page { size: Int }
`

// most is the largest Int there is; an item weighs 3.
const most = 2147483647

// TestCostDirectives holds prices to each rule of the IBM GraphQL Cost Directives
// (draft of October 2023), by the section that states it. A price is the sum of
// the draft's type cost and field cost.
func TestCostDirectives(t *testing.T) {
	type vars = map[string]any
	schema := loadSchema(t, ibmSDL)
	if err := CheckSchema(schema); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		rule, query string
		vars        vars
		points      float64
		nodes       int64
		invalid     string // why the list is refused; empty: it is not
	}{
		{rule: "5.3 the weight of a field", query: `{ plain }`, points: 5},
		{rule: "5.3 counts each alias", query: `{ plain a: plain }`, points: 10},
		{rule: "5.3 of an argument that is not given", query: `{ filtered }`, points: 5},
		{rule: "5.3 of an argument that is null", query: `{ filtered(filter: null) }`, points: 5},
		{rule: "5.3 of an argument", query: `{ filtered(filter: {exact: null}) }`, points: 20},
		{rule: "5.3 of an argument by variable", query: `query($f: Filter) { filtered(filter: $f) }`, vars: vars{"f": vars{"exact": nil}}, points: 20},
		{rule: "5.3 of an input field", query: `{ filtered(filter: {approx: true, exact: null}) }`, points: 8},
		{rule: "5.3 of an input field by variable", query: `query($f: Filter) { filtered(filter: $f) }`, vars: vars{"f": vars{"approx": true, "exact": nil}}, points: 8},
		{rule: "5.3 of an input field by default", query: `{ filtered(filter: {approx: true}) }`, points: 9},
		{rule: "5.3 a negative weight", query: `{ popular(approx: true) }`, points: 2},
		{rule: "5.3 a negative sum is zero", query: `{ given(approx: true) }`, points: 0},
		{rule: "5.3 and takes nothing from other fields", query: `{ given(approx: true) plain }`, points: 5},
		{rule: "5.3 of an argument by default", query: `{ moded }`, points: 7},
		{rule: "7.1 a weight is a serialized float", query: `{ float }`, points: 15},
		{rule: "7.1 of an enum", query: `{ grade }`, points: 3},
		{rule: "7.1 arguments of an enum weigh nothing", query: `{ graded(grade: A) }`, points: 5},
		{rule: "7.1 input fields of an enum neither", query: `{ filtered(filter: {grade: A, exact: null}) }`, points: 20},
		{rule: "7.1 of a scalar", query: `{ image }`, points: 5},
		{rule: "7.1 of each scalar in a list", query: `{ images }`, points: 41},
		{rule: "7.1 of an object", query: `{ item { name } }`, points: 8, nodes: 1},
		{rule: "7.1 of each object in a list", query: `{ top { name } }`, points: 35, nodes: 10},
		{rule: "7.1 of a field in each object", query: `{ top { rate } }`, points: 40, nodes: 10},
		{rule: "7.2 of a union: its dearest member", query: `{ found { ... on Item { name } ... on Big { __typename } } }`, points: 81, nodes: 10},
		{rule: "7.2 of an interface: its dearest type, with that type's field", query: `{ things { name } }`, points: 101, nodes: 10},
		{rule: "8.1 assumedSize", query: `{ window { name } }`, points: 31, nodes: 10},
		{rule: "8.4 requireOneSlicingArgument is ignored without slicing arguments", query: `{ classics { count } }`, points: 1},
		{rule: "8.2 slicing argument", query: `{ users(max: 4) { name } }`, points: 13, nodes: 4},
		{rule: "8.2 by variable", query: `query($n: Int!) { users(max: $n) { name } }`, vars: vars{"n": int64(4)}, points: 13, nodes: 4},
		{rule: "8.2 zero", query: `{ users(max: 0) { name } }`, points: 1},
		{rule: "8.2 a default is as if given", query: `{ preset { name } }`, points: 22, nodes: 7},
		{rule: "8.2 of several the largest", query: `{ window(first: 2, last: 9) { name } }`, points: 28, nodes: 9},
		{rule: "9.2.4 a slicing argument before assumedSize", query: `{ window(first: 2) { name } }`, points: 7, nodes: 2},
		{rule: "9.2.4 null is not given", query: `{ window(first: null, last: null) { name } }`, points: 31, nodes: 10},
		{rule: "9.2.4 nor is a variable without a value", query: `query($n: Int) { window(first: $n) { name } }`, points: 31, nodes: 10},
		{rule: "8.3 sizedFields", query: `{ films(first: 5) { count edges { node { name } } } }`, points: 21, nodes: 10},
		{rule: "8.3 sizedFields, not selected", query: `{ films(last: 5) { count } }`, points: 1},
		{rule: "8.3 sizedFields of assumedSize", query: `{ classics { edges { node { name } } } }`, points: 25, nodes: 12},
		{rule: "8.4 both", query: `{ films(first: 5, last: 5) { count } }`, invalid: "give exactly one of first, last"},
		{rule: "8.4 neither", query: `{ films { count } }`, invalid: "give exactly one of first, last"},
		{rule: "8.4 null", query: `{ films(first: null) { count } }`, invalid: "give exactly one of first, last"},
		{rule: "8.4 null beside one", query: `{ films(first: null, last: 5) { edges { node { name } } } }`, points: 21, nodes: 10},
		{rule: "8.4 null instead of a default", query: `{ preset(max: null) { name } }`, invalid: "give max"},
		{rule: "negative", query: `{ films(first: -5) { count } }`, invalid: "first must not be negative"},
		{rule: "negative beside one that is not", query: `{ window(first: -5, last: 5) { name } }`, invalid: "first must not be negative"},
		{rule: "negative in an input", query: `{ paged(in: {page: {size: -1}}) { name } }`, invalid: "in.page.size must not be negative"},
		{rule: "the largest, as a literal", query: `{ users(max: 2147483647) { name } }`, points: 1 + 3*most, nodes: most},
		{rule: "the largest, as a variable", query: `query($n: Int!) { users(max: $n) { name } }`, vars: vars{"n": int64(most)}, points: 1 + 3*most, nodes: most},
		{rule: "the largest, as a variable's default", query: `query($n: Int! = 2147483647) { users(max: $n) { name } }`, points: 1 + 3*most, nodes: most},
		{rule: "the largest, as an argument's default", query: `{ huge { name } }`, points: 1 + 3*most, nodes: most},
		{rule: "the largest, in an input", query: `{ paged(in: {page: {size: 2147483647}}) { name } }`, points: 1 + 3*most, nodes: most},
		{rule: "the largest, as a variable in an input", query: `query($n: Int) { paged(in: {page: {size: $n}}) { name } }`, vars: vars{"n": int64(most)}, points: 1 + 3*most, nodes: most},
		{rule: "the largest, in an input variable", query: `query($p: Page) { paged(in: {page: $p}) { name } }`, vars: vars{"p": vars{"size": int64(most)}}, points: 1 + 3*most, nodes: most},
		{rule: "the largest, in an input variable's default", query: `query($in: PageInput = {page: {size: 2147483647}}) { paged(in: $in) { name } }`, points: 1 + 3*most, nodes: most},
		{rule: "no input", query: `{ paged { name } }`, invalid: "give in.page.size"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			p := compile(t, schema, tt.query).Price(tt.vars, nil)
			problem := ""
			if p.Invalid != nil {
				problem = p.Invalid.Problem
			}
			if problem != tt.invalid {
				t.Fatalf("refused for %q, want %q", problem, tt.invalid)
			}
			if tt.invalid != "" {
				tt.points, tt.nodes = maxPoints, maxObjects
			}
			if diff := cmp.Diff([]float64{tt.points, tt.points}, []float64{p.Expected, p.Bound}, roughly); diff != "" || p.Nodes != tt.nodes {
				t.Errorf("%d nodes, want %d; expected and bound (-want +got):\n%s", p.Nodes, tt.nodes, diff)
			}
		})
	}
}
