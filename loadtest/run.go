package loadtest

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"
)

// Config is what to run against what.
type Config struct {
	Scenario string // the name of a built-in one, or a file
	Target   string // address of the GraphQL endpoint; empty: http://127.0.0.1:8080/graphql
	Admin    string // the operators' address; empty: the target's next port

	Own string // host of a target that is not this machine, to confirm that it may be loaded

	Token      string // of one person, or
	TokensFile string // lines of workspace,user,role,token; empty: the demo's three people

	Seed     uint64
	Duration time.Duration // of the scenario's main phase; 0: its own
	Rate     float64       // interactive arrivals a second; 0: its own

	Out      string    // folder for the result files; empty: none
	Progress io.Writer // where to say what goes on; nil: nowhere
	Terminal bool      // Progress is a terminal
}

// session is a scenario, a server that was found fit, and the people to act for.
type session struct {
	Config
	spec   *spec
	target *url.URL
	client *client
	deck   *deck
	watch  watch
	files  int // that may be open

	stepsSent int // of a search, so that each draws anew

	scripted *Scenario // of a replay; nil: the spec's
}

// Run runs a scenario and judges it. A run that was interrupted has a partial
// report; where nothing could be judged the error is a *Stop.
func Run(ctx context.Context, c Config) (*Record, error) {
	s, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer s.client.close()
	return s.run(ctx, nil)
}

// open checks the configuration, then the server.
func open(ctx context.Context, c Config) (*session, error) {
	if _, err := c.addresses(); err != nil {
		return nil, err // a refusal for safety comes before all others
	}
	spec, err := c.check()
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	s.spec = spec
	if schema, err := s.client.schema(ctx); err == nil { // else the run will tell
		if err := spec.fits(schema, s.deck); err != nil {
			return nil, &Stop{ExitUsage, err}
		}
	}
	return s, nil
}

// connect finds the server fit, and the people to act for.
func connect(ctx context.Context, c Config) (*session, error) {
	target, err := c.addresses()
	if err != nil {
		return nil, err
	}
	users, err := c.users()
	if err != nil {
		return nil, err
	}
	files, err := fileLimit()
	if err != nil {
		return nil, err
	}
	s := &session{Config: c, target: target, client: newClient(target, leastInFlight, c.Own), files: files}
	if err := s.client.preflight(ctx, users); err != nil {
		return nil, err
	}
	scene, err := s.client.scout(ctx, users)
	if err != nil {
		return nil, err
	}
	s.deck = &deck{scene: scene}
	if s.watch = newWatch(target.Port()); c.Own != "" {
		s.watch = watch{why: c.Own + " is another machine"}
	}
	return s, nil
}

// addresses fills in and checks where to send.
func (c *Config) addresses() (*url.URL, error) {
	if c.Target == "" {
		c.Target = "http://127.0.0.1:8080/graphql"
	}
	target, err := allowed(c.Target, c.Own)
	if err != nil {
		return nil, err
	}
	if here(target.Hostname()) {
		c.Own = "" // nothing is to be confirmed: sockets stay here, and the machine is watched
	}
	if c.Admin == "" {
		c.Admin = adminOf(target)
	}
	_, err = allowed(c.Admin, c.Own)
	return target, err
}

// check finds what can be known to be wrong before anything is sent. The same
// bounds hold for the plan; here they can name the flag.
func (c Config) check() (*spec, error) {
	switch {
	case c.Duration < 0 || c.Duration > maxTime:
		return nil, stopf(ExitUsage, "a duration of %v is not between 0 and %v", c.Duration, maxTime)
	case !(c.Rate >= 0 && c.Rate <= maxRate): // so that NaN is refused too
		return nil, stopf(ExitUsage, "a rate of %v is not between 0 and %d a second", c.Rate, maxRate)
	}
	if err := usable(c.Out); err != nil {
		return nil, err
	}
	spec, err := loadSpec(c.Scenario)
	if err != nil {
		return nil, &Stop{ExitUsage, err}
	}
	return spec, nil
}

// maxRate is what a generator that shares its machine with the server can hope
// to send in time.
const maxRate = 10_000

