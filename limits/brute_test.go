package limits

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// bruteForce prices an operation the slow way: it collects the fields of each
// object as the GraphQL specification's executor does, for these variables only,
// and remembers nothing.
type bruteForce struct {
	schema *ast.Schema
	doc    *ast.QueryDocument
	vars   map[string]any
}

func (b *bruteForce) price(op *ast.OperationDefinition) (points, nodes float64) {
	root := rootType(b.schema, op.Operation)
	return b.set(root, []ast.SelectionSet{op.SelectionSet}, false, nil, 0)
}

// set returns the price of one object, without its own weight. The lists named
// in sized have the given size.
func (b *bruteForce) set(t *ast.Definition, sets []ast.SelectionSet, inList bool, sized []string, size float64) (points, nodes float64) {
	fields := map[string][]*ast.Field{}
	var keys []string
	spread := map[string]bool{}
	for _, s := range sets {
		b.collect(t, s, spread, func(f *ast.Field) {
			if fields[f.Alias] == nil {
				keys = append(keys, f.Alias)
			}
			fields[f.Alias] = append(fields[f.Alias], f)
		})
	}
	for _, key := range keys {
		p, n := b.field(t, fields[key], inList, sized, size)
		points, nodes = points+p, nodes+n
	}
	return points, nodes
}

func (b *bruteForce) collect(t *ast.Definition, set ast.SelectionSet, spread map[string]bool, visit func(*ast.Field)) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if b.included(s.Directives) && s.Name != "__typename" {
				visit(s)
			}
		case *ast.InlineFragment:
			if b.included(s.Directives) && b.applies(t, s.TypeCondition) {
				b.collect(t, s.SelectionSet, spread, visit)
			}
		case *ast.FragmentSpread:
			if b.included(s.Directives) && !spread[s.Name] {
				spread[s.Name] = true
				if def := b.doc.Fragments.ForName(s.Name); b.applies(t, def.TypeCondition) {
					b.collect(t, def.SelectionSet, spread, visit)
				}
			}
		}
	}
}

func (b *bruteForce) included(ds ast.DirectiveList) bool {
	for _, d := range ds {
		v, err := d.Arguments.ForName("if").Value.Value(b.vars)
		if err != nil {
			panic(err)
		}
		if v.(bool) != (d.Name == "include") {
			return false
		}
	}
	return true
}

func (b *bruteForce) applies(t *ast.Definition, condition string) bool {
	return condition == "" || slices.Contains(b.schema.PossibleTypes[condition], t)
}

func (b *bruteForce) field(t *ast.Definition, fields []*ast.Field, inList bool, sized []string, size float64) (points, nodes float64) {
	f := fields[0]
	def := t.Fields.ForName(f.Name)
	own := 0.0
	switch t {
	case b.schema.Query:
		own = RootWeight
	case b.schema.Mutation:
		own = MutationWeight
	}
	own = weightOr(def.Directives, own)

	count, below, belowSize := 1.0, []string(nil), 0.0
	if def.Directives.ForName("listSize") != nil {
		declared := listSizeOf(def.Directives)
		n := b.size(f, declared)
		if below, belowSize = declared.sized, n; below == nil {
			count = n
		}
	}
	if slices.Contains(sized, f.Name) {
		count = size
	}
	inList = inList || def.Type.Elem != nil
	returned := b.schema.Types[def.Type.Name()]
	element, objects := 0.0, 0.0
	if returned.IsLeafType() {
		element = weightOr(returned.Directives, 0)
	} else {
		var sets []ast.SelectionSet
		for _, f := range fields {
			sets = append(sets, f.SelectionSet)
		}
		for _, possible := range b.schema.PossibleTypes[returned.Name] {
			weight := 0.0
			if inList && below == nil {
				weight = ObjectWeight
			}
			weight = weightOr(possible.Directives, weight)
			p, n := b.set(possible, sets, inList, below, belowSize)
			if weight != 0 {
				n++
			}
			element, objects = max(element, weight+p), max(objects, n)
		}
	}
	return own + count*element, count * objects
}

