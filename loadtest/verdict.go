package loadtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Exit is how surge ends, and the code its process exits with.
type Exit int

// The exit codes. Scripts rely on them.
const (
	ExitPass        Exit = 0   // every objective met
	ExitUsage       Exit = 1   // the command or its files make no sense
	ExitUnreachable Exit = 2   // nothing listens, no GraphQL, or the token is refused
	ExitViolated    Exit = 3   // an objective violated
	ExitInvalid     Exit = 4   // the generator was not well, or too few samples
	ExitRefused     Exit = 7   // refused for safety
	ExitInterrupted Exit = 130 // stopped by a signal, with a partial report
)

// Stop is the error of a run that could not give a verdict.
type Stop struct {
	Exit   Exit
	Reason error
}

func (s *Stop) Error() string { return s.Reason.Error() }
func (s *Stop) Unwrap() error { return s.Reason }

func isStop(err error) bool {
	var stop *Stop
	return errors.As(err, &stop)
}

func stopf(exit Exit, format string, values ...any) error {
	return &Stop{exit, fmt.Errorf(format, values...)}
}

// ExitOf is the code for an error of Run: that of its Stop, else ExitUsage.
func ExitOf(err error) Exit {
	var stop *Stop
	if errors.As(err, &stop) {
		return stop.Exit
	}
	return ExitUsage
}

// grounds is all that decides how a finished run ends: the reasons found, by
// their weight.
type grounds struct {
	interrupted bool
	foreign     []string // people were shown what is not theirs
	untested    []string // what was to be tested was not, or the books do not balance: nothing else counts
	proven      []string // an objective violated, whatever the generator did
	invalid     []string // the generator was the bottleneck
	undecided   []string // too few samples
	violated    []string // an objective violated, by a generator that was well
}

// exit applies the precedence of the codes and names the verdict.
func (g grounds) exit() (Exit, string) {
	switch {
	case g.interrupted:
		return ExitInterrupted, "INTERRUPTED"
	case len(g.foreign) > 0:
		return ExitViolated, "FAIL"
	case len(g.untested) > 0:
		return ExitInvalid, "INVALID"
	case len(g.proven) > 0:
		return ExitViolated, "FAIL"
	case len(g.invalid) > 0:
		return ExitInvalid, "INVALID"
	case len(g.undecided) > 0:
		return ExitInvalid, "UNDECIDED"
	case len(g.violated) > 0:
		return ExitViolated, "FAIL"
	}
	return ExitPass, "PASS"
}

// Verdict is what a run came to, and why.
type Verdict struct {
	Exit     Exit      `json:"exit"`
	Word     string    `json:"verdict"`
	Reasons  []string  `json:"reasons"` // what decided it, the first being the heaviest
	Results  []Result  `json:"objectives"`
	Recovery *Recovery `json:"recovery,omitempty"`
	Vitals   []Vitals  `json:"generator"`
	Foreign  int       `json:"foreign_answers"` // that held the data of another user or workspace
}

// judge decides over all rounds of a scenario. It measures nothing.
func judge(s Scenario, rounds []*attack, interrupted bool) Verdict {
	var v Verdict
	g := grounds{interrupted: interrupted}
	uneasy, not := false, doubt{}
	for _, round := range rounds {
		g.untested = append(g.untested, round.books(interrupted)...)
		for at, span := range round.plan.phases {
			vitals := round.vitals(at)
			g.foreign = append(g.foreign, vitals.strangers()...)
			v.Foreign += vitals.foreign
			if !span.Judged {
				continue
			}
			v.Vitals = append(v.Vitals, vitals)
			g.untested = append(g.untested, vitals.budgets()...)
			g.invalid = append(g.invalid, vitals.faults()...)
			uneasy = uneasy || vitals.uneasy(s.tightest())
			not.hogged = not.hogged || len(vitals.cpuFaults()) > 0
			not.delay = max(not.delay, handed*time.Duration(vitals.Lag.P99))
		}
	}
	for _, objective := range s.Objectives {
		v.Results = append(v.Results, objective.evaluate(rounds, objective.phase, not))
	}
	if s.Recover != nil {
		recovery := s.Recover.recovery(rounds, not)
		v.Recovery = &recovery
	}
	v.conclude(g, uneasy)
	return v
}

