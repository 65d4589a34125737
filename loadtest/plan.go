package loadtest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// A Stream is one class of operations arriving in one shape.
type Stream struct {
	Class   Class
	Mix     []Weighted
	Rate    Shape
	Poisson bool // random gaps instead of even ones
}

// A Phase is a named stretch of a scenario.
type Phase struct {
	Name    string
	For     time.Duration
	Streams []Stream

	// Judged phases count for objectives and for the generator's own health;
	// others warm up.
	Judged bool

	// Burst is how long at the start of the phase the generator may lag by
	// burstLag instead of maxLag.
	Burst time.Duration
}

// arrival is one planned operation; due counts from the run's start.
type arrival struct {
	due    time.Duration
	stream uint16
}

// span is where a phase lies on the run's clock: [start, end).
type span struct {
	Phase
	start, end time.Duration
}

// plan is everything that will arrive, in the order of dues. seq, the index of
// an arrival, is also vegeta's.
type plan struct {
	seed     uint64
	arrivals []arrival
	streams  []plannedStream
	phases   []span
}

type plannedStream struct {
	Stream
	phase int
}

// length is the time from the start to the end of the last phase.
func (p *plan) length() time.Duration {
	if len(p.phases) == 0 {
		return 0
	}
	return p.phases[len(p.phases)-1].end
}

// span finds a phase by name.
func (p *plan) span(name string) (span, bool) {
	at := slices.IndexFunc(p.phases, func(s span) bool { return s.Name == name })
	if at < 0 {
		return span{}, false
	}
	return p.phases[at], true
}

// newPlan lays the phases one after the other and merges their arrivals. It
// refuses more than maxRequests arrivals or phases longer than maxTime.
func newPlan(phases []Phase, seed uint64) (*plan, error) {
	p := &plan{seed: seed}
	var at time.Duration
	var expected float64
	for _, phase := range phases {
		for _, stream := range phase.Streams {
			if err := stream.Rate.check(); err != nil {
				return nil, fmt.Errorf("phase %s: %w", phase.Name, err)
			}
			if expected += stream.Rate.total(); expected > maxRequests {
				return nil, fmt.Errorf("more than %d requests are planned by the end of phase %s: lower the rate or the duration", maxRequests, phase.Name)
			}
		}
		p.phases = append(p.phases, span{phase, at, at + phase.For})
		if at += phase.For; at > maxTime {
			return nil, fmt.Errorf("a run of more than %v is planned: shorten it", maxTime)
		}
		p.addStreams(len(p.phases) - 1)
	}
	slices.SortStableFunc(p.arrivals, func(a, b arrival) int { return cmp.Compare(a.due, b.due) })
	return p, nil
}

// addStreams draws the arrivals of a phase. Each random stream has its own
// generator, so that a change to one leaves the others alone.
func (p *plan) addStreams(phase int) {
	span := p.phases[phase]
	for _, stream := range span.Streams {
		index := len(p.streams)
		p.streams = append(p.streams, plannedStream{stream, phase})
		var rng *rand.Rand
		if stream.Poisson {
			rng = rand.New(rand.NewPCG(p.seed, arrivalsDomain|uint64(index)))
		}
		for _, due := range stream.Rate.dues(rng) {
			p.arrivals = append(p.arrivals, arrival{due: span.start + due, stream: uint16(index)})
		}
	}
}

// arrivalsDomain keeps the generators of arrivals apart from those of draws,
// whose second seed is the arrival's number.
const arrivalsDomain = 1 << 63

// Bounds of one run: what a slip of the keyboard may cost.
const (
	maxRequests = 1_000_000
	maxTime     = 15 * time.Minute
)
