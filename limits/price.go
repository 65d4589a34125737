package limits

import "time"

// Price is the quote for one operation with one set of variables.
type Price struct {
	// Expected and Bound are points (milliseconds): the forecast and the most
	// it can be. 0 <= Expected <= Bound, both finite.
	Expected, Bound float64
	// Work is the points as a duration; a Learner has a better forecast.
	Work time.Duration
	// Rows is the number of objects expected in the answer, Nodes the most
	// there can be.
	Rows, Nodes int64
	// Reads is the number of rows that the root fields are expected to read to
	// make it; 0 where no Estimator tells.
	Reads int64
	Basis Basis
	// Fields holds the root fields first, then the fields below them that
	// carry a price, at most maxFieldPrices.
	Fields []FieldPrice
	// Invalid is set if a list's slicing arguments are missing or wrong. The
	// operation must then be refused; its price is at the maximum.
	Invalid *SlicingError
}

// FieldPrice is the share of a price that is due to one field, all that is
// selected below it included.
type FieldPrice struct {
	Path       string // response keys joined by dots
	Coordinate string // Type.field
	Root       bool
	Class      Class // of a root field: what its @class declares, else Interactive
	Expected   float64
	Bound      float64
	Statement  string // that answers it, as its Estimate says; "": no estimator knew it
	Mostly     string // of a root field: what most of its price is, its statement or the coordinate of a field below
	Reads      int64  // rows that the statement is expected to read; 0: not known
}

// Basis says where the expected price comes from.
type Basis string

// The bases of a price.
const (
	Declared   Basis = "declared"   // weights and sizes of the schema
	Statistics Basis = "statistics" // an Estimator knew at least one field
)

// Estimator forecasts fields from statistics. It is made for one request, so it
// knows the caller's workspace and role.
type Estimator interface {
	// Estimate forecasts one run of the field at coordinate ("Type.field") with
	// these coerced arguments. false: nothing is known and the declared bound
	// holds. args must not be kept.
	Estimate(coordinate string, args Arguments) (Estimate, bool)
}

// Estimate is the forecast of one run of one field.
type Estimate struct {
	Rows, MaxRows int64         // objects returned: expected and most
	Work, MaxWork time.Duration // expected and most
	Statement     string        // names what is learned from the outcome
	Reads         int64         // rows that the statement reads, for the cap of root fields and a comparison with the planner; 0: not known
	Below         Below         // what a field selected on it costs, where that follows from these arguments
}

// Below is the price of one field that is selected on an estimated one, such as the
// count of a list, which nothing but the list's arguments decides. The zero value
// names none.
type Below struct {
	Field         string // its name in the schema
	Work, MaxWork time.Duration
}

// Price replays the formula with the operation's coerced variables. It is pure
// and safe for concurrent use. est may be nil.
func (f *Formula) Price(vars map[string]any, est Estimator) Price {
	r := f.replay(vars, est, nil, nil)
	defer r.free()
	points, objects, invalid := r.total()
	p := Price{Basis: Declared, Reads: int64(r.reads())}
	if r.statistics {
		p.Basis = Statistics
	}
	p.Fields = r.fieldPrices()
	if invalid >= 0 {
		p.Invalid = r.invalid(invalid)
		points, objects = exactly(maxPoints), exactly(maxObjects)
	}
	p.Expected, p.Bound = points.expected, points.bound
	p.Work = time.Duration(points.expected * float64(time.Millisecond))
	p.Rows, p.Nodes = int64(objects.expected), int64(objects.bound)
	return p
}

func (r *replay) fieldPrices() []FieldPrice {
	shares := r.shares()
	included := 0
	for i := range shares {
		if shares[i].included {
			included++
		}
	}
	fields := make([]FieldPrice, included)
	next := fields
	for i := range shares {
		share := &shares[i]
		if !share.included {
			continue
		}
		e := &r.f.entries[i]
		n, v, out := &r.f.nodes[e.node], &r.values[e.node], &next[0]
		next = next[1:]
		out.Path, out.Coordinate, out.Class = e.path, n.coordinate, n.class
		out.Expected, out.Bound = share.points.expected, share.points.bound
		out.Statement, out.Reads = v.statement, v.reads
		if e.parent < 0 {
			out.Root, out.Mostly = true, r.mostly(i)
		}
	}
	return fields
}

// mostly names what most of a root field's price is: itself, if its own points are
// half of it, else the field below with the most points of its own.
func (r *replay) mostly(entry int) string {
	root := &r.entries[entry]
	dearest := entry
	if root.own < root.points.expected/2 {
		for i := range r.entries {
			if e := &r.entries[i]; e.included && e.root == entry && e.own > r.entries[dearest].own {
				dearest = i
			}
		}
	}
	node := r.f.entries[dearest].node
	if statement := r.values[node].statement; statement != "" {
		return statement
	}
	return r.f.nodes[node].coordinate
}

// invalid explains what is wrong with a node's slicing arguments.
func (r *replay) invalid(index int) *SlicingError {
	n := &r.f.nodes[index]
	_, p := n.size.measure(r.vars, nil)
	return n.size.explain(p, r.path(index))
}

// path is where a node is included first, its coordinate where that lies too deep
// to be reported.
func (r *replay) path(index int) string {
	for i, share := range r.shares() {
		if r.f.entries[i].node == index && share.included {
			return r.f.entries[i].path
		}
	}
	return r.f.nodes[index].coordinate
}
