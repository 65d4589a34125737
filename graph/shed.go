package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Shed collects what an answer leaves out because the server sheds load.
type Shed struct {
	mu    sync.Mutex
	paths []ast.Path
}

type shedKey struct{}

// WithShed has the fields that can do without their value be null, and collects
// their paths.
func WithShed(ctx context.Context, s *Shed) context.Context {
	return context.WithValue(ctx, shedKey{}, s)
}

// Paths are those of the fields that were left out so far.
func (s *Shed) Paths() []ast.Path {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.paths)
}

// Sheds tells a field whether it is left out.
func Sheds(ctx context.Context) bool {
	s, ok := ctx.Value(shedKey{}).(*Shed)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths = append(s.paths, graphql.GetFieldContext(ctx).Path())
	return true
}
