package limits

import (
	"fmt"
	"time"
)

// The rungs above Normal. A gate goes up to RefuseReports by itself, one rung for
// each second in which the interactive queue stands, and down one for each five
// quiet seconds; the two above it are for people to decide. A tenant that makes the
// crowd goes alone, unless the others would make one without it.
const (
	NoBackground  Step = iota + 1 // no background operation starts
	KeptReports                   // reports that may be older are those that are kept
	NoExtras                      // what is nullable for that reason is null
	RefuseReports                 // no report starts
	ReadOnly                      // nothing is written, but for control operations
	OnlyControl                   // nothing else starts
	numSteps
)

// stepNames are the rungs as people name them.
var stepNames = [numSteps]string{"normal", "no_background", "kept_reports", "no_extras", "refuse_reports", "read_only", "only_control"}

// String returns the rung's name, as metrics carry it.
func (s Step) String() string {
	if s < 0 || s >= numSteps {
		return fmt.Sprintf("step(%d)", int(s))
	}
	return stepNames[s]
}

// ParseStep is the inverse of String.
func ParseStep(name string) (Step, error) {
	for s, n := range stepNames {
		if n == name {
			return Step(s), nil
		}
	}
	return Normal, fmt.Errorf("unknown step %q: want one of %v", name, stepNames)
}

const (
	climbEvery   = time.Second
	descendEvery = 5 * time.Second
)

// ladder is where the gate stands on it.
type ladder struct {
	step  Step
	since time.Time // when it was last reached or held
}

// climb moves the gate by at most one rung.
func climb(l ladder, crowded bool, now time.Time) ladder {
	waited := age(now, &l.since)
	switch {
	case crowded && l.step >= RefuseReports, !crowded && l.step == Normal:
		l.since = now
	case crowded && waited >= climbEvery:
		l.step, l.since = l.step+1, now
	case !crowded && waited >= descendEvery:
		l.step, l.since = l.step-1, now
	}
	return l
}

// Brown holds the gate on a rung at least, for the reason given, also while it is
// fixed; Normal lets it go up and down by itself again.
func (a *Adaptive) Brown(least Step, reason string) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held, a.because = max(Normal, min(least, OnlyControl)), reason
	for class := range numClasses {
		a.refuseBrownedLocked(&a.pools[class], now)
	}
}

// Rung returns the rung on which the gate stands for a tenant.
func (a *Adaptive) Rung(tenant string) Step {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rungLocked(tenant)
}

func (s *Static) rungLocked(tenant string) Step {
	switch r := s.card; {
	case r == nil:
		return s.held
	case r.whose.tenant == "" || r.whose.tenant == tenant:
		return max(r.ladder.step, s.held)
	default:
		return max(r.whose.others.step, s.held)
	}
}

// brownedLocked reports whether a tenant's operations of a class are not served on its
// present rung.
func (s *Static) brownedLocked(class Class, tenant string) bool {
	switch step := s.rungLocked(tenant); class {
	case Background:
		return step >= NoBackground
	case Report:
		return step >= RefuseReports
	case Interactive:
		return step >= OnlyControl
	default:
		return false
	}
}

// refuseBrownedLocked refuses who waits in a class that is no longer served.
func (s *Static) refuseBrownedLocked(p *pool, now time.Time) {
	for i := len(p.queue.waiting) - 1; i >= 0; i-- {
		w := p.queue.waiting[i]
		if s.brownedLocked(p.class, w.request.Tenant) {
			p.queue.remove(w)
			s.answerLocked(w, nil, s.refuseLocked(p, &w.request, Brownout, now))
		}
	}
}
