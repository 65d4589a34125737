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

// Who waits when a gate is opened starts at once, and so does who came to it a
// moment before, at the next request.
func TestLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := running(t, newAdaptive(t, AdaptiveConfig{Cores: 1, Slots: noSlots{}}))
		admitted := make(chan Class, 3)
		wait := func(class Class) {
			go func() {
				if p, _ := a.Admit(t.Context(), Request{Class: class, Work: time.Second, Deadline: a.now().Add(time.Hour)}); p != nil {
					admitted <- class
				}
			}()
			synctest.Wait()
		}
		wait(Report)
		wait(Background)
		a.LetIn()
		synctest.Wait()
		if len(admitted) != 2 {
			t.Fatalf("%d of 2 who waited have started", len(admitted))
		}
		wait(Report)
		if _, refusal := Measure(&a.Static).Admit(t.Context(), Request{Class: Report}); refusal != nil {
			t.Fatal(refusal)
		}
		synctest.Wait()
		if got := a.Snapshot().Classes[Report]; len(admitted) != 3 || got.Busy != 3 || got.Queued != 0 {
			t.Errorf("%d have started, reports are %+v", len(admitted), got)
		}
	})
}
