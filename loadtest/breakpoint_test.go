package loadtest

import (
	"container/heap"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headroom/proof"
)

// hallOf is a made-up server: so many seats, each busy for a fixed time with an
// operation, first come, first served; reports beyond a bound of waiting time
// are shed.
type hallOf struct {
	seats   int
	service time.Duration
	bound   time.Duration // of a report's waiting time; 0: they wait as long as it takes
	spoils  bool          // work whose asker has left is done all the same
}

// capacity is how many operations a second it can do.
func (h hallOf) capacity() float64 { return float64(h.seats) / h.service.Seconds() }

type freeSeats []time.Duration

func (f freeSeats) Len() int           { return len(f) }
func (f freeSeats) Less(i, j int) bool { return f[i] < f[j] }
func (f freeSeats) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *freeSeats) Push(x any)        { *f = append(*f, x.(time.Duration)) }
func (f *freeSeats) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// answers serves the arrivals of a plan in their order.
func (h hallOf) answers() func(phase string, class Class, due time.Duration) row {
	free := make(freeSeats, h.seats)
	heap.Init(&free)
	last, phaseStart, total := "", time.Duration(0), map[string]time.Duration{"settle": 0}
	return func(phase string, class Class, due time.Duration) row {
		if phase != last {
			last, phaseStart = phase, total["settle"]
		}
		now := due + phaseStart
		if phase == "settle" {
			total["settle"] = max(total["settle"], due)
		}
		begin := max(now, free[0])
		if class == ClassReport && h.bound > 0 && begin-now > h.bound {
			return ended(Shed, time.Millisecond)
		}
		patience := patienceOf(class)
		if begin-now > patience.Abandon && !h.spoils {
			return ended(Timeout, patience.Abandon)
		}
		heap.Pop(&free)
		heap.Push(&free, begin+h.service)
		switch waited := begin + h.service - now; {
		case waited > patience.Abandon:
			return ended(Timeout, patience.Abandon)
		case waited > patience.Late:
			return ended(Late, waited)
		default:
			return took(waited)
		}
	}
}

