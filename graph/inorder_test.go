package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// answering is a context as a resolver of the field "list" has it.
func answering(t *testing.T) context.Context {
	t.Helper()
	ctx := graphql.WithResponseContext(t.Context(), graphql.DefaultErrorPresenter, func(_ context.Context, p any) error { return fmt.Errorf("panic: %v", p) })
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: graphql.CollectedField{Field: &ast.Field{Alias: "list"}}})
}

// told are the errors that an answer will have.
func told(ctx context.Context) string {
	var all []string
	for _, e := range graphql.GetErrors(ctx) {
		all = append(all, fmt.Sprint(e.Path, ": ", e.Message))
	}
	return fmt.Sprintf("%q", all)
}

func TestItemsInOrder(t *testing.T) {
	ctx := answering(t)
	var order []int
	items := inOrder(ctx, 4, func(ctx context.Context, i int) graphql.Marshaler {
		order = append(order, i)
		if i == 2 {
			panic("no item")
		}
		field := graphql.CollectedField{Field: &ast.Field{Alias: "seconds"}}
		return graphql.WrapContextMarshaler(at(ctx, "Thing", field), MarshalLong(int64(i)*(1<<53)))
	})
	var b bytes.Buffer
	items.MarshalGQL(&b)
	if want := "[0,9007199254740992,null,null]"; b.String() != want || fmt.Sprint(order) != "[0 1 2 3]" {
		t.Errorf("%s in the order %v, want %s", b.String(), order, want)
	}
	if got, want := told(ctx), `["list[2]: panic: no item" "list[3].seconds: 27021597764222976 is beyond 2^53"]`; got != want {
		t.Errorf("errors %s, want %s", got, want)
	}
}

// Who has left waits for no further items.
func TestItemsUntilCancelled(t *testing.T) {
	ctx, leave := context.WithCancelCause(answering(t))
	items := inOrder(ctx, 5, func(_ context.Context, i int) graphql.Marshaler {
		if i == 1 {
			leave(errors.New("left"))
		}
		return graphql.MarshalInt(i)
	})
	var b bytes.Buffer
	items.MarshalGQL(&b)
	if b.String() != "[0,1,null,null,null]" || told(ctx) != `["list[2]: context canceled"]` {
		t.Errorf("%s with %s", b.String(), told(ctx))
	}
}

// A field that is selected twice is written once, and others are asked whether
// they are selected once for each operation.
func TestObjectWritesItsKeysOnce(t *testing.T) {
	field := func(alias string) ast.Selection {
		return &ast.Field{Name: "name", Alias: alias, ObjectDefinition: &ast.Definition{Name: "Thing"}}
	}
	set, names := ast.SelectionSet{field("b"), field("a"), field("b")}, []string{"Thing"}
	var known collections
	oc := &graphql.OperationContext{}
	fields := known.of(oc, set, names)
	if again := known.of(oc, set, names); again != fields {
		t.Error("the fields of a selection were collected twice")
	}
	o := newObject(fields)
	for i := range o.Values {
		o.Values[i] = graphql.MarshalInt(i)
	}
	var b bytes.Buffer
	o.MarshalGQL(&b)
	newObject(&collected{}).MarshalGQL(&b)
	if want := `{"b":0,"a":1}{}`; b.String() != want {
		t.Errorf("%s, want %s", b.String(), want)
	}
}
