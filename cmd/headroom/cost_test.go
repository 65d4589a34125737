package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/graph"
)

// writeFiles makes a folder of small files and returns it.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A build asks for prices without a server, a database or a network.
func TestCost(t *testing.T) {
	const fits = `query Fits($n: Int!) { projects(first: $n) { nodes { ...P } } }`
	dir := writeFiles(t, map[string]string{
		"fits.graphql":     fits,
		"fragment.graphql": `fragment P on Project { client { name } }`,
		"dear.graphql":     `query Dear($n: Int!) { projects(first: $n) { nodes { tasks(first: 100) { nodes { id } } } } }`,
		"wrong.graphql":    `query Wrong { nothing }`,
		"unsized.graphql":  `query Unsized { projects { nodes { id } } }`,
		"default.graphql":  `query Default($n: Int = 5) { projects(first: $n) { nodes { id } } }`,
		"included.graphql": `query Included($b: Boolean = false, $s: Boolean! = true) { projects(first: 10) @include(if: $b) { nodes { id } } tags(first: 10) @skip(if: $s) { nodes { id } } clients(first: 10) @skip(if: $b) { nodes { id } } }`,
		"rows.graphql":     `query Rows($p: PeriodInput!, $m: Int!) { timesheetReport(input: {period: $p, groupBy: [TASK], maxRows: $m}) { rows { key } } }`,
		"misspelt.json":    `{"Dear": {"m": 3, "nn": 4}, "Deer": {}, "page": 7}`,
		"other.json":       `{"stored-1":"query Other { viewer { user { id } } }"}`,
		"same.json":        `{"stored-1":"query Stored { viewer { role } }"}`,
		"again.json":       `{"stored-1":"query Stored { viewer { role } }"}`,
		"sha1.json":        `{"da39a3ee5e6b4b0d3255bfef95601890afd80709":"query Stored { viewer { role } }"}`,
		"any.graphql":      `query Any($n: Int!, $year: Int) { books(first: $n, since: $year) { title } }`,
		"page.graphql":     `query Beyond { projects(first: 500) { nodes { id } } }`,
		"vars.json":        `{"n": 50, "Dear": {"n": 3}}`,
		"books.graphql":    `query Books { books(first: 300) { title } }`,
		"library.sdl": `directive @cost(weight: String!) on FIELD_DEFINITION | OBJECT
			directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
			type Query { books(first: Int, since: Int): [Book!]! @listSize(slicingArguments: ["first"]) }
			type Book @cost(weight: "5") { title: String! }`,
		"broken.sdl": `directive @cost(weight: String!) on FIELD_DEFINITION
			type Query { all: String @cost(weight: "much") }`,
		"apollo.json":  `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"0000000000000000000000000000000000000000000000000000000000000000","name":"Fits","type":"query","body":"query Fits { viewer { role } }"}]}`,
		"codegen.json": `{"sha256:f1b2ea07f5e7b2d8d7ff1e0c1a0ea7c7a5ce44ae8f3a3f37d48e9a8d2c7e5b11":"query Fits { viewer { role } }"}`,
		"relay.json":   `{"md5-or-anything":"query Stored { viewer { role } }"}`,
	})
	in := func(names ...string) []string {
		args := []string{"cost"}
		for _, name := range names {
			if strings.HasPrefix(name, "--") || strings.HasPrefix(name, "=") {
				args = append(args, strings.TrimPrefix(name, "="))
				continue
			}
			args = append(args, filepath.Join(dir, name))
		}
		return args
	}
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string // in what is printed
	}{
		{"a page at its largest, with a fragment of another file", in("fits.graphql", "fragment.graphql"), 0, []string{"Fits", "1.50", "accepted ($n assumed: 100)"}},
		{"with variables", in("fits.graphql", "fragment.graphql", "--vars", "vars.json"), 0, []string{"1.00", "accepted\n"}},
		{"too many objects", in("dear.graphql"), 1, []string{"10100 nodes, at most 10000", "first of projects at most 99", "1 of 1 operations would be refused"}},
		{"an operation's own variables", in("dear.graphql", "--vars", "vars.json"), 0, []string{"6.52", "accepted"}},
		{"a smaller budget", in("fits.graphql", "fragment.graphql", "--budget", "=1"), 1, []string{"1.5 points, at most 1"}},
		{"a default, which a client may replace", in("default.graphql"), 0, []string{"($n assumed: 100)"}},
		{"conditions of either value", in("included.graphql"), 0, []string{"1.80", "  30  ", "($b assumed: true or false) ($s assumed: true or false)"}},
		{"the rows of a report at their largest", in("rows.graphql"), 0, []string{"110.00  10000", "($m assumed: 10000)"}},
		{"a budget that is a word", in("fits.graphql", "--budget", "=x"), 2, []string{"--budget: expected a float"}},
		{"a budget that is no number", in("fits.graphql", "fragment.graphql", "--budget", "=NaN"), 2, []string{"--budget is NaN: give a finite number"}},
		{"a budget without an end", in("fits.graphql", "fragment.graphql", "--budget", "=Inf"), 2, []string{"--budget is +Inf"}},
		{"a negative budget", in("fits.graphql", "fragment.graphql", "--budget=-1"), 2, []string{"--budget is -1"}},
		{"negative nodes", in("fits.graphql", "fragment.graphql", "--nodes=-1"), 2, []string{"--nodes is -1"}},
		{"a pattern", in("*.graphql"), 1, []string{"Fits", "Dear", "Wrong", "Cannot query field", "Unsized", "give exactly one of first, last", "6 of 10 operations"}},
		{"a page beyond the largest", in("page.graphql"), 1, []string{"projects: first must be from 1 to 100; first of projects at most 100"}},
		{"a schema of somebody else", in("books.graphql", "--schema", "library.sdl"), 1, []string{"1500.5 points", "first of books at most 199"}},
		{"a page of somebody else, which may be any", in("any.graphql", "--schema", "library.sdl"), 1, []string{"first of books at most 199 ($n assumed: 2147483647)\n"}},
		{"a page of somebody else, which is known", in("any.graphql", "--schema", "library.sdl", "--page", "=50"), 0, []string{"250.50", "accepted ($n assumed: 50)\n"}},
		{"a page beyond it", in("books.graphql", "--schema", "library.sdl", "--page", "=50"), 1, []string{"1500.5 points", "first of books at most 50"}},
		{"a page beyond it within the budget", in("books.graphql", "--schema", "library.sdl", "--page", "=50", "--budget", "=5000"), 1, []string{"books: first must be from 1 to 50"}},
		{"a page of ours", in("books.graphql", "--page", "=50"), 2, []string{"--page belongs to --schema"}},
		{"less than no page", in("books.graphql", "--schema", "library.sdl", "--page=-1"), 2, []string{"--page is -1: give a number from 1"}},
		{"variables that an operation does not have", in("dear.graphql", "--vars", "misspelt.json"), 2, []string{
			"misspelt.json: Dear in ", "dear.graphql: $m is no variable of it; did you mean $n?", "$nn is no variable of it; did you mean $n?", "its variables do not fit",
			"--vars: Deer is neither an operation of these files nor a variable of one; did you mean Dear?", "--vars: page is neither",
		}},
		{"one id for two texts", in("same.json", "other.json"), 2, []string{"the id stored-1 stands for Stored in ", "same.json and for another text, Other, in ", "other.json"}},
		{"one id for one text, twice", in("same.json", "again.json"), 0, []string{"Stored"}},
		{"a SHA-1 of another text", in("sha1.json"), 2, []string{"the id of Stored is not the SHA-1 of its document"}},
		{"a weight that is no number", in("books.graphql", "--schema", "broken.sdl"), 2, []string{"Query.all: the weight of @cost is no finite number", "schema:2"}},
		{"a manifest of Apollo with a wrong hash", in("apollo.json"), 2, []string{"Fits", "is not the SHA-256"}},
		{"a manifest of graphql-codegen with a wrong hash", in("codegen.json"), 2, []string{"Fits", "is not the SHA-256"}},
		{"a manifest of Relay", in("relay.json"), 0, []string{"Stored", "0.50", "accepted"}},
		{"a file that is not there", in("nowhere*.graphql"), 2, []string{"there is no such file"}},
		{"a fragment that no file holds", in("fits.graphql"), 1, []string{"Unknown fragment"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := runs(t, test.args...)
			if r.code != test.code {
				t.Errorf("exit %d, want %d", r.code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(r.out+r.stderr, want) {
					t.Errorf("lacks %q:\n%s%s", want, r.out, r.stderr)
				}
			}
		})
	}
	t.Run("as JSON, by the schema of a server", func(t *testing.T) {
		served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(graph.SDL()))
		}))
		defer served.Close()
		r := runs(t, in("dear.graphql", "--json", "--schema", "="+served.URL)...)
		var lines []costLine
		if err := json.Unmarshal([]byte(r.out), &lines); err != nil {
			t.Fatalf("%v\n%s%s", err, r.out, r.stderr)
		}
		if len(lines) != 1 || lines[0].Points != 201 || lines[0].Nodes != 10100 || lines[0].Class != "report" || len(lines[0].Suggestions) == 0 || r.code != 1 {
			t.Errorf("exit %d, %+v", r.code, lines)
		}
	})
}
