package limits

import (
	"sync"
	"time"
)

// quantity is a forecast and its upper bound.
type quantity struct {
	expected, bound float64
}

// plus and times saturate at limit. The conversions keep the compiler from
// fusing the operations, so that every architecture gets the same number.
func (q quantity) plus(o quantity, limit float64) quantity {
	return quantity{
		min(float64(q.expected+o.expected), limit),
		min(float64(q.bound+o.bound), limit),
	}
}

func (q quantity) times(o quantity, limit float64) quantity {
	return quantity{
		min(float64(q.expected*o.expected), limit),
		min(float64(q.bound*o.bound), limit),
	}
}

func (q quantity) max(o quantity) quantity {
	return quantity{max(q.expected, o.expected), max(q.bound, o.bound)}
}

// exactly is a quantity without doubt.
func exactly(x float64) quantity { return quantity{x, x} }

// value is what one run of a node comes to.
type value struct {
	own     quantity // points of the run itself
	count   quantity // elements returned
	sliced  quantity // what the size arguments say; for children marked sized
	element quantity // points of one element
	objects quantity // nodes in one element, itself included
	invalid int      // node whose slicing arguments are wrong, or -1
	refused int      // node with an argument that is not accepted, or -1

	statement string // of the estimate
	reads     int64
	below     Below
	dropped   bool
}

// in returns the points and nodes of one run as a child of a field: how many its
// sized children return, and what an estimate of the parent says of them.
func (v *value) in(c *child, parent *value) (points, objects quantity) {
	if v.dropped {
		return quantity{}, quantity{}
	}
	count, own := v.countIn(c, parent), v.own
	if parent.below.Field == c.name && c.name != "" {
		own = pointsOf(parent.below.Work, parent.below.MaxWork)
	}
	points = own.plus(count.times(v.element, maxPoints), maxPoints)
	return points, count.times(v.objects, maxObjects)
}

// countIn is how many elements the field returns there.
func (v *value) countIn(c *child, parent *value) quantity {
	if c.sized {
		return parent.sliced
	}
	return v.count
}

// pointsOf is a forecast and its bound in points; negative ones are zero.
func pointsOf(work, most time.Duration) quantity {
	work = max(0, work)
	return quantity{milliseconds(work), milliseconds(max(work, most))}.plus(quantity{}, maxPoints)
}

// replay is one evaluation of a formula.
type replay struct {
	f          *Formula
	vars       map[string]any
	est        Estimator
	swap       *swap
	accepts    *Accepts // nil: is not asked
	holding    mask
	values     []value
	entries    []entryValue
	statistics bool // the estimator knew something
}

var replays = sync.Pool{New: func() any { return new(replay) }}

// maxPooled bounds the memory a pooled replay keeps, in values.
const maxPooled = 4096

func (f *Formula) replay(vars map[string]any, est Estimator, s *swap, accepts *Accepts) *replay {
	r := replays.Get().(*replay)
	r.f, r.vars, r.est, r.swap, r.accepts = f, vars, est, s, accepts
	r.holding = holding(f.conditions, vars)
	r.statistics = false
	if cap(r.values) < len(f.nodes) {
		r.values = make([]value, len(f.nodes))
	}
	r.values = r.values[:len(f.nodes)]
	for i := range f.nodes {
		r.evaluate(&f.nodes[i], &r.values[i], i)
	}
	return r
}

func (r *replay) free() {
	r.f, r.vars, r.est, r.swap, r.accepts = nil, nil, nil, nil, nil
	if cap(r.values) <= maxPooled {
		replays.Put(r)
	}
}

// evaluate computes one node; its children come before it.
func (r *replay) evaluate(n *node, v *value, index int) {
	*v = value{invalid: -1, refused: -1}
	if r.swap.concerns(n) && r.swap.drop {
		v.dropped = true
		return
	}
	var s *swap
	if r.swap.concerns(n) {
		s = r.swap
	}
	size, p := n.size.measure(r.vars, s)
	if p.kind != noProblem {
		v.invalid = index
	}
	if r.accepts != nil {
		if argument, _ := r.accepts.wrong(n, r.vars, s); argument != "" {
			v.refused = index
		}
	}
	v.own = exactly(n.own)
	for _, in := range n.inputs {
		v.own = v.own.plus(exactly(in.of(r.f.schema, r.vars)), maxPoints)
	}
	v.own = v.own.max(quantity{})
	v.sliced = exactly(size)
	if r.est != nil && n.priced && n.def.Type != nil {
		r.ask(n, v, s)
	}
	v.count = exactly(1)
	if n.list {
		v.count = v.sliced
	}
	v.element = exactly(n.leaf)
	for i := range n.variants {
		r.variant(&n.variants[i], v)
	}
}

// variant adds what the field comes to if it returns objects of one type; the
// dearest type counts.
func (r *replay) variant(t *variant, v *value) {
	points, objects := exactly(t.weight), exactly(t.objects)
	for i := range t.children {
		c := &t.children[i]
		if !r.holding.anyHolds(c.when) {
			continue
		}
		below := &r.values[c.node]
		p, o := below.in(c, v)
		points = points.plus(p, maxPoints)
		objects = objects.plus(o, maxObjects)
		if v.invalid < 0 {
			v.invalid = below.invalid
		}
		if v.refused < 0 {
			v.refused = below.refused
		}
	}
	v.element = v.element.max(points)
	v.objects = v.objects.max(objects)
}

// ask lets the estimator replace the declared weight and size. It can make a
// list shorter than the document allows, never longer, and what is no sane
// number changes nothing.
func (r *replay) ask(n *node, v *value, s *swap) {
	e, ok := r.est.Estimate(n.coordinate, Arguments{node: n, vars: r.vars, swap: s, size: v.sliced.bound})
	if !ok || e.Rows < 0 || e.Work < 0 {
		return
	}
	r.statistics = true
	v.statement, v.reads, v.below = e.Statement, e.Reads, e.Below
	rows := quantity{float64(e.Rows), float64(max(e.Rows, e.MaxRows))}
	v.sliced = quantity{min(rows.expected, v.sliced.expected), min(rows.bound, v.sliced.bound)}
	v.own = pointsOf(e.Work, e.MaxWork)
}

// milliseconds is a duration in points.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// total sums the root fields that are included.
func (r *replay) total() (points, objects quantity, invalid int) {
	invalid = -1
	for i := range r.f.roots {
		c := &r.f.roots[i]
		if !r.holding.anyHolds(c.when) {
			continue
		}
		v := &r.values[c.node]
		p, o := v.in(c, &value{})
		points = points.plus(p, maxPoints)
		objects = objects.plus(o, maxObjects)
		if invalid < 0 {
			invalid = v.invalid
		}
	}
	return points, objects, invalid
}

// reads is how many rows the included root fields look at.
func (r *replay) reads() (rows float64) {
	for i := range r.f.roots {
		if c := &r.f.roots[i]; r.holding.anyHolds(c.when) {
			rows = min(rows+float64(r.values[c.node].reads), maxObjects)
		}
	}
	return rows
}
