package limits

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Formula is the price of one operation of one document as a function of its
// variables. It does not change after Compile and may be cached with the
// document and shared.
type Formula struct {
	schema     *ast.Schema
	nodes      []node // children before parents
	roots      []child
	entries    []entry
	conditions []condition
}

// node is a field of the merged operation, or several equal ones.
type node struct {
	key        string // response key
	coordinate string // Type.field
	class      Class
	field      *ast.Field
	def        *ast.FieldDefinition
	origin     *ast.Field // stands for all fields of the document this one is merged from
	own        float64    // weight of one run
	inputs     []inputWeight
	list       bool     // returns size elements, else one
	ranges     []string // arguments that are ranges of days
	size       sizing   // of the list, or for the children marked sized
	leaf       float64
	variants   []variant // one for each possible object type
	priced     bool      // reported in Price.Fields, and asked of the Estimator
}

type variant struct {
	weight   float64
	objects  float64 // 1 if the object counts as a node, else 0
	children []child
}

// child is a selected field and the conditions under which it is included.
type child struct {
	node  int
	name  string // of the field
	sized bool   // the parent's size is this list's size
	when  []mask
}

const (
	// maxCompileDepth and maxCompileVisits bound Compile on documents that did
	// not pass a Guard. A guarded one stays far below both, unless the schema has
	// interfaces with hundreds of types.
	maxCompileDepth  = 200
	maxCompileVisits = 50_000
)

// Compile builds the formula of the operation named operationName; the empty
// name stands for the only one. The document must have been validated against
// the schema, and the schema by CheckSchema. Fragments that double at each level
// cost it linear time; what it cannot price in bounded time it refuses with a
// *LimitError.
func Compile(schema *ast.Schema, doc *ast.QueryDocument, operationName string) (*Formula, error) {
	op := doc.Operations.ForName(operationName)
	if op == nil {
		return nil, fmt.Errorf("no operation named %q", operationName)
	}
	root := rootType(schema, op.Operation)
	if root == nil {
		return nil, fmt.Errorf("the schema has no %s", op.Operation)
	}
	c := &compiler{
		schema:    schema,
		op:        op,
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		known:     map[string]*selection{},
		ids:       map[*ast.Selection]int{},
		weighty:   map[string]bool{},
		merged:    map[*ast.Field]*ast.Field{},
		f:         &Formula{schema: schema},
	}
	for _, fragment := range doc.Fragments {
		c.fragments[fragment.Name] = fragment
	}
	roots, err := c.selection(root, []part{{set: op.SelectionSet}}, false, 1)
	if err != nil {
		return nil, err
	}
	c.f.roots = roots
	for i := range c.f.nodes {
		c.f.nodes[i].origin = c.origin(c.f.nodes[i].field)
	}
	c.f.entries = entriesOf(c.f)
	return c.f, nil
}

func rootType(schema *ast.Schema, op ast.Operation) *ast.Definition {
	switch op {
	case ast.Mutation:
		return schema.Mutation
	case ast.Subscription:
		return schema.Subscription
	default:
		return schema.Query
	}
}

type compiler struct {
	schema    *ast.Schema
	op        *ast.OperationDefinition
	fragments map[string]*ast.FragmentDefinition
	known     map[string]*selection  // by key: what makes fragments linear
	ids       map[*ast.Selection]int // of selection sets, by their first member
	weighty   map[string]bool        // input types that contain weights
	merged    map[*ast.Field]*ast.Field
	visits    int
	f         *Formula
}

// selection is a compiled selection; done is false while it is being compiled,
// which a cycle of fragments notices.
type selection struct {
	children []child
	done     bool
}

// part is a selection set that takes part in a merge while its conditions hold.
type part struct {
	set  ast.SelectionSet
	when mask
}

// selection compiles what parts select on an object of type obj. inList says
// that the object stands in a list or below one.
func (c *compiler) selection(obj *ast.Definition, parts []part, inList bool, depth int) ([]child, error) {
	if depth > maxCompileDepth {
		return nil, &LimitError{Limit: "depth", Max: maxCompileDepth, Actual: depth}
	}
	key := c.key(obj, parts, inList)
	if s := c.known[key]; s != nil {
		if !s.done {
			return nil, fmt.Errorf("fragments spread themselves below %s", obj.Name)
		}
		return s.children, nil
	}
	s := &selection{}
	c.known[key] = s
	groups, err := c.collect(obj, parts)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		n, err := c.field(obj, g, inList, depth)
		if err != nil {
			return nil, err
		}
		s.children = append(s.children, child{node: n, name: g.fields[0].Name, when: g.when})
	}
	s.done = true
	return s.children, nil
}

