package loadtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// answeredMeanwhile is how many right answers came in time while the steps lasted, whenever
// they were asked for: what a server puts off until later it has not done.
func answeredMeanwhile(rounds []*attack) int {
	n := 0
	for _, round := range rounds {
		span, _ := round.plan.span(stepPhase)
		for _, phase := range round.plan.phases {
			round.samples(phase.Name, "", func(s sample) {
				if s.outcome == OK && s.end >= span.start && s.end < span.end {
					n++
				}
			})
		}
	}
	return n
}

// overload is the least share by which arrivals must outnumber answers for a queue to
// count as growing. Less is what chance makes of a queue that does not.
const overload = 0.01

// queueGrew tells whether answers took longer and longer: the median of the second
// half is well above that of the first, by what arrivals that outnumber the answers
// leave behind in that time.
func queueGrew(rounds []*attack, classes map[string]float64) (Break, bool) {
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		var halves [2]histogram
		var grown time.Duration
		for _, round := range rounds {
			span, _ := round.plan.span(stepPhase)
			grown = time.Duration(overload * float64(span.For/2))
			round.samples(stepPhase, Class(class), func(s sample) {
				if s.reached() && s.outcome != Shed && s.outcome != Throttled {
					halves[min(1, int(2*(s.due-span.start)/span.For))].add(s.response())
				}
			})
		}
		first, second := halves[0].at(0.5), halves[1].at(0.5)
		const enough = 20 // medians of fewer say nothing
		if halves[0].count() >= enough && halves[1].count() >= enough && second > first+max(first/4, grown) {
			return Break{Class: Class(class), Rule: fmt.Sprintf("%s: %s p50 %s, then %s", queueRule, class, short(first), short(second))}, true
		}
	}
	return Break{}, false
}

// Bounds of the wait for a server to have done what a step has left to it.
const (
	restMost  = 30 * time.Second
	restPause = 100 * time.Millisecond
)

// rest asks for one operation of a stream after the other until one is answered
// right. Who serves in turn answers it when all is done that a step before has left,
// also for people who have gone, so that one step does not break the next. The step
// itself tells of a server that does not get over it.
func (s *session) rest(ctx context.Context, streams []*streamSpec) {
	ctx, cancel := context.WithTimeout(ctx, restMost)
	defer cancel()
	mix, err := s.deck.mix(streams[0].mix)
	for n := uint64(0); err == nil && ctx.Err() == nil; n++ {
		var c call
		if c, err = s.deck.draw(mix, s.Seed^restDomain, n); err != nil {
			return
		}
		got := s.client.send(ctx, "", c.user.Token, c.body)
		if classify(c.op, c.user, got.answer).outcome == OK {
			return
		}
		wait(ctx, time.Now().Add(restPause))
	}
}

// restDomain keeps its draws apart from those of arrivals.
const restDomain = 3 << 61
