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
	Recover    *Recover // nil if there is nothing to recover from
	Rounds     int      // how often it may run while an objective is undecided

	// Quiet is how long to wait, before anything is sent, for other programs to
	// leave the machine alone.
	Quiet time.Duration
}

// Rates are the arrivals a second of a scenario that counts in what the server
// can do.
type Rates struct {
	Interactive float64 `json:"interactive"`
	Reports     float64 `json:"reports"`
}

// scenario fixes what the file leaves open: the length of its main phase and
// the interactive rate, if the command line gives them, and what was measured
// of the server.
func (s *spec) scenario(c Config, known *Calibration) (Scenario, *Rates, error) {
	scene := Scenario{Name: s.name, Rounds: 1 + s.extend, Quiet: s.quiet}
	b := builder{spec: s, config: c, known: known, main: s.main(), scale: 1, rates: &Rates{}}
	if err := b.fixScale(); err != nil {
		return scene, nil, err
	}
	for _, p := range s.phases {
		phase, err := b.phase(p)
		if err != nil {
			return scene, nil, err
		}
		scene.Phases = append(scene.Phases, phase)
		objectives, err := b.objectives(p)
		if err != nil {
			return scene, nil, err
		}
		scene.Objectives = append(scene.Objectives, objectives...)
	}
	if s.recover != nil {
		r := *s.recover
		r.Objectives = s.classes[r.Class].objectives
		scene.Recover = &r
	}
	if *b.rates == (Rates{}) {
		b.rates = nil
	}
	return scene, b.rates, nil
}

// main is the first phase that counts.
func (s *spec) main() *phaseSpec {
	for _, judge := range []string{judgeSLO, judgeHealth} {
		for _, p := range s.phases {
			if p.judge == judge {
				return p
			}
		}
	}
	return nil
}

// builder makes a scenario out of a spec.
type builder struct {
	*spec
	config Config
	known  *Calibration
	main   *phaseSpec
	scale  float64 // of all rates that the file fixes
	rates  *Rates
}

// fixScale finds the factor that makes the main phase's interactive rate the
// one asked for.
func (b *builder) fixScale() error {
	if b.config.Rate == 0 {
		return nil
	}
	for _, st := range b.main.streams {
		if st.rate == nil || st.class != ClassInteractive {
			continue
		}
		if st.rate.of == "" && st.rate.mean > 0 {
			b.scale = b.config.Rate / st.rate.mean
		}
		return nil
	}
	return stopf(ExitUsage, "scenario %s has no interactive rate that --rate could replace", b.name)
}

func (b *builder) phase(p *phaseSpec) (Phase, error) {
	phase := Phase{Name: p.name, For: p.length, Burst: p.burst, Judged: p.judge != judgeNothing}
	if p == b.main && b.config.Duration > 0 {
		phase.For = b.config.Duration
	}
	for _, st := range p.streams {
		stream, err := b.stream(st, p, phase.For)
		if err != nil {
			return phase, err
		}
		phase.Streams = append(phase.Streams, stream)
	}
	return phase, nil
}

func (b *builder) stream(st *streamSpec, p *phaseSpec, d time.Duration) (Stream, error) {
	stream := Stream{Class: st.class, Patience: b.patience(st), Mix: st.mix, Each: st.each, Poisson: !st.even, Clients: st.clients}
	var err error
	switch stretch := d.Seconds() / p.length.Seconds(); {
	case len(st.each) > 0:
		stream.Poisson = false
		stream.Rate, err = b.crowd(st)
	case st.rate.of != "":
		stream.Rate, err = b.measured(st, p, d)
	default:
		stream.Rate, err = st.rate.shape(b.scale, d, stretch)
	}
	if err == nil {
		err = stream.Rate.check()
	}
	if err != nil && !isStop(err) {
		at := st.at.GetToken().Position
		err = stopf(ExitUsage, "%s:%d:%d: %w", b.file, at.Line, at.Column, err)
	}
	return stream, err
}

// patience is the stream's own, or else its class's.
func (s *spec) patience(st *streamSpec) Patience {
	if st.patience != (Patience{}) {
		return st.patience
	}
	return s.classes[st.class].patience
}

// measured is a rate that is a share of what the server can do.
func (b *builder) measured(st *streamSpec, p *phaseSpec, d time.Duration) (Shape, error) {
	capacity, err := b.known.of(st.rate.of)
	if err != nil {
		return nil, err
	}
	rate := st.rate.share * capacity
	if st.rate.atMost > 0 {
		rate = min(rate, st.rate.atMost)
	}
	if b.config.Rate > 0 && st.class == ClassInteractive {
		rate = b.config.Rate
	}
	if rate > maxRate {
		return nil, stopf(ExitInvalid, "the server does %.0f %s operations a second, and %g times that is more than this generator can send in time: seed more data", capacity, st.rate.of, st.rate.share)
	}
	switch {
	case p == b.main && st.class == ClassInteractive:
		b.rates.Interactive = rate
	case p == b.main && st.class == ClassReport:
		b.rates.Reports = rate
	}
	return constant(rate, d), nil
}

