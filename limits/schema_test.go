package limits

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// directives declares what this package reads from a schema.
const directives = `
directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
directive @class(name: OperationClass!) on FIELD_DEFINITION
enum OperationClass { CONTROL INTERACTIVE REPORT BACKGROUND }
`

// trackerSDL is a small time tracker with every shape that has a price of its
// own.
const trackerSDL = directives + `
type Query {
  viewer: Viewer!
  node(id: ID!): Node
  search(text: String!, first: Int = 20): [Found!] @listSize(slicingArguments: ["first"])
  projects(first: Int, last: Int, after: String): ProjectConnection!
    @listSize(slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"])
  tags: [Tag!] @listSize(assumedSize: 50)
  recent(limit: Int): [Entry!] @listSize(slicingArguments: ["limit"], assumedSize: 10, requireOneSlicingArgument: false)
  timesheetReport(input: ReportInput!): Report @cost(weight: "60")
    @listSize(slicingArguments: ["input.maxRows"], sizedFields: ["rows"])
  window(first: Int, last: Int): [Entry!] @listSize(slicingArguments: ["first", "last"], assumedSize: 4, requireOneSlicingArgument: false)
  exportAll: Int @cost(weight: "80") @class(name: BACKGROUND)
  audit: Int @class(name: REPORT)
}
type Mutation {
  stopTimer(note: String): EntryPayload @class(name: CONTROL)
  createEntry(input: EntryInput, dry: Boolean @cost(weight: "-5")): EntryPayload
}
type Subscription { changed: Entry }
interface Node { id: ID! }
union Found = Project | Entry | Tag
type Viewer { user: User role: String workspace: Workspace }
type User implements Node { id: ID! name: String entries(first: Int): [Entry!] @listSize(slicingArguments: ["first"]) friend: User }
type Workspace implements Node { id: ID! name: String }
type ProjectConnection { edges: [ProjectEdge!] nodes: [Project!] pageInfo: PageInfo totalCount: Int @cost(weight: "20") }
type ProjectEdge @cost(weight: "0") { cursor: String node: Project }
type PageInfo @cost(weight: "0") { hasNextPage: Boolean }
type Project implements Node { id: ID! name: String client: Client tasks(first: Int): TaskConnection
    @listSize(slicingArguments: ["first"], sizedFields: ["nodes"])
  related(first: Int): [Project!] @listSize(slicingArguments: ["first"]) }
type TaskConnection { nodes: [Task!] }
type Client implements Node { id: ID! name: String }
type Task implements Node { id: ID! name: String project: Project }
type Tag implements Node { id: ID! name: String }
type Entry implements Node { id: ID! seconds: Int project: Project tags: [Tag!] @listSize(assumedSize: 5) user: User }
type Report { rows: [Row!]! totals: Totals truncated: Boolean }
type Row { key: ID! totals: Totals children: [Row!] @listSize(assumedSize: 0) }
type Totals @cost(weight: "0") { seconds: Int amounts: [Money!] @listSize(assumedSize: 0) }
type Money { minor: Int currency: String }
type EntryPayload { entry: Entry userErrors: [UserError!] @listSize(assumedSize: 0) }
type UserError { message: String }
input ReportInput { from: String maxRows: Int! = 1000 filter: FilterInput }
input FilterInput { tags: [ID!] text: String @cost(weight: "7") any: [FilterInput!] }
input EntryInput { note: String first: Int }
`

func loadSchema(t testing.TB, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "test.graphql", Input: sdl})
	if err != nil {
		t.Fatalf("load schema: %v", err)
	}
	return schema
}

func tracker(t testing.TB) *ast.Schema {
	t.Helper()
	schema := loadSchema(t, trackerSDL)
	if err := CheckSchema(schema); err != nil {
		t.Fatalf("the test's own schema: %v", err)
	}
	return schema
}

func loadQuery(t testing.TB, schema *ast.Schema, query string) *ast.QueryDocument {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
	if len(errs) > 0 {
		t.Fatalf("load %s: %v", query, gqlerror.List(errs))
	}
	return doc
}

