package loadtest

import (
	"time"
)

// sample is one arrival seen from its due time.
type sample struct {
	*row
	due    time.Duration // since the run's start
	second int           // of due, since the phase's start
}

// response is what the person who asked has waited; service is the server's
// part of it, with the network.
func (s sample) response() time.Duration { return s.end - s.due }
func (s sample) service() time.Duration  { return s.end - s.sent }
func (s sample) lag() time.Duration      { return s.sent - s.due }

// reached tells whether the server had a chance to answer: only such samples
// speak about it.
func (s sample) reached() bool {
	switch s.outcome {
	case Unsent, Dropped, GeneratorError, Interrupted:
		return false
	}
	return true
}

// samples calls yield for each arrival of a phase, or of one class in it, in
// the order of dues; class "" stands for all.
func (a *attack) samples(phase string, class Class, yield func(sample)) {
	for seq := range a.rows {
		arrival := a.plan.arrivals[seq]
		stream := a.plan.streams[arrival.stream]
		span := a.plan.phases[stream.phase]
		if span.Name != phase || class != "" && stream.Class != class {
			continue
		}
		yield(sample{&a.rows[seq], arrival.due, int((arrival.due - span.start) / time.Second)})
	}
}

// tally sums up samples.
type tally struct {
	planned  int
	outcomes [outcomes]int
	refused  int
	bytes    int64

	response, service, server, shed histogram
}

func (t *tally) add(s sample) {
	t.planned++
	t.outcomes[s.outcome]++
	if s.refused {
		t.refused++
	}
	t.bytes += int64(s.bytes)
	if !s.reached() {
		return
	}
	if s.server > 0 {
		t.server.add(s.server)
	}
	if s.outcome == Shed {
		t.shed.add(s.response())
		return
	}
	if s.outcome == Throttled {
		return
	}
	t.response.add(s.response())
	t.service.add(s.service())
}

// reached counts the samples that speak about the server.
func (t *tally) reached() int {
	return t.planned - t.outcomes[Unsent] - t.outcomes[Dropped] - t.outcomes[GeneratorError] - t.outcomes[Interrupted]
}

// share is the part of what reached the server that ended in one of the
// outcomes given; 0 if nothing did.
func (t *tally) share(of ...Outcome) float64 {
	n := t.reached()
	if n == 0 {
		return 0
	}
	sum := 0
	for _, outcome := range of {
		sum += t.outcomes[outcome]
	}
	return float64(sum) / float64(n)
}

// tallyOf sums up a phase over rounds.
func tallyOf(rounds []*attack, phase string, class Class) *tally {
	t := &tally{}
	for _, round := range rounds {
		round.samples(phase, class, t.add)
	}
	return t
}