// climbing is a search on made-up answers; it adds up the time it would take.
func climbing(t *testing.T, text string, seed uint64, h hallOf) (*climb, *time.Duration) {
	t.Helper()
	spec, err := parseSpec("test.yaml", ".", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := &session{Config: Config{Seed: seed}, spec: spec}
	streams, err := spec.fixedStreams()
	if err != nil {
		t.Fatal(err)
	}
	own := 0.0
	for _, st := range streams {
		own += st.rate.mean
	}
	spent := new(time.Duration)
	c := &climb{say: t.Logf, start: own, most: maxRate, seeking: pointAll}
	c.measure = func(rate float64, kind stepKind) (Step, error) {
		scenario, err := s.stepScenario(streams, rate/own, kind)
		if err != nil {
			return Step{}, err
		}
		done := &finished{scenario: scenario}
		for range stepRounds {
			s.stepsSent++
			done.rounds = append(done.rounds, syntheticOf(t, scenario.Phases, seed*1000+uint64(s.stepsSent), h.answers()))
			*spent += stepSettles[kind] + stepLengths[kind]
			done.verdict = judge(scenario, done.rounds, false)
			if !unlucky(done.verdict, c.seeking) {
				break
			}
		}
		return stepOf(done), nil
	}
	return c, spent
}

const climbText = `version: 1
name: climb
classes: { interactive: { slo: { p99: 100ms, ok: 99% } } }
phases: [ { name: load, for: 10s, streams: [ { mix: { MyDay: 1 }, rate: 300 } ] } ]
`

// The rate found lies within 5 % of what the server bears, with all three points in
// less than three minutes of sending, nine times of ten. Near its capacity the share
// that waits for more than t in an M/D/1 queue is exp(-2t(capacity-rate)).
func TestBreakpointOfKnownCapacity(t *testing.T) {
	times, good := proof.Size(t, 100, 5), 0
	draw := rand.New(rand.NewPCG(1, 0))
	for seed := range uint64(times) {
		h := hallOf{seats: 1, service: time.Second / time.Duration(400+draw.IntN(400)), spoils: true}
		bears := h.capacity() - math.Log(100)/(2*0.1)
		c, spent := climbing(t, climbText, seed+1, h)
		c.most = 900
		points, err := c.points("")
		off := points[0].Rate/bears - 1
		if err == nil && math.Abs(off) <= 0.05 && *spent < 3*time.Minute {
			good++
		} else {
			t.Logf("seed %d: %.1f/s is %.1f %% off %.0f/s, in %v and %d steps: %v", seed, points[0].Rate, off*100, bears, *spent, len(c.steps), err)
		}
	}
	proof.Result(t, "%d of %d searches found what the server bears within 5 %% in under 3 minutes of sending", good, times)
	if good*10 < times*9 {
		t.Errorf("%d of %d searches found what the server bears within 5 %%, want nine of ten", good, times)
	}
}

// A server that refuses reports has three points; one that works for people
// who have left collapses.
func TestBreakpointHasThreePoints(t *testing.T) {
	const text = `version: 1
name: climb
classes:
  interactive: { slo: { p99: 100ms } }
  report: { slo: { shed: 0% } }
phases: [ { name: load, for: 10s, streams: [ { mix: { MyDay: 1 }, rate: 50 }, { mix: { MonthReport: 1 }, rate: 50 } ] } ]
`
	h := hallOf{seats: 4, service: 16 * time.Millisecond, bound: 20 * time.Millisecond, spoils: true}
	c, _ := climbing(t, text, 1, h)
	points, err := c.points("")
	if err != nil {
		t.Fatal(err)
	}
	all, interactive, collapse := points[0], points[1], points[2]
	if all.Name != pointAll || !strings.Contains(all.Rule, "report shed 0") || all.Rate < 0.5*h.capacity() || all.Rate > h.capacity() {
		t.Errorf("all: %+v, want a rate below %.0f at which no report is shed", all, h.capacity())
	}
	if interactive.Rate < 1.2*all.Rate || !strings.Contains(interactive.Rule, "interactive") && !strings.Contains(interactive.Rule, collapseRule) {
		t.Errorf("interactive: %+v, want far more than %.0f/s, since reports are shed for it", interactive, all.Rate)
	}
	if collapse.Rate < interactive.Rate || !strings.Contains(collapse.Rule, collapseRule) && !strings.Contains(collapse.Rule, queueRule) {
		t.Errorf("collapse: %+v, want at least %.0f/s until goodput falls or the queue grows", collapse, interactive.Rate)
	}
	c, _ = climbing(t, text, 1, h)
	if points, err := c.points(pointInteractive); err != nil || len(points) != 2 || points[1] != interactive {
		t.Errorf("up to interactive: %+v, %v; want the first two points", points, err)
	}
	v := concluded(points, nil, &Stop{})
	if v.Exit != ExitPass || v.Word != "FOUND" || !strings.HasPrefix(v.Reasons[0], "all: ") {
		t.Errorf("verdict %+v", v)
	}
}

func TestSearch(t *testing.T) {
	failed := errors.New("failed")
	tests := []struct {
		name        string
		limit, most float64
		from        float64
		held        bool
		broke       float64
		lo, hi      float64 // 0: none
	}{
		{"upward", 777, 10_000, 100, false, 0, 777, 777},
		{"downward", 30, 10_000, 100, false, 0, 30, 30},
		{"from a rate that holds", 777, 10_000, 700, true, 0, 777, 777},
		{"between known rates", 777, 10_000, 700, true, 800, 777, 777},
		{"nothing breaks", 1e9, 1000, 100, false, 0, 1000, 0},
		{"nothing holds", 0.1, 1000, 100, false, 0, 0, 1.2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent := 0
			s := search{most: tt.most, holds: func(rate float64, _ stepKind) (bool, error) {
				sent++
				return rate <= tt.limit, nil
			}}
			lo, hi, err := s.find(tt.from, tt.held, tt.broke)
			within := func(got, want float64) bool { return (got == 0) == (want == 0) && math.Abs(got-want) <= 0.6*want }
			near := tt.lo == 0 || tt.hi == 0 || hi/lo <= precise && lo <= tt.limit && tt.limit < hi
			if err != nil || !within(lo, tt.lo) || !within(hi, tt.hi) || !near || sent > 20 {
				t.Errorf("%g to %g after %d steps, %v; want %g to %g", lo, hi, sent, err, tt.lo, tt.hi)
			}
		})
	}
	s := search{most: 100, holds: func(float64, stepKind) (bool, error) { return false, failed }}
	if _, _, err := s.find(10, false, 0); !errors.Is(err, failed) {
		t.Errorf("error %v, want that of the step", err)
	}
	// What holds for ten seconds and not for twenty is lowered, by more each time.
	lowered := search{most: 10_000, holds: func(rate float64, kind stepKind) (bool, error) {
		return rate <= 100 && (kind != confirming || rate < 98), nil
	}}
	if lo, hi, err := lowered.find(50, false, 0); err != nil || lo >= 98 || lo < 92 || hi <= lo {
		t.Errorf("%g to %g, %v, want below 98", lo, hi, err)
	}
	confirmed := 0
	tired := search{most: 10_000, holds: func(rate float64, kind stepKind) (bool, error) {
		if kind == confirming {
			confirmed++
		}
		return rate <= 100 && (kind != confirming || rate < 90), nil
	}}
	if lo, _, err := tired.find(50, false, 0); err != nil || lo >= 90 || lo < 85 || confirmed > 5 {
		t.Errorf("%g after %d long steps, %v, want 85 to 90 after five", lo, confirmed, err)
	}
	never := search{most: 10_000, holds: func(rate float64, kind stepKind) (bool, error) { return rate <= 100 && kind != confirming, nil }}
	if _, _, err := never.find(50, false, 0); ExitOf(err) != ExitInvalid {
		t.Errorf("what never holds for long: %v, want exit %d", err, ExitInvalid)
	}
}

