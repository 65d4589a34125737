package server

import (
	"testing"
	"time"

	"headroom/timesheet"
)

func TestUsageCountsWhatWasAsked(t *testing.T) {
	now := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
	r := newRig(t, func(c *Config) { c.Now = func() time.Time { return now } })
	for range 3 {
		r.ask(`{ viewer { role } }`, nil)
	}
	r.must(call{query: `{ projects { nodes { id } } }`, token: r.token}) // refused, but asked for
	r.must(call{query: `{ __typename }`})                                // a stranger's
	now = now.Add(time.Minute)
	r.ask(`{ viewer { role } }`, nil)
	r.server.writeUsage(t.Context(), true)
	r.server.writeUsage(t.Context(), true) // there is nothing left
	if err := r.store.FoldUsage(t.Context()); err != nil {
		t.Fatal(err)
	}
	weeks, err := r.store.UsageWeeks(t.Context())
	if err != nil || len(weeks) != 2 || weeks[0].PeakMinute != 4 || weeks[1].Workspace != r.owner.Workspace.ID {
		t.Errorf("%+v, %v, want 4 operations of one tenant in the busiest minute", weeks, err)
	}
}

// What cannot be written waits, and not without bound.
func TestUsageWaitsForTheDatabase(t *testing.T) {
	var d demand
	at := time.Unix(0, 0)
	for range mostMinutes + 10 {
		d.asked(timesheet.WorkspaceID(7), 1, at)
		at = at.Add(time.Minute)
	}
	over := d.take(at, false)
	if len(over) != mostMinutes {
		t.Fatalf("%d minutes, want %d", len(over), mostMinutes)
	}
	d.asked(7, 1, at)
	d.putBack(over[5:])
	if again := d.take(at, true); len(again) != mostMinutes-4 || !again[0].at.Equal(over[5].at) || again[len(again)-1].counts[7].Operations != 1 {
		t.Errorf("%d minutes from %v", len(again), again[0].at)
	}
}
