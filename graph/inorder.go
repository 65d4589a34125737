package graph

import (
	"context"
	"io"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// What generated.go uses once graph/inorder has rewritten it.

// answerRoom is what an answer has room for at first, in bytes: that of a screen
// fits.
const answerRoom = 8 << 10

// collected are the fields that a selection has of a type, with the keys they are
// written under. A key that is there twice is written once.
type collected struct {
	list []graphql.CollectedField
	keys []string // `"name":`; empty: written before
}

// collections remembers them for one operation, and what fields are given.
type collections struct {
	mu    sync.Mutex
	known map[selected]*collected
	given map[*ast.Field]map[string]any
}

// selected is a selection and the names of a type, by where they are.
type selected struct {
	first  *ast.Selection
	length int
	names  *string
}

// of collects a selection's fields, of which there is at least one, of a type with
// its names and those of its interfaces.
func (c *collections) of(oc *graphql.OperationContext, set ast.SelectionSet, names []string) *collected {
	key := selected{&set[0], len(set), &names[0]}
	c.mu.Lock()
	defer c.mu.Unlock()
	if fields := c.known[key]; fields != nil {
		return fields
	}
	fields := &collected{list: graphql.CollectFields(oc, set, names)}
	fields.keys = make([]string, len(fields.list))
	written := make(map[string]bool, len(fields.list))
	for i, field := range fields.list {
		if !written[field.Alias] {
			fields.keys[i], written[field.Alias] = `"`+field.Alias+`":`, true
		}
	}
	if c.known == nil {
		c.known = map[selected]*collected{}
	}
	c.known[key] = fields
	return fields
}

// args reads the arguments of a field, which are the same for each object that has
// it: nobody changes them.
func (c *collections) args(ctx context.Context, ec *executionContext, field graphql.CollectedField,
	read func(*executionContext, context.Context, map[string]any) (map[string]any, error),
) (map[string]any, error) {
	c.mu.Lock()
	args := c.given[field.Field]
	c.mu.Unlock()
	if args != nil {
		return args, nil
	}
	args, err := read(ec, ctx, field.ArgumentMap(ec.Variables))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given == nil {
		c.given = map[*ast.Field]map[string]any{}
	}
	c.given[field.Field] = args
	return args, nil
}

// object is the answer to a selection of one object.
type object struct {
	fields   *collected
	Values   []graphql.Marshaler
	Invalids int // fields that may not be null and are
}

func newObject(fields *collected) *object {
	return &object{fields: fields, Values: make([]graphql.Marshaler, len(fields.list))}
}

// MarshalGQL writes the object.
func (o *object) MarshalGQL(w io.Writer) {
	before := "{"
	for i, key := range o.fields.keys {
		if key == "" {
			continue
		}
		_, _ = io.WriteString(w, before) // it is a buffer
		_, _ = io.WriteString(w, key)
		o.Values[i].MarshalGQL(w)
		before = ","
	}
	if before == "{" {
		_, _ = io.WriteString(w, "{")
	}
	_, _ = io.WriteString(w, "}")
}

// fieldKey is the key under which gqlgen finds the place of a field.
var fieldKey = func() (key any) {
	graphql.GetFieldContext(asked{context.Background(), &key})
	return key
}()

type asked struct {
	context.Context
	key *any
}

func (a asked) Value(key any) any {
	*a.key = key
	return nil
}

// place is a context that knows where in the answer it is.
type place struct {
	context.Context
	field graphql.FieldContext
	index int
}

func (p *place) Value(key any) any {
	if key == fieldKey {
		return &p.field
	}
	return p.Context.Value(key)
}

// watching is under which an operation keeps who watches its fields.
const watching = "watching"

// Watch has the context of each field that a resolver answers, but for those of the
// roots, pass through a function: an operation's interceptors are not called for them.
func Watch(oc *graphql.OperationContext, of func(context.Context, *graphql.FieldContext) context.Context) {
	oc.Stats.SetExtension(watching, of)
}

// within is the place of a field that a function answers.
func within(ctx context.Context, object string, field graphql.CollectedField) *place {
	return &place{Context: ctx, field: graphql.FieldContext{Parent: graphql.GetFieldContext(ctx), Object: object, Field: field}}
}

// watched is the place of a field that a resolver answers.
func (ec *executionContext) watched(ctx context.Context, object string, field graphql.CollectedField) context.Context {
	p := within(ctx, object, field)
	if of, ok := ec.OperationContext.Stats.GetExtension(watching).(func(context.Context, *graphql.FieldContext) context.Context); ok {
		return of(p, &p.field)
	}
	return p
}

// failed is the answer of a field whose resolver has failed.
func (ec *executionContext) failed(ctx context.Context, err error) graphql.Marshaler {
	ec.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
	return graphql.Null
}

// recovered makes a panic fail its field; it is deferred.
func (ec *executionContext) recovered(ctx context.Context, answer *graphql.Marshaler) {
	if p := recover(); p != nil {
		ec.Error(ctx, ec.Recover(ctx, p))
		*answer = graphql.Null
	}
}

// leaf is a context that makes the place of its field when an error asks for it.
type leaf struct {
	context.Context
	object string
	field  *ast.Field
}

func at(ctx context.Context, object string, field graphql.CollectedField) context.Context {
	return &leaf{ctx, object, field.Field}
}

func (l *leaf) Value(key any) any {
	if key == fieldKey {
		return &graphql.FieldContext{Parent: graphql.GetFieldContext(l.Context), Object: l.object, Field: graphql.CollectedField{Field: l.field}}
	}
	return l.Context.Value(key)
}

// inOrder answers the items of a list. One that fails is null; when ctx ends, those
// that are left are.
func inOrder(ctx context.Context, length int, marshal func(ctx context.Context, i int) graphql.Marshaler) graphql.Array {
	items, places := make(graphql.Array, length), make([]place, length)
	above := graphql.GetFieldContext(ctx)
	for i := range items {
		p := &places[i]
		p.Context, p.index = ctx, i
		p.field = graphql.FieldContext{Parent: above, Index: &p.index}
		if err := ctx.Err(); err != nil {
			graphql.AddError(p, err)
			for ; i < length; i++ {
				items[i] = graphql.Null
			}
			break
		}
		items[i] = item(p, i, marshal)
	}
	return items
}

func item(ctx context.Context, i int, marshal func(ctx context.Context, i int) graphql.Marshaler) (m graphql.Marshaler) {
	defer func() {
		if p := recover(); p != nil {
			graphql.AddError(ctx, graphql.Recover(ctx, p))
			m = graphql.Null
		}
	}()
	return marshal(ctx, i)
}
