package loadtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Step is what was seen at one rate of a search for the breakpoint.
type Step struct {
	Rate     float64            `json:"rate"`    // planned arrivals a second, all streams together
	Classes  map[string]float64 `json:"classes"` // of them, by class
	Seconds  float64            `json:"seconds"` // that were judged
	Planned  int                `json:"planned"`
	Goodput  float64            `json:"goodput"`         // right answers in time that came while it lasted, a second
	Shed     int                `json:"shed"`            // refused for load
	Response Quantiles          `json:"response"`        // of all classes, refusals aside
	Service  Millis             `json:"service_mean_ms"` // goodput times it is how many were served at a time
	Broke    []Break            `json:"broke"`           // the promises that did not hold
	Invalid  []string           `json:"invalid"`         // why the step proves nothing
	CPU      *Usage             `json:"cpu,omitempty"`
	Resource string             `json:"resource"`                 // what was used up
	Work     []Work             `json:"work,omitempty"`           // that the server did, by its own counters, in the last round of the step
	Headroom float64            `json:"headroom_ratio,omitempty"` // that the server would tell if this were its busiest minute; 0: it does not
}

// Break is a promise that did not hold in a step.
type Break struct {
	Class Class  `json:"class"` // empty: of all
	Rule  string `json:"rule"`  // "interactive p99 <= 100 ms: 140 ms"

	Proven bool `json:"proven"` // by service time or outcomes alone
}

// The rules of a step that no objective states.
const (
	collapseRule = "goodput fell"
	queueRule    = "the queue grew"
)

// Point is one result of a search: the greatest rate at which something held.
type Point struct {
	Name     string  `json:"name"`     // all, interactive, collapse
	Rate     float64 `json:"rate"`     // arrivals a second; 0: none held
	Above    float64 `json:"above"`    // the least rate that broke; 0: none did, up to the greatest tried
	Rule     string  `json:"rule"`     // what broke there
	Resource string  `json:"resource"` // what was used up there
}

// The points in the order in which they are sought.
const (
	pointAll         = "all"         // every promise holds
	pointInteractive = "interactive" // those to people who wait at a screen do; others may be refused
	pointCollapse    = "collapse"    // more load still gives no less goodput
)

// Search is what breakpoint is asked beside a Config.
type Search struct {
	From, To float64 // arrivals a second, all streams together; 0: the scenario's own rate, and maxRate
	Last     string  // the last point to seek; empty: all of them
	Audit    bool    // set what the server says of its headroom beside what is found
}

// Breakpoint finds the greatest rates at which a scenario's promises hold: its
// main phase's mix, in the shares of its streams, at steps of a constant rate.
// Where nothing could be judged the error is a *Stop.
func Breakpoint(ctx context.Context, c Config, q Search) (*Record, error) {
	s, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer s.client.close()
	climb, err := s.newClimb(ctx, q)
	if err != nil {
		return nil, err
	}
	s.watch.quiet(ctx, s.spec.quiet, s.say)
	began, print := time.Now(), s.fingerprint(ctx)
	points, err := climb.points(q.Last)
	var audit *Audit
	if q.Audit && err == nil {
		audit, err = climb.audit(points)
	}
	stop := &Stop{}
	if err != nil && !errors.As(err, &stop) {
		return nil, err
	}
	record := s.climbed(climb, points, audit, stop, began, print)
	if c.Out != "" {
		return record, record.write(c.Out)
	}
	return record, nil
}

// climb sends steps and remembers them.
type climb struct {
	steps   []Step
	measure func(rate float64, kind stepKind) (Step, error)
	say     func(string, ...any)
	seeking string // the point
	most    float64
	start   float64
}

// newClimb prepares the sending of steps.
func (s *session) newClimb(ctx context.Context, q Search) (*climb, error) {
	streams, err := s.spec.fixedStreams()
	if err != nil {
		return nil, err
	}
	own := 0.0
	for _, st := range streams {
		own += st.rate.mean
	}
	c := &climb{say: s.say, most: maxRate, start: own}
	if q.From > 0 {
		c.start = q.From
	}
	if q.To > 0 {
		c.most = q.To
	}
	if c.start > c.most {
		return nil, stopf(ExitUsage, "a search from %g to %g has its bounds the wrong way round", c.start, c.most)
	}
	c.measure = func(rate float64, kind stepKind) (Step, error) {
		return s.step(ctx, streams, rate/own, kind, c.seeking)
	}
	return c, nil
}

// fixedStreams lists the streams of the main phase, whose rates must be fixed.
func (s *spec) fixedStreams() ([]*streamSpec, error) {
	sum := 0.0
	for _, st := range s.main().streams {
		if st.rate == nil || st.rate.of != "" {
			return nil, stopf(ExitUsage, "scenario %s has a stream without a rate of its own: a search needs one that fixes its rates, such as baseline", s.name)
		}
		sum += st.rate.mean
	}
	if sum == 0 {
		return nil, stopf(ExitUsage, "scenario %s sends nothing in its main phase", s.name)
	}
	return s.main().streams, nil
}

