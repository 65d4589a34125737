package server

import (
	"context"
	"net/http"
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// The first price that a server tells follows what workspaces hold: of those that
// servers have counted, and of the largest where none was counted yet.
func TestTheFirstPriceFollowsStatistics(t *testing.T) {
	db := storetest.Open(t)
	first := rigOn(t, db, nil)
	first.ask(`mutation { createTimeEntry(input: {startedAt: "2026-03-02T09:00:00Z", endedAt: "2026-03-02T10:00:00Z"}) { timeEntry { id } userErrors { message } } }`, nil)
	small, err := db.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Bolt", TimeZone: "UTC", WeekStart: time.Monday, Currency: "EUR", Owner: store.Person{Name: "Ben", Email: "ben@bolt.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	known := func(v timesheet.Viewer) bool {
		r := *first
		if r.server, err = New(Config{Store: db, Secret: []byte("a secret of the tests"), Log: first.server.log, Statistics: true, Nightly: -1}); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		ended, public := make(chan error, 1), listen(t)
		go func() { ended <- r.server.Serve(ctx, public, listen(t), 0, time.Second) }()
		defer func() {
			end()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}()
		if resp, err := http.Get("http://" + public.Addr().String() + "/readyz"); err != nil {
			t.Fatal(err)
		} else if resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d", resp.StatusCode)
		}
		return r.server.estimatorFor(v) != nil
	}
	if !known(first.owner) {
		t.Error("the first price for the largest workspace is the schema's")
	}
	if _, _, err := db.SharedCounts(t.Context(), small.Workspace.ID, time.Now().Add(-time.Hour)); err != nil { // another server needs it
		t.Fatal(err)
	}
	if !known(small) {
		t.Error("the first price for a workspace that was counted is the schema's")
	}
}
