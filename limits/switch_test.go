package limits

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// noSlots are those of a database that never gives one.
type noSlots struct{}

func (noSlots) Take(context.Context, Class, int) Slot { return nil }

// A gate that is fixed has the seats of a Static one and starts who waits for a
// slot; one that follows again has its own, and both say why.
func TestSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 4, Slots: noSlots{}}))
		a.Beat(Beat{Processes: 4, Demoted: false})
		permits := make(chan *Permit, 1)
		go func() {
			p, _ := a.Admit(t.Context(), Request{Class: Report, Work: time.Second, Deadline: a.now().Add(time.Hour)})
			permits <- p
		}()
		synctest.Wait()
		got := a.Snapshot()
		if r, i := got.Classes[Report], got.Classes[Interactive]; r.Queued != 1 || r.Seats != 1 || i.Seats != 4 || got.Adaptive.Switch != (Switch{}) {
			t.Fatalf("following: %+v, %+v, %+v", r, i, got.Adaptive)
		}
		a.Fix("the slots are stuck")
		permit := <-permits
		got = a.Snapshot()
		want := Switch{Fixed: true, Reason: "the slots are stuck", At: a.now()}
		if r, i := got.Classes[Report], got.Classes[Interactive]; permit == nil || r.Busy != 1 || r.Seats != 3 || i.Seats != 16 || got.Adaptive.Switch != want {
			t.Fatalf("fixed: %+v, %+v, %+v", r, i, got.Adaptive)
		}
		a.Beat(Beat{Processes: 2, Demoted: true})
		if seats := a.Snapshot().Classes[Interactive].Seats; seats != 16 {
			t.Errorf("a beat gives a fixed gate %d seats", seats)
		}
		time.Sleep(time.Minute)
		a.Follow("the database answers")
		permit.Done(Outcome{})
		got = a.Snapshot()
		want = Switch{Reason: "the database answers", At: a.now()}
		if r, i := got.Classes[Report], got.Classes[Interactive]; r.Busy != 0 || r.Seats != 3 || i.Seats != 8 || got.Adaptive.Switch != want {
			t.Errorf("following again: %+v, %+v, %+v", r, i, got.Adaptive)
		}
	})
}
