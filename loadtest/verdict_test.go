package loadtest

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExitPrecedence(t *testing.T) {
	some := []string{"reason"}
	tests := []struct {
		name   string
		g      grounds
		want   Exit
		inWord string
	}{
		{"nothing", grounds{}, ExitPass, "PASS"},
		{"violated", grounds{violated: some}, ExitViolated, "FAIL"},
		{"undecided beats violated", grounds{undecided: some, violated: some}, ExitInvalid, "UNDECIDED"},
		{"invalid beats violated", grounds{invalid: some, violated: some}, ExitInvalid, "INVALID"},
		{"invalid beats undecided in name", grounds{invalid: some, undecided: some}, ExitInvalid, "INVALID"},
		{"proven beats invalid", grounds{proven: some, invalid: some, undecided: some}, ExitViolated, "FAIL"},
		{"another test than meant beats proven", grounds{untested: some, proven: some}, ExitInvalid, "INVALID"},
		{"another's data beats what was not tested", grounds{foreign: some, untested: some}, ExitViolated, "FAIL"},
		{"interrupted beats all", grounds{interrupted: true, proven: some, invalid: some}, ExitInterrupted, "INTERRUPTED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, word := tt.g.exit(); got != tt.want || word != tt.inWord {
				t.Errorf("exit %d %s, want %d %s", got, word, tt.want, tt.inWord)
			}
		})
	}
}

func TestExitOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Exit
	}{
		{errors.New("anything"), ExitUsage},
		{stopf(ExitRefused, "not ours"), ExitRefused},
		{fmt.Errorf("with limits on: %w", stopf(ExitUnreachable, "nothing listens")), ExitUnreachable},
	} {
		if got := ExitOf(tt.err); got != tt.want {
			t.Errorf("ExitOf(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestJudge(t *testing.T) {
	slowInStorm := func(slow row) func(string, Class, time.Duration) row {
		return func(phase string, class Class, due time.Duration) row {
			if class == ClassInteractive && phase == "storm" {
				return slow
			}
			return healthy(phase, class, due)
		}
	}
	const ms = time.Millisecond
	tests := []struct {
		name        string
		answer      func(string, Class, time.Duration) row
		hurt        func(*attack)
		interrupted bool
		exit        Exit
		word        string
		reason      string // part of the first
	}{
		{name: "healthy", answer: healthy, exit: ExitPass, word: "PASS"},
		{name: "slow server", answer: slowInStorm(took(200 * ms)), exit: ExitViolated, word: "FAIL", reason: "p50 <= 10 ms: 200 ms"},
		{name: "server slow, generator lags", answer: slowInStorm(lagged(30*ms, 200*ms)), exit: ExitViolated, word: "FAIL", reason: "p50"},
		{name: "the generator is starved, between sending and reading too", answer: slowInStorm(lagged(40*ms, 120*ms)), exit: ExitInvalid, word: "INVALID", reason: "the generator lagged"},
		{name: "only the generator lags, far", answer: slowInStorm(lagged(300*ms, ms)), exit: ExitInvalid, word: "INVALID", reason: "sent too late"},
		{name: "the generator lags a little, and passes", answer: slowInStorm(lagged(900*time.Microsecond, 5*ms)), exit: ExitPass, word: "PASS"},
		{
			name: "the generator lags a little, and a violation is only its own",
			answer: func(phase string, class Class, due time.Duration) row {
				if phase == "storm" && class == ClassInteractive && due%(40*ms) < 20*ms {
					return lagged(20*ms, 5*ms)
				}
				if phase == "storm" && class == ClassInteractive {
					return lagged(800*time.Microsecond, 9500*time.Microsecond)
				}
				return healthy(phase, class, due)
			},
			exit: ExitInvalid, word: "INVALID", reason: "only because the generator lagged",
		},
		{
			name: "interactive work is shed", answer: func(phase string, class Class, due time.Duration) row {
				if class == ClassInteractive && due == 0 {
					return ended(Shed, ms)
				}
				return healthy(phase, class, due)
			}, exit: ExitViolated, word: "FAIL", reason: "interactive shed 0: 1",
		},
		{
			name: "a hog slows the server", answer: slowInStorm(took(200 * ms)),
			hurt: func(a *attack) { a.usages[0].Strangers = 0.5 }, exit: ExitInvalid, word: "INVALID", reason: "other programs",
		},
		{
			name: "a hog excuses no failure", answer: slowInStorm(ended(Failed, ms)),
			hurt: func(a *attack) { a.usages[0].Strangers = 0.5 }, exit: ExitViolated, word: "FAIL", reason: "ok >= 99.9 %: 0 %",
		},
		{
			name: "strangers that cannot be seen are not judged", answer: healthy,
			hurt: func(a *attack) { a.usages[0] = Usage{Strangers: 0.9} }, exit: ExitPass, word: "PASS",
		},
		{name: "interrupted", answer: healthy, interrupted: true, exit: ExitInterrupted, word: "INTERRUPTED"},
		{
			name: "not back in bound", answer: func(phase string, class Class, due time.Duration) row {
				if phase == "recover" {
					return took(time.Second)
				}
				return healthy(phase, class, due)
			}, exit: ExitViolated, word: "FAIL", reason: "not back in bound",
		},
		{
			name: "budgets, not the gate", answer: func(phase string, class Class, due time.Duration) row {
				if class == ClassReport && due%(20*ms) == 0 {
					return ended(Throttled, ms)
				}
				return healthy(phase, class, due)
			}, exit: ExitInvalid, word: "INVALID", reason: "THROTTLED",
		},
		{
			name: "another's data, once, to a generator that was ill", answer: slowInStorm(lagged(300*ms, ms)),
			hurt: func(a *attack) { a.rows[3].outcome, a.rows[3].remark = Failed, foreign }, exit: ExitViolated, word: "FAIL", reason: "another user or workspace",
		},
		{
			name: "an answer lost from the books", answer: healthy,
			hurt: func(a *attack) { a.rows[7].outcome = Unsent }, exit: ExitInvalid, word: "INVALID", reason: "books",
		},
	}
	s := stormScenario(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := synthetic(t, s.Phases, tt.answer)
			if tt.hurt != nil {
				tt.hurt(a)
			}
			v := judge(s, []*attack{a}, tt.interrupted)
			if v.Exit != tt.exit || v.Word != tt.word {
				t.Fatalf("exit %d %s, want %d %s; reasons %q", v.Exit, v.Word, tt.exit, tt.word, v.Reasons)
			}
			if tt.reason != "" && (len(v.Reasons) == 0 || !strings.Contains(v.Reasons[0], tt.reason)) {
				t.Errorf("reasons %q, want the first to say %q", v.Reasons, tt.reason)
			}
			suite := (&Record{Verdict: v}).junit(tt.name)
			if fails, errs := v.Exit == ExitViolated, v.Exit == ExitInvalid || v.Exit == ExitInterrupted; fails && suite.Failures == 0 || errs && suite.Errors == 0 || v.Exit == ExitPass && suite.Failures+suite.Errors > 0 {
				t.Errorf("JUnit has %d failures and %d errors for %s, because of %q", suite.Failures, suite.Errors, v.Word, v.Reasons)
			}
			if tt.exit == ExitPass && len(v.Reasons) > 0 {
				t.Errorf("a pass with reasons %q", v.Reasons)
			}
		})
	}
}

