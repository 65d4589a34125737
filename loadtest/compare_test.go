package loadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// comparedRun is a stored run of a server with the service time, the share of
// the machine and the statements of an operation given.
func comparedRun(t *testing.T, at int, service time.Duration, share, statements float64) *Record {
	t.Helper()
	const length = 4 * time.Second
	s := built(t, "smoke", Config{Duration: length}, nil)
	s.Phases = []Phase{{Name: "smoke", For: length, Streams: []Stream{officeStream(100, length)}, Judged: true}}
	a := synthetic(t, s.Phases, func(string, Class, time.Duration) row { return took(service) })
	a.usages[0].Server = share
	for i, border := range []string{"before smoke", "after smoke"} {
		a.readings = append(a.readings, Reading{Border: border, Counters: Counters{
			`headroom_statements_total{class="interactive"}`: statements * 400 * float64(i), `headroom_rows_total{class="interactive"}`: 4000 * float64(i),
		}})
	}
	r := testReport(t, s, a)
	r.Fingerprint, r.Began = testFingerprint(), r.Began.Add(time.Duration(at)*time.Minute)
	return r
}

// noise is what a machine adds to runs, the same in every test.
var noise = []float64{1.01, 0.98, 1.03, 0.99, 1.00, 1.02, 0.97, 1.01}