// A step that proves nothing ends the search, unless what broke is proved.
func TestClimbHeedsTheGenerator(t *testing.T) {
	step := func(s Step) *climb {
		return &climb{say: t.Logf, measure: func(rate float64, _ stepKind) (Step, error) {
			s.Rate = rate
			return s, nil
		}}
	}
	ill := []string{"phase step: the generator lagged"}
	if _, err := step(Step{Invalid: ill}).holds(pointAll, 10, bracketing); ExitOf(err) != ExitInvalid || err == nil {
		t.Errorf("a step of a generator that was ill: %v, want exit %d", err, ExitInvalid)
	}
	if _, err := step(Step{Invalid: ill, Broke: []Break{{Class: ClassInteractive, Rule: "r"}}}).holds(pointAll, 10, bracketing); err == nil {
		t.Error("what only the generator broke counts")
	}
	ok, err := step(Step{Invalid: ill, Broke: []Break{{Class: ClassInteractive, Rule: "r", Proven: true}}}).holds(pointAll, 10, bracketing)
	if ok || err != nil {
		t.Errorf("what broke whatever the generator did: %t, %v", ok, err)
	}
	v := concluded(nil, nil, &Stop{ExitInvalid, errors.New("at 10/s the generator lagged")})
	if v.Exit != ExitInvalid || v.Reasons[0] != "at 10/s the generator lagged" {
		t.Errorf("verdict %+v", v)
	}
	if v := concluded([]Point{{Name: pointAll, Above: 2, Rule: "r"}}, nil, &Stop{}); v.Exit != ExitViolated {
		t.Errorf("nothing holds: %+v, want exit %d", v, ExitViolated)
	}
}

func TestResource(t *testing.T) {
	reading := func(c Counters) []Reading {
		return []Reading{{Counters: Counters{`headroom_gate_refused_total{class="report",reason="full",mode="enforce"}`: 3}}, {Counters: c}}
	}
	tests := []struct {
		name string
		c    Counters
		cpu  *Usage
		want string
	}{
		{"processors", nil, &Usage{Client: 0.2, Server: 0.75, Seen: true}, "processors: server 75 %, surge 20 %, others 0 %"},
		{"a pool", Counters{`headroom_pool_connections{pool="report",state="busy"}`: 4, `headroom_pool_connections{pool="report",state="max"}`: 4}, &Usage{Seen: true}, "connections of pool report"},
		{"a pool with room", Counters{`headroom_pool_connections{pool="report",state="busy"}`: 3, `headroom_pool_connections{pool="report",state="max"}`: 4}, nil, ""},
		{"seats", Counters{`headroom_gate_refused_total{class="report",reason="full",mode="enforce"}`: 9}, nil, "seats of class report"},
		{"refused before", Counters{`headroom_gate_refused_total{class="report",reason="full",mode="enforce"}`: 3}, nil, ""},
	}
	for _, tt := range tests {
		if got := resource(reading(tt.c), tt.cpu); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A search ends at once, and fails, when somebody is shown another's data.
func TestSearchEndsWithAnothersData(t *testing.T) {
	lengths, settles := stepLengths, stepSettles
	defer func() { stepLengths, stepSettles = lengths, settles }()
	stepLengths = map[stepKind]time.Duration{bracketing: 300 * time.Millisecond}
	stepSettles = map[stepKind]time.Duration{bracketing: 100 * time.Millisecond}
	var n atomic.Int64
	target := fake(t, func(w http.ResponseWriter, _ *http.Request, _ asked) {
		whose := "mine"
		if n.Add(1) == 20 {
			whose = "another's"
		}
		say(w, `{"data":{"viewer":{"user":{"id":%q},"workspace":{"id":"w"}},"myDay":{}}}`, whose)
	})
	file := filepath.Join(t.TempDir(), "climb.yaml")
	if err := os.WriteFile(file, []byte(climbText), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), Config{Scenario: file, Target: target, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.client.close()
	for _, user := range s.deck.scene.users {
		user.id, user.workspaceID = "mine", "w"
	}
	c, err := s.newClimb(t.Context(), Search{})
	if err != nil {
		t.Fatal(err)
	}
	points, err := c.points("")
	stop, stopped := errors.AsType[*Stop](err)
	if !stopped {
		t.Fatalf("%v, %v; want a stop", points, err)
	}
	if v := concluded(points, nil, stop); v.Exit != ExitViolated || v.Word != "FAIL" || !strings.Contains(v.Reasons[0], "1 answers held the data of another") {
		t.Errorf("exit %d %s, %q; want a failure because of another's data", v.Exit, v.Word, v.Reasons)
	}
}
