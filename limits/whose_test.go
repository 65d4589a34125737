package limits

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// flood has tenants send so many operations each 10 ms, which is what one takes.
func flood(t *testing.T, a *Adaptive, during time.Duration, each map[string]int) {
	t.Helper()
	var running []*Permit
	began := func(p *Permit, _ *Refusal) {
		if p != nil {
			running = append(running, p)
		}
	}
	for tick := range int(during / (10 * ms)) {
		ended := running
		running = nil
		for _, p := range ended {
			p.Done(Outcome{DB: 10 * ms, Statements: 1})
		}
		for _, tenant := range slices.Sorted(maps.Keys(each)) {
			for i := range each[tenant] {
				r := Request{Class: Interactive, Tenant: tenant, Client: fmt.Sprint(tenant, tick, i), Work: 10 * ms, Deadline: within(2 * time.Second)}
				p, refusal, _ := a.Offer(r, began)
				began(p, refusal)
			}
		}
		time.Sleep(10 * ms)
	}
	for len(running) > 0 {
		p := running[0]
		running = running[1:]
		p.Done(Outcome{DB: 10 * ms, Statements: 1})
	}
}

// A tenant that makes a crowd goes up the ladder alone, and the others after it when
// they ask for more than there is without it; quiet takes all of them down.
func TestWhoseCrowdItIsGoesUpAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdaptive(t, AdaptiveConfig{Cores: 1})
		a.Beat(Beat{Processes: 1, Demoted: true})
		expect := func(when string, much, little Step) {
			t.Helper()
			if got, other := a.Rung("much"), a.Rung("little"); got != much || other != little {
				t.Errorf("%s: much is on %v, little on %v; want %v and %v", when, got, other, much, little)
			}
		}
		flood(t, a, 6*time.Second, map[string]int{"much": 20})
		expect("alone", RefuseReports, Normal)
		if got := a.Snapshot().Adaptive; got.Rung != RefuseReports || got.Whose != "much" {
			t.Errorf("the snapshot tells %v of %q", got.Rung, got.Whose)
		}
		for tenant, browned := range map[string]bool{"much": true, "little": false} {
			_, refusal, waiter := a.Offer(Request{Class: Report, Tenant: tenant, Work: ms, Deadline: within(time.Second)}, func(*Permit, *Refusal) {})
			if (refusal != nil && refusal.Reason == Brownout) != browned {
				t.Errorf("a report of %s: %+v", tenant, refusal)
			}
			if waiter != nil {
				waiter.Leave(Canceled)
			}
		}
		flood(t, a, 6*time.Second, map[string]int{"much": 30, "little": 1, "b": 2})
		expect("the others ask for three times what there is", RefuseReports, RefuseReports)
		if got := a.Snapshot().Adaptive; got.Rung != RefuseReports || got.Whose != "" {
			t.Errorf("the snapshot tells %v of %q", got.Rung, got.Whose)
		}
		for range 210 {
			time.Sleep(tick)
			a.Beat(Beat{Processes: 1, Demoted: true})
		}
		expect("after the crowd", Normal, Normal)
		flood(t, a, 6*time.Second, map[string]int{"little": 3, "a": 3, "b": 3})
		expect("a crowd of nobody's", RefuseReports, RefuseReports)
		a.Drain()
	})
}

// Whose crowd it is leaves a core for each report of another tenant, while none waits.
func TestWhoseCrowdItIsLeavesCoresToReports(t *testing.T) {
	for _, test := range []struct {
		name    string
		reports []string // their tenants
		want    int      // clicks that run beside them
	}{
		{"none", nil, 4},
		{"of others", []string{"a", "b"}, 2},
		{"of others on all slots", []string{"a", "b", "b"}, 1},
		{"its own too", []string{"a", "crowd"}, 3},
		{"a storm of them", []string{"a", "a", "a", "a", "a", "a", "a"}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 4}))
				a.Beat(Beat{Processes: 1, Demoted: true})
				c := newCrowd(t, a)
				for i, tenant := range test.reports {
					c.arrive(t.Context(), fmt.Sprint("report ", i), Request{Class: Report, Tenant: tenant, Work: ms})
					time.Sleep(tick)
				}
				crowdOf(t, a, c)
				for i := range 10 {
					c.arrive(t.Context(), fmt.Sprint("crowd ", i), Request{Class: Interactive, Tenant: "crowd", Client: fmt.Sprint("new ", i), Work: 2 * ms})
				}
				for i := range 16 {
					c.done(fmt.Sprint("running ", i))
				}
				if got := a.Snapshot().Classes[Interactive].Busy; got != test.want {
					t.Errorf("%d clicks run, want %d", got, test.want)
				}
				a.Drain()
			})
		})
	}
}
