package server

import (
	"context"
	"fmt"
	"math"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"headroom/graph"
	"headroom/limits"
	"headroom/timesheet"
)

// Pricer prices documents as the server does, without a server or a database:
// in a build, before a client with these documents is released.
type Pricer struct {
	documents  *documents
	caps       limits.Caps
	estimators []*estimator     // of the largest workspaces; none: prices are the schema's
	sizes      map[string]int64 // the most that a slicing argument may be
}

// Follow has prices follow the statistics of a server's largest workspaces, for
// whichever of their people an operation is dearest.
func (p *Pricer) Follow(s Statistics) { p.estimators = s.estimators() }

// Pages says what the server of a foreign schema accepts: the most that the slicing
// arguments may be, which are otherwise taken to be any number.
func (p *Pricer) Pages(most int64) {
	for name := range p.sizes {
		p.sizes[name] = most
	}
	p.caps.Accepts.Sizes = p.sizes
}

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
	p := &Pricer{documents: newDocuments(schema), caps: caps, sizes: map[string]int64{}}
	if sdl == graph.SDL() {
		p.caps = accepting(caps)
		p.sizes = p.caps.Accepts.Sizes
		return p, nil
	}
	for _, name := range limits.SlicingArguments(schema) {
		p.sizes[name] = math.MaxInt32
	}
	return p, nil
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
	Role    timesheet.Role     // for which it is dearest; "": statistics say nothing of it, or it is the same for all
	Takes   []string           // names of the operation's variables
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
	all, assumed := doc.dearestVariables(p.documents.schema, p.sizes, vars)
	q.Assumed = assumed
	for _, v := range doc.op.VariableDefinitions {
		q.Takes = append(q.Takes, v.Variable)
	}
	est, role := p.dearestCaller(doc.formula, all)
	q.Price, q.Role = doc.formula.Price(all, est), role
	if bad := q.Price.Invalid; bad != nil {
		return q, bad
	}
	q.Class = classOf(doc.op.Operation, q.Price, limits.Control)
	q.Over = p.caps.Check(doc.formula, q.Price, all, est)
	q.Refused = p.caps.CheckInput(doc.formula, all, est)
	return q, nil
}

// dearestCaller is the workspace and the role in which an operation costs most; nil
// without statistics, and no role where none is dearer than others.
func (p *Pricer) dearestCaller(f *limits.Formula, vars map[string]any) (limits.Estimator, timesheet.Role) {
	var dearest *estimator
	most := map[timesheet.Role]float64{}
	for _, est := range p.estimators {
		price, role := f.Price(vars, est).Expected, est.viewer.Role
		if dearest == nil || price > most[dearest.viewer.Role] {
			dearest = est
		}
		most[role] = max(most[role], price)
	}
	switch {
	case dearest == nil:
		return nil, ""
	case len(most) == 1 || most[timesheet.RoleOwner] == most[timesheet.RoleMember]:
		return dearest, ""
	}
	return dearest, dearest.viewer.Role
}

// Nearest is the known name that is most like one that is not known, "" where none
// is like it.
func Nearest(name string, known []string) string {
	if found := core.SuggestionList(name, known); len(found) > 0 {
		return found[0]
	}
	return ""
}