// points seeks one point after the other up to the last wanted, each from where the
// one before it was found.
func (c *climb) points(last string) ([]Point, error) {
	var points []Point
	from, held := c.start, false
	for _, name := range []string{pointAll, pointInteractive, pointCollapse} {
		c.seeking = name
		c.say("seeking the greatest rate: %s", pointMeaning[name])
		find := search{most: c.most, rough: name == pointCollapse, holds: func(rate float64, kind stepKind) (bool, error) { return c.holds(name, rate, kind) }}
		lo, hi, err := find.find(from, held, c.leastBroken(name, from))
		points = append(points, c.point(name, lo, hi))
		if err != nil {
			return points, err
		}
		if name == last {
			break
		}
		if lo > 0 {
			from, held = lo, true
		}
	}
	return points, nil
}

var pointMeaning = map[string]string{
	pointAll:         "every promise holds",
	pointInteractive: "interactive promises hold, others may break",
	pointCollapse:    "more load gives no less goodput",
}

// holds sends a step, or looks it up, and tells whether what a point is about
// holds in it. A step that proves nothing is sent once more.
func (c *climb) holds(point string, rate float64, kind stepKind) (bool, error) {
	if step, known := c.known(rate, kind); known {
		return step.holds(point), nil
	}
	var step Step
	for range 2 {
		var err error
		if step, err = c.measure(rate, kind); err != nil {
			return false, err
		}
		step.Rate = rate // to the last digit, so that it is found again
		if len(step.Invalid) == 0 {
			break
		}
		c.say("%s", step.Invalid[0])
	}
	c.collapse(&step)
	c.steps = append(c.steps, step)
	c.say("%.0f/s: %s", rate, step.brief())
	if len(step.Invalid) > 0 && !step.proves(point) {
		return false, stopf(ExitInvalid, "at %.0f/s %s", rate, step.Invalid[0])
	}
	return step.holds(point), nil
}

// known finds a step at a rate that was sent for long enough.
func (c *climb) known(rate float64, kind stepKind) (Step, bool) {
	for _, step := range slices.Backward(c.steps) {
		if step.Rate == rate && step.Seconds >= stepLengths[kind].Seconds() {
			return step, true
		}
	}
	return Step{}, false
}

// goodputKept is the share of the best goodput at a lower rate that a step
// must reach, or the server collapses under its load.
const goodputKept = 0.95

// collapse marks a step whose goodput lies below that of a lower rate.
func (c *climb) collapse(step *Step) {
	best := 0.0
	for _, other := range c.steps {
		if other.Rate < step.Rate {
			best = max(best, other.Goodput)
		}
	}
	if step.Goodput < goodputKept*best {
		step.Broke = append(step.Broke, Break{Rule: fmt.Sprintf("%s to %.0f/s, from %.0f/s at a lower rate", collapseRule, step.Goodput, best)})
	}
}

// holds tells whether what a point is about holds in a step.
func (s Step) holds(point string) bool {
	return !slices.ContainsFunc(s.Broke, func(b Break) bool { return b.counts(point) })
}

// proves tells whether what a point is about breaks in a step, whatever the
// generator did.
func (s Step) proves(point string) bool {
	return slices.ContainsFunc(s.Broke, func(b Break) bool { return b.Proven && b.counts(point) })
}

// counts tells whether a broken promise is one of a point's. A queue that grows
// ends in answers that come too late, however many were right so far.
func (b Break) counts(point string) bool {
	collapsed := strings.HasPrefix(b.Rule, collapseRule) || strings.HasPrefix(b.Rule, queueRule)
	switch point {
	case pointAll:
		return true
	case pointInteractive:
		return b.Class == ClassInteractive || collapsed
	}
	return collapsed
}

// leastBroken is the least rate above one at which what a point is about is
// known to break; 0 if there is none.
func (c *climb) leastBroken(point string, above float64) float64 {
	least := 0.0
	for _, step := range c.steps {
		if step.Rate > above && !step.holds(point) && (least == 0 || step.Rate < least) {
			least = step.Rate
		}
	}
	return least
}

// point is a result with what broke above it.
func (c *climb) point(name string, lo, hi float64) Point {
	p := Point{Name: name, Rate: lo, Above: hi}
	for _, step := range slices.Backward(c.steps) {
		if step.Rate != hi || step.holds(name) {
			continue
		}
		at := slices.IndexFunc(step.Broke, func(b Break) bool { return b.counts(name) })
		p.Rule, p.Resource = step.Broke[at].Rule, step.Resource
		break
	}
	return p
}

// brief is a step in a few words.
func (s Step) brief() string {
	if len(s.Broke) == 0 {
		return fmt.Sprintf("holds, p99 %s", short(time.Duration(s.Response.P99)))
	}
	text := s.Broke[0].Rule
	if s.Resource != "" {
		text += " (" + s.Resource + ")"
	}
	return text
}
