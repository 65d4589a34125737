package limits

import (
	"fmt"
	"time"
)

// Accepts is what the resolvers behind a schema accept of arguments that prices
// depend on. The zero value accepts everything.
type Accepts struct {
	Sizes map[string]int64 // the most that a slicing argument of this (dotted) name may be; the least is 1
	Years int              // that a range of days may span; 0: any number
}

// InputError says that a resolver would refuse an argument, whatever its price.
type InputError struct {
	Path        string // of the field, response keys joined by dots
	Argument    string
	Problem     string
	Suggestions []Suggestion
}

func (e *InputError) Error() string { return e.Path + ": " + e.Problem }

// CheckInput returns nil if resolvers take the arguments of every included field,
// else the first that they do not and, where one change is enough, that change.
func (c Caps) CheckInput(f *Formula, vars map[string]any, est Estimator) *InputError {
	a := adviser{caps: c, f: f, vars: vars, est: est, unit: Points}
	r := f.replay(vars, est, nil, &c.Accepts)
	defer r.free()
	index := r.refused()
	if index < 0 {
		return nil
	}
	e := &InputError{Path: r.path(index)}
	e.Argument, e.Problem = c.Accepts.wrong(&f.nodes[index], vars, nil)
	e.Suggestions = a.advise()
	return e
}

// wrong names an argument of a field that is not accepted; "": all are.
func (a *Accepts) wrong(n *node, vars map[string]any, s *swap) (argument, problem string) {
	if len(a.Sizes) > 0 {
		for i := range n.size.args {
			arg := &n.size.args[i]
			size, kind := arg.number(vars)
			size, kind = s.size(arg.name, size, kind)
			if most := a.Sizes[arg.name]; most > 0 && kind == isNumber && (size < 1 || size > most) {
				return arg.name, fmt.Sprintf("%s must be from 1 to %d", arg.name, most)
			}
		}
	}
	if a.Years == 0 || len(n.ranges) == 0 {
		return "", ""
	}
	args := Arguments{node: n, vars: vars, swap: s}.All()
	for _, name := range n.ranges {
		switch from, to, ok := rangeAt(args, name); {
		case ok && to.Before(from):
			return name, name + " ends before it begins"
		case ok && !to.Before(from.AddDate(a.Years, 0, 0)):
			return name, fmt.Sprintf("%s is longer than %d years", name, a.Years)
		}
	}
	return "", ""
}

// refused is an included node with an argument that is not accepted, or -1.
func (r *replay) refused() int {
	for i := range r.f.roots {
		c := &r.f.roots[i]
		if v := &r.values[c.node]; v.refused >= 0 && r.holding.anyHolds(c.when) {
			return v.refused
		}
	}
	return -1
}

// daysOf is how many days a range has, both ends included; a time.Duration holds
// three centuries only.
func daysOf(from, to time.Time) int64 { return (to.Unix()-from.Unix())/int64(day/time.Second) + 1 }
