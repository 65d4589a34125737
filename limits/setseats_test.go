package limits

import (
	"testing"
	"testing/synctest"
	"time"
)

// An operator's number of reports holds while the gate follows and while it is
// fixed, and starts those who wait; 0 gives the gate its own back.
func TestSetSeatsOfReports(t *testing.T) {
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
		a.SetSeats(Report, 1)
		seats("set", 1, 0)
		c.arrive(t.Context(), "1", Request{Class: Report, Work: time.Second})
		c.arrive(t.Context(), "2", Request{Class: Report, Work: time.Second})
		seats("one runs", 1, 1)
		a.Beat(Beat{Processes: 1, Demoted: true})
		seats("after a beat", 1, 1)
		a.Fix("a test")
		seats("fixed", 1, 1)
		a.SetSeats(Report, 2)
		seats("two", 2, 0)
		a.SetSeats(Report, 0)
		seats("its own, fixed", 3, 0)
		a.Follow("a test")
		seats("its own", 3, 0)
		a.Drain()
	})
}

// The seats of the other classes are set as well, and a crowd does not change what
// people have set.
func TestSetSeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 2}))
		seats := func() Seats {
			synctest.Wait()
			var all Seats
			for class, c := range a.Snapshot().Classes {
				all[class] = c.Seats
			}
			return all
		}
		own := seats()
		c := newCrowd(t, a)
		for class, n := range map[Class]int{Control: 5, Interactive: 3, Background: 2} {
			a.SetSeats(class, n)
		}
		want := Seats{Control: 5, Interactive: 3, Report: own[Report], Background: 2}
		if got := seats(); got != want {
			t.Errorf("set: %v, want %v", got, want)
		}
		for i := range 5 {
			c.arrive(t.Context(), string(rune('a'+i)), Request{Class: Interactive, Work: time.Second})
		}
		time.Sleep(2 * time.Second)
		if s := a.Snapshot(); !s.Adaptive.Crowded || s.Classes[Interactive].Busy != 3 || seats() != want {
			t.Errorf("in a crowd: %v, %+v", seats(), s.Classes[Interactive])
		}
		a.SetSeats(Interactive, 5)
		for _, name := range []string{"f", "g"} {
			c.arrive(t.Context(), name, Request{Class: Interactive, Work: time.Second})
		}
		if s := a.Snapshot(); s.Classes[Interactive].Busy != 5 {
			t.Errorf("with five seats %d run", s.Classes[Interactive].Busy)
		}
		for _, p := range c.permits {
			p.Drop()
		}
		a.Fix("a test")
		if got := seats(); got[Control] != 5 || got[Interactive] != 5 || got[Background] != 2 {
			t.Errorf("fixed: %v", got)
		}
		for class := range numClasses {
			a.SetSeats(class, 0)
		}
		a.Follow("a test")
		time.Sleep(time.Minute)
		if got := seats(); got != own {
			t.Errorf("its own again: %v, want %v", got, own)
		}
		a.Drain()
	})
}
