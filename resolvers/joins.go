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
	field := graphql.GetFieldContext(ctx)
	if field == nil || field.Field.Field == nil {
		return j
	}
	follow(field.Field.Selections, "", &j)
	return j
}

// follow looks for references at any depth: what is read in vain under a
// condition, or for another field of that name, costs little.
func follow(set ast.SelectionSet, above string, j *store.Joins) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			switch {
			case s.Name == "user":
				j.User = true
			case s.Name == "project":
				j.Project = true
			case s.Name == "client" && above == "project":
				j.Client = true
			case s.Name == "task":
				j.Task = true
			}
			follow(s.SelectionSet, s.Name, j)
		case *ast.InlineFragment:
			follow(s.SelectionSet, above, j)
		case *ast.FragmentSpread:
			follow(s.Definition.SelectionSet, above, j)
		}
	}
}
