package limits

import (
	"math"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

func addSeeds(f *testing.F) {
	for _, query := range []string{
		`{ projects(first: 50) { nodes { client { name } } } }`,
		`query($a: Boolean!, $n: Int = 3) { search(text: "", first: $n) { ... on Project @skip(if: $a) { id } ...F } } fragment F on Node { id }`,
		`query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`,
		`mutation { createEntry(input: {first: 3}, dry: true) { entry { id } } }`,
		`{ a: viewer { role } a: tags { id } }`,
		`{ viewer { user { ...F } } } fragment F on User { friend { ...F } }`,
		`{ viewer { user { ...F } } } fragment F on User { ...F }`,
		`query($n: Int = $n) { recent(limit: $n) { id } }`,
		`{ recent(limit: 99999999999999999999999) { id } }`,
		`{ recent(limit: -99999999999999999999999) { id } }`,
		`{ nothing(a: [{b: $c}]) @include { x } ... on Nowhere { y } }`,
		`subscription S { changed { id } } query Q { __schema { types { name } } }`,
		doubling(12), introspection(),
	} {
		f.Add(query, "", int64(7), true)
	}
}

// FuzzCompile feeds any text that parses, valid or not, to Guard, Compile, Price
// and Check: none may panic or hang, and a price is a finite number from 0 to its
// bound.
func FuzzCompile(f *testing.F) {
	addSeeds(f)
	schema := tracker(f)
	f.Fuzz(func(t *testing.T, query, operation string, n int64, flag bool) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, 2000)
		if err != nil {
			return
		}
		limit := DefaultGuard().Check(doc, operation)
		valid := validator.ValidateWithRules(schema, doc, nil) == nil
		formula, err := Compile(schema, doc, operation)
		if err != nil {
			if valid && limit == nil && doc.Operations.ForName(operation) != nil {
				t.Errorf("a valid document within the limits: %v", err)
			}
			return
		}
		vars := map[string]any{
			"n": n, "a": flag, "b": !flag, "f": float64(n) / 2,
			"in": map[string]any{"maxRows": n, "filter": map[string]any{"text": "x", "any": []any{nil, 3}}},
		}
		p := formula.Price(vars, nil)
		for _, x := range []float64{p.Expected, p.Bound} {
			if math.IsNaN(x) || x < 0 || x > maxPoints {
				t.Errorf("price %v", x)
			}
		}
		if p.Expected > p.Bound || p.Rows < 0 || p.Nodes < p.Rows || p.Work < 0 {
			t.Errorf("price %+v", p)
		}
		Caps{Points: p.Expected / 2, Nodes: p.Nodes / 2}.Check(formula, p, vars, nil)
		Classify(p, Control)
	})
}

// FuzzParseRate checks that whatever is accepted makes a working budget.
func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"2000/100", "1e300/1e-300", "NaN/1", "5", "/", "0/0", "1/Inf", "0x1p-1000/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		b, err := NewBudget(r)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if got := b.Available("k"); math.Abs(got-r.Size) > r.Size/1e6+r.Restore/1e6 {
			t.Errorf("%q: a new budget holds %v", s, got)
		}
		if again, err := ParseRate(r.String()); err != nil || again != r {
			t.Errorf("%q reads as %v, which reads as %v, %v", s, r, again, err)
		}
	})
}
