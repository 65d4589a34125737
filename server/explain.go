package server

import (
	"context"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"headroom/graph"
	"headroom/limits"
	"headroom/store"
)

// asksToExplain tells whether the request wants the price of each field:
// "extensions": {"headroom": {"explain": true}}.
func asksToExplain(p params) (bool, *fault) {
	own, ok := p.extensions["headroom"].(map[string]any)
	if !ok && p.extensions["headroom"] != nil {
		return false, wrongType("extensions.headroom")
	}
	explain, ok := own["explain"].(bool)
	if !ok && own["explain"] != nil {
		return false, wrongType("extensions.headroom.explain")
	}
	return explain, nil
}

// fieldCost is the share of one field, all that is selected below it included.
type fieldCost struct {
	Path       string   `json:"path"`
	Coordinate string   `json:"coordinate"`
	Requested  float64  `json:"requested"`
	Bound      float64  `json:"bound"`
	Actual     *float64 `json:"actual,omitempty"`
	DBMs       *float64 `json:"dbMs,omitempty"`
	Rows       *int64   `json:"rows,omitempty"`
	Batches    *int     `json:"batches,omitempty"`
}

// shares are the fields of a price as a client is told them.
func shares(p limits.Price) []fieldCost {
	out := make([]fieldCost, 0, len(p.Fields))
	for _, f := range p.Fields {
		out = append(out, fieldCost{Path: f.Path, Coordinate: f.Coordinate, Requested: round(f.Expected), Bound: round(f.Bound)})
	}
	return out
}

// explanation measures what each field of an operation uses of the database. A
// batch of look-ups that several fields share counts for the one that asked
// first.
type explanation struct {
	fields []explained // in the order of the price: parents before children
	byPath map[string]*store.Usage
}

type explained struct {
	fieldCost
	usage *store.Usage
}

// watch has the operation's resolvers counted. It is set for this operation
// alone, since it runs for every field of every row.
func (e *explanation) watch(p limits.Price, opCtx *graphql.OperationContext) {
	e.byPath = make(map[string]*store.Usage, len(p.Fields))
	for _, share := range shares(p) {
		f := explained{share, &store.Usage{}}
		e.fields = append(e.fields, f)
		e.byPath[f.Path] = f.usage
	}
	opCtx.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) { // of the roots
		return next(e.counting(ctx, graphql.GetFieldContext(ctx)))
	}
	graph.Watch(opCtx, e.counting)
}

// counting has what a field's resolver uses counted for it.
func (e *explanation) counting(ctx context.Context, field *graphql.FieldContext) context.Context {
	if usage := e.usageAt(pathOf(field)); usage != nil {
		return store.WithUsage(ctx, usage)
	}
	return ctx
}

// usageAt finds the field or, where it carries no price, the nearest one above.
func (e *explanation) usageAt(path string) *store.Usage {
	for {
		if usage := e.byPath[path]; usage != nil {
			return usage
		}
		cut := strings.LastIndexByte(path, '.')
		if cut < 0 {
			return nil
		}
		path = path[:cut]
	}
}

// pathOf joins the response keys above a field; places in lists are left out.
func pathOf(field *graphql.FieldContext) string {
	var keys []string
	for ; field != nil; field = field.Parent {
		if field.Index == nil && field.Field.Field != nil {
			keys = append(keys, field.Field.Alias)
		}
	}
	slices.Reverse(keys)
	return strings.Join(keys, ".")
}

// measured returns the fields with what they and all below them have used.
func (e *explanation) measured() []fieldCost {
	out := make([]fieldCost, 0, len(e.fields))
	for i := range e.fields {
		f := e.fields[i].fieldCost
		var busy, rows int64
		batches := 0
		for j := range e.fields {
			below := e.fields[j].Path
			if below == f.Path || strings.HasPrefix(below, f.Path+".") {
				u := e.fields[j].usage
				busy, rows, batches = busy+int64(u.Busy()), rows+u.Rows(), batches+u.Statements()
			}
		}
		db := float64(busy) / 1e6
		actual := round(db + rowPoints*float64(rows))
		db = round(db)
		f.Actual, f.DBMs, f.Rows, f.Batches = &actual, &db, &rows, &batches
		out = append(out, f)
	}
	return out
}