// stored writes runs of a base and of a new server made in turns, or one after
// the other, and returns their folders.
func stored(t *testing.T, pairs int, inTurns bool, base, next func(i int) (time.Duration, float64, float64)) (string, string) {
	t.Helper()
	dir := t.TempDir()
	write := func(side string, i, at int, of func(int) (time.Duration, float64, float64)) {
		service, share, statements := of(i)
		if err := comparedRun(t, at, service, share, statements).write(filepath.Join(dir, side, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range pairs {
		first, second := 2*i, 2*i+1
		if !inTurns {
			first, second = i, pairs+i
		}
		write("base", i, first, base)
		write("new", i, second, next)
	}
	return filepath.Join(dir, "base"), filepath.Join(dir, "new")
}

func TestCompareStoredRuns(t *testing.T) {
	steady := func(i int) (time.Duration, float64, float64) {
		return 2 * time.Millisecond, 0.4 * noise[i], 2
	}
	for _, test := range []struct {
		name    string
		pairs   int
		inTurns bool
		next    func(int) (time.Duration, float64, float64)
		exit    Exit
		word    string
		says    string
	}{
		{"the same", 4, true, func(i int) (time.Duration, float64, float64) { return steady(7 - i) }, ExitPass, "SAME", "p = "},
		{"a tenth more processor time", 4, true, func(i int) (time.Duration, float64, float64) {
			return 2 * time.Millisecond, 0.44 * noise[i], 2
		}, ExitRegression, "SLOWER", "processor time of an operation +10.0 %"},
		{"a tenth more, hours later", 4, false, func(i int) (time.Duration, float64, float64) {
			return 2 * time.Millisecond, 0.44 * noise[i], 2
		}, ExitInvalid, "UNDECIDED", "suspect"},
		{"a statement for each row", 2, true, func(i int) (time.Duration, float64, float64) {
			return 2 * time.Millisecond, 0.4 * noise[i], 12
		}, ExitRegression, "SLOWER", "interactive statements of an operation: 12 instead of 2 (+500 %)"},
		{"a promise that only the new one breaks", 4, true, func(i int) (time.Duration, float64, float64) {
			return 200 * time.Millisecond, 0.4 * noise[i], 2
		}, ExitRegression, "SLOWER", "interactive p99 <= 100 ms: broken in 4 of 4 new runs"},
		{"too few runs", 3, true, steady, ExitInvalid, "UNDECIDED", "3 and 3 runs: it takes at least 4 of each"},
		{"no processor time", 4, true, func(int) (time.Duration, float64, float64) { return time.Millisecond, 0, 2 }, ExitInvalid, "INVALID", "processor time is not known"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, next := stored(t, test.pairs, test.inTurns, steady, test.next)
			got, err := Compare(t.Context(), Config{}, base, next, Comparing{})
			if err != nil {
				t.Fatal(err)
			}
			var text, markdown, xml, page bytes.Buffer
			study := &Study{Comparison: got}
			for _, write := range []error{got.WriteText(&text), study.WriteMarkdown(&markdown), study.WriteJUnit(&xml), study.WriteHTML(&page)} {
				if write != nil {
					t.Fatal(write)
				}
			}
			if got.Exit != test.exit || got.Verdict != test.word || !strings.Contains(text.String(), test.says) {
				t.Errorf("exit %d %s, want %d %s and %q\n%s", got.Exit, got.Verdict, test.exit, test.word, test.says, text.String())
			}
			if first, _, _ := strings.Cut(markdown.String(), "\n"); !strings.Contains(first, got.Verdict+"** ") {
				t.Errorf("the summary begins with %q", first)
			}
			if strings.Contains(page.String(), "ZgotmplZ") || !strings.Contains(page.String(), "What was compared") && len(got.tables()) > 0 {
				t.Error("the page lacks the comparison")
			}
		})
	}
}

// A machine that is faster at one minute than at the next hides nothing that is a
// tenth: what surge itself took tells how fast it was.
func TestCompareKnowsTheMachinesSpeed(t *testing.T) {
	speeds := []float64{1, 1.4, 0.8, 1.1, 1.3, 0.9, 1.2, 0.7}
	runs := func(first int, share float64) (list []*Record) {
		for i := range 4 {
			speed := speeds[first+2*i]
			r := comparedRun(t, i, 2*time.Millisecond, share*noise[first+i]*speed, 2)
			r.Verdict.Vitals[0].CPU.Client *= speed
			list = append(list, r)
		}
		return list
	}
	c := &Comparison{baseRuns: runs(0, 0.40), newRuns: runs(1, 0.44)}
	if c.decide(looks[0]); c.Verdict != "SLOWER" || math.Abs(c.Primary.Ratio-1.1) > 0.02 {
		t.Errorf("%s: %s", c.Verdict, c.Primary)
	}
	for _, r := range slices.Concat(c.baseRuns, c.newRuns) {
		r.Verdict.Vitals[0].CPU.Client = 0
	}
	bare := &Comparison{baseRuns: c.baseRuns, newRuns: c.newRuns}
	if bare.decide(looks[0]); bare.Verdict == "SLOWER" {
		t.Errorf("without a yardstick: %s: %s", bare.Verdict, bare.Primary)
	}
}

func TestCompareRefuses(t *testing.T) {
	one := comparedRun(t, 0, time.Millisecond, 0.4, 2)
	other := comparedRun(t, 1, time.Millisecond, 0.4, 2)
	other.Fingerprint.Machine.Processors = 64
	dir := t.TempDir()
	for name, r := range map[string]*Record{"one": one, "other": other} {
		if err := r.write(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, base, next string
		aa               bool
		exit             Exit
		says             string
	}{
		{"another machine", filepath.Join(dir, "one"), filepath.Join(dir, "other"), false, ExitUsage, "processors: 2 and 64"},
		{"nothing that is known", "nonsense", filepath.Join(dir, "one"), false, ExitUsage, "no address, no folder"},
		{"a folder without runs", dir + "/one", t.TempDir(), false, ExitUsage, "run.json"},
		{"a stored base against itself", filepath.Join(dir, "one"), "http://127.0.0.1:1/graphql", true, ExitUsage, "is stored"},
		{"another machine's address", "http://example.com/graphql", "http://127.0.0.1:1/graphql", false, ExitRefused, "example.com is not this machine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Compare(t.Context(), Config{Scenario: "smoke"}, test.base, test.next, Comparing{AA: test.aa})
			if err == nil || ExitOf(err) != test.exit || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v (exit %d), want %q (exit %d)", err, ExitOf(err), test.says, test.exit)
			}
		})
	}
}

// A release that adds a field is compared with the one before it, and said to have
// another schema; runs of one side must have one.
func TestCompareAcrossSchemas(t *testing.T) {
	runs := func(schemas ...string) (list []*Record) {
		for i, schema := range schemas {
			r := comparedRun(t, i, 2*time.Millisecond, 0.4*noise[i], 2)
			r.Fingerprint.Schema = schema
			list = append(list, r)
		}
		return list
	}
	across := &Comparison{baseRuns: runs("old", "old"), newRuns: runs("new", "new"), count: true}
	var text bytes.Buffer
	if err := errors.Join(across.judgeStored(), across.WriteText(&text)); err != nil || across.Verdict != "SAME" || !strings.Contains(text.String(), "the schemas differ") {
		t.Errorf("%s, %v; want the same, in spite of another schema\n%s", across.Verdict, err, &text)
	}
	mixed := &Comparison{baseRuns: runs("old", "old"), newRuns: runs("old", "new"), count: true}
	if err := mixed.judgeStored(); !errors.Is(err, ErrMixed) {
		t.Errorf("two schemas on one side: %v, want %v", err, ErrMixed)
	}
}

// A new server that shows people what is not theirs is no release, however fast it is.
func TestCompareFindsAnothersData(t *testing.T) {
	runs := func(foreign int) (list []*Record) {
		for i := range 2 {
			r := comparedRun(t, i, 2*time.Millisecond, 0.4*noise[i], 2)
			r.Verdict.Foreign = foreign
			r.Verdict.Reasons = []string{"phase smoke: an answer held the data of another user or workspace"}
			list = append(list, r)
		}
		return list
	}
	c := &Comparison{baseRuns: runs(0), newRuns: runs(1), count: true}
	if err := c.judgeStored(); err != nil || c.Exit != ExitRegression || !strings.Contains(c.cause(), "another user") {
		t.Errorf("exit %d, %s, %v; want a regression because of another's data", c.Exit, c.cause(), err)
	}
}

// Runs that prove nothing, or were cut short, are no baseline for processor time.
func TestCompareStoredVoidRuns(t *testing.T) {
	for _, word := range []string{"INVALID", "INTERRUPTED"} {
		c := &Comparison{}
		for i := range 4 {
			c.baseRuns = append(c.baseRuns, comparedRun(t, 2*i, 2*time.Millisecond, 0.4*noise[i], 2))
			c.newRuns = append(c.newRuns, comparedRun(t, 2*i+1, 2*time.Millisecond, 0.4*noise[7-i], 2))
		}
		c.newRuns[2].Verdict.Word = word
		if err := c.judgeStored(); err != nil || c.Exit != ExitInvalid || !strings.Contains(c.cause(), "is "+word) {
			t.Errorf("one of them %s: exit %d, %s, %v; want %d and why", word, c.Exit, c.cause(), err, ExitInvalid)
		}
	}
}

// A comparison that is stopped between two runs still tells what it has found.
func TestCompareStoppedBetweenRuns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	next := serve(t, func(http.ResponseWriter, *http.Request) { cancel() })
	scenario := filepath.Join(t.TempDir(), "climb.yaml")
	if err := os.WriteFile(scenario, []byte(climbText), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Config{Scenario: scenario, Duration: 200 * time.Millisecond, Seed: 1}
	got, err := Compare(ctx, c, fake(t, nil), next, Comparing{Count: true})
	if err != nil || got.Exit != ExitInterrupted || got.Verdict != "INTERRUPTED" || len(got.baseRuns) != 1 {
		t.Errorf("%+v, %v; want one that was interrupted after a run of the base", got, err)
	}
}

// Counters alone decide after two pairs: what the database went through for an
// operation counts with them, and where there are none nothing is said.
func TestCompareCounts(t *testing.T) {
	runs := func(scanned ...float64) (list []*Record) {
		for i, n := range scanned {
			r := comparedRun(t, i, 2*time.Millisecond, 0.4*noise[i], 2)
			r.Work[0].Scanned = n * r.ran(0, "smoke", "")
			list = append(list, r)
		}
		return list
	}
	bare := runs(0, 0)
	for _, r := range bare {
		r.Work = nil
	}
	refused := runs(3100, 3000)
	for i := range refused[1].Phases {
		refused[1].Phases[i].Outcomes = map[string]int{"ok": 300, "shed": 100}
	}
	for _, test := range []struct {
		name      string
		base, new []*Record
		exit      Exit
		says      string
	}{
		{"the same", runs(50, 52), runs(53, 50), ExitPass, "SAME: by counters alone, 2 pairs: interactive statements +0.0 %, interactive rows +0.0 %, scanned rows +1.0 %"},
		{"an index is lost", runs(50, 52), runs(3100, 3000), ExitRegression, "SLOWER: scanned rows of an operation: 3\u202f050 instead of 51 (+5880 %)"},
		{"much was scanned once", runs(50, 52), runs(3100, 50), ExitPass, "SAME: by counters alone, 2 pairs"},
		{"much was refused", runs(50, 52), refused, ExitInvalid, "INVALID: too little was answered right to compare what it took: "},
		{"the database does not tell", runs(0, 0), runs(0, 0), ExitPass, "SAME: by counters alone, 2 pairs"},
		{"one pair", runs(50), runs(50), ExitInvalid, "UNDECIDED: 1 and 1 runs: it takes at least 2 of each"},
		{"no counters", bare, bare, ExitInvalid, "INVALID: the server's counters are not known"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := &Comparison{baseRuns: test.base, newRuns: test.new, count: true}
			if err := got.judgeStored(); err != nil {
				t.Fatal(err)
			}
			if said := got.Verdict + ": " + got.cause(); got.Exit != test.exit || !strings.HasPrefix(said, test.says) {
				t.Errorf("exit %d, %s; want %d, %s", got.Exit, said, test.exit, test.says)
			}
		})
	}
}