// crowd is the clients that come within a time: as many as given, or as the
// server works so long for.
func (b *builder) crowd(st *streamSpec) (Shape, error) {
	number := float64(st.number)
	if st.work > 0 {
		capacity, err := b.known.of(st.class)
		if err != nil {
			return nil, err
		}
		number = math.Max(1, math.Round(st.work.Seconds()*capacity/float64(len(st.each))))
	}
	return constant(number/st.within.Seconds(), st.within), nil
}

// objectives are the promises of a phase: to the classes that arrive in it,
// and to clients that reconnect.
func (b *builder) objectives(p *phaseSpec) (list []Objective, err error) {
	for _, class := range b.order {
		if p.judge == judgeSLO && p.has(class) {
			for _, o := range b.classes[class].objectives {
				o.phase = p.name
				list = append(list, o)
			}
		}
	}
	for _, st := range p.streams {
		if len(st.each) == 0 {
			continue
		}
		promises, err := b.promises(st.class, p)
		if err != nil {
			return nil, err
		}
		for _, o := range promises {
			o.phase = p.name
			list = append(list, o)
		}
	}
	return list, nil
}

// promises are those to clients that reconnect.
func (b *builder) promises(class Class, p *phaseSpec) (list []Objective, err error) {
	for _, promise := range p.served {
		if promise.ideal == 0 {
			list = append(list, served(class, promise.kind, promise.share, promise.within))
			continue
		}
		capacity, err := b.known.of(class)
		if err != nil {
			return nil, err
		}
		list = append(list, servedIdeal(class, promise.kind, promise.share, promise.ideal, capacity))
	}
	if p.attempts > 0 {
		list = append(list, fewAttempts(class, p.attempts))
	}
	if p.wasted > 0 {
		list = append(list, littleWaste(class, p.wasted))
	}
	return list, nil
}

func (p *phaseSpec) has(class Class) bool {
	for _, st := range p.streams {
		if st.class == class && len(st.each) == 0 {
			return true
		}
	}
	return false
}

// measures lists for each class whose capacity the scenario counts in the mix
// to measure it with.
func (s *spec) measures() map[Class][]Weighted {
	wanted := map[Class][]Weighted{}
	for _, p := range s.phases {
		for _, st := range p.streams {
			switch {
			case st.rate != nil && st.rate.of != "":
				wanted[st.rate.of] = nil
			case st.work > 0, len(st.each) > 0 && slices.ContainsFunc(p.served, func(promise servedSpec) bool { return promise.ideal > 0 }):
				wanted[st.class] = nil
			}
		}
	}
	for class := range wanted {
		wanted[class] = s.mixOf(class)
	}
	return wanted
}

// mixOf is the first mix of a class; a crowd's operations count as one.
func (s *spec) mixOf(class Class) []Weighted {
	for _, crowds := range []bool{true, false} {
		for _, p := range s.phases {
			for _, st := range p.streams {
				if st.class != class || (len(st.each) > 0) != crowds {
					continue
				}
				list := st.mix
				for _, op := range st.each {
					list = append(list, Weighted{op, 1})
				}
				return list
			}
		}
	}
	return nil
}

// under is the phase in which promises to a class hold.
func (s Scenario) under(class Class) string {
	for _, o := range s.Objectives {
		if o.Class == class {
			return o.phase
		}
	}
	return ""
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
			sum += min(stream.Rate.peak()*stream.patience().Abandon.Seconds(), total(stream.Rate))
		}
		most = max(most, sum)
	}
	return max(leastInFlight, int(math.Ceil(most*1.2))+100)
}

// crowd is how many clients with connections of their own a scenario has.
func (s Scenario) crowd() int {
	sum := 0.0
	for _, phase := range s.Phases {
		for _, stream := range phase.Streams {
			if len(stream.Each) > 0 {
				sum += total(stream.Rate)
			}
		}
	}
	return int(math.Ceil(sum))
}

// fit lowers a cap to what the open-file limit allows beside the connections
// that a crowd keeps: two files for each, and some to spare. It is an error if
// too few are left to be open at all.
func fit(inFlight, crowd, files int) (int, error) {
	if crowd > 0 {
		if crowd > files-spareFiles {
			return 0, fmt.Errorf("only %d files may be open, and %d clients need one each: raise the limit (ulimit -n) or send less", files, crowd)
		}
		return max(inFlight, crowd), nil
	}
	room := (files - spareFiles) / 2
	if room < leastInFlight {
		return 0, fmt.Errorf("only %d files may be open, and %d are needed: raise the limit (ulimit -n)", files, spareFiles+2*leastInFlight)
	}
	return min(inFlight, room), nil
}
