package limits

import (
	"testing"
	"testing/synctest"
	"time"
)

// An operator's number of reports holds while the gate follows and while it is
// fixed, and starts those who wait; 0 gives the gate its own back.
func TestSetReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 4}))
		a.Beat(Beat{Processes: 1, Demoted: true})
		seats := func(step string, want, queued int) {
			t.Helper()
			synctest.Wait()
			if got := a.Snapshot().Classes[Report]; got.Seats != want || got.Queued != queued {
				t.Errorf("%s: %d slots and %d waiting, want %d and %d", step, got.Seats, got.Queued, want, queued)
			}
		}
		c := newCrowd(t, a)
		seats("at first", 3, 0)
		a.SetReports(1)
		seats("set", 1, 0)
		c.arrive(t.Context(), "1", Request{Class: Report, Work: time.Second})
		c.arrive(t.Context(), "2", Request{Class: Report, Work: time.Second})
		seats("one runs", 1, 1)
		a.Beat(Beat{Processes: 1, Demoted: true})
		seats("after a beat", 1, 1)
		a.Fix("a test")
		seats("fixed", 1, 1)
		a.SetReports(2)
		seats("two", 2, 0)
		a.SetReports(0)
		seats("its own, fixed", 3, 0)
		a.Follow("a test")
		seats("its own", 3, 0)
		a.Drain()
	})
}
