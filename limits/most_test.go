package limits

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// Whose is most of what waits in a crowd takes no more seats than there are cores while
// an operation of a tenant runs that has little waiting; that one starts at once.
func TestWhoHasMostYields(t *testing.T) {
	for _, test := range []struct {
		name    string
		without Part
		want    int // how many run beside it, and it
	}{
		{"as it is", 0, 1},
		{"without", MostYields, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAdaptive(t, AdaptiveConfig{Cores: 1, Without: test.without})
				a.Beat(Beat{Processes: 1, Demoted: true})
				c := newCrowd(t, a)
				crowdOf(t, a, c)
				a.mu.Lock() // an operation is on its way for a third of its time, so a core has two seats
				p := &a.pools[Interactive]
				p.count, p.held, p.inside = 1e6, 3000, 2000
				a.mu.Unlock()
				ask := func(name, tenant string) {
					c.arrive(t.Context(), name, Request{Class: Interactive, Tenant: tenant, Client: name, Work: 2 * ms})
				}
				for i := range 5 {
					ask(fmt.Sprint("crowd ", i), "crowd")
				}
				if got := a.Snapshot().Classes[Interactive].Seats; got != 2 {
					t.Fatalf("%d seats in the crowd, want 2", got)
				}
				c.done("running 0")
				c.done("running 1")
				c.done("running 2") // of two seats one is free
				c.order = nil
				ask("little", "another")
				c.done("running 3")
				c.expect("little")
				c.done("crowd 4")
				if got := a.Snapshot().Classes[Interactive].Busy; got != test.want {
					t.Errorf("%d run beside it, want %d", got-1, test.want-1)
				}
				c.done("little")
				if got := a.Snapshot().Classes[Interactive].Busy; got != 2 {
					t.Errorf("%d run once it has ended, want 2", got)
				}
				a.Drain()
			})
		})
	}
}
