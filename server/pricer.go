package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

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
	p.documents.foreign = true
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

// UnfitError are the defects of variables, as the server would tell them.
type UnfitError []string

func (e UnfitError) Error() string { return strings.Join(e, "; ") }

// Price prices the operation of this name for the largest tenant: without
// statistics by the schema alone, else for the workspace in which it is dearest.
// Variables that are not given are assumed at their dearest, whatever their default;
// those that are have to fit their types as on the server, or the error is an UnfitError.
func (p *Pricer) Price(ctx context.Context, t Trusted, vars map[string]any) (q Quote, err error) {
	doc, f := p.documents.load(ctx, params{query: t.Text, operation: t.Name, trusted: !t.Untold}, &timings{})
	if f != nil {
		return q, errors.New(f.list()[0].Message) // its place is one in our own text of the document
	}
	for _, v := range doc.op.VariableDefinitions {
		q.Takes = append(q.Takes, v.Variable)
	}
	given, err := p.coerce(ctx, doc.op, vars)
	if err != nil {
		return q, err
	}
	all, assumed := doc.dearestVariables(p.documents.schema, p.sizes, given)
	q.Assumed = assumed
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

// coerce reads the variables that are given by the operation's types.
func (p *Pricer) coerce(ctx context.Context, op *ast.OperationDefinition, vars map[string]any) (map[string]any, error) {
	sent, err := json.Marshal(vars) // which leaves the caller's alone, and Go's numbers as a client writes them
	if err != nil {
		return nil, err
	}
	own, f := decodeObject("variables", sent)
	if f != nil {
		return nil, f.list()[0]
	}
	given := *op
	given.VariableDefinitions = nil
	for _, def := range op.VariableDefinitions {
		if _, ok := own[def.Variable]; ok {
			given.VariableDefinitions = append(given.VariableDefinitions, def)
		}
	}
	c := coercion{ctx: ctx, schema: p.documents.schema, foreign: p.documents.foreign}
	var unfit UnfitError
	for _, defect := range c.variables(&given, own) {
		unfit = append(unfit, defect.Message)
	}
	if len(unfit) > 0 {
		return nil, unfit
	}
	return validator.VariableValues(p.documents.schema, &given, own)
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
