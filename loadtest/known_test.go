package loadtest

import (
	"math"
	"testing"
	"time"
)

// knownPhase is a phase at 500 arrivals a second, evenly.
func knownPhase(d time.Duration) []Phase {
	return []Phase{{Name: "storm", For: d, Streams: []Stream{officeStream(500, d)}, Judged: true}}
}

// near tells whether a figure lies within 3 % of the closed form.
func near(got, want time.Duration) bool {
	return math.Abs(float64(got-want)) <= 0.03*float64(want)
}

// A server frozen for a second holds up 500 of 3,000 arrivals, the first for a
// second, the last not at all: the slowest 5 % waited 0.7 s and more, the slowest
// 1 % 0.94 s. What counts from the sending, as a generator with 20 workers sends,
// sees next to none of it.
func TestFrozenServerEqualsTheClosedForm(t *testing.T) {
	const ms = time.Millisecond
	frozen, thaw := 2*time.Second, 3*time.Second
	answer := func(_ string, _ Class, due time.Duration) row {
		if due < frozen || due >= thaw {
			return took(ms)
		}
		return took(thaw - due + ms)
	}
	got := tallyOf([]*attack{synthetic(t, knownPhase(6*time.Second), answer)}, "storm", "")
	for q, want := range map[float64]time.Duration{0.95: 700 * ms, 0.99: 940 * ms, 0.50: ms} {
		if at := got.response.at(q); !near(at, want) {
			t.Errorf("%s is %v, want %v within 3 %%", percentile(q), at, want)
		}
	}
	waited := 0
	few := func(_ string, _ Class, due time.Duration) row {
		if due < frozen || due >= thaw {
			return took(ms)
		}
		if waited++; waited <= 20 {
			return took(thaw - due + ms)
		}
		return lagged(thaw-due, ms) // the 20 workers wait, nobody is left to send
	}
	a := synthetic(t, knownPhase(6*time.Second), few)
	lazy := tallyOf([]*attack{a}, "storm", "")
	if at := lazy.response.at(0.99); !near(at, 940*ms) {
		t.Errorf("response p99 with 20 workers is %v, want 940ms whoever lags", at)
	}
	if at := lazy.service.at(0.99); at > 10*ms {
		t.Errorf("service p99 with 20 workers is %v, want what a lazy generator sees", at)
	}
	if len(a.vitals(0).faults()) == 0 {
		t.Error("a generator that sent 480 arrivals up to a second late is well")
	}
}

// A server with two humps, 1.02 % of the answers at 900 ms: the step between
// them lies where it is, which digests of a few hundred centroids smear.
func TestBimodalServerEqualsTheClosedForm(t *testing.T) {
	const ms = time.Millisecond
	n := 0
	a := synthetic(t, knownPhase(20*time.Second), func(string, Class, time.Duration) row {
		if n++; n%98 == 0 { // 102 of 10,000
			return took(900 * ms)
		}
		return took(3 * ms)
	})
	got := tallyOf([]*attack{a}, "storm", "")
	for q, want := range map[float64]time.Duration{0.50: 3 * ms, 0.989: 3 * ms, 0.99: 900 * ms, 0.999: 900 * ms} {
		if at := got.response.at(q); !near(at, want) {
			t.Errorf("%s is %v, want %v", percentile(q), at, want)
		}
	}
}

// A server that does 400 a second of 500 and lets the rest wait: who comes at t
// waits a quarter of t, so that half of ten seconds waited 1.25 s and more.
func TestCapacityEqualsTheClosedForm(t *testing.T) {
	const ms = time.Millisecond
	free := time.Duration(0)
	a := synthetic(t, knownPhase(10*time.Second), func(_ string, _ Class, due time.Duration) row {
		free = max(free, due) + 2500*time.Microsecond
		return took(free - due)
	})
	got := tallyOf([]*attack{a}, "storm", "")
	for q, want := range map[float64]time.Duration{0.50: 1250 * ms, 0.95: 2375 * ms, 0.99: 2475 * ms} {
		if at := got.response.at(q); !near(at, want) {
			t.Errorf("%s is %v, want %v", percentile(q), at, want)
		}
	}
	if _, grew := queueGrew([]*attack{renamed(a)}, map[string]float64{string(ClassInteractive): 500}); !grew {
		t.Error("a queue that grows for ten seconds is not seen")
	}
}

// renamed makes a phase a step of a search.
func renamed(a *attack) *attack {
	a.plan.phases[0].Name = stepPhase
	return a
}
