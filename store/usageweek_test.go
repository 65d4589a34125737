package store_test

import (
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func TestUsageFoldsMinutesOfAllReplicasIntoWeeks(t *testing.T) {
	db := storetest.Open(t)
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	add := func(at time.Time, operations map[timesheet.WorkspaceID]int64) {
		t.Helper()
		demand := map[timesheet.WorkspaceID]store.Demand{}
		for w, n := range operations {
			demand[w] = store.Demand{Operations: n, Work: time.Duration(n) * 3 * time.Millisecond}
		}
		if err := db.AddUsage(t.Context(), at, demand); err != nil {
			t.Fatal(err)
		}
	}
	add(monday.Add(9*time.Hour+17*time.Second), map[timesheet.WorkspaceID]int64{1: 30, 2: 5})
	add(monday.Add(9*time.Hour), map[timesheet.WorkspaceID]int64{1: 20}) // another replica
	add(monday.Add(10*time.Hour), map[timesheet.WorkspaceID]int64{1: 10, 2: 48})
	add(monday.AddDate(0, 0, 7), map[timesheet.WorkspaceID]int64{2: 7})
	add(time.Now(), map[timesheet.WorkspaceID]int64{1: 1000}) // not over yet
	for range 2 {                                             // the second finds nothing to add
		if err := db.FoldUsage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.UsageWeeks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []store.UsageWeek{
		{Week: monday, Workspace: 0, PeakMinute: 58},
		{Week: monday, Workspace: 1, PeakMinute: 50},
		{Week: monday, Workspace: 2, PeakMinute: 48},
		{Week: monday.AddDate(0, 0, 7), Workspace: 0, PeakMinute: 7},
		{Week: monday.AddDate(0, 0, 7), Workspace: 2, PeakMinute: 7},
	}
	if len(got) != len(want) {
		t.Fatalf("weeks %+v, want %+v", got, want)
	}
	for i := range want {
		if !got[i].Week.Equal(want[i].Week) || got[i].Workspace != want[i].Workspace || got[i].PeakMinute != want[i].PeakMinute {
			t.Errorf("week %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	works, err := db.PeakWorks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The weeks of the fixture are long past; this one's minute is not folded yet.
	if len(works) != 1 || works[0].Work != 3*time.Second {
		t.Errorf("the work of the busiest minutes is %+v, want 3 s in this week", works)
	}
}