// tightest is the smallest limit on response time that a scenario holds.
func (s Scenario) tightest() time.Duration {
	tightest := time.Duration(1<<63 - 1)
	for _, o := range s.Objectives {
		if o.latency > 0 {
			tightest = min(tightest, o.latency)
		}
	}
	return tightest
}

// conclude turns results into an exit code and its reasons. While the generator
// was uneasy, a violation that service time does not share is no violation but
// no pass either.
func (v *Verdict) conclude(g grounds, uneasy bool) {
	for _, r := range errorsLast(v.Results) {
		text := fmt.Sprintf("%s %s: %s", r.subject(), r.Objective, r.Observed)
		switch {
		case r.Decision == Violated && r.Proven:
			g.proven = append(g.proven, text)
		case r.Decision == Violated && uneasy && r.latency > 0:
			g.invalid = append(g.invalid, text+", but only because the generator lagged")
		case r.Decision == Violated:
			g.violated = append(g.violated, text)
		case r.Decision == Undecided:
			g.undecided = append(g.undecided, text+", undecided after "+r.weight())
		}
	}
	if r := v.Recovery; r != nil && r.late() {
		switch {
		case r.Proven:
			g.proven = append(g.proven, r.String())
		case uneasy:
			g.invalid = append(g.invalid, r.String()+", but only because the generator lagged")
		default:
			g.violated = append(g.violated, r.String())
		}
	}
	v.Exit, v.Word = g.exit()
	v.Reasons = slices.Concat(g.foreign, g.untested, g.proven, g.invalid, g.undecided, g.violated)
}

// errorsLast puts latencies that errors alone have broken behind the promise that
// tells how many there were.
func errorsLast(results []Result) []Result {
	rank := func(r Result) int {
		if r.Observed == errorsOnly {
			return 1
		}
		return 0
	}
	return slices.SortedStableFunc(slices.Values(results), func(a, b Result) int { return cmp.Compare(rank(a), rank(b)) })
}

// subject is what an objective is about.
func (r Result) subject() string { return string(r.Class) }

// weight tells how many samples there were, and why they were too few.
func (r Result) weight() string {
	if r.Needs > r.Samples {
		return fmt.Sprintf("%d samples (at least %d are needed)", r.Samples, r.Needs)
	}
	return fmt.Sprintf("%d samples (in bursts, so that they weigh like %.0f)", r.Samples, r.Effective)
}

// String tells when the class was back in bound.
func (r Recovery) String() string {
	switch {
	case !r.Back:
		return "not back in bound within " + short(time.Duration(r.Within))
	case r.After == 0:
		return "never out of bound afterwards"
	}
	return "back in bound after " + short(time.Duration(r.After))
}

// worthMore tells whether another round could still decide: after so many of at
// most so many rounds, something is undecided for want of samples that the rest
// can bring.
func (v *Verdict) worthMore(after, most int) bool {
	if v.Word != "UNDECIDED" {
		return false
	}
	for _, r := range v.Results {
		if r.Decision == Undecided && r.Needs > r.Samples/after*most {
			return false
		}
	}
	return true
}

// again is what the next round sends: all phases at first, then those with an
// undecided objective. What is to be recovered from is always sent whole.
func (s Scenario) again(so Verdict) []Phase {
	if s.Recover != nil || len(so.Results) == 0 {
		return s.Phases
	}
	var list []Phase
	for _, phase := range s.Phases {
		if slices.ContainsFunc(so.Results, func(r Result) bool { return r.Phase == phase.Name && r.Decision == Undecided }) {
			list = append(list, phase)
		}
	}
	return list
}