// scenario makes the scenario asked for. What it counts in of the server's
// capacity is measured unless known.
func (s *session) scenario(ctx context.Context, known *Calibration) (Scenario, *Calibration, *Rates, error) {
	if s.scripted != nil {
		return *s.scripted, nil, nil, nil
	}
	if wanted := s.spec.measures(); known == nil && len(wanted) > 0 {
		measured, err := s.calibrate(ctx, wanted)
		if err != nil {
			return Scenario{}, nil, nil, err
		}
		known = &measured
	}
	scenario, rates, err := s.spec.scenario(s.Config, known)
	return scenario, known, rates, err
}

// run sends the scenario, again while an objective is undecided and another
// round may decide it, and reports.
func (s *session) run(ctx context.Context, known *Calibration) (*Record, error) {
	scenario, calibration, rates, err := s.scenario(ctx, known)
	if err != nil {
		return nil, err
	}
	inFlight, err := fit(scenario.inFlight(), scenario.crowd(), s.files)
	if err != nil {
		return nil, &Stop{ExitInvalid, err}
	}
	s.client.slots = make(chan struct{}, inFlight)
	if scenario.Quiet > 0 {
		s.watch.quiet(ctx, scenario.Quiet, s.say)
	}
	done := &finished{scenario: scenario, began: time.Now(), fingerprint: s.fingerprint(ctx)}
	if s.Out != "" {
		if done.recording, err = record(s.Out); err != nil {
			return nil, &Stop{ExitUsage, err}
		}
	}
	for round := range scenario.Rounds {
		if err := s.round(ctx, done, scenario.again(done.verdict), s.Seed+uint64(round)); err != nil {
			return nil, err
		}
		done.verdict = judge(scenario, done.rounds, ctx.Err() != nil)
		if ctx.Err() != nil || !done.verdict.worthMore(round+1, scenario.Rounds) {
			break
		}
		s.say("undecided after round %d of at most %d: sending more", round+1, scenario.Rounds)
	}
	done.took = time.Since(done.began)
	defer breathe(false)()
	report := s.record(done, calibration, rates)
	if s.Out != "" {
		done.rounds = nil // they are summed up and recorded, and a long run's text needs their room
		return report, report.write(s.Out)
	}
	return report, nil
}

// finished is what a run leaves behind to be reported.
type finished struct {
	scenario Scenario
	began    time.Time
	took     time.Duration
	rounds   []*attack
	verdict  Verdict

	fingerprint Fingerprint
	recording   *recording // nil if the run is not stored, or not made of rounds that count
}

// round sends phases once.
func (s *session) round(ctx context.Context, done *finished, phases []Phase, seed uint64) error {
	plan, err := newPlan(phases, seed)
	if err != nil {
		return &Stop{ExitUsage, err}
	}
	live := &live{}
	a, err := newAttack(plan, s.deck, s.client, live)
	if err != nil {
		return err
	}
	defer goFirst()()
	defer breathe(plan.clients > 0)()
	defer fewProcessors(plan)()
	a.start = time.Now().Add(head)
	usage, readings, gate := make(chan []Usage, 1), make(chan []Reading, 1), make(chan []GateMoment, 1)
	go func() { usage <- s.watch.phases(ctx, a.start, plan.phases) }()
	go func() { readings <- s.readings(ctx, len(done.rounds), a.start, plan.phases) }()
	go func() {
		gate <- s.gate(ctx, len(done.rounds), a.start, plan.phases, time.Duration(seriesWidth(plan.length()))*time.Second)
	}()
	stop := s.progress(ctx, live, a.start, plan.phases)
	written := func() {}
	if done.recording != nil {
		written = done.recording.follow(a, len(done.rounds))
	}
	err = a.run(ctx)
	written()
	stop()
	s.client.crowd.CloseIdleConnections() // thousands, of whom nobody comes back
	a.usages, a.readings, a.gate = <-usage, <-readings, <-gate
	done.rounds = append(done.rounds, a)
	return err
}

// say tells a person what goes on.
func (s *session) say(format string, values ...any) {
	if s.Progress != nil {
		fmt.Fprintf(s.Progress, format+"\n", values...)
	}
}
