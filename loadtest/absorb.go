package loadtest

import (
	"time"
)

// Recover is a promise about the time after a phase: from Within after the
// start of Phase on, the objectives of Class hold again.
type Recover struct {
	Phase  string
	Class  Class
	Within time.Duration

	Objectives []Objective // what is promised to the class
}

// Recovery is what was found: the first time from which absorbedWindows windows
// in a row each kept all objectives.
type Recovery struct {
	Within Millis `json:"within_ms"`
	After  Millis `json:"after_ms"` // meaningful if Back
	Back   bool   `json:"back"`
	Proven bool   `json:"proven"` // if late: by service time too
}

const (
	absorbedWindows = 5
	absorbedWindow  = time.Second
	absorbedStep    = 100 * time.Millisecond // windows start at multiples of it
	absorbedSteps   = int(absorbedWindow / absorbedStep)
)

// late tells whether the promise was broken.
func (r Recovery) late() bool { return !r.Back || r.After > r.Within }

// recovery finds the worst recovery of all rounds. A window without samples is
// out of bound, but proves nothing.
func (r Recover) recovery(rounds []*attack, not doubt) Recovery {
	found := Recovery{Within: Millis(r.Within), Back: true}
	proven := found
	for _, round := range rounds {
		found = worse(found, r.of(round, false, func(o Objective, s sample) bool { return o.bad(s) }))
		proven = worse(proven, r.of(round, true, func(o Objective, s sample) bool { return o.proven(s, not) }))
	}
	found.Proven = found.late() && proven.late()
	return found
}

func worse(a, b Recovery) Recovery {
	if !b.Back || b.After > a.After {
		a.Back, a.After = a.Back && b.Back, b.After
	}
	return a
}

// of finds when one round was back in bound. blank tells whether a window
// without samples is in bound.
func (r Recover) of(round *attack, blank bool, bad func(Objective, sample) bool) Recovery {
	var kept []bool // by step: the window that starts there keeps all objectives
	for _, o := range r.Objectives {
		for step, keeps := range o.windows(round, r.Phase, blank, func(s sample) bool { return bad(o, s) }) {
			if step == len(kept) {
				kept = append(kept, true)
			}
			kept[step] = kept[step] && keeps
		}
	}
	for first := range kept {
		if allKept(kept, first) {
			return Recovery{Within: Millis(r.Within), After: Millis(time.Duration(first) * absorbedStep), Back: true}
		}
	}
	return Recovery{Within: Millis(r.Within)}
}

// allKept tells whether the windows in a row from first on are kept.
func allKept(kept []bool, first int) bool {
	for i := range absorbedWindows {
		at := first + i*absorbedSteps
		if at >= len(kept) || !kept[at] {
			return false
		}
	}
	return true
}

// windows tells for each step of a phase whether the window that starts there
// has at most the allowed share of bad samples.
func (o Objective) windows(round *attack, phase string, blank bool, bad func(sample) bool) []bool {
	span, ok := round.plan.span(phase)
	if !ok {
		return nil
	}
	steps := make([]cluster, int(span.For/absorbedStep))
	o.samples(round, phase, func(s sample) {
		at := int((s.due - span.start) / absorbedStep)
		if at >= len(steps) || !o.counts(s) {
			return
		}
		steps[at].n++
		if bad(s) {
			steps[at].bad++
		}
	})
	keeps := make([]bool, max(0, len(steps)-absorbedSteps+1))
	for first := range keeps {
		var window cluster
		for _, step := range steps[first : first+absorbedSteps] {
			window.n += step.n
			window.bad += step.bad
		}
		keeps[first] = (window.n > 0 || blank || o.optional) && window.bad <= o.allowed*window.n
	}
	return keeps
}
