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
	Class    Class
	Patience Patience // zero: the class's own
	Mix      []Weighted
	Rate     Shape
	Poisson  bool    // random gaps instead of even ones
	Clients  []Share // what the senders do after an answer that was not right; none: nothing

	// Each, if there are any, makes every arrival a client of its own on new
	// connections, who asks these operations one after the other.
	Each []*Operation
}

// patience is the stream's own or else the class's.
func (s Stream) patience() Patience {
	if s.Patience == (Patience{}) {
		return patienceOf(s.Class)
	}
	return s.Patience
}

// rows is how many operations come of one arrival.
func (s Stream) rows() int { return max(1, len(s.Each)) }

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

// arrival is one planned operation, or a client with several; due counts from
// the run's start.
type arrival struct {
	due    time.Duration
	row    uint32 // the first of its operations in the order of all
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
	nth      []uint32 // of each arrival: its number in its stream; nil if nobody asks
	streams  []plannedStream
	phases   []span
	rows     int // operations in all
	clients  int // with connections of their own
	retrying int // streams whose clients may try again
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
			if expected += total(stream.Rate) * float64(stream.rows()); expected > maxRequests {
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
	for i := range p.arrivals {
		stream := p.streams[p.arrivals[i].stream]
		p.arrivals[i].row = uint32(p.rows)
		p.rows += stream.rows()
		if len(stream.Each) > 0 {
			p.clients++
		}
	}
	if slices.ContainsFunc(p.streams, plannedStream.numbered) {
		p.number()
	}
	return p, nil
}

// numbered tells whether it matters which of its stream an arrival is.
func (s plannedStream) numbered() bool {
	_, scripted := s.Rate.(script)
	return scripted || len(s.Each) > 0
}

// number numbers the arrivals of each stream.
func (p *plan) number() {
	p.nth = make([]uint32, len(p.arrivals))
	came := make([]uint32, len(p.streams))
	for i, arrival := range p.arrivals {
		p.nth[i] = came[arrival.stream]
		came[arrival.stream]++
	}
}

// addStreams draws the arrivals of a phase. Each random stream has its own
// generator, so that a change to one leaves the others alone.
func (p *plan) addStreams(phase int) {
	span := p.phases[phase]
	for _, stream := range span.Streams {
		index := len(p.streams)
		p.streams = append(p.streams, plannedStream{stream, phase})
		if len(stream.Clients) > 0 {
			p.retrying++
		}
		var rng *rand.Rand
		if stream.Poisson {
			rng = rand.New(rand.NewPCG(p.seed, arrivalsDomain|uint64(index)))
		}
		list := dues(stream.Rate, rng)
		p.arrivals = slices.Grow(p.arrivals, len(list))
		for _, due := range list {
			p.arrivals = append(p.arrivals, arrival{due: span.start + due, stream: uint16(index)})
		}
	}
}

// arrivalsDomain keeps the generators of arrivals apart from those of draws,
// whose second seed is the arrival's number.
const arrivalsDomain = 1 << 63

// Bounds of one run: what a slip of the keyboard may cost.
const (
	maxRequests = 2_000_000
	maxTime     = 2 * time.Hour
)