func (b *bruteForce) size(f *ast.Field, l listSize) float64 {
	args := f.ArgumentMap(b.vars)
	largest, given := 0.0, false
	for _, name := range l.slicing {
		var v any = args
		for key := range strings.SplitSeq(name, ".") {
			object, _ := v.(map[string]any)
			v = object[key]
		}
		switch v := v.(type) {
		case int64:
			largest, given = max(largest, float64(v)), true
		case int:
			largest, given = max(largest, float64(v)), true
		}
	}
	if !given {
		return float64(l.assumed)
	}
	return largest
}

// writer writes random documents for the tracker's schema that are valid by
// construction: a response key stands for one field with one set of arguments.
type writer struct {
	rng       *rand.Rand
	schema    *ast.Schema
	fragments []string
	budget    int
	sizes     []string
	unique    bool // no two fields have the same key, so none are merged
	written   int
}

// fields the writer leaves out: their arguments are tested by hand.
var unwritten = map[string]bool{"timesheetReport": true, "__schema": true, "__type": true, "__typename": true}

// document returns an operation with fragments of which each may spread those
// after it.
func (w *writer) document(fragments int) string {
	var b strings.Builder
	types := []string{"Query", "User", "Project", "Entry", "Node", "Found", "Task"}
	for range fragments {
		w.fragments = append(w.fragments, types[w.rng.IntN(len(types))])
	}
	fmt.Fprintf(&b, "query($a: Boolean!, $b: Boolean!, $n: Int!) { viewer { role } %s }\n", w.set(w.schema.Query, 0, 3))
	for i, on := range w.fragments {
		fmt.Fprintf(&b, "fragment F%d on %s { __typename %s }\n", i, on, w.set(w.schema.Types[on], i+1, 2))
	}
	return b.String()
}

// set writes selections on t; only fragments numbered from first may be spread.
func (w *writer) set(t *ast.Definition, first, depth int) string {
	var b strings.Builder
	for range 1 + w.rng.IntN(4) {
		if w.budget--; w.budget < 0 {
			break
		}
		switch w.rng.IntN(6) {
		case 0:
			on := w.overlapping(t)
			fmt.Fprintf(&b, "... on %s %s { __typename %s } ", on.Name, w.condition(), w.set(on, first, depth))
		case 1:
			if i := w.spreadable(t, first); i >= 0 {
				fmt.Fprintf(&b, "...F%d %s ", i, w.condition())
			}
		default:
			b.WriteString(w.field(t, first, depth))
		}
	}
	return b.String()
}

func (w *writer) overlapping(t *ast.Definition) *ast.Definition {
	possible := w.schema.PossibleTypes[t.Name]
	p := possible[w.rng.IntN(len(possible))]
	if ifaces := w.schema.Implements[p.Name]; len(ifaces) > 0 && w.rng.IntN(3) == 0 {
		return ifaces[w.rng.IntN(len(ifaces))]
	}
	return p
}

func (w *writer) spreadable(t *ast.Definition, first int) int {
	for i := first; i < len(w.fragments); i++ {
		for _, p := range w.schema.PossibleTypes[w.fragments[i]] {
			if slices.Contains(w.schema.PossibleTypes[t.Name], p) && w.rng.IntN(2) == 0 {
				return i
			}
		}
	}
	return -1
}

func (w *writer) condition() string {
	if w.rng.IntN(3) > 0 {
		return ""
	}
	return fmt.Sprintf("@%s(if: $%s)", []string{"skip", "include"}[w.rng.IntN(2)], []string{"a", "b"}[w.rng.IntN(2)])
}

