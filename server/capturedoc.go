package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// capturedDocument is a document as a capture holds it: one operation, whose
// names nobody has chosen, and without a literal that somebody may have typed.
type capturedDocument struct {
	Name  string `json:"name"`
	Class string `json:"class"`
	Text  string `json:"doc"`

	id     string
	names  map[string]string    // of variables: as sent, as captured
	types  map[string]*ast.Type // of variables as sent
	keys   map[string]bool      // variables as captured that are idempotency keys
	lifted map[string]any       // values of the new variables, redacted
}

// rewrite makes a document fit for a capture. It parses its own copy: the one
// in the cache is shared.
func (r *redactor) rewrite(ctx context.Context, doc *document) (*capturedDocument, error) {
	operation, text, _ := strings.Cut(doc.key, "\x00")
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, maxTokens)
	if err != nil {
		return nil, err
	}
	if errs := validator.ValidateWithRules(r.schema, parsed, validationRules(ctx)); len(errs) > 0 {
		return nil, errs
	}
	op := parsed.Operations.ForName(operation)
	w := &rewriter{
		redactor: r, op: op, doc: parsed, fragments: map[string]string{}, aliases: map[string]string{}, used: map[string]bool{},
		out: &capturedDocument{Name: nameOf(op, parsed), names: map[string]string{}, types: map[string]*ast.Type{}, lifted: map[string]any{}, keys: map[string]bool{}},
	}
	w.operation()
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent(" "), formatter.WithoutDescription()).FormatQueryDocument(parsed)
	w.out.Text = b.String()
	for name, captured := range w.out.names {
		if !w.used[captured] {
			delete(w.out.types, name)
		}
	}
	sum := sha256.Sum256(b.Bytes())
	w.out.id = hex.EncodeToString(sum[:8])
	return w.out, nil
}

// nameOf names an operation after its root fields, which are the schema's.
func nameOf(op *ast.OperationDefinition, doc *ast.QueryDocument) string {
	var fields []string
	for _, name := range rootFields(op.SelectionSet, doc) {
		if !slices.Contains(fields, name) && len(fields) < 3 {
			fields = append(fields, name)
		}
	}
	return string(op.Operation) + "_" + strings.Join(fields, "_")
}

// rewriter changes one document in place.
type rewriter struct {
	*redactor
	op        *ast.OperationDefinition
	doc       *ast.QueryDocument
	out       *capturedDocument
	fragments map[string]string // those that are used: as sent, as captured
	aliases   map[string]string
	used      map[string]bool // variables as captured
}

// operation leaves the one operation with the fragments that it uses.
func (w *rewriter) operation() {
	w.op.Name, w.doc.Operations = w.out.Name, ast.OperationList{w.op}
	for i, v := range w.op.VariableDefinitions {
		w.out.names[v.Variable], w.out.types[v.Variable] = "v"+strconv.Itoa(i+1), v.Type
		v.Variable, v.DefaultValue = "v"+strconv.Itoa(i+1), nil // a row holds what the default came to
		v.Directives = nil
	}
	w.directives(w.op.Directives)
	w.set(w.op.SelectionSet)
	w.op.VariableDefinitions = slices.DeleteFunc(w.op.VariableDefinitions, func(v *ast.VariableDefinition) bool { return !w.used[v.Variable] })
	w.doc.Fragments = slices.DeleteFunc(w.doc.Fragments, func(f *ast.FragmentDefinition) bool {
		return !slices.Contains(slices.Collect(maps.Values(w.fragments)), f.Name)
	})
}

func (w *rewriter) set(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			w.alias(s)
			w.arguments(s.Arguments)
			w.directives(s.Directives)
			w.set(s.SelectionSet)
		case *ast.InlineFragment:
			w.directives(s.Directives)
			w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			w.directives(s.Directives)
			w.spread(s)
		}
	}
}

// alias gives the same new alias to the same old one, so that fields which
// merged still do.
func (w *rewriter) alias(f *ast.Field) {
	if f.Alias == f.Name {
		return
	}
	if w.aliases[f.Alias] == "" {
		w.aliases[f.Alias] = "a" + strconv.Itoa(len(w.aliases)+1)
	}
	f.Alias = w.aliases[f.Alias]
}

func (w *rewriter) spread(s *ast.FragmentSpread) {
	if known := w.fragments[s.Name]; known != "" {
		s.Name = known
		return
	}
	fragment := w.doc.Fragments.ForName(s.Name)
	w.fragments[s.Name] = "f" + strconv.Itoa(len(w.fragments)+1)
	s.Name = w.fragments[s.Name]
	fragment.Name = s.Name
	w.directives(fragment.Directives)
	w.set(fragment.SelectionSet)
}

func (w *rewriter) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.arguments(d.Arguments)
	}
}

func (w *rewriter) arguments(list ast.ArgumentList) {
	for _, argument := range list {
		// A cursor names a row of the captured data. Who asks for a later page
		// is taken to ask for the first.
		if cursor := argument.Name == "after" || argument.Name == "before"; cursor {
			argument.Value = &ast.Value{Kind: ast.NullValue, Raw: "null"}
			continue
		}
		w.literal(argument.Value)
	}
}

// literal renames variables and lifts what somebody may have typed into a new
// one. Sizes, choices and yes or no stay: they decide the price.
func (w *rewriter) literal(v *ast.Value) {
	switch v.Kind {
	case ast.Variable:
		v.Raw = w.out.names[v.Raw]
		w.used[v.Raw] = true
	case ast.ObjectValue, ast.ListValue:
		for _, child := range v.Children {
			w.literal(child.Value)
			if child.Name == keyField && child.Value.Kind == ast.Variable {
				w.out.keys[child.Value.Raw] = true
			}
		}
	case ast.IntValue:
		if v.ExpectedType.Name() != "Int" {
			w.lift(v)
		}
	case ast.FloatValue, ast.StringValue, ast.BlockValue:
		w.lift(v)
	}
}

func (w *rewriter) lift(v *ast.Value) {
	name := "l" + strconv.Itoa(len(w.out.lifted)+1)
	t := *v.ExpectedType
	w.out.lifted[name], w.used[name] = w.value(&t, v.Raw), true
	w.op.VariableDefinitions = append(w.op.VariableDefinitions, &ast.VariableDefinition{Variable: name, Type: &t})
	*v = ast.Value{Kind: ast.Variable, Raw: name, ExpectedType: v.ExpectedType}
}

// variables redacts the values of a request and adds those that were literals.
func (r *redactor) variables(doc *capturedDocument, sent map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, doc.lifted)
	for name, value := range sent {
		if t := doc.types[name]; t != nil {
			out[doc.names[name]] = r.value(t, value)
		}
	}
	return out
}
