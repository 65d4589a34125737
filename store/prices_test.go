package store_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func same(lessons []store.Lesson) []store.Lesson { return lessons }

func TestPricesAreVersioned(t *testing.T) {
	db := storetest.Open(t)
	if _, ok, err := db.Prices(t.Context()); ok || err != nil {
		t.Errorf("a fresh database has a price table: %t, %v", ok, err)
	}
	first := store.PriceVersion{Version: 1, Author: "Ann", Reason: "measured", Prices: map[string]float64{"call": 0.2}}
	if err := db.PublishPrices(t.Context(), first, same); err != nil {
		t.Fatal(err)
	}
	late := store.PriceVersion{Version: 1, Author: "Ben", Reason: "measured too", Prices: map[string]float64{"call": 0.9}}
	if err := db.PublishPrices(t.Context(), late, same); !errors.Is(err, store.ErrPricesMoved) {
		t.Errorf("the second table of version 1: %v, want %v", err, store.ErrPricesMoved)
	}
	unsigned := store.PriceVersion{Version: 2, Author: "Ann", Prices: map[string]float64{"call": 0.2}}
	if err := db.PublishPrices(t.Context(), unsigned, same); err == nil {
		t.Error("a table without a reason was published")
	}
	got, ok, err := db.Prices(t.Context())
	if !ok || err != nil || got.Version != 1 || got.Author != "Ann" || got.Reason != "measured" || got.Prices["call"] != 0.2 || time.Since(got.PublishedAt) > time.Hour {
		t.Errorf("%+v, %v, want the first", got, err)
	}
}

// Servers that share at once do not lose what another has learned.
func TestLearnedWorkIsSharedOneAtATime(t *testing.T) {
	db := storetest.Open(t)
	var servers sync.WaitGroup
	for range 8 {
		servers.Go(func() {
			for range 5 {
				err := db.ShareWork(t.Context(), func(saved []store.Lesson) []store.Lesson {
					if len(saved) == 0 {
						return []store.Lesson{{Statement: "a", Octave: 3, Weight: 1, Points: 10, Took: 9}}
					}
					saved[0].Weight++
					return saved
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	servers.Wait()
	var got []store.Lesson
	if err := db.ShareWork(t.Context(), func(saved []store.Lesson) []store.Lesson { got = saved; return saved }); err != nil {
		t.Fatal(err)
	}
	if want := []store.Lesson{{Statement: "a", Octave: 3, Weight: 40, Points: 10, Took: 9}}; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestPublishingRewritesWhatWasLearned(t *testing.T) {
	db := storetest.Open(t)
	before := []store.Lesson{{Statement: "a", Octave: 3, Weight: 20, Points: 15, Took: 9, Base: 8}}
	if err := db.ShareWork(t.Context(), func([]store.Lesson) []store.Lesson { return before }); err != nil {
		t.Fatal(err)
	}
	after := []store.Lesson{{Statement: "a", Octave: 4, Weight: 20, Points: 18, Took: 9, Base: 9}}
	v := store.PriceVersion{Version: 1, Author: "Ann", Reason: "slower than it was", Prices: map[string]float64{"a": 1.2}}
	err := db.PublishPrices(t.Context(), v, func(saved []store.Lesson) []store.Lesson {
		if !slices.Equal(saved, before) {
			t.Errorf("repriced %+v, want %+v", saved, before)
		}
		return after
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.ShareWork(t.Context(), func(saved []store.Lesson) []store.Lesson {
		if !slices.Equal(saved, after) {
			t.Errorf("%+v, want %+v and nothing in the old octave", saved, after)
		}
		return saved
	}); err != nil {
		t.Fatal(err)
	}
}

// What one server has counted, all use, and an import has it counted again.
func TestCountsAreShared(t *testing.T) {
	db, v, conn := newDatabase(t)
	add := func() {
		mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency, description)
			VALUES ($1, gen_random_uuid(), $2, '2026-03-02T09:00Z', '2026-03-02T10:00Z', '2026-03-02', true, 'EUR', 'Review')`, v.Workspace.ID, v.User)
	}
	entries := func(after time.Time) (int, time.Time) {
		t.Helper()
		c, at, err := db.SharedCounts(t.Context(), v.Workspace.ID, after)
		if err != nil {
			t.Fatal(err)
		}
		return int(c.ByUser[v.User].Between(timesheet.Period{From: timesheet.NewDate(2026, 3, 1), To: timesheet.NewDate(2026, 3, 31)}, c.AsOf, c.AsOf)), at
	}
	add()
	yesterday := time.Now().Add(-24 * time.Hour)
	first, at := entries(yesterday)
	add()
	second, again := entries(yesterday)
	if first != 1 || second != 1 || !again.Equal(at) {
		t.Errorf("%d entries counted at %v, then %d at %v: want what was counted first", first, at, second, again)
	}
	if third, later := entries(at); third != 2 || !later.After(at) {
		t.Errorf("%d entries counted at %v, want 2 after %v", third, later, at)
	}
}
