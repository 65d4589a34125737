package loadtest

import (
	"math"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// overloaded is a step of ten seconds of 500 a second, of which the server does 450,
// after two that do not count.
func overloaded(t *testing.T) *attack {
	t.Helper()
	phases := []Phase{knownPhase(2 * time.Second)[0], knownPhase(10 * time.Second)[0]}
	phases[0].Name, phases[1].Name = "settle", stepPhase
	h := hallOf{seats: 1, service: time.Second / 450, spoils: true}
	return synthetic(t, phases, h.answers())
}

// What a server puts off is not done: goodput is what it can do, however much is
// answered right later.
func TestGoodputOfAnOverloadedStep(t *testing.T) {
	if n := answeredMeanwhile([]*attack{overloaded(t)}); math.Abs(float64(n)-10*450) > 45 {
		t.Errorf("%d right answers came within ten seconds, want 4500 of 5000 that were asked for", n)
	}
	even := synthetic(t, []Phase{{Name: stepPhase, For: 10 * time.Second, Judged: true, Streams: []Stream{officeStream(300, 10*time.Second)}}},
		func(string, Class, time.Duration) row { return took(time.Millisecond) })
	if n := answeredMeanwhile([]*attack{even}); n != 3000 {
		t.Errorf("%d answers of a server that keeps up, want all 3000", n)
	}
}

// A queue that has grown before the step begins grows in it by less than twice.
func TestQueueGrew(t *testing.T) {
	classes := map[string]float64{string(ClassInteractive): 500}
	if rule, grew := queueGrew([]*attack{overloaded(t)}, classes); !grew || !rule.counts(pointCollapse) {
		t.Errorf("%+v, %t: want a queue that grows, which ends in collapse", rule, grew)
	}
	n := 0
	steady := synthetic(t, []Phase{{Name: stepPhase, For: 10 * time.Second, Judged: true, Streams: []Stream{officeStream(500, 10*time.Second)}}},
		func(_ string, _ Class, due time.Duration) row {
			n++
			wait := 8 * time.Millisecond
			if due > 5*time.Second {
				wait = 30 * time.Millisecond // as queues do that are long for a while
			}
			return took(wait)
		})
	if rule, grew := queueGrew([]*attack{steady}, classes); grew {
		t.Errorf("%+v: want no queue, of %d answers", rule, n)
	}
}

// A step begins when the server has got over the one before.
func TestStepWaitsForTheServer(t *testing.T) {
	var times atomic.Int64
	s := testSession(t, fake(t, func(w http.ResponseWriter, _ *http.Request, a asked) {
		if times.Add(1) < 3 {
			refuse(w)
			return
		}
		right(w, a)
	}))
	s.rest(t.Context(), []*streamSpec{{mix: []Weighted{{myDay, 1}}}})
	if n := times.Load(); n != 3 {
		t.Errorf("asked %d times, want until the first right answer, the third", n)
	}
}
