package limits

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// Guard bounds the shape of a document before it is validated. A limit of 0
// forbids; use DefaultGuard and change what you must.
type Guard struct {
	Depth              int // nested fields, the root field included
	IntrospectionDepth int // the same for fields below __schema and __type
	Aliases            int // in the whole document
	RootFields         int // of the operation, fragments expanded
	Directives         int // in the whole document
	Fragments          int // fragment definitions
	Fields             int // of the operation, fragments expanded, nothing merged
}

// DefaultGuard passes what Apollo, Relay, urql and the usual introspection
// queries (15 deep, some 230 fields) send.
func DefaultGuard() Guard {
	return Guard{
		Depth: 12, IntrospectionDepth: 16, Aliases: 30, RootFields: 20,
		Directives: 20, Fragments: 50, Fields: 2000,
	}
}

// LimitError says which limit a document exceeds (DOCUMENT_LIMIT_EXCEEDED).
type LimitError struct {
	Limit       string // depth, aliases, rootFields, directives, fragments, fields
	Max, Actual int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the document has %s %d, at most %d are accepted", e.Limit, e.Actual, e.Max)
}

// Check looks at the operation named operationName, or at all if there is no
// such operation, in time linear in the document, whatever its fragments do. It
// returns nil if every limit holds.
func (g Guard) Check(doc *ast.QueryDocument, operationName string) *LimitError {
	if e := over("fragments", len(doc.Fragments), g.Fragments); e != nil {
		return e
	}
	s := &surveyor{fragments: make(map[string]*fragmentShape, len(doc.Fragments))}
	for _, f := range doc.Fragments {
		s.fragments[f.Name] = &fragmentShape{def: f}
	}
	for _, f := range doc.Fragments {
		s.fragment(f.Name)
	}
	chosen := doc.Operations.ForName(operationName)
	for _, op := range doc.Operations {
		s.directives += len(op.Directives)
		for _, v := range op.VariableDefinitions {
			s.directives += len(v.Directives)
		}
		shape := s.set(op.SelectionSet)
		if op != chosen && chosen != nil {
			continue
		}
		if e := g.checkShape(shape); e != nil {
			return e
		}
	}
	if e := over("aliases", s.aliases, g.Aliases); e != nil {
		return e
	}
	return over("directives", s.directives, g.Directives)
}

func (g Guard) checkShape(s shape) *LimitError {
	for _, e := range []*LimitError{
		over("depth", s.depth, g.Depth),
		over("depth", s.introspection, g.IntrospectionDepth),
		over("rootFields", s.top, g.RootFields),
		over("fields", s.fields, g.Fields),
	} {
		if e != nil {
			return e
		}
	}
	return nil
}

func over(limit string, actual, most int) *LimitError {
	if actual <= most {
		return nil
	}
	return &LimitError{Limit: limit, Max: most, Actual: actual}
}

// shape is what a selection set comes to with its fragments expanded.
type shape struct {
	depth         int // levels of fields outside introspection
	introspection int // levels of fields down into introspection, those above included
	top           int // fields on the first level
	fields        int // fields on all levels
}

// maxShape is where counts of fields saturate: fragments can double them at
// each level.
const maxShape = 1 << 30

func (s *shape) add(o shape) {
	s.depth = max(s.depth, o.depth)
	s.introspection = max(s.introspection, o.introspection)
	s.top = min(s.top+o.top, maxShape)
	s.fields = min(s.fields+o.fields, maxShape)
}

// fragmentShape is a fragment and, once surveyed, its shape.
type fragmentShape struct {
	def      *ast.FragmentDefinition
	surveyed bool // or being surveyed: a cycle adds nothing, validation reports it
	shape    shape
}

// surveyor walks each selection of a document once.
type surveyor struct {
	fragments           map[string]*fragmentShape
	aliases, directives int
}

func (s *surveyor) fragment(name string) shape {
	f := s.fragments[name]
	if f == nil {
		return shape{}
	}
	if !f.surveyed {
		f.surveyed = true
		s.directives += len(f.def.Directives)
		f.shape = s.set(f.def.SelectionSet)
	}
	return f.shape
}

func (s *surveyor) set(set ast.SelectionSet) shape {
	var sum shape
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			sum.add(s.field(selection))
		case *ast.InlineFragment:
			s.directives += len(selection.Directives)
			sum.add(s.set(selection.SelectionSet))
		case *ast.FragmentSpread:
			s.directives += len(selection.Directives)
			sum.add(s.fragment(selection.Name))
		}
	}
	return sum
}

func (s *surveyor) field(f *ast.Field) shape {
	if f.Alias != "" && f.Alias != f.Name {
		s.aliases++
	}
	s.directives += len(f.Directives)
	below := s.set(f.SelectionSet)
	out := shape{depth: below.depth + 1, top: 1, fields: min(below.fields+1, maxShape)}
	if below.introspection > 0 {
		out.introspection = below.introspection + 1
	}
	if f.Name == "__schema" || f.Name == "__type" {
		out.introspection = max(out.introspection, out.depth)
		out.depth = 1
	}
	return out
}
