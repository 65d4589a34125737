package loadtest

import (
	"math"
	"testing"
	"time"
)

// A server that answers at once but stands still from the second to the third
// second, under 500 arrivals a second for six: a sixth of the arrivals waits,
// evenly spread over 0 to 1 s. The closed form's quantiles follow.
func TestFrozenServerClosedForm(t *testing.T) {
	const freeze, thaw = 2 * time.Second, 3 * time.Second
	frozen := func(sentLate time.Duration) func(string, Class, time.Duration) row {
		return func(_ string, _ Class, due time.Duration) row {
			sent := time.Duration(0)
			if due >= freeze && due < thaw {
				sent = min(sentLate, thaw-due)
			}
			end := sent + 200*time.Microsecond
			if due+sent >= freeze && due < thaw {
				end = thaw - due
			}
			return row{outcome: OK, sent: sent, end: end}
		}
	}
	phases := []Phase{{Name: "flat", For: 6 * time.Second, Streams: []Stream{officeStream(500, 6*time.Second)}, Judged: true}}
	tests := []struct {
		name        string
		sentLate    time.Duration
		servicePeak time.Duration // upper bound of what the server alone shows
		wantInvalid bool
	}{
		{name: "sent on time", servicePeak: time.Second},
		{name: "sent only when workers come free", sentLate: time.Second, servicePeak: 5 * time.Millisecond, wantInvalid: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := synthetic(t, phases, frozen(tt.sentLate))
			got := tallyOf([]*attack{a}, "flat", ClassInteractive)
			// Of 3000 arrivals the slowest 5 % wait 0.7 s and more, the slowest 1 % 0.94 s.
			for q, want := range map[float64]time.Duration{0.95: 700 * time.Millisecond, 0.99: 940 * time.Millisecond, 0.5: 200 * time.Microsecond} {
				if at := got.response.at(q); math.Abs(float64(at-want)) > float64(want)/100+float64(2*time.Millisecond) {
					t.Errorf("response p%g = %v, want %v", q*100, at, want)
				}
			}
			if at := got.service.at(0.99); at > tt.servicePeak {
				t.Errorf("service p99 = %v, want at most %v", at, tt.servicePeak)
			}
			if faults := a.vitals(0).faults(); (len(faults) > 0) != tt.wantInvalid {
				t.Errorf("faults %q, want some: %t", faults, tt.wantInvalid)
			}
		})
	}
}

func TestHistogramIsTrueOnTwoHumps(t *testing.T) {
	var h histogram
	for i := range 100_000 {
		d := time.Duration(1000+i%1000) * time.Microsecond
		if i%98 == 0 { // 1.02 % in a brownout
			d = 900 * time.Millisecond
		}
		h.add(d)
	}
	for q, want := range map[float64]time.Duration{0.5: 1495 * time.Microsecond, 0.98: 1990 * time.Microsecond, 0.99: 900 * time.Millisecond} {
		if got := h.at(q); math.Abs(float64(got-want)) > float64(want)/100 {
			t.Errorf("p%g = %v, want %v", q*100, got, want)
		}
	}
}

func TestHistogramKeepsWhatIsOutOfRange(t *testing.T) {
	var h histogram
	h.add(-time.Second)
	h.add(time.Hour)
	if got := h.quantiles(); got.Samples != 2 || time.Duration(got.Max) < 119*time.Second {
		t.Errorf("quantiles %+v, want 2 samples with the greatest at the edge of 120 s", got)
	}
}

