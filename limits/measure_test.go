package limits

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStatic(t, seats)
		gate := Measure(s)
		var permits []*Permit
		admit := func(r Request) {
			t.Helper()
			p, refusal := gate.Admit(t.Context(), r)
			if refusal != nil {
				t.Fatalf("refused: %+v", refusal)
			}
			permits = append(permits, p)
		}
		for range 1 + queuePerSeat[Report] {
			admit(Request{Class: Report, Work: 100 * ms, Deadline: within(time.Minute)})
		}
		count := func() map[Reason]uint64 { return s.Snapshot().Classes[Report].WouldRefuse }
		if got := count()[QueueFull] + count()[Backlog]; got != 0 {
			t.Errorf("%d would be refused of those that fit into seats and queue", got)
		}
		admit(Request{Class: Report, Work: 100 * ms, Deadline: within(time.Minute)})
		if got := count()[QueueFull]; got != 1 {
			t.Errorf("%d would find the queue full, want 1", got)
		}
		permits[0].Drop()
		permits[1].Drop()
		admit(Request{Class: Report, Work: 100 * ms, Deadline: within(500 * ms)})
		if got := count()[Backlog]; got != 1 {
			t.Errorf("%d would be refused for the backlog, want 1", got)
		}
		for _, p := range permits {
			p.Done(Outcome{})
		}
		if got := s.Snapshot().Classes[Report]; got.Busy != 0 || got.Admitted != 19 {
			t.Errorf("busy %d, admitted %d, want 0 and 19", got.Busy, got.Admitted)
		}
	})
}

func TestUnlimited(t *testing.T) {
	p, refusal := Unlimited{}.Admit(t.Context(), Request{})
	if p == nil || refusal != nil {
		t.Fatalf("permit %v, refusal %v", p, refusal)
	}
	if p.Step() != Normal {
		t.Errorf("step %v, want normal", p.Step())
	}
	p.Done(Outcome{})
	p.Drop()
}
