package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"headroom/store"
)

// joins is what the selection of the field that is resolved follows from its
// entries on: it is read by the statement that reads them.
func joins(ctx context.Context) (j store.Joins) {
	eachSelected(ctx, func(field *ast.Field, above string) {
		switch {
		case field.Name == "user":
			j.User = true
		case field.Name == "project":
			j.Project = true
		case field.Name == "client" && above == "project":
			j.Client = true
		case field.Name == "task":
			j.Task = true
		}
	})
	return j
}

// projectJoins is the same for a list of projects. Seconds of a period are the
// loader's.
func projectJoins(ctx context.Context) (j store.ProjectJoins) {
	eachSelected(ctx, func(field *ast.Field, above string) {
		if above != "nodes" && above != "node" {
			return
		}
		switch {
		case field.Name == "client":
			j.Client = true
		case field.Name == "trackedSeconds" && len(field.Arguments) == 0:
			j.Tracked = true
		}
	})
	return j
}

// eachSelected shows what is selected at any depth below the field that is
// resolved, with the name of the field above: what is read in vain under a
// condition, or for another field of that name, costs little.
func eachSelected(ctx context.Context, show func(field *ast.Field, above string)) {
	if field := graphql.GetFieldContext(ctx); field != nil && field.Field.Field != nil {
		follow(field.Field.Selections, "", show)
	}
}

func follow(set ast.SelectionSet, above string, show func(*ast.Field, string)) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			show(s, above)
			follow(s.SelectionSet, s.Name, show)
		case *ast.InlineFragment:
			follow(s.SelectionSet, above, show)
		case *ast.FragmentSpread:
			follow(s.Definition.SelectionSet, above, show)
		}
	}
}
