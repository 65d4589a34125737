package loadtest

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A Scenario is what to send and what to expect of the answers.
type Scenario struct {
	Name       string
	Phases     []Phase
	Objectives []Objective
	Under      string   // the phase in which the objectives hold
	Recover    *Recover // nil if there is nothing to recover from
	Rounds     int      // how often it may run while an objective is undecided

	// Quiet is how long to wait, before anything is sent, for other programs to
	// leave the machine alone.
	Quiet time.Duration
}

// The names of the built-in scenarios.
const (
	smokeName = "smoke"
	stormName = "report-storm"
)

// promises to people who wait at a screen, on two shared cores.
func interactivePromises() []Objective {
	return []Objective{
		within(ClassInteractive, 0.50, 10*time.Millisecond),
		within(ClassInteractive, 0.99, 100*time.Millisecond),
		okShare(ClassInteractive, 0.999),
		noneShed(ClassInteractive),
	}
}

// promises to people who asked for a report: an answer, or a quick refusal.
func reportPromises() []Objective {
	return []Objective{
		okOrShed(ClassReport),
		shedWithin(ClassReport, 0.99, 50*time.Millisecond),
	}
}

// smoke is a minute at most of an ordinary day: interactive work at rate a
// second, and a small report a second.
func smoke(rate float64, d time.Duration) Scenario {
	streams := func(d time.Duration) []Stream {
		return []Stream{
			{Class: ClassInteractive, Mix: officeMix, Rate: constant(rate, d), Poisson: true},
			{Class: ClassReport, Mix: []Weighted{{monthReport, 1}}, Rate: constant(min(1, rate/20), d), Poisson: true},
		}
	}
	const warm = 3 * time.Second
	return Scenario{
		Name: smokeName,
		Phases: []Phase{
			{Name: "warm", For: warm, Streams: streams(warm)},
			{Name: "smoke", For: d, Streams: streams(d), Judged: true},
		},
		Objectives: slices.Concat(interactivePromises(), reportPromises()),
		Under:      "smoke",
		Rounds:     1,
	}
}

// Defaults of the built-in scenarios. 3,000 answers without a failure are what
// it takes to know that 99.9 % are good.
const (
	smokeRate     = 80
	smokeFor      = 45 * time.Second
	stormFor      = 30 * time.Second
	stormWarm     = 5 * time.Second
	stormTimes    = 5    // what the server can do in reports
	stormShare    = 0.30 // of what it can do in interactive work
	stormRate     = 300  // and at most this
	quietWithin   = time.Minute
	absorbWithin  = 5 * time.Second
	absorbWatched = 10 * time.Second // room for a start within 5 s and five windows of one
)

// Rates are the arrivals a second of a report storm.
type Rates struct {
	Interactive float64 `json:"interactive"`
	Reports     float64 `json:"reports"`
}

// reportStorm sends interactive work at a rate that the server can easily do,
// and then, beside it, far more reports than it can.
func reportStorm(rates Rates, d time.Duration) Scenario {
	office := func(d time.Duration) Stream {
		return Stream{Class: ClassInteractive, Mix: officeMix, Rate: constant(rates.Interactive, d), Poisson: true}
	}
	reports := Stream{Class: ClassReport, Mix: []Weighted{{yearsReport, 1}}, Rate: constant(rates.Reports, d), Poisson: true}
	return Scenario{
		Name: stormName,
		Phases: []Phase{
			{Name: "warm", For: stormWarm, Streams: []Stream{office(stormWarm)}},
			{Name: "storm", For: d, Streams: []Stream{office(d), reports}, Judged: true, Burst: time.Second},
			{Name: "recover", For: absorbWatched, Streams: []Stream{office(absorbWatched)}, Judged: true},
		},
		Objectives: slices.Concat(interactivePromises(), reportPromises()),
		Under:      "storm",
		Recover:    &Recover{Phase: "recover", Class: ClassInteractive, Within: absorbWithin},
		Rounds:     4,
		Quiet:      quietWithin,
	}
}

// Caps on what is in flight.
const (
	leastInFlight = 500
	spareFiles    = 500 // for everything but connections
)

// inFlight is a cap that an open load cannot reach while every request ends by
// its patience: what arrives in that time, and some luck.
func (s Scenario) inFlight() int {
	most := 0.0
	for _, phase := range s.Phases {
		sum := 0.0
		for _, stream := range phase.Streams {
			rate := max(stream.Rate.From, stream.Rate.To)
			sum += rate * patienceOf(stream.Class).abandon.Seconds()
		}
		most = max(most, sum)
	}
	return max(leastInFlight, int(math.Ceil(most*1.2))+100)
}

// fit lowers a cap to what the open-file limit allows: two files for each, and
// some to spare. It is an error if too few are left to be open at all.
func fit(inFlight, files int) (int, error) {
	room := (files - spareFiles) / 2
	if room < leastInFlight {
		return 0, fmt.Errorf("only %d files may be open, and %d are needed: raise the limit (ulimit -n)", files, spareFiles+2*leastInFlight)
	}
	return min(inFlight, room), nil
}