func TestVitalsFaults(t *testing.T) {
	const ms = time.Millisecond
	every := func(n int, special row) func(string, Class, time.Duration) row {
		i := 0
		return func(string, Class, time.Duration) row {
			i++
			if i%n == 0 {
				return special
			}
			return took(ms)
		}
	}
	burstLags := func(lag time.Duration) func(string, Class, time.Duration) row {
		return func(_ string, _ Class, due time.Duration) row {
			if due < time.Second {
				return lagged(lag, ms)
			}
			return took(ms)
		}
	}
	tests := []struct {
		name   string
		answer func(string, Class, time.Duration) row
		usage  Usage
		want   string // part of a fault; "" for none
	}{
		{name: "healthy", answer: every(1, took(ms))},
		{name: "one of 2400 dropped", answer: every(2400, ended(Dropped, 0))},
		{name: "1 in 500 dropped", answer: every(500, ended(Dropped, 0)), want: "were not sent"},
		{name: "a gap within one second", answer: func(_ string, _ Class, due time.Duration) row {
			if due > 5*time.Second && due < 5040*ms {
				return ended(Dropped, 0)
			}
			return took(ms)
		}, want: "in one second"},
		{name: "all sent 2 ms late", answer: every(1, lagged(2*ms, ms)), want: "in the median"},
		{name: "2 % sent 30 ms late", answer: every(50, lagged(30*ms, ms)), want: "lag p99"},
		{name: "0.5 % sent 30 ms late", answer: every(200, lagged(30*ms, ms))},
		{name: "a burst sent 90 ms late", answer: burstLags(90 * ms)},
		{name: "a burst sent 200 ms late", answer: burstLags(200 * ms), want: "in the burst"},
		{name: "no sockets left", answer: every(2400, ended(GeneratorError, 0)), want: "inside the generator"},
		{name: "0.5 % throttled", answer: every(200, ended(Throttled, ms))},
		{name: "2 % throttled", answer: every(50, ended(Throttled, ms)), want: "THROTTLED"},
		{name: "the client burns its processors", answer: every(1, took(ms)), usage: Usage{Client: 0.95}, want: "the generator used"},
		{name: "the client burns its only processor", answer: every(1, took(ms)), usage: Usage{Client: 0.9 / float64(runtime.NumCPU()), own: 1}, want: "the generator used"},
		{name: "a hog", answer: every(1, took(ms)), usage: Usage{Strangers: 0.3, Seen: true}, want: "other programs"},
		{name: "the clock is set back", answer: every(1, took(ms)), usage: Usage{stepped: -time.Second}, want: "clock was set by -1s"},
		{name: "the clock is slewed", answer: every(1, took(ms)), usage: Usage{stepped: 20 * ms}},
		{name: "the generator stands still for half a second", answer: func(_ string, _ Class, due time.Duration) row {
			if due > 3*time.Second && due < 3500*ms {
				return lagged(3500*ms-due, ms)
			}
			return took(ms)
		}, want: "in one second"},
		{name: "one worker", answer: func() func(string, Class, time.Duration) row {
			last := time.Duration(0)
			return func(_ string, _ Class, due time.Duration) row {
				sent := max(due, last)
				last = sent + 20*ms
				return lagged(sent-due, 20*ms)
			}
		}(), want: "in the median"},
		{name: "a cap of 10 before a server that takes 100 ms", answer: func() func(string, Class, time.Duration) row {
			var open []time.Duration
			return func(_ string, _ Class, due time.Duration) row {
				open = slices.DeleteFunc(open, func(end time.Duration) bool { return end <= due })
				if len(open) == 10 {
					return ended(Dropped, 0)
				}
				open = append(open, due+100*ms)
				return took(100 * ms)
			}
		}(), want: "were not sent"},
		{name: "busy, but by the server", answer: every(1, took(ms)), usage: Usage{Client: 0.1, Server: 0.85, Strangers: 0.05, Seen: true}},
	}
	phases := []Phase{{Name: "storm", For: 8 * time.Second, Streams: []Stream{officeStream(300, 8*time.Second)}, Judged: true, Burst: time.Second}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := synthetic(t, phases, tt.answer)
			a.usages[0] = tt.usage
			vitals := a.vitals(0)
			got := append(vitals.budgets(), vitals.faults()...)
			if (len(got) > 0) != (tt.want != "") || !strings.Contains(strings.Join(got, "\n"), tt.want) {
				t.Errorf("faults %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBooks(t *testing.T) {
	s := stormScenario(t)
	tests := []struct {
		name        string
		hurt        func(*attack)
		interrupted bool
		faults      int
	}{
		{"balanced", func(*attack) {}, false, 0},
		{"an arrival without an outcome", func(a *attack) { a.rows[0].outcome = Unsent }, false, 1},
		{"an arrival never handed over", func(a *attack) { a.rows[0].outcome = Unsent; a.hits-- }, false, 1},
		{"an arrival never handed over, interrupted", func(a *attack) { a.rows[0].outcome = Unsent; a.hits-- }, true, 0},
		{"an arrival lost, interrupted", func(a *attack) { a.rows[0].outcome = Unsent }, true, 1},
		{"an arrival handed over twice", func(a *attack) { a.hits++ }, false, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := synthetic(t, s.Phases, healthy)
			tt.hurt(a)
			if got := a.books(tt.interrupted); len(got) != tt.faults {
				t.Errorf("faults %q, want %d", got, tt.faults)
			}
		})
	}
}

func TestWorthMore(t *testing.T) {
	of := func(word string, needs, samples int) *Verdict {
		return &Verdict{Word: word, Results: []Result{{Decision: Met}, {Decision: Undecided, Needs: needs, Samples: samples}}}
	}
	tests := []struct {
		name string
		v    *Verdict
		want bool
	}{
		{"passed", of("PASS", 0, 0), false},
		{"invalid", of("INVALID", 2995, 2000), false},
		{"the rest can bring enough", of("UNDECIDED", 2995, 800), true},
		{"the rest cannot", of("UNDECIDED", 2995, 700), false},
		{"enough, but in bursts", of("UNDECIDED", 299, 5000), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.v.worthMore(1, 4); got != tt.want {
				t.Errorf("worthMore = %t, want %t", got, tt.want)
			}
		})
	}
}

func TestInFlight(t *testing.T) {
	if got := built(t, "smoke", Config{Rate: 50}, nil).inFlight(); got != leastInFlight {
		t.Errorf("a smoke test may have %d in flight, want the least, %d", got, leastInFlight)
	}
	storm := built(t, "report-storm", Config{}, able(20, 1000))
	if got, want := storm.inFlight(), 300*4+100*18; got < want {
		t.Errorf("a storm may have %d in flight, but %d wait at a time if nothing is answered", got, want)
	}
	for _, tt := range []struct{ want, crowd, files, fit int }{
		{500, 0, 20_000, 500},
		{5000, 0, 20_000, 5000},
		{5000, 0, 4500, 2000},
		{500, 0, 1500, 500},
		{500, 0, 1499, 0},
		{500, 0, 64, 0},
		{6000, 5000, 20_000, 6000},
		{500, 5000, 5500, 5000},
		{500, 5000, 5499, 0},
	} {
		got, err := fit(tt.want, tt.crowd, tt.files)
		if got != tt.fit || (err != nil) != (tt.fit == 0) {
			t.Errorf("fit(%d, %d, %d) = %d, %v, want %d", tt.want, tt.crowd, tt.files, got, err, tt.fit)
		}
	}
}

func TestMeasuredRates(t *testing.T) {
	throttled := able(0, 100)
	throttled.Reports.Answers = map[string]int{"throttled": 9}
	tests := []struct {
		name  string
		c     *Calibration
		given float64
		want  Rates
		exit  Exit
	}{
		{"a share of the capacity", able(8, 500), 0, Rates{150, 40}, ExitPass},
		{"at most 300", able(8, 5000), 0, Rates{300, 40}, ExitPass},
		{"as given", able(8, 5000), 50, Rates{50, 40}, ExitPass},
		{"no report", able(0, 100), 0, Rates{}, ExitViolated},
		{"no interactive answer", able(8, 0), 0, Rates{}, ExitViolated},
		{"throttled", throttled, 0, Rates{}, ExitInvalid},
		{"reports too cheap to storm with", able(5000, 100), 0, Rates{}, ExitInvalid},
	}
	spec, err := loadSpec("report-storm")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got, err := spec.scenario(Config{Rate: tt.given}, tt.c)
			if tt.exit != ExitPass {
				if ExitOf(err) != tt.exit || err == nil {
					t.Errorf("error %v, want exit %d", err, tt.exit)
				}
				return
			}
			if err != nil || *got != tt.want {
				t.Errorf("%+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}