func (w *writer) field(t *ast.Definition, first, depth int) string {
	if len(t.Fields) == 0 {
		return ""
	}
	f := t.Fields[w.rng.IntN(len(t.Fields))]
	returned := w.schema.Types[f.Type.Name()]
	if unwritten[f.Name] || (depth == 0 && !returned.IsLeafType()) {
		return ""
	}
	key, args := f.Name, ""
	if f.Arguments.ForName("id") != nil {
		args = "(id: 1)"
	}
	if f.Arguments.ForName("text") != nil {
		args = `(text: "x")`
	}
	for _, name := range []string{"first", "limit"} {
		if f.Arguments.ForName(name) == nil {
			continue
		}
		size := w.sizes[w.rng.IntN(len(w.sizes))]
		key = fmt.Sprintf("%s_%s", f.Name, strings.Trim(size, "$"))
		args = strings.TrimSuffix(args, ")") + map[bool]string{true: "(", false: ", "}[args == ""] + name + ": " + size + ")"
	}
	if w.rng.IntN(4) == 0 {
		key += "_x"
	}
	if w.unique {
		w.written++
		key = fmt.Sprintf("%s_%d", key, w.written)
	}
	// A key says type, field and arguments, so equal keys merge and never conflict.
	s := fmt.Sprintf("%s_%s: %s%s %s ", t.Name, key, f.Name, args, w.condition())
	if returned.IsLeafType() {
		return s
	}
	return s + "{ __typename " + w.set(returned, first, depth-1) + "} "
}

// loadUnused is loadQuery for documents that do not use all they define.
func loadUnused(t testing.TB, schema *ast.Schema, query string) *ast.QueryDocument {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatalf("parse %s: %v", query, err)
	}
	allowed := rules.NewDefaultRules()
	allowed.RemoveRule("NoUnusedFragments")
	allowed.RemoveRule("NoUnusedVariables")
	if errs := validator.ValidateWithRules(schema, doc, allowed); len(errs) > 0 {
		t.Fatalf("validate %s: %v", query, errs)
	}
	return doc
}

func TestPriceAgreesWithBruteForce(t *testing.T) {
	schema := tracker(t)
	dear := 0
	for seed := range uint64(3000) {
		if seed%20 == 10 {
			schema = randomSchema(t, rand.New(rand.NewPCG(seed, 4)))
		}
		w := &writer{rng: rand.New(rand.NewPCG(seed, 1)), schema: schema, budget: 40, sizes: []string{"0", "1", "3", "$n"}}
		query := w.document(w.rng.IntN(5))
		doc := loadUnused(t, schema, query)
		f, err := Compile(schema, doc, "")
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, query)
		}
		for variant := range 4 {
			vars := map[string]any{"a": variant&1 == 0, "b": variant&2 == 0, "n": int64(7)}
			points, nodes := (&bruteForce{schema, doc, vars}).price(doc.Operations[0])
			p := f.Price(vars, nil)
			if p.Invalid != nil {
				t.Fatalf("seed %d: %v\n%s", seed, p.Invalid, query)
			}
			if math.Abs(p.Expected-points) > 1e-9*max(1, points) || p.Nodes != int64(nodes) {
				t.Fatalf("seed %d, %v: price %v, %d nodes; brute force %v, %v\n%s", seed, vars, p.Expected, p.Nodes, points, nodes, query)
			}
			checkShares(t, p)
			checkEstimated(t, f, vars, p, w.rng)
			if points > 2 {
				dear++
			}
		}
	}
	if dear < 1000 {
		t.Errorf("only %d of 12000 prices were above 2 points: the documents say too little", dear)
	}
}

// checkShares holds a price to what its fields must add up to.
func checkShares(t *testing.T, p Price) {
	t.Helper()
	sum := 0.0
	for _, f := range p.Fields {
		if f.Root {
			sum += f.Expected
		}
		if f.Expected < 0 || f.Expected > f.Bound || f.Bound > p.Bound*(1+1e-9) {
			t.Fatalf("field %+v does not fit into a bound of %v", f, p.Bound)
		}
	}
	if math.Abs(sum-p.Expected) > 1e-9*max(1, sum) {
		t.Fatalf("root fields sum to %v, the price is %v", sum, p.Expected)
	}
}