// A comparison of servers that run asks both in turns, with the same seed for
// each pair.
func TestCompareTakesTurns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := Compare(ctx, Config{Scenario: "smoke"}, "http://127.0.0.1:1/graphql", "http://127.0.0.1:2/graphql", Comparing{})
	if err == nil || ExitOf(err) != ExitInterrupted {
		t.Errorf("stopped at once: %+v, %v", got, err)
	}
	now := time.Now()
	at := func(minutes ...int) (list []*Record) {
		for _, m := range minutes {
			list = append(list, &Record{Began: now.Add(time.Duration(m) * time.Minute)})
		}
		return list
	}
	if !inTurns(at(0, 3, 4, 7), at(1, 2, 5, 6)) || inTurns(at(0, 1, 2, 3), at(4, 5, 6, 7)) {
		t.Error("runs in turns and one after the other are not told apart")
	}
}

// Nobody is loaded in a comparison of which one side may not be.
func TestCompareRefusesBeforeItLoads(t *testing.T) {
	here := fake(t, func(http.ResponseWriter, *http.Request, asked) { t.Error("it was loaded") })
	for _, sides := range [][2]string{{here, "http://192.0.2.1/graphql"}, {"http://192.0.2.1/graphql", here}} {
		for _, scenario := range []string{"smoke", "soap"} {
			_, err := Compare(t.Context(), Config{Scenario: scenario, Duration: 100 * time.Millisecond}, sides[0], sides[1], Comparing{})
			if err == nil || ExitOf(err) != ExitRefused {
				t.Errorf("%s of %v: %v, want a refusal", scenario, sides, err)
			}
		}
	}
}

// A run whose generator was not well still tells the server's counters, unless what was
// asked was not answered: refusals have statements of their own.
func TestCountersOfVoidRuns(t *testing.T) {
	run := func(outcomes map[string]int) *Record {
		return &Record{Phases: []PhaseRecord{
			{Phase: "warm", Planned: 100, Outcomes: map[string]int{"throttled": 100}},
			{Phase: "smoke", Judged: true, Planned: 1000, Outcomes: outcomes},
		}}
	}
	for _, tt := range []struct {
		name     string
		outcomes map[string]int
		want     bool
	}{
		{"all answered", map[string]int{"ok": 1000}, true},
		{"half were never sent", map[string]int{"ok": 500, "dropped": 500}, true},
		{"some were refused", map[string]int{"ok": 980, "throttled": 20}, false},
		{"none was sent", map[string]int{"dropped": 1000}, false},
	} {
		if got := run(tt.outcomes).answered(); got != tt.want {
			t.Errorf("%s: the counters count: %v", tt.name, got)
		}
	}
}
