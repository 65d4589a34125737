package server

import (
	"context"
	"fmt"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// rehearse has resolvers look at the operation's arguments as when it is run, and
// stop where they would ask the database: it returns what they refuse until then.
func (s *Server) rehearse(ctx context.Context, r *request, opCtx *graphql.OperationContext) gqlerror.List {
	if r.viewer.User == 0 {
		return nil // strangers' operations have no such arguments
	}
	ctx = store.WithOperation(ctx, store.NewRehearsal())
	ctx = context.WithValue(ctx, accountKey{}, r.account)
	ctx = context.WithValue(ctx, requestKey{}, r)
	loaders := dataloader.New(s.store, r.viewer)
	loaders.LevelOfClients(make([]timesheet.Client, 1)) // the object that nobody has read: no look-up waits for others
	loaders.LevelOfProjects(make([]timesheet.Project, 1))
	ctx = dataloader.With(timesheet.WithViewer(ctx, r.viewer), loaders)
	ctx = graphql.WithResponseContext(graphql.WithOperationContext(ctx, opCtx), presenter(s.log), recovered)
	graph.Rehearse(ctx, s.executable)
	return slices.DeleteFunc(graphql.GetErrors(ctx), func(e *gqlerror.Error) bool {
		code := e.Extensions["code"]
		return code != codeBadUserInput && code != codeForbidden
	})
}

// refusedInput is the verdict of what a rehearsal has refused, and those changes that
// mend all of it.
func (s *Server) refusedInput(r *request) (verdict, []limits.Suggestion) {
	first := r.wrong[0]
	v := verdict{Code: fmt.Sprint(first.Extensions["code"]), Message: first.Path.String() + ": " + first.Message, Unit: limits.Points}
	bad := s.caps.CheckInput(r.doc.formula, r.vars, r.est)
	if bad == nil {
		return v, nil
	}
	return v, slices.DeleteFunc(bad.Suggestions, func(change limits.Suggestion) bool {
		return slices.ContainsFunc(r.wrong, func(e *gqlerror.Error) bool { return !mends(change, e) })
	})
}

// mends tells whether nothing of an error is left after a change: it leaves the field
// out, or sizes and ranges are to blame, which are looked at last.
func mends(change limits.Suggestion, e *gqlerror.Error) bool {
	out := change.Kind == limits.DropField || change.Kind == limits.DropFields
	return change.Concerns(e.Path.String()) && (out || slices.Contains([]any{"first", "maxRows", "period", "filter.period"}, e.Extensions["field"]))
}
