package server

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// maxComparisons bounds the overlap rule's work for one document.
const maxComparisons = 10_000

const (
	overlapRule = "OverlappingFieldsCanBeMerged"
	cycleRule   = "NoFragmentCycles"
)

// mergeable is the specification's rule that fields of one response key can be
// merged, in work that is bounded: the textbook form compares all pairs, and
// 30 KB of repeated fields cost it seconds.
//
// All fields of one key are looked at together. Equal ones (same parent, name
// and arguments) are one; each remaining one is compared with a
// representative, then the selections below the whole group are merged and
// looked at in turn. Every field visited and every comparison made counts
// against the budget, and a document that exceeds it is refused.
func mergeable(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(w *core.Walker, op *ast.OperationDefinition) {
		m := &merge{walker: w, budget: maxComparisons, addError: addError}
		m.selections([]ast.SelectionSet{op.SelectionSet}, true)
	})
}

type merge struct {
	walker   *core.Walker
	budget   int
	addError core.AddErrFunc
	failed   bool // one error is enough, and ends the work
}

// spend counts one unit of work; false ends it.
func (m *merge) spend(at *ast.Field) bool {
	if m.failed {
		return false
	}
	if m.budget--; m.budget < 0 {
		m.fail(at, fmt.Sprintf("The document needs more than %d comparisons of overlapping fields.", maxComparisons))
		return false
	}
	return true
}

func (m *merge) fail(at *ast.Field, message string) {
	m.failed = true
	m.addError(core.Message("%s", message), core.At(at.Position))
}

// selections checks sets that are merged into one answer. same demands equal
// names and arguments too, which holds unless the parents exclude each other.
func (m *merge) selections(sets []ast.SelectionSet, same bool) {
	groups := fieldGroups{byKey: map[string]int{}}
	spread := map[string]bool{}
	for _, set := range sets {
		m.gather(set, &groups, spread)
	}
	for _, fields := range groups.fields {
		m.group(fields, same)
	}
}

// fieldGroups are fields by response key, in the order of the document.
type fieldGroups struct {
	byKey  map[string]int
	fields [][]*ast.Field
}

func (m *merge) gather(set ast.SelectionSet, groups *fieldGroups, spread map[string]bool) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if s.Definition == nil || !m.spend(s) {
				continue // an unknown field is another rule's error
			}
			i, ok := groups.byKey[s.Alias]
			if !ok {
				i = len(groups.fields)
				groups.byKey[s.Alias] = i
				groups.fields = append(groups.fields, nil)
			}
			groups.fields[i] = append(groups.fields[i], s)
		case *ast.InlineFragment:
			m.gather(s.SelectionSet, groups, spread)
		case *ast.FragmentSpread:
			if f := m.walker.Document.Fragments.ForName(s.Name); f != nil && !spread[s.Name] {
				spread[s.Name] = true
				m.gather(f.SelectionSet, groups, spread)
			}
		}
	}
}

func (m *merge) group(fields []*ast.Field, same bool) {
	distinct := distinctFields(fields)
	if len(distinct) == 1 && len(fields) == 1 && len(fields[0].SelectionSet) == 0 {
		return
	}
	for i, a := range distinct {
		if !m.spend(a) {
			return
		}
		if i > 0 && !m.shapesAgree(distinct[0], a) {
			return
		}
		for _, b := range distinct[:i] {
			if !same || exclude(a, b) {
				continue
			}
			if !m.spend(a) || !m.same(b, a) {
				return
			}
		}
	}
	m.below(fields, same)
}

// below merges the selections under a group. Fields whose parents exclude each
// other never meet in one answer: there only the shapes have to agree.
func (m *merge) below(fields []*ast.Field, same bool) {
	byParent := map[*ast.Definition][]ast.SelectionSet{}
	var all, shared []ast.SelectionSet
	for _, f := range fields {
		if len(f.SelectionSet) == 0 {
			continue
		}
		all = append(all, f.SelectionSet)
		if f.ObjectDefinition != nil && f.ObjectDefinition.Kind == ast.Object {
			byParent[f.ObjectDefinition] = append(byParent[f.ObjectDefinition], f.SelectionSet)
		} else {
			shared = append(shared, f.SelectionSet)
		}
	}
	if len(all) == 0 || m.failed {
		return
	}
	if !same || len(byParent) > 1 {
		m.selections(all, false)
	}
	if !same {
		return
	}
	if len(byParent) == 0 {
		m.selections(shared, true)
	}
	for _, sets := range byParent {
		m.selections(append(sets, shared...), true)
	}
}

// distinctFields leaves one of the fields that cannot differ: same parent,
// name and arguments.
func distinctFields(fields []*ast.Field) []*ast.Field {
	if len(fields) == 1 {
		return fields
	}
	seen := make(map[string]bool, 1)
	var distinct []*ast.Field
	for _, f := range fields {
		signature := signatureOf(f)
		if !seen[signature] {
			seen[signature] = true
			distinct = append(distinct, f)
		}
	}
	return distinct
}

func signatureOf(f *ast.Field) string {
	parent := ""
	if f.ObjectDefinition != nil {
		parent = f.ObjectDefinition.Name
	}
	if len(f.Arguments) == 0 {
		return parent + "." + f.Name
	}
	var b strings.Builder
	b.WriteString(parent + "." + f.Name)
	for _, arg := range f.Arguments {
		fmt.Fprintf(&b, "\x00%s\x00%s", arg.Name, arg.Value.String())
	}
	return b.String()
}

// exclude tells whether no object can be both parents.
func exclude(a, b *ast.Field) bool {
	return a.ObjectDefinition != nil && b.ObjectDefinition != nil &&
		a.ObjectDefinition != b.ObjectDefinition &&
		a.ObjectDefinition.Kind == ast.Object && b.ObjectDefinition.Kind == ast.Object
}

func (m *merge) same(a, b *ast.Field) bool {
	if a.Name != b.Name {
		m.fail(b, fmt.Sprintf("Fields %q conflict because %q and %q are different fields. Use different aliases on the fields to fetch both if this was intentional.", a.Alias, a.Name, b.Name))
		return false
	}
	if !sameArguments(a.Arguments, b.Arguments) {
		m.fail(b, fmt.Sprintf("Fields %q conflict because they have differing arguments. Use different aliases on the fields to fetch both if this was intentional.", a.Alias))
		return false
	}
	return true
}

func sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	for _, arg := range a {
		other := b.ForName(arg.Name)
		if other == nil || other.Value.String() != arg.Value.String() {
			return false
		}
	}
	return true
}

func (m *merge) shapesAgree(a, b *ast.Field) bool {
	if m.sameShape(a.Definition.Type, b.Definition.Type) {
		return true
	}
	m.fail(b, fmt.Sprintf("Fields %q conflict because they return conflicting types %q and %q. Use different aliases on the fields to fetch both if this was intentional.", a.Alias, a.Definition.Type, b.Definition.Type))
	return false
}

func (m *merge) sameShape(a, b *ast.Type) bool {
	if a.NonNull != b.NonNull || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Elem != nil {
		return m.sameShape(a.Elem, b.Elem)
	}
	x, y := m.walker.Schema.Types[a.NamedType], m.walker.Schema.Types[b.NamedType]
	if x == nil || y == nil || !x.IsLeafType() && !y.IsLeafType() {
		return true
	}
	return x == y
}
