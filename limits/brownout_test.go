package limits

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A crowd takes the gate up a rung a second and no further than its own; quiet
// takes it down.
func TestClimb(t *testing.T) {
	now := time.Unix(1000, 0)
	l := ladder{since: now}
	at := func(seconds int, crowded bool) Step {
		for range seconds * 10 {
			now = now.Add(tick)
			l = climb(l, crowded, now)
		}
		return l.step
	}
	for _, tt := range []struct {
		seconds int
		crowded bool
		want    Step
	}{
		{10, false, Normal},
		{1, true, NoBackground},
		{1, true, KeptReports},
		{5, true, RefuseReports},
		{60, true, RefuseReports},
		{4, false, RefuseReports},
		{1, false, NoExtras},
		{1, true, RefuseReports},
		{14, false, KeptReports},
		{1, false, NoBackground},
		{60, false, Normal},
	} {
		if got := at(tt.seconds, tt.crowded); got != tt.want {
			t.Fatalf("after %d s more, crowded %v: %v, want %v", tt.seconds, tt.crowded, got, tt.want)
		}
	}
}

// On each rung that people want, the classes it names are refused, also those that
// wait already, and permits carry it.
func TestBrown(t *testing.T) {
	for step := range numSteps {
		t.Run(step.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 1}))
				c := newCrowd(t, a)
				c.arrive(t.Context(), "runs", Request{Class: Report, Work: ms})
				c.arrive(t.Context(), "waits", Request{Class: Report, Work: ms})
				a.Brown(step, "a test")
				synctest.Wait()
				refused := map[Class]bool{Background: step >= NoBackground, Report: step >= RefuseReports, Interactive: step >= OnlyControl}
				if got := a.Snapshot().Classes[Report].Queued == 0; got != refused[Report] {
					t.Errorf("the report that waits is refused: %v, want %v", got, refused[Report])
				}
				for class := range numClasses {
					permit, refusal := a.Admit(t.Context(), Request{Class: class, Work: ms, Deadline: within(time.Second)})
					switch {
					case refused[class] && (refusal == nil || refusal.Reason != Brownout):
						t.Errorf("%v: %+v, want a refusal of the brownout", class, refusal)
					case class <= Interactive && !refused[class] && (permit == nil || permit.Step() != step):
						t.Errorf("%v: %+v, want a permit of %v", class, permit, step)
					}
				}
				a.Fix("a test")
				if got := a.Snapshot().Adaptive; got.Rung != step || got.Because != "a test" {
					t.Errorf("the snapshot of the fixed gate says %v, %q", got.Rung, got.Because)
				}
				if _, refusal := a.Admit(t.Context(), Request{Class: Report, Deadline: within(time.Second)}); (refusal != nil && refusal.Reason == Brownout) != refused[Report] {
					t.Errorf("while it is fixed, a report: %+v", refusal)
				}
				a.Drain()
			})
		})
	}
}

func TestParseStep(t *testing.T) {
	for step := range numSteps {
		if got, err := ParseStep(step.String()); err != nil || got != step {
			t.Errorf("%v is read as %v, %v", step, got, err)
		}
	}
	if _, err := ParseStep("off"); err == nil {
		t.Error("a rung that there is not is read")
	}
}

// A smaller report of a tenant passes its larger ones, but none that has waited
// long, and takes no other tenant's turn.
func TestSmallReportsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 1}))
		c := newCrowd(t, a)
		report := func(tenant string, work time.Duration) Request {
			return Request{Class: Report, Tenant: tenant, Work: work, Deadline: within(time.Hour)}
		}
		c.arrive(t.Context(), "runs", report("a", ms))
		for i, r := range []Request{report("a", 900*ms), report("a", 800*ms), report("b", 500*ms), report("a", 100*ms), report("a", 90*ms), report("b", 10*ms)} {
			c.arrive(t.Context(), fmt.Sprint(i), r)
		}
		time.Sleep(21 * time.Minute) // more than a third of what they have
		c.arrive(t.Context(), "late", report("a", ms))
		c.order = nil
		for _, next := range []string{"runs", "3", "5", "2", "4", "0", "1", "late"} {
			c.done(next)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		c.expect("3", "5", "2", "4", "0", "1", "late")
	})
}
