package loadtest

import "time"

// enoughAlike is how many must be refused in a second before it can be said that they
// were told alike.
const enoughAlike = 20

// toldAlike promises that of the clients that are refused within a second at most the
// share given is told the same: to wait equally long, or to come at the same moment,
// to a tenth of a second. They would come back as the crowd that they were. No load of
// the machine explains it.
func toldAlike(class Class, share float64) Objective {
	never := func(sample) bool { return false }
	o := Objective{
		Class: class, Name: "told alike", Limit: "<= " + percent(share), allowed: share, optional: true, attempts: true,
		counts: never, bad: never, proven: func(sample, doubt) bool { return false },
		observe: func(*tally) string { return "-" },
	}
	o.settled = func(rounds []*attack, phase string) Objective {
		settled := o
		among, alike := alikeIn(rounds, phase, class)
		settled.counts = func(s sample) bool { return among[s.id] }
		settled.bad = func(s sample) bool { return alike[s.id] }
		settled.proven = func(s sample, _ doubt) bool { return alike[s.id] }
		settled.observe = func(*tally) string { return percent(float64(len(alike)) / float64(max(1, len(among)))) }
		return settled
	}
	return o
}

// alikeIn collects the refusals of seconds with enough of them, and among those the
// ones that were told what most in their second were told.
func alikeIn(rounds []*attack, phase string, class Class) (among, alike map[any]bool) {
	among, alike = map[any]bool{}, map[any]bool{}
	for _, round := range rounds {
		seconds := map[time.Duration][]sample{}
		round.attempts(phase, class, func(s sample) {
			if s.outcome == Shed {
				second := s.end / time.Second
				seconds[second] = append(seconds[second], s)
			}
		})
		for _, refused := range seconds {
			if len(refused) < enoughAlike {
				continue
			}
			for _, r := range refused {
				among[r.id] = true
			}
			for _, r := range mostAlike(refused) {
				alike[r.id] = true
			}
		}
	}
	return among, alike
}

// mostAlike are the most that were told the same wait, or the same moment.
func mostAlike(refused []sample) (most []sample) {
	const tenth = 100 * time.Millisecond
	waits, moments := map[time.Duration][]sample{}, map[time.Duration][]sample{}
	for _, r := range refused {
		wait := time.Duration(r.told) * time.Millisecond
		waits[wait/tenth] = append(waits[wait/tenth], r)
		moment := (r.end + wait) / tenth
		moments[moment] = append(moments[moment], r)
	}
	for _, groups := range []map[time.Duration][]sample{waits, moments} {
		for _, group := range groups {
			if len(group) > len(most) {
				most = group
			}
		}
	}
	return most
}
