package limits

// entry is one place of the operation that is reported in Price.Fields. A field
// within a fragment has an entry for each place that includes it.
type entry struct {
	path   string
	parent int // entry, or -1 for a root field
	child
}

// maxFieldPrices bounds Price.Fields: the fields nearest to the root, which hold
// the rest, are reported.
const maxFieldPrices = 256

// entriesOf walks the operation breadth first, so parents come before children
// and root fields first.
func entriesOf(f *Formula) []entry {
	var out []entry
	add := func(parent int, children []child) {
		for _, c := range children {
			if len(out) == maxFieldPrices && parent >= 0 {
				return
			}
			if n := &f.nodes[c.node]; n.priced {
				out = append(out, entry{path: n.key, parent: parent, child: c})
			}
		}
	}
	add(-1, f.roots)
	for i := 0; i < len(out); i++ {
		if p := out[i].parent; p >= 0 {
			out[i].path = out[p].path + "." + out[i].path
		}
		for _, v := range f.nodes[out[i].node].variants {
			add(i, v.children)
		}
	}
	return out
}

// entryValue is what an entry comes to in one replay.
type entryValue struct {
	included bool
	elements quantity // over all runs; how often its children run
	points   quantity // over all runs, all below included
	objects  quantity
	own      float64 // of the expected points, without those of the fields below
	root     int     // entry of the root field above
}

// shares computes the entries' values. They are r's and valid until it is freed.
func (r *replay) shares() []entryValue {
	if cap(r.entries) < len(r.f.entries) {
		r.entries = make([]entryValue, len(r.f.entries))
	}
	r.entries = r.entries[:len(r.f.entries)]
	for i := range r.f.entries {
		e, out := &r.f.entries[i], &r.entries[i]
		runs, parent := exactly(1), &value{}
		*out = entryValue{included: r.holding.anyHolds(e.when)}
		if e.parent >= 0 {
			above := &r.entries[e.parent]
			runs, parent = above.elements, &r.values[r.f.entries[e.parent].node]
			out.included = out.included && above.included
		}
		if !out.included {
			continue
		}
		v := &r.values[e.node]
		points, objects := v.in(&e.child, parent)
		out.elements = runs.times(v.countIn(&e.child, parent), maxObjects)
		out.points = runs.times(points, maxPoints)
		out.objects = runs.times(objects, maxObjects)
		out.own, out.root = out.points.expected, i
		if e.parent >= 0 {
			above := &r.entries[e.parent]
			above.own -= out.points.expected
			out.root = above.root
		}
	}
	return r.entries
}
