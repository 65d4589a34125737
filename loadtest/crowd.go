package loadtest

import (
	"fmt"
	"time"
)

// Promises about clients that reconnect, beside those that count samples.

// servedIdeal promises that the share given of the clients of a kind have all
// their operations answered right within so many times the ideal time: what the
// server, which does so many operations a second, needs for all that it answered
// right to the clients of all kinds.
func servedIdeal(class Class, kind string, share, times, perSecond float64) Objective {
	o := served(class, kind, share, 0)
	o.Limit = fmt.Sprintf("%s within %g x the ideal time", percent(share), times)
	o.settled = func(rounds []*attack, phase string) Objective {
		ideal := float64(rightAnswers(rounds, phase)) / float64(max(1, len(rounds))) / perSecond
		limit := time.Duration(times * ideal * float64(time.Second))
		settled := served(class, kind, share, limit)
		settled.Limit = fmt.Sprintf("%s within %g x the ideal time (%s)", percent(share), times, short(limit))
		return settled
	}
	return o
}

// rightAnswers counts the right answers to a phase's clients.
func rightAnswers(rounds []*attack, phase string) int {
	n := 0
	for _, round := range rounds {
		round.crowd(phase, anyKind, func(s sample) {
			if s.outcome == OK {
				n++
			}
		}, func(*row) {})
	}
	return n
}

// fewAttempts promises that clients need at most so many attempts an operation.
func fewAttempts(class Class, most float64) Objective {
	return measured(class, "attempts an operation", fmt.Sprintf("<= %g", most), func(rounds []*attack, phase string) (string, int, bool) {
		operations, attempts := 0, 0
		for _, round := range rounds {
			round.crowd(phase, anyKind, func(s sample) { operations, attempts = operations+1, attempts+int(s.attempts) }, func(*row) {})
		}
		mean := float64(attempts) / float64(max(1, operations))
		return fmt.Sprintf("%.2f", mean), operations, mean <= most
	})
}

// littleWaste promises that at most the share given of the server's work for
// clients goes into answers that are not right, or come too late.
func littleWaste(class Class, most float64) Objective {
	return measured(class, "wasted work", "<= "+percent(most), func(rounds []*attack, phase string) (string, int, bool) {
		var spent, useful time.Duration
		attempts := 0
		for _, round := range rounds {
			round.crowd(phase, anyKind, func(sample) {}, func(r *row) {
				attempts++
				if spent += r.work(); r.outcome == OK {
					useful += r.work()
				}
			})
		}
		wasted := 0.0
		if spent > 0 {
			wasted = 1 - float64(useful)/float64(spent)
		}
		return percent(wasted), attempts, wasted <= most
	})
}

// measured is a promise about a figure over all samples, which no luck decides.
func measured(class Class, name, limit string, measure func([]*attack, string) (observed string, samples int, holds bool)) Objective {
	return Objective{Class: class, Name: name, Limit: limit, measure: measure}
}

// result decides such a promise. On a hogged machine a violation is not proven.
func (o Objective) result(rounds []*attack, phase string, not doubt) Result {
	observed, samples, holds := o.measure(rounds, phase)
	r := Result{
		Phase: phase, Class: o.Class, Objective: o.Name + " " + o.Limit, name: o.Name, limit: o.Limit,
		Observed: observed, Samples: samples, Effective: float64(samples), Decision: Met,
	}
	if !holds {
		r.Decision, r.Proven, r.over = Violated, !not.hogged, true
	}
	return r
}
