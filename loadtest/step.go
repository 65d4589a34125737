package loadtest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// How long steps are sent, after their first seconds, which do not count.
var (
	stepLengths = map[stepKind]time.Duration{bracketing: 3 * time.Second, bisecting: 10 * time.Second, confirming: 20 * time.Second}
	stepSettles = map[stepKind]time.Duration{bracketing: time.Second, bisecting: 2 * time.Second, confirming: 2 * time.Second}
)

// stepPhase is the name of the part of a step that counts.
const stepPhase = "step"

// How often a step is sent at most while chance may have broken a promise, and from
// how many samples on that is not asked.
const (
	stepRounds  = 4
	stepSamples = 5000
)

// step sends streams at a multiple of their own rates and judges what came.
// While a promise of the point that is sought looks broken by too few samples to
// tell, it is sent again.
func (s *session) step(ctx context.Context, streams []*streamSpec, times float64, kind stepKind, point string) (Step, error) {
	scenario, err := s.stepScenario(streams, times, kind)
	if err != nil {
		return Step{}, err
	}
	inFlight, err := fit(scenario.inFlight(), 0, s.files)
	if err != nil {
		return Step{}, &Stop{ExitInvalid, err}
	}
	s.client.slots = make(chan struct{}, inFlight)
	done := &finished{scenario: scenario}
	for round := range stepRounds {
		s.rest(ctx, streams)
		s.stepsSent++
		if err := s.round(ctx, done, scenario.Phases, s.Seed+uint64(s.stepsSent)); err != nil {
			return Step{}, err
		}
		if ctx.Err() != nil {
			return Step{}, stopf(ExitInterrupted, "stopped in the middle of the search")
		}
		if done.verdict = judge(scenario, done.rounds, false); done.verdict.Foreign > 0 {
			return Step{}, stopf(ExitViolated, "%s", done.verdict.Reasons[0])
		}
		if round+1 < stepRounds && !unlucky(done.verdict, point) {
			break
		}
	}
	return stepOf(done), nil
}

// unlucky tells whether a promise that counts for a point looks broken, but by so
// few samples that it may be chance.
func unlucky(v Verdict, point string) bool {
	for _, r := range v.Results {
		if r.Decision == Undecided && r.over && r.Samples < stepSamples && (Break{Class: r.Class}).counts(point) {
			return true
		}
	}
	return false
}

// stepScenario is the main phase's streams at constant rates.
func (s *session) stepScenario(streams []*streamSpec, times float64, kind stepKind) (Scenario, error) {
	settle, length := stepSettles[kind], stepLengths[kind]
	scenario := Scenario{Name: s.spec.name, Phases: []Phase{
		{Name: "settle", For: settle}, {Name: stepPhase, For: length, Judged: true},
	}}
	for i := range scenario.Phases {
		p := &scenario.Phases[i]
		for _, st := range streams {
			p.Streams = append(p.Streams, Stream{
				Class: st.class, Mix: st.mix, Poisson: !st.even, Clients: st.clients,
				Patience: s.spec.patience(st), Rate: constant(st.rate.mean*times, p.For),
			})
		}
	}
	for _, class := range s.spec.order {
		if s.spec.main().has(class) {
			for _, o := range s.spec.classes[class].objectives {
				o.phase = stepPhase
				scenario.Objectives = append(scenario.Objectives, o)
			}
		}
	}
	if expected := scenario.Phases[1].expected(); expected == 0 {
		return scenario, stopf(ExitUsage, "at this rate nothing is sent in %v", length)
	}
	return scenario, nil
}

// expected is how many arrivals a phase has.
func (p Phase) expected() (sum float64) {
	for _, stream := range p.Streams {
		sum += total(stream.Rate)
	}
	return sum
}

// stepOf sums a finished step up.
func stepOf(done *finished) Step {
	t := tallyOf(done.rounds, stepPhase, "")
	span, _ := done.rounds[0].plan.span(stepPhase)
	seconds := span.For.Seconds() * float64(len(done.rounds))
	step := Step{
		Classes: map[string]float64{}, Seconds: seconds, Planned: t.planned, Shed: t.outcomes[Shed],
		Goodput: float64(answeredMeanwhile(done.rounds)) / seconds, Response: t.response.quantiles(), Service: Millis(t.service.mean()),
	}
	for _, stream := range span.Streams {
		rate := total(stream.Rate) / span.For.Seconds()
		step.Rate += rate
		step.Classes[string(stream.Class)] += rate
	}
	for _, r := range done.verdict.Results {
		if r.Decision == Violated || r.over {
			step.Broke = append(step.Broke, Break{r.Class, fmt.Sprintf("%s %s: %s", r.Class, r.Objective, r.Observed), r.Proven})
		}
	}
	for _, round := range done.rounds {
		at := len(round.plan.phases) - 1
		vitals := round.vitals(at)
		step.Invalid = append(step.Invalid, round.books(false)...)
		step.Invalid = append(step.Invalid, vitals.budgets()...)
		step.Invalid = append(step.Invalid, vitals.faults()...)
		step.CPU = vitals.CPU
	}
	if rule, grew := queueGrew(done.rounds, step.Classes); grew {
		step.Broke = append(step.Broke, rule)
	}
	readings := done.rounds[len(done.rounds)-1].readings
	step.Resource = resource(readings, step.CPU)
	if last := len(readings) - 1; last > 0 {
		step.Headroom = headroomBetween(readings[last-1], readings[last])
		step.Work = workBetween(readings[last-1], readings[last], stepPhase, nil)
	}
	return step
}

// busyMachine is from when on the processors are what limits.
const busyMachine = 0.9

// resource names what was used up, by the machine's load and the server's own
// counters at the end of a step; empty if neither tells.
func resource(readings []Reading, cpu *Usage) string {
	if cpu != nil && cpu.Seen && cpu.Client+cpu.Server+cpu.Strangers >= busyMachine {
		return fmt.Sprintf("processors: server %s, surge %s, others %s", percent(cpu.Server), percent(cpu.Client), percent(cpu.Strangers))
	}
	if len(readings) < 2 {
		return ""
	}
	before, after := readings[len(readings)-2].Counters, readings[len(readings)-1].Counters
	for series, busy := range after {
		labels, found := strings.CutPrefix(series, "headroom_pool_connections{")
		if most := after[strings.Replace(series, `state="busy"`, `state="max"`, 1)]; found && strings.Contains(labels, `state="busy"`) && most > 0 && busy >= most {
			return "connections of pool " + label(labels, "pool")
		}
	}
	for series, refused := range after {
		if strings.HasPrefix(series, "headroom_gate_refused_total{") && strings.Contains(series, `mode="enforce"`) && refused > before[series] {
			return "seats of class " + label(series, "class")
		}
	}
	return ""
}

// label is the value of a label in a series' name.
func label(series, name string) string {
	_, rest, _ := strings.Cut(series, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