func TestObjectives(t *testing.T) {
	every := func(n int, special, usual row) func(string, Class, time.Duration) row {
		i := 0
		return func(string, Class, time.Duration) row {
			i++
			if i%n == 0 {
				return special
			}
			return usual
		}
	}
	told := func(wait func(due time.Duration) time.Duration) func(string, Class, time.Duration) row {
		return func(_ string, _ Class, due time.Duration) row {
			return row{outcome: Shed, told: uint32(wait(due).Milliseconds())}
		}
	}
	fast := took(2 * time.Millisecond)
	p99 := within(ClassInteractive, 0.99, 100*time.Millisecond)
	ok := okShare(ClassInteractive, 0.999)
	tests := []struct {
		name      string
		objective Objective
		answer    func(string, Class, time.Duration) row
		hogged    bool
		want      Decision
		proven    bool
		bad       int
	}{
		{name: "all fast", objective: p99, answer: every(1, fast, fast), want: Met},
		{name: "2 % slow", objective: p99, answer: every(50, took(time.Second), fast), want: Violated, proven: true, bad: 72},
		{name: "2 % slow on a hogged machine", objective: p99, answer: every(50, took(time.Second), fast), hogged: true, want: Violated, bad: 72},
		{name: "2 % late only by lag", objective: p99, answer: every(50, lagged(time.Second, time.Millisecond), fast), want: Violated, bad: 72},
		{name: "1 % slow is not decided", objective: p99, answer: every(100, took(time.Second), fast), want: Undecided, bad: 36},
		{name: "shed does not count for latency", objective: p99, answer: every(2, ended(Shed, time.Second), fast), want: Met},
		{name: "fast errors are no answers", objective: p99, answer: every(20, ended(Failed, time.Millisecond), fast), hogged: true, want: Violated, proven: true, bad: 180},
		{name: "refused connections are no answers", objective: p99, answer: every(20, ended(Connection, time.Millisecond), fast), want: Violated, proven: true, bad: 180},
		{name: "timeouts count for latency", objective: p99, answer: every(20, ended(Timeout, 4*time.Second), fast), want: Violated, proven: true, bad: 180},
		{name: "dropped say nothing", objective: ok, answer: every(2, ended(Dropped, 0), fast), want: Undecided},
		{name: "all ok", objective: ok, answer: every(1, fast, fast), want: Met},
		{name: "1 % failed", objective: ok, answer: every(100, ended(Failed, 0), fast), want: Violated, proven: true, bad: 36},
		{name: "1 % failed on a hogged machine", objective: ok, answer: every(100, ended(Failed, 0), fast), hogged: true, want: Violated, proven: true, bad: 36},
		{name: "1 % shed on a hogged machine", objective: ok, answer: every(100, ended(Shed, 0), fast), hogged: true, want: Violated, bad: 36},
		{name: "1 % throttled", objective: ok, answer: every(100, ended(Throttled, 0), fast), want: Violated, bad: 36},
		{name: "1 % late by lag", objective: ok, answer: every(100, row{outcome: Late, sent: 3 * time.Second, end: 3001 * time.Millisecond}, fast), want: Violated, bad: 36},
		{name: "1 % late by the server", objective: ok, answer: every(100, ended(Late, 3*time.Second), fast), want: Violated, proven: true, bad: 36},
		{name: "one shed", objective: shedBudget(ClassInteractive, 0), answer: every(3000, ended(Shed, 0), fast), want: Violated, proven: true, bad: 1},
		{name: "none shed", objective: shedBudget(ClassInteractive, 0), answer: every(3000, ended(Failed, 0), fast), want: Met},
		{name: "ok or shed", objective: okOrShed(ClassInteractive, 1), answer: every(2, ended(Shed, 0), fast), want: Met},
		{name: "one neither ok nor shed", objective: okOrShed(ClassInteractive, 1), answer: every(3000, ended(Connection, 0), fast), want: Violated, proven: true, bad: 1},
		{name: "quick refusals", objective: shedWithin(ClassInteractive, 0.99, 50*time.Millisecond), answer: every(2, ended(Shed, time.Millisecond), fast), want: Met},
		{name: "refusals that are held back", objective: shedWithin(ClassInteractive, 0.99, 50*time.Millisecond), answer: every(2, row{outcome: Shed, end: 9 * time.Second, served: 9e6, queued: 8_990_000}, fast), want: Met},
		{name: "slow refusals", objective: shedWithin(ClassInteractive, 0.99, 50*time.Millisecond), answer: every(2, ended(Shed, time.Second), fast), want: Violated, proven: true, bad: 1800},
		{name: "no refusals", objective: shedWithin(ClassInteractive, 0.99, 50*time.Millisecond), answer: every(1, fast, fast), want: Met},
		{name: "refusals that say different times", objective: toldAlike(ClassInteractive, 0.5), answer: told(func(due time.Duration) time.Duration { return time.Second + due%(987*time.Millisecond) }), want: Met, bad: 405},
		{name: "refusals that all say a second", objective: toldAlike(ClassInteractive, 0.5), answer: told(func(time.Duration) time.Duration { return time.Second }), hogged: true, want: Violated, proven: true, bad: 3600},
		{name: "refusals that all say the same moment", objective: toldAlike(ClassInteractive, 0.5), answer: told(func(due time.Duration) time.Duration { return 20*time.Second - due }), want: Violated, proven: true, bad: 3600},
		{name: "few refusals", objective: toldAlike(ClassInteractive, 0.5), answer: every(30, row{outcome: Shed, told: 1000}, fast), want: Met},
		{name: "another class has no samples", objective: okShare(ClassReport, 0.999), answer: every(1, fast, fast), want: Undecided},
	}
	phases := []Phase{{Name: "storm", For: testStormFor, Streams: []Stream{officeStream(300, testStormFor)}, Judged: true}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := synthetic(t, phases, tt.answer)
			got := tt.objective.evaluate([]*attack{a}, "storm", doubt{hogged: tt.hogged})
			if got.Decision != tt.want || got.Proven != tt.proven || got.Bad != tt.bad {
				t.Errorf("%s: %s, proven %t, %d bad of %d; want %s, %t, %d", got.Objective, got.Decision, got.Proven, got.Bad, got.Samples, tt.want, tt.proven, tt.bad)
			}
		})
	}
}

