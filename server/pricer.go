package server

import (
	"context"
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"headroom/graph"
	"headroom/limits"
	"headroom/timesheet"
)

// Pricer prices documents as the server does, without a server or a database:
// in a build, before a client with these documents is released.
type Pricer struct {
	documents  *documents
	caps       limits.Caps
	estimators []limits.Estimator // of the largest workspaces; none: prices are the schema's
}

// Follow has prices follow the statistics of a server's largest workspaces.
func (p *Pricer) Follow(s Statistics) { p.estimators = s.estimators() }

// NewPricer prices by a schema in SDL, with its @cost and @listSize; an empty
// text stands for this program's own. The error names what cannot be priced.
func NewPricer(sdl string, caps limits.Caps) (*Pricer, error) {
	if sdl == "" {
		sdl = graph.SDL()
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: sdl})
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	if err := limits.CheckSchema(schema); err != nil {
		return nil, fmt.Errorf("price the schema: %w", err)
	}
	if sdl == graph.SDL() {
		caps = accepting(caps)
	}
	return &Pricer{documents: newDocuments(schema), caps: caps}, nil
}

// accepting adds to caps what this program's resolvers accept of arguments.
func accepting(c limits.Caps) limits.Caps {
	c.Accepts = limits.Accepts{
		Sizes: map[string]int64{"first": timesheet.MaxPage, "last": timesheet.MaxPage, "input.maxRows": timesheet.MaxReportRows},
		Years: timesheet.MaxPeriodYears,
	}
	return c
}

// Quote is the price of one operation at its dearest.
type Quote struct {
	Price   limits.Price
	Class   limits.Class
	Over    *limits.CostError  // nil within the caps
	Refused *limits.InputError // nil if the resolvers take the arguments
	Assumed map[string]any     // of the variables that were not given
}

// Price prices the operation of this name for the largest tenant: without
// statistics by the schema alone, else for the workspace in which it is dearest.
// Variables that are not given are assumed at their dearest, whatever their default.
func (p *Pricer) Price(ctx context.Context, t Trusted, vars map[string]any) (Quote, error) {
	doc, f := p.documents.load(ctx, params{query: t.Text, operation: t.Name, trusted: true}, &timings{})
	if f != nil {
		return Quote{}, f.list()[0]
	}
	var q Quote
	all, assumed := doc.dearestVariables(p.documents.schema, vars)
	q.Assumed = assumed
	est := p.dearestWorkspace(doc.formula, all)
	q.Price = doc.formula.Price(all, est)
	if bad := q.Price.Invalid; bad != nil {
		return q, bad
	}
	q.Class = classOf(doc.op.Operation, q.Price, limits.Control)
	q.Over = p.caps.Check(doc.formula, q.Price, all, est)
	q.Refused = p.caps.CheckInput(doc.formula, all, est)
	return q, nil
}

// dearestWorkspace is the one in which an operation costs most, nil without
// statistics.
func (p *Pricer) dearestWorkspace(f *limits.Formula, vars map[string]any) (out limits.Estimator) {
	most := -1.0
	for _, est := range p.estimators {
		if price := f.Price(vars, est).Expected; price > most {
			out, most = est, price
		}
	}
	return out
}