// key identifies what selection computes: equal keys have equal results.
func (c *compiler) key(obj *ast.Definition, parts []part, inList bool) string {
	key := fmt.Appendf(nil, "%s %t", obj.Name, inList)
	for _, p := range parts {
		if len(p.set) == 0 {
			continue
		}
		id, ok := c.ids[&p.set[0]]
		if !ok {
			id = len(c.ids)
			c.ids[&p.set[0]] = id
		}
		key = fmt.Appendf(key, " %d:%x", id, uint64(p.when))
	}
	return string(key)
}

// field compiles the fields of g, merged, into a node after its children.
func (c *compiler) field(obj *ast.Definition, g *group, inList bool, depth int) (int, error) {
	first := g.fields[0]
	n := node{
		key: g.key, field: first, class: Interactive, priced: true,
		coordinate: obj.Name + "." + first.Name,
	}
	if first.Name == "__schema" || first.Name == "__type" {
		n.def, n.own = &ast.FieldDefinition{}, IntrospectionWeight
		return c.add(n), nil
	}
	if n.def = obj.Fields.ForName(first.Name); n.def == nil {
		return 0, fmt.Errorf("type %s has no field %s", obj.Name, first.Name)
	}
	returned := c.schema.Types[n.def.Type.Name()]
	if returned == nil {
		return 0, fmt.Errorf("type %s is not defined", n.def.Type.Name())
	}
	size := listSizeOf(n.def.Directives)
	n.class = classOf(n.def)
	n.list = n.def.Type.Elem != nil
	n.size = c.sizing(first, n.def, size)
	n.own = weightOr(n.def.Directives, c.fieldWeight(obj))
	var err error
	if n.inputs, err = c.inputWeights(first, n.def); err != nil {
		return 0, err
	}
	n.ranges = c.rangesOf(n.def)
	if returned.IsLeafType() {
		n.leaf = max(0, weightOr(returned.Directives, 0))
		n.list = n.list && (size.declared || n.leaf != 0)
		n.priced = isRootType(c.schema, obj) || n.own != 0 || n.leaf != 0 || len(n.inputs) > 0 || size.declared
		return c.add(n), nil
	}
	inList = inList || n.list
	parts := g.parts()
	for _, t := range c.possible(returned) {
		children, err := c.selection(t, parts, inList, depth+1)
		if err != nil {
			return 0, err
		}
		n.variants = append(n.variants, newVariant(t, children, size.sized, inList))
	}
	return c.add(n), nil
}

func (c *compiler) add(n node) int {
	c.f.nodes = append(c.f.nodes, n)
	return len(c.f.nodes) - 1
}

func newVariant(t *ast.Definition, children []child, sized []string, inList bool) variant {
	v := variant{children: children}
	if inList && len(sized) == 0 { // else it stands alone, or only wraps a sized list
		v.weight = ObjectWeight
	}
	v.weight = weightOr(t.Directives, v.weight)
	if v.weight != 0 {
		v.objects = 1
	}
	if len(sized) > 0 {
		v.children = slices.Clone(children)
		for i := range v.children {
			v.children[i].sized = slices.Contains(sized, v.children[i].name)
		}
	}
	return v
}

func isRootType(schema *ast.Schema, t *ast.Definition) bool {
	return t == schema.Query || t == schema.Mutation || t == schema.Subscription
}

func (c *compiler) fieldWeight(obj *ast.Definition) float64 {
	switch {
	case obj == c.schema.Mutation:
		return MutationWeight
	case isRootType(c.schema, obj):
		return RootWeight
	default:
		return 0
	}
}

// possible returns the object types that a value of type t can have.
func (c *compiler) possible(t *ast.Definition) []*ast.Definition {
	if t.Kind == ast.Object {
		return []*ast.Definition{t}
	}
	return c.schema.PossibleTypes[t.Name]
}

// classOf reads @class(name:) from a root field.
func classOf(def *ast.FieldDefinition) Class {
	d := def.Directives.ForName("class")
	if d == nil {
		return Interactive
	}
	if arg := d.Arguments.ForName("name"); arg != nil {
		if class, ok := declaredClass(arg.Value.Raw); ok {
			return class
		}
	}
	return Interactive
}
