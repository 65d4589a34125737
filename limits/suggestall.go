package limits

import (
	"math"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// together returns what is accepted where no list and no range alone makes the
// difference: the largest size that all lists may have, or the longest that all
// ranges may be.
func (a *adviser) together(candidates []candidate) (out []Suggestion) {
	if s, ok := a.cutAll(ReduceAll, a.lists(candidates)); ok {
		out = append(out, s)
	}
	if s, ok := a.cutAll(NarrowAll, a.spans(candidates)); ok {
		out = append(out, s)
	}
	return out
}

// cutAll searches for the number that is accepted in all of these places while the
// next is not.
func (a *adviser) cutAll(kind string, places []sized) (Suggestion, bool) {
	if len(places) < 2 {
		return Suggestion{}, false
	}
	among, most := map[*ast.Field]bool{}, int64(0)
	for _, p := range places {
		among[p.origin], most = true, max(most, p.size)
	}
	accepted, cost, ok := a.largest(most, func(n int64) swap {
		if kind == NarrowAll {
			return swap{among: among, days: n}
		}
		return swap{among: among, most: n}
	})
	s := Suggestion{Kind: kind, MaxAccepted: Amount{accepted, kind == NarrowAll}, Estimated: Round(cost)}
	for _, p := range places {
		if p.size > accepted {
			s.Places = append(s.Places, p.Place)
		}
	}
	return s, ok
}

// sized is a place and the number that is given there: elements or days.
type sized struct {
	Place
	origin *ast.Field
	size   int64
	to     time.Time // of a range
}

// lists are the slicing arguments that can be smaller.
func (a *adviser) lists(candidates []candidate) (out []sized) {
	eachOnce(candidates, func(c candidate) {
		for i := range c.size.args {
			if n, kind := c.size.args[i].number(a.vars); kind == isNumber && n > 1 {
				out = append(out, sized{Place: Place{c.path, c.size.args[i].name}, origin: c.origin, size: min(n, math.MaxInt32)})
			}
		}
	})
	return out
}

// spans are the ranges that can be shorter.
func (a *adviser) spans(candidates []candidate) (out []sized) {
	eachOnce(candidates, func(c candidate) {
		if len(c.ranges) == 0 {
			return
		}
		args := Arguments{node: c.node, vars: a.vars}.All()
		for _, name := range c.ranges {
			if from, to, ok := rangeAt(args, name); ok && daysOf(from, to) > 1 {
				out = append(out, sized{Place{c.path, name}, c.origin, daysOf(from, to), to})
			}
		}
	})
	return out
}

// eachOnce shows each field of the document once, wherever its fragment is spread.
func eachOnce(candidates []candidate, show func(candidate)) {
	seen := map[*ast.Field]bool{}
	for _, c := range candidates {
		if !seen[c.origin] {
			seen[c.origin] = true
			show(c)
		}
	}
}

// dropRoots returns the dearest root fields without which the operation is accepted,
// as few as are enough; one at least stays.
func (a *adviser) dropRoots(candidates []candidate) []Suggestion {
	s := Suggestion{Kind: DropFields}
	dropped := swap{drop: true, among: map[*ast.Field]bool{}}
	for _, c := range candidates {
		if c.parent >= 0 {
			continue
		}
		if len(s.Places) == len(a.f.roots)-1 {
			break
		}
		dropped.among[c.origin] = true
		s.Places, s.Saves = append(s.Places, Place{Path: c.path}), s.Saves+c.cost
		if _, ok := a.try(dropped); ok {
			s.Saves = Round(s.Saves)
			return []Suggestion{s}
		}
	}
	return nil
}