func TestObjectivePoolsRounds(t *testing.T) {
	phases := []Phase{{Name: "storm", For: 5 * time.Second, Streams: []Stream{officeStream(300, 5*time.Second)}, Judged: true}}
	round := func() *attack {
		return synthetic(t, phases, func(string, Class, time.Duration) row { return took(time.Millisecond) })
	}
	ok := okShare(ClassInteractive, 0.999)
	one, two := ok.evaluate([]*attack{round()}, "storm", doubt{}), ok.evaluate([]*attack{round(), round()}, "storm", doubt{})
	if one.Decision != Undecided || one.Needs != 2995 {
		t.Errorf("one round of 1500: %s, needs %d, want undecided, 2995", one.Decision, one.Needs)
	}
	if two.Decision != Met || two.Samples != 3000 {
		t.Errorf("two rounds: %s of %d samples, want met of 3000", two.Decision, two.Samples)
	}
}

func TestRecovery(t *testing.T) {
	slowUntil := func(until time.Duration, slow row) func(string, Class, time.Duration) row {
		return func(phase string, class Class, due time.Duration) row {
			if phase == "recover" && due < until {
				return slow
			}
			return healthy(phase, class, due)
		}
	}
	const ms = time.Millisecond
	tests := []struct {
		name   string
		answer func(string, Class, time.Duration) row
		back   bool
		after  time.Duration
		proven bool
	}{
		{"never out of bound", healthy, true, 0, false},
		{"out for 0.3 s", slowUntil(300*ms, took(time.Second)), true, 300 * ms, false},
		{"out for just as long as allowed", slowUntil(5000*ms, took(time.Second)), true, 5000 * ms, false},
		{"out for too long", slowUntil(5100*ms, took(time.Second)), false, 0, true},
		{"out for good", slowUntil(time.Minute, ended(Timeout, 4*time.Second)), false, 0, true},
		{"only the generator was late", slowUntil(time.Minute, lagged(time.Second, ms)), false, 0, false},
		{"failures keep it out", slowUntil(800*ms, ended(Failed, ms)), true, 800 * ms, false},
		{"a relapse starts anew", func(phase string, class Class, due time.Duration) row {
			if phase == "recover" && due > 2900*ms && due < 3000*ms {
				return took(time.Second)
			}
			return healthy(phase, class, due)
		}, true, 3000 * ms, false},
		{"nobody came", func(phase string, class Class, due time.Duration) row {
			if phase == "recover" {
				return ended(Dropped, 0)
			}
			return healthy(phase, class, due)
		}, false, 0, false},
	}
	s := stormScenario(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := synthetic(t, s.Phases, tt.answer)
			got := s.Recover.recovery([]*attack{a}, doubt{})
			if got.Back != tt.back || time.Duration(got.After) != tt.after && tt.back || got.Proven != tt.proven {
				t.Errorf("back %t after %v, proven %t; want %t, %v, %t", got.Back, time.Duration(got.After), got.Proven, tt.back, tt.after, tt.proven)
			}
		})
	}
}

func TestRecoveryIsTheWorstOfRounds(t *testing.T) {
	s := stormScenario(t)
	rounds := []*attack{synthetic(t, s.Phases, healthy), synthetic(t, s.Phases, func(phase string, class Class, due time.Duration) row {
		if phase == "recover" && due < time.Second {
			return took(time.Second)
		}
		return healthy(phase, class, due)
	}), synthetic(t, s.Phases, healthy)}
	if got := s.Recover.recovery(rounds, doubt{}); !got.Back || time.Duration(got.After) != time.Second {
		t.Errorf("back %t after %v, want after 1s", got.Back, time.Duration(got.After))
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 1: "100 %", 0.999: "99.9 %", 0.99996: "99.99 %", 0.8123: "81.2 %", 0.25: "25 %", 0.0004: "0 %"} {
		if got := percent(share); got != want {
			t.Errorf("percent(%g) = %q, want %q", share, got, want)
		}
	}
}
