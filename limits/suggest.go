package limits

import (
	"cmp"
	"slices"
)

// adviser finds changes after which a refused operation is accepted. It tries
// each on the formula itself, so what it says holds for whatever the formula
// does; the tries are bounded.
type adviser struct {
	caps Caps
	f    *Formula
	vars map[string]any
	est  Estimator
	unit Unit
}

const (
	// maxReductions and maxDrops bound the fields that are tried, dearest first
	// and smallest first: a search takes 31 replays, a drop one.
	maxReductions = 4
	maxDrops      = 16
)

// candidate is a place of the operation that may be changed.
type candidate struct {
	entry
	*node
	cost float64 // in the adviser's unit
	fits bool    // alone within the caps
	rest bool    // the others are within the caps without it
}

func (a *adviser) advise() []Suggestion {
	candidates := a.candidates()
	out := a.reductions(candidates)
	out = append(out, a.ranges(candidates)...)
	if len(out) == 0 {
		out = a.together(candidates)
	}
	if s, ok := a.drop(candidates); ok {
		out = append(out, s)
	}
	if s, ok := a.split(candidates); ok {
		out = append(out, s)
	}
	if len(out) == 0 {
		out = a.dropRoots(candidates)
	}
	return out
}

// candidates returns the included fields, dearest first.
func (a *adviser) candidates() []candidate {
	r := a.f.replay(a.vars, a.est, nil, &a.caps.Accepts)
	defer r.free()
	points, objects, _ := r.total()
	reads, taken := r.reads(), r.refused() < 0
	var out []candidate
	for i, share := range r.shares() {
		if !share.included {
			continue
		}
		e := a.f.entries[i]
		own := 0.0
		if e.parent < 0 {
			own = float64(r.values[e.node].reads)
		}
		out = append(out, candidate{
			entry: e, node: &a.f.nodes[e.node], cost: a.of(share.points, share.objects, own),
			fits: taken && a.within(share.points, share.objects, own),
			rest: a.within(less(points, share.points), less(objects, share.objects), reads-own),
		})
	}
	slices.SortStableFunc(out, func(x, y candidate) int { return cmp.Compare(y.cost, x.cost) })
	return out
}

func less(q, part quantity) quantity {
	return quantity{q.expected - part.expected, q.bound - part.bound}
}

func (a *adviser) of(points, objects quantity, reads float64) float64 {
	switch a.unit {
	case Nodes:
		return objects.bound
	case Reads:
		return reads
	}
	return points.expected
}

func (a *adviser) within(points, objects quantity, reads float64) bool {
	return points.expected <= a.caps.Points && int64(objects.bound) <= a.caps.Nodes && (a.caps.Reads == 0 || int64(reads) <= a.caps.Reads)
}

// try prices the operation with one change.
func (a *adviser) try(s swap) (cost float64, accepted bool) {
	r := a.f.replay(a.vars, a.est, &s, &a.caps.Accepts)
	defer r.free()
	points, objects, invalid := r.total()
	reads := r.reads()
	return a.of(points, objects, reads), invalid < 0 && r.refused() < 0 && a.within(points, objects, reads)
}

// reductions returns, for the dearest lists, the largest size that is accepted
// while all else stays. A list in a fragment is one list in all its places.
func (a *adviser) reductions(candidates []candidate) (out []Suggestion) {
	lists := a.lists(candidates)
	for _, p := range lists[:min(len(lists), maxReductions)] {
		accepted, cost, ok := a.largest(p.size, func(n int64) swap { return swap{origin: p.origin, argument: p.Argument, value: n} })
		if ok {
			out = append(out, Suggestion{
				Kind: ReduceArgument, Path: p.Path, Argument: p.Argument,
				Given: Amount{N: p.size}, MaxAccepted: Amount{N: accepted}, Estimated: Round(cost),
			})
		}
	}
	return out
}

// largest searches below a refused value for the one that is accepted while the
// next is not; false if not even 1 is.
func (a *adviser) largest(refused int64, change func(int64) swap) (accepted int64, cost float64, ok bool) {
	if cost, ok = a.try(change(1)); !ok {
		return 0, 0, false
	}
	accepted = 1
	for refused-accepted > 1 {
		n := accepted + (refused-accepted)/2
		if tried, ok := a.try(change(n)); ok {
			accepted, cost = n, tried
		} else {
			refused = n
		}
	}
	return accepted, cost, true
}

// ranges returns, for the dearest fields that take a range of days, the longest one
// with the same end that is accepted while all else stays.
func (a *adviser) ranges(candidates []candidate) (out []Suggestion) {
	spans := a.spans(candidates)
	for _, p := range spans[:min(len(spans), maxReductions)] {
		accepted, cost, ok := a.largest(p.size, func(n int64) swap {
			return swap{origin: p.origin, argument: p.Argument + ".from", value: daysBefore(p.to, n)}
		})
		if ok {
			out = append(out, Suggestion{
				Kind: NarrowRange, Path: p.Path, Argument: p.Argument,
				Given: Amount{p.size, true}, MaxAccepted: Amount{accepted, true}, Estimated: Round(cost),
			})
		}
	}
	return out
}

// drop returns the smallest field without which the operation is accepted. A root
// field that would be accepted on its own is none: it can be split off.
func (a *adviser) drop(candidates []candidate) (Suggestion, bool) {
	tried := 0
	for _, c := range slices.Backward(candidates) {
		if !c.rest || c.parent < 0 && c.fits || a.alone(c) {
			continue
		}
		if tried++; tried > maxDrops {
			break
		}
		if _, ok := a.try(swap{origin: c.origin, drop: true}); ok {
			return Suggestion{Kind: DropField, Path: c.path, Saves: Round(c.cost)}, true
		}
	}
	return Suggestion{}, false
}

// alone reports whether the field is all that its parent selects, so that the
// document would be wrong without it.
func (a *adviser) alone(c candidate) bool {
	if c.parent < 0 {
		return len(a.f.roots) == 1
	}
	parent := a.f.nodes[a.f.entries[c.parent].node]
	for _, v := range parent.variants {
		if len(v.children) == 1 && v.children[0].node == c.entry.node {
			return true
		}
	}
	return false
}

// split returns the root field that, sent on its own, makes two accepted
// operations of one.
func (a *adviser) split(candidates []candidate) (Suggestion, bool) {
	for _, c := range candidates {
		if c.parent < 0 && c.fits && c.rest {
			return Suggestion{Kind: SplitOperation, Path: c.path}, true
		}
	}
	return Suggestion{}, false
}

// SuggestSplit returns the suggestion to send the least urgent root field of a
// mixed operation on its own, and whether the operation is mixed: whether root
// fields of different classes share it.
func SuggestSplit(p Price) (Suggestion, bool) {
	slowest, mixed := -1, false
	for i := range p.Fields {
		if !p.Fields[i].Root {
			continue
		}
		if slowest < 0 {
			slowest = i
			continue
		}
		class, known := rootClass(p.Fields[i]), rootClass(p.Fields[slowest])
		mixed = mixed || class != known
		if class > known {
			slowest = i
		}
	}
	if !mixed {
		return Suggestion{}, false
	}
	return Suggestion{Kind: SplitOperation, Path: p.Fields[slowest].Path}, true
}
