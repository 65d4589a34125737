package limits

import (
	"fmt"
	"testing"
	"time"
)

// Who is served before the time that they were told leaves nothing behind that would be
// done in less than no time.
func TestNothingIsAbsorbedBeforeNow(t *testing.T) {
	now := time.UnixMilli(1_000_000_700)
	a := newAdaptive(t, AdaptiveConfig{Clock: func() time.Time { return now }, Seed: 1})
	a.Brown(OnlyControl, "a test")
	ask := func(client int) (*Permit, *Refusal) {
		return a.Admit(t.Context(), Request{Class: Interactive, Client: fmt.Sprint(client), Work: time.Millisecond, Deadline: now.Add(time.Second)})
	}
	for client := range 20 {
		if _, refusal := ask(client); refusal == nil {
			t.Fatal("the rung lets everybody in")
		}
	}
	a.Brown(Normal, "a test")
	for client := range 20 {
		permit, refusal := ask(client)
		if refusal != nil {
			t.Fatalf("client %d is refused: %+v", client, refusal)
		}
		permit.Done(Outcome{DB: time.Millisecond, Statements: 1})
	}
	for range 300 {
		now = now.Add(10 * time.Millisecond)
		if c := a.Snapshot().Classes[Interactive]; c.Absorb < 0 || c.Promised < 0 {
			t.Fatalf("%v are promised, and all is absorbed in %v", c.Promised, c.Absorb)
		}
	}
}
