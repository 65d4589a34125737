package limits

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func parse(t testing.TB, query string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatalf("parse %s: %v", query, err)
	}
	return doc
}

// introspection is the query that GraphiQL, Relay's compiler and graphql-codegen
// send, in the width and depth of the widest of them: types nine wrappers deep.
func introspection() string {
	const wrappers = 9
	ref := "kind name" + strings.Repeat(" ofType { kind name", wrappers) + strings.Repeat(" }", wrappers)
	return `query IntrospectionQuery {
  __schema {
    description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type { ` + ref + ` }`
}

func nested(field string, n int) string {
	return strings.Repeat(field+" { ", n-1) + "id" + strings.Repeat(" }", n-1)
}

func TestGuard(t *testing.T) {
	tests := []struct {
		name      string
		query     string
		operation string
		want      *LimitError
	}{
		{name: "introspection", query: introspection()},
		{name: "12 levels", query: "{ " + nested("a", 12) + " }"},
		{name: "13 levels", query: "{ " + nested("a", 13) + " }", want: &LimitError{"depth", 12, 13}},
		{name: "13 levels through fragments", query: "{ ...A } fragment A on T { " + strings.Repeat("a { ", 11) + "...B" + strings.Repeat(" }", 11) + " } fragment B on T { b { c } }", want: &LimitError{"depth", 12, 13}},
		{name: "16 levels of introspection", query: "{ __type(name: 1) { " + nested("ofType", 15) + " } a { b } }"},
		{name: "17 levels of introspection", query: "{ __schema { " + nested("ofType", 16) + " } }", want: &LimitError{"depth", 16, 17}},
		{name: "17 levels of introspection in a fragment", query: "{ ...F } fragment F on Query { __schema { " + nested("ofType", 16) + " } }", want: &LimitError{"depth", 16, 17}},
		{name: "introspection where it cannot be", query: "{ a { __schema { " + nested("ofType", 15) + " } } }", want: &LimitError{"depth", 16, 17}},
		{name: "30 aliases", query: "{ " + many("a%d: b", 30/2) + " c { " + many("c%d: b", 30/2) + " } }"},
		{name: "31 aliases", query: "{ a { " + many("a%d: b", 31) + " } }", want: &LimitError{"aliases", 30, 31}},
		{name: "an alias that changes nothing", query: "{ a { " + strings.Repeat("b: b ", 40) + " } }"},
		{name: "20 root fields", query: "{ " + many("f%d", 20) + " }"},
		{name: "21 root fields", query: "{ ...A ... { " + many("f%d", 11) + " } } fragment A on Query { " + many("g%d", 10) + " }", want: &LimitError{"rootFields", 20, 21}},
		{name: "20 directives", query: "{ a { " + strings.Repeat("b @skip(if: true) ", 20) + " } }"},
		{name: "21 directives", query: "query($v: Int @d) @d { a @d { " + strings.Repeat("b @d ", 14) + " ...F @d ... @d { b } } } fragment F on T @d { b @d }", want: &LimitError{"directives", 20, 21}},
		{name: "10,000 unknown directives", query: "{ a " + strings.Repeat("@x ", 10_000) + "}", want: &LimitError{"directives", 20, 10_000}},
		{name: "50 fragments", query: "{ a } " + many("fragment F%d on T { a } ", 50)},
		{name: "51 fragments", query: "{ a } " + many("fragment F%d on T { a } ", 51), want: &LimitError{"fragments", 50, 51}},
		{name: "2,000 fields", query: "{ a { " + strings.Repeat("b ", 1999) + "} }"},
		{name: "2,001 fields", query: "{ a { " + strings.Repeat("b ", 2000) + "} }", want: &LimitError{"fields", 2000, 2001}},
		{name: "fragments that double", query: chain(10, "a { ...F%[1]d } b { ...F%[1]d }"), want: &LimitError{"fields", 2000, 3<<10 - 1}},
		{name: "fragments that double on one level", query: "{ a { ...F0 } } " + many2("fragment F%d on T { ...F%[2]d ...F%[2]d } ", 40) + "fragment F40 on T { x }", want: &LimitError{"fields", 2000, maxShape}},
		{name: "a cycle", query: "{ a { ...A } } fragment A on T { b { ...B } } fragment B on T { c { ...A } }"},
		{name: "a fragment that spreads itself", query: "{ ...A } fragment A on T { ...A a }"},
		{name: "an unknown fragment", query: "{ ...A b }"},
		{name: "another operation's depth", query: "query A { " + nested("a", 13) + " } query B { b }", operation: "B"},
		{name: "the operation's own depth", query: "query A { " + nested("a", 13) + " } query B { b }", operation: "A", want: &LimitError{"depth", 12, 13}},
		{name: "an unknown operation: all count", query: "query A { " + nested("a", 13) + " } query B { b }", operation: "C", want: &LimitError{"depth", 12, 13}},
		{name: "aliases of all operations", query: "query A { a { " + many("a%d: b", 16) + " } } query B { b { " + many("a%d: b", 15) + " } }", operation: "B", want: &LimitError{"aliases", 30, 31}},
		{name: "an empty document", query: "fragment F on T { a }"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := DefaultGuard().Check(parse(t, tt.query), tt.operation)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("limit (-want +got):\n%s", diff)
			}
		})
	}
}

func many(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+" ", i)
	}
	return b.String()
}

func many2(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i, i+1)
	}
	return b.String()
}

// chain is an operation whose fragments each use the next one as body says.
func chain(n int, body string) string {
	var b strings.Builder
	b.WriteString("{ r { ...F0 } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on T { %s }", i, fmt.Sprintf(body, i+1))
	}
	fmt.Fprintf(&b, " fragment F%d on T { x }", n)
	return b.String()
}

// The guard's and the compiler's work is counted, not timed: each visits a
// selection of a document of doubling fragments a bounded number of times.
func TestGuardVisitsOnce(t *testing.T) {
	query := chain(45, "a { ...F%[1]d } b { ...F%[1]d } ...F%[1]d @d")
	s := &surveyor{fragments: map[string]*fragmentShape{}}
	doc := parse(t, query)
	for _, f := range doc.Fragments {
		s.fragments[f.Name] = &fragmentShape{def: f}
	}
	s.set(doc.Operations[0].SelectionSet)
	if s.directives != 45 {
		t.Errorf("met %d directives of 45: fragments were walked more than once", s.directives)
	}
}