func TestCheckSchema(t *testing.T) {
	tests := []struct {
		name string
		sdl  string
		want []string // parts of the error, in order of lines; none: accepted
	}{
		{name: "a tracker", sdl: strings.TrimPrefix(trackerSDL, directives)},
		{
			name: "list without a size",
			sdl:  "type Query { a: [A!]! }\ntype A { id: ID }",
			want: []string{"test.graphql:6:14: Query.a: a list needs @listSize"},
		},
		{
			name: "list below a field that does not tell its size",
			sdl: `type Query { c(first: Int): C @listSize(slicingArguments: ["first"], sizedFields: ["nodes"]) d: C }
				type C { nodes: [A!] } type A { id: ID }`,
			want: []string{"C.nodes: a list needs @listSize, or its name in the sizedFields of Query.d"},
		},
		{name: "leaf lists are free", sdl: "type Query { ids: [ID!] kinds: [K!] } enum K { A }"},
		{
			name: "but not of a scalar with a weight",
			sdl:  `scalar Image @cost(weight: "3") type Query { images: [Image!] }`,
			want: []string{"Query.images: a list needs @listSize"},
		},
		{
			name: "list of lists",
			sdl:  "type Query { a: [[A!]] b: [[A!]] @listSize(assumedSize: 3) } type A { id: ID }",
			want: []string{"Query.a: a list of lists cannot be priced", "Query.b: a list of lists cannot be priced"},
		},
		{
			name: "weights that are no numbers",
			sdl: `type Query { a(x: Int @cost(weight: "NaN")): Int @cost(weight: "much") b(i: I): E }
				input I { f: Int @cost(weight: "inf") } enum E @cost(weight: "") { A } type T @cost(weight: "-1") { a: Int @cost(weight: "-0.1") }`,
			want: []string{
				"7:53: E: the weight of @cost is no finite number",
				"7:23: I.f: the weight", "6:51: Query.a: the weight", "6:24: Query.a(x:): the weight",
				"T: a negative @cost", "T.a: a negative @cost",
			},
		},
		{
			name: "negative weights of arguments and input fields",
			sdl:  `type Query { a(x: Int @cost(weight: "-2"), i: I): Int } input I { f: Int @cost(weight: "-1e3") }`,
		},
		{
			name: "weight on an interface's field",
			sdl:  `type Query { n: N } interface N { id: ID @cost(weight: "1") } type A implements N { id: ID }`,
			want: []string{"N.id: @cost belongs on the fields of the types"},
		},
		{
			name: "weight on a directive's argument",
			sdl:  `directive @approx(tolerance: Float! @cost(weight: "-1")) on FIELD type Query { a: Int }`,
			want: []string{"@approx(tolerance:): @cost on a directive's argument is not counted"},
		},
		{
			name: "class below the root",
			sdl:  `type Query { a: A } type A { id: ID @class(name: REPORT) }`,
			want: []string{"A.id: @class belongs on root fields"},
		},
		{
			name: "@listSize on what is no list",
			sdl:  `type Query { a: A @listSize(assumedSize: 3) } type A { id: ID }`,
			want: []string{"Query.a: @listSize is for a list, or needs sizedFields"},
		},
		{
			name: "sizedFields on a list",
			sdl:  `type Query { a: [A!] @listSize(assumedSize: 3, sizedFields: ["ids"]) } type A { ids: [ID!] }`,
			want: []string{"Query.a: a list has no sizedFields"},
		},
		{
			name: "sizedFields that are missing or no lists",
			sdl:  `type Query { a: A @listSize(assumedSize: 3, sizedFields: ["id", "nodes"]) } type A { id: ID }`,
			want: []string{"sizedFields: id is no list on A", "sizedFields: nodes is no field of A"},
		},
		{
			name: "slicing arguments that are missing or no numbers",
			sdl: `type Query { a(n: String, i: I!): [A!] @listSize(slicingArguments: ["n", "m", "i.n", "i.m", "n.x", "i.l"]) }
				input I { n: Float l: [Int!] } type A { id: ID }`,
			want: []string{
				"slicingArguments: n must be an Int", "m is no argument", "i.n must be an Int",
				"i.m is no field of I", "n.x leads through", "i.l must be an Int",
			},
		},
		{
			name: "sizes that are missing or negative",
			sdl: `type Query { a: [A!] @listSize b: [A!] @listSize(assumedSize: -1)
				c(first: Int): [A!] @listSize(slicingArguments: ["first"], requireOneSlicingArgument: false) } type A { id: ID }`,
			want: []string{
				"Query.a: @listSize needs slicingArguments or assumedSize",
				"Query.b: assumedSize must be a number from 0",
				"Query.c: without a slicing argument the size is unknown",
			},
		},
		{
			name: "an assumed size that is never used",
			sdl: `type Query { a(first: Int): [A!] @listSize(assumedSize: 3, slicingArguments: ["first"])
				b(first: Int = 9): [A!] @listSize(assumedSize: 3, slicingArguments: ["first"], requireOneSlicingArgument: false)
				c(in: I! ): [A!] @listSize(assumedSize: 3, slicingArguments: ["in.n"], requireOneSlicingArgument: false)
				d(in: I): [A!] @listSize(assumedSize: 3, slicingArguments: ["in.n"], requireOneSlicingArgument: false) }
				input I { n: Int! = 3 } type A { id: ID }`,
			want: []string{
				"Query.a: assumedSize is never used: set",
				"Query.b: assumedSize is never used: a slicing",
				"Query.c: assumedSize is never used: a slicing",
			},
		},
		{
			name: "defaults that lead back to themselves",
			sdl: `type Query { a(in: In): Int b(in: List): Int }
				input In { x: Int @cost(weight: "5") y: In = {x: 1} }
				input List { l: [Other!] = [{n: 1}] } input Other { n: Int back: List = {} }
				input Ends { a: Ends = {a: {a: null}} b: In! = {y: null} c: Int = 3 }`,
			want: []string{"7:42: In.y: the default leads back to itself", "List.l: the default leads back to itself"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckSchema(loadSchema(t, directives+tt.sdl))
			var lines []string
			if err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) != len(tt.want) {
				t.Fatalf("defects:\n%s\nwant %d", strings.Join(lines, "\n"), len(tt.want))
			}
			for i, line := range lines {
				if !strings.Contains(line, tt.want[i]) {
					t.Errorf("defect %d is %q, want it to hold %q", i, line, tt.want[i])
				}
			}
		})
	}
}

// A schema assembled by hand has no positions; the check must not need them.
func TestCheckSchemaWithoutPositions(t *testing.T) {
	a := &ast.Definition{Kind: ast.Object, Name: "A", Fields: ast.FieldList{{Name: "id", Type: ast.NamedType("ID", nil)}}}
	q := &ast.Definition{Kind: ast.Object, Name: "Query", Fields: ast.FieldList{{Name: "a", Type: ast.ListType(ast.NamedType("A", nil), nil)}}}
	schema := &ast.Schema{Query: q, Types: map[string]*ast.Definition{"A": a, "Query": q}}
	err := CheckSchema(schema)
	if err == nil {
		t.Fatal("a list without a size was accepted")
	}
	if diff := cmp.Diff("Query.a: a list needs @listSize", err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}
