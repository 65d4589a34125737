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

// Where the server takes the database's cores too, its own processor time is shared
// among those who asked in the same minute, and what it did while nobody asked is no
// part of a busy minute.
func TestOwnTimeIsShared(t *testing.T) {
	var own time.Duration
	d := demand{own: func() time.Duration { return own }}
	at := time.Unix(0, 0)
	own = 5 * time.Second // to start
	d.asked(7, 100, at)
	for range 3 {
		d.asked(8, 0, at.Add(time.Second))
	}
	own += 4 * time.Second
	over := d.take(at.Add(time.Minute), false)
	own += time.Hour // a nightly check
	d.take(at.Add(5*time.Minute), false)
	d.asked(7, 100, at.Add(5*time.Minute))
	own += time.Second
	over = append(over, d.take(at.Add(5*time.Minute), true)...)
	if len(over) != 2 {
		t.Fatalf("%d minutes, want two in which something was asked", len(over))
	}
	if seven, eight := over[0].counts[7].Work, over[0].counts[8].Work; seven != 1100*time.Millisecond || eight != 3*time.Second {
		t.Errorf("the first minute took %v and %v, want a quarter and three quarters of 4 s beside 0.1 s of points", seven, eight)
	}
	if late := over[1].counts[7].Work; late != 1100*time.Millisecond {
		t.Errorf("the second minute took %v, want 1.1 s and not the hour before it", late)
	}
	if load := d.load(); load != 200*time.Millisecond+own {
		t.Errorf("%v were taken since the start, want %v", load, 200*time.Millisecond+own)
	}
}
