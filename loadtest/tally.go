package loadtest

import (
	"time"
)

// sample is one arrival seen from its due time.
type sample struct {
	row
	id     any           // of what was kept, the same each time
	due    time.Duration // since the run's start
	second int           // of due, since the phase's start
	late   time.Duration // a response after this is late
}

// response is what the person who asked has waited; service is the server's
// part of it, with the network.
func (s sample) response() time.Duration { return s.end - s.due }
func (s sample) service() time.Duration  { return s.end - s.sent }
func (s sample) lag() time.Duration      { return s.sent - s.due }

// refusedIn is how long a refusal took without what the server says it waited with it:
// one that came before its time is held back on purpose.
func (s sample) refusedIn() time.Duration { return max(0, s.response()-s.waited()) }

// reached tells whether the server had a chance to answer: only such samples
// speak about it.
func (s sample) reached() bool {
	switch s.outcome {
	case Unsent, Dropped, GeneratorError, Interrupted:
		return false
	}
	return true
}

// samples calls yield for each operation of a phase, or of one class in it, in
// the order in which they or their clients were due; class "" stands for all.
// Of a client's operations each is due when the last has ended.
func (a *attack) samples(phase string, class Class, yield func(sample)) {
	for _, arrival := range a.plan.arrivals {
		stream := a.plan.streams[arrival.stream]
		span := a.plan.phases[stream.phase]
		if span.Name != phase || class != "" && stream.Class != class {
			continue
		}
		due := arrival.due
		for i := range stream.rows() {
			k := &a.rows[int(arrival.row)+i]
			s := sampleOf(k.row(), k, due, span, stream)
			yield(s)
			if s.end != 0 {
				due = s.end
			}
		}
	}
}

func sampleOf(r row, id any, due time.Duration, span span, stream plannedStream) sample {
	return sample{r, id, due, int((due - span.start) / time.Second), stream.patience().Late}
}

// attempts calls yield for each attempt of a phase's operations, in no order
// that matters.
func (a *attack) attempts(phase string, class Class, yield func(sample)) {
	a.samples(phase, class, func(s sample) {
		if s.attempts <= 1 {
			yield(s)
		}
	})
	for i := range a.tries {
		t := &a.tries[i]
		stream := a.plan.streams[t.stream]
		span := a.plan.phases[stream.phase]
		if span.Name == phase && (class == "" || stream.Class == class) {
			yield(sampleOf(t.row, t, t.due, span, stream))
		}
	}
}

// clients calls yield for each client of a phase of a kind, as one sample from
// its first due time to its last answer: ok if all its operations are, else
// what the first that is not ended in.
func (a *attack) clients(phase, kind string, yield func(sample)) {
	for _, arrival := range a.plan.arrivals {
		stream := a.plan.streams[arrival.stream]
		span := a.plan.phases[stream.phase]
		rows := a.rows[arrival.row : int(arrival.row)+stream.rows()]
		if span.Name != phase || len(stream.Each) == 0 || behaviours[rows[0].kind].Name != kind {
			continue
		}
		whole := rows[0]
		for _, r := range rows[1:] {
			if whole.outcome == OK {
				whole.outcome = r.outcome
			}
			whole.end = max(whole.end, r.end)
		}
		yield(sampleOf(whole.row(), &rows[0], arrival.due, span, stream))
	}
}

// tally sums up samples.
type tally struct {
	planned  int
	outcomes [outcomes]int
	refused  int
	bytes    int64
	attempts int
	points   uint64 // hundredths
	priced   int    // operations of which the server told them

	response, service, server, shed histogram
}

func (t *tally) add(s sample) {
	t.planned++
	t.outcomes[s.outcome]++
	if s.remark == userErrors {
		t.refused++
	}
	t.bytes += int64(s.bytes)
	if !s.reached() {
		return
	}
	if s.served > 0 && s.outcome != Shed {
		t.server.add(s.server())
	}
	if points := s.points(); points > 0 {
		t.points, t.priced = t.points+uint64(points), t.priced+1
	}
	if s.outcome == Shed || s.outcome == Throttled {
		return
	}
	t.response.add(s.response())
	t.service.add(s.service())
}

// attempt adds what counts for each attempt.
func (t *tally) attempt(s sample) {
	if !s.reached() {
		return
	}
	t.attempts++
	if s.outcome == Shed {
		t.shed.add(s.refusedIn())
	}
}

// reached counts the samples that speak about the server.
func (t *tally) reached() int {
	return t.planned - t.outcomes[Unsent] - t.outcomes[Dropped] - t.outcomes[GeneratorError] - t.outcomes[Interrupted]
}

// meanPoints are the points of an operation that the server told them of; 0 if it
// told none.
func (t *tally) meanPoints() float64 {
	if t.priced == 0 {
		return 0
	}
	return float64(t.points) / 100 / float64(t.priced)
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
		round.attempts(phase, class, t.attempt)
	}
	return t
}
