package limits

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// group holds the fields of one response key on one object type.
type group struct {
	key    string
	fields []*ast.Field
	masks  []mask // of each field
	when   []mask // under any of which the key is in the answer
	seen   map[occurrence]bool
}

type occurrence struct {
	field *ast.Field
	when  mask
}

// parts returns the selection sets merged below the group. Where all fields
// share their conditions, the group's own say it all and the parts need none,
// so that a fragment is compiled once for all places that include it whole.
func (g *group) parts() []part {
	shared := true
	for _, m := range g.masks {
		shared = shared && m == g.masks[0]
	}
	parts := make([]part, 0, len(g.fields))
	for i, f := range g.fields {
		p := part{set: f.SelectionSet, when: g.masks[i]}
		if shared {
			p.when = 0
		}
		parts = append(parts, p)
	}
	return parts
}

// collector merges selections by response key, as an executor does before it
// runs them, but with the conditions kept.
type collector struct {
	*compiler
	obj    *ast.Definition
	groups []*group
	byKey  map[string]*group
	spread map[string][]mask // fragments seen, and under which conditions
}

// collect merges what parts select on an object of type obj.
func (c *compiler) collect(obj *ast.Definition, parts []part) ([]*group, error) {
	k := &collector{compiler: c, obj: obj, byKey: map[string]*group{}, spread: map[string][]mask{}}
	for _, p := range parts {
		if err := k.set(p.set, p.when, 0); err != nil {
			return nil, err
		}
	}
	return k.groups, nil
}

func (k *collector) set(set ast.SelectionSet, outer mask, depth int) error {
	if depth > maxCompileDepth {
		return &LimitError{Limit: "depth", Max: maxCompileDepth, Actual: depth}
	}
	for _, s := range set {
		if k.visits++; k.visits > maxCompileVisits {
			return &LimitError{Limit: "fields", Max: maxCompileVisits, Actual: k.visits}
		}
		if err := k.selected(s, outer, depth); err != nil {
			return err
		}
	}
	return nil
}

func (k *collector) selected(s ast.Selection, outer mask, depth int) error {
	switch s := s.(type) {
	case *ast.Field:
		if m, ok := k.within(outer, s.Directives); ok && s.Name != "__typename" {
			return k.add(s, m)
		}
	case *ast.InlineFragment:
		if m, ok := k.within(outer, s.Directives); ok && k.applies(s.TypeCondition) {
			return k.set(s.SelectionSet, m, depth+1)
		}
	case *ast.FragmentSpread:
		fragment := k.fragments[s.Name]
		m, ok := k.within(outer, s.Directives)
		if fragment == nil || !ok || !k.applies(fragment.TypeCondition) {
			return nil
		}
		seen, changed := addAlternative(k.spread[s.Name], m)
		if !changed {
			return nil
		}
		k.spread[s.Name] = seen
		return k.set(fragment.SelectionSet, seen[len(seen)-1], depth+1)
	}
	return nil
}

func (k *collector) add(f *ast.Field, m mask) error {
	key := f.Alias
	if key == "" {
		key = f.Name
	}
	g := k.byKey[key]
	if g == nil {
		g = &group{key: key}
		k.byKey[key] = g
		k.groups = append(k.groups, g)
	}
	if len(g.fields) > 0 {
		if g.fields[0].Name != f.Name {
			return fmt.Errorf("%s is both %s and %s on type %s", key, g.fields[0].Name, f.Name, k.obj.Name)
		}
		k.merge(g.fields[0], f)
	}
	g.when, _ = addAlternative(g.when, m)
	if len(g.fields) > 0 && (len(f.SelectionSet) == 0 || g.seen[occurrence{f, m}]) {
		return nil // adds nothing below
	}
	g.fields = append(g.fields, f)
	g.masks = append(g.masks, m)
	if len(f.SelectionSet) > 0 {
		if g.seen == nil {
			g.seen = map[occurrence]bool{}
		}
		g.seen[occurrence{f, m}] = true
	}
	return nil
}

// applies reports whether a fragment on this type selects from the object.
func (k *collector) applies(typeCondition string) bool {
	if typeCondition == "" || typeCondition == k.obj.Name {
		return true
	}
	for _, t := range k.schema.Implements[k.obj.Name] {
		if t.Name == typeCondition {
			return true
		}
	}
	return false
}

// merge notes that two fields of the document become one in an answer, so that
// a change to one is a change to both.
func (c *compiler) merge(a, b *ast.Field) {
	a, b = c.origin(a), c.origin(b)
	if a != b {
		c.merged[b] = a
	}
}

func (c *compiler) origin(f *ast.Field) *ast.Field {
	for {
		next := c.merged[f]
		if next == nil {
			return f
		}
		if after := c.merged[next]; after != nil {
			c.merged[f] = after // halves the way for the next look
		}
		f = next
	}
}
