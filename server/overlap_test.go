package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

var zoo = gqlparser.MustLoadSchema(&ast.Source{Input: `
type Query { pet: Pet dog: Dog cat: Cat }
interface Pet { name: String barks: Boolean friend: Pet }
type Dog implements Pet { name(short: Boolean): String barks: Boolean friend: Pet age: Int owner: Person }
type Cat implements Pet { name: String barks: Boolean friend: Pet age: String owner: Person lives: Int! }
type Person { name: String age: Int pet(first: Int): Pet }
`})

// overlaps runs one rule over a document.
func overlaps(t *testing.T, query string, rule validator.Rule) bool {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return len(validator.ValidateWithRules(zoo, doc, rules.NewRules(rule))) > 0
}

var bounded = validator.Rule{Name: overlapRule, RuleFunc: mergeable}

func TestOverlapCases(t *testing.T) {
	for _, test := range []struct {
		name, query string
		conflict    bool
	}{
		{"repeated field", `{ dog { name name } }`, false},
		{"same alias, other field", `{ dog { x: name x: age } }`, true},
		{"same field, other argument", `{ dog { name(short: true) name(short: false) } }`, true},
		{"argument against none", `{ dog { name(short: true) name } }`, true},
		{"exclusive parents may differ", `{ pet { ... on Dog { x: age } ... on Cat { x: lives } } }`, true},
		{"exclusive parents of one shape", `{ pet { ... on Dog { x: name } ... on Cat { x: age } } }`, false},
		{"exclusive parents, other arguments", `{ pet { ... on Dog { name(short: true) } ... on Cat { name } } }`, false},
		{"interface against object", `{ pet { x: name ... on Dog { x: barks } } }`, true},
		{"deep conflict", `{ dog { owner { x: name } owner { x: age } } }`, true},
		{"deep conflict through fragments", `{ dog { ...A ...B } } fragment A on Dog { owner { x: name } } fragment B on Dog { owner { x: age } }`, true},
		{"deep shapes of exclusive parents", `{ pet { ... on Dog { owner { x: name } } ... on Cat { owner { x: age } } } }`, true},
		{"null-ness differs", `{ pet { ... on Dog { x: age } ... on Cat { x: lives } } }`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := overlaps(t, test.query, bounded); got != test.conflict {
				t.Errorf("%s: conflict %v, want %v", test.query, got, test.conflict)
			}
		})
	}
}

// The textbook rule is the oracle on documents small enough for it.
func TestOverlapAgreesWithTheTextbook(t *testing.T) {
	conflicts := 0
	for seed := range uint64(4000) {
		query := randomQuery(rand.New(rand.NewPCG(seed, 1)))
		want := overlaps(t, query, rules.OverlappingFieldsCanBeMergedRule)
		if want {
			conflicts++
		}
		if got := overlaps(t, query, bounded); got != want {
			t.Fatalf("seed %d: conflict %v, want %v\n%s", seed, got, want, query)
		}
	}
	if conflicts < 400 || conflicts > 3600 {
		t.Errorf("%d of 4000 documents conflict: the generator no longer tests both", conflicts)
	}
}

func randomQuery(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("{ ")
	for range 1 + r.IntN(2) {
		root := []string{"pet", "dog", "cat"}[r.IntN(3)]
		typ := map[string]string{"pet": "Pet", "dog": "Dog", "cat": "Cat"}[root]
		fmt.Fprintf(&b, "%s %s ", root, randomSet(r, typ, 3))
	}
	b.WriteString("alias: pet { ...F0 ...F1 ...F2 } }") // an unused fragment is another rule's error
	for i, typ := range []string{"Pet", "Dog", "Cat"} {
		fmt.Fprintf(&b, " fragment F%d on %s %s", i, typ, strings.ReplaceAll(randomSet(r, typ, 1), "...F", "# "))
	}
	return b.String()
}

func randomSet(r *rand.Rand, typ string, depth int) string {
	fields := map[string][]string{
		"Pet":    {"name", "barks", "friend"},
		"Dog":    {"name", "name", "name", "name(short: true)", "barks", "friend", "age", "owner"},
		"Cat":    {"name", "barks", "friend", "age", "owner", "lives"},
		"Person": {"name", "age", "pet", "pet", "pet(first: 1)"},
	}
	child := map[string]string{"friend": "Pet", "owner": "Person", "pet": "Pet", "pet(first: 1)": "Pet"}
	var b strings.Builder
	b.WriteString("{ ")
	for range 1 + r.IntN(3) {
		if typ != "Person" && depth > 0 && r.IntN(4) == 0 {
			on := []string{"Dog", "Cat", "Pet"}[r.IntN(3)]
			fmt.Fprintf(&b, "... on %s %s ", on, randomSet(r, on, depth-1))
			continue
		}
		f := fields[typ][r.IntN(len(fields[typ]))]
		alias := ""
		if r.IntN(16) == 0 {
			alias = "x: "
		}
		next, composite := child[f]
		if composite && depth == 0 {
			f, composite = "__typename", false
		}
		b.WriteString(alias + f + " ")
		if composite {
			b.WriteString(randomSet(r, next, depth-1) + " ")
		}
	}
	if typ == "Pet" && depth > 1 && r.IntN(3) == 0 {
		fmt.Fprintf(&b, "...F%d ", r.IntN(3))
	}
	b.WriteString("}")
	return b.String()
}

func TestOverlapIsBounded(t *testing.T) {
	repeated := "{ dog { " + strings.Repeat("name ", 20_000) + "} }"
	if !overlaps(t, repeated, bounded) {
		t.Error("20,000 repeated fields pass, want them refused as too many comparisons")
	}
	var doubling strings.Builder
	doubling.WriteString("{ dog { ...F0 } } ")
	for i := range 30 {
		doubling.WriteString(fmt.Sprintf("fragment F%d on Dog { a%d: name ...F%d ...F%d } ", i, i, i+1, i+1))
	}
	doubling.WriteString("fragment F30 on Dog { name }")
	if overlaps(t, doubling.String(), bounded) {
		t.Error("fragments that double are refused, want them merged once each")
	}
}

func BenchmarkOverlapOf1000Tokens(b *testing.B) {
	doc, err := parser.ParseQuery(&ast.Source{Input: "{ dog { " + strings.Repeat("name ", 990) + "} }"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		validator.ValidateWithRules(zoo, doc, rules.NewRules(bounded))
	}
}
