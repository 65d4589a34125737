package store_test

import (
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
)

func TestGateOrders(t *testing.T) {
	dsn := storetest.New(t)
	open := func() *store.Store {
		db, err := store.Open(t.Context(), store.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		return db
	}
	db, other := open(), open()
	heard := make(chan struct{}, 100)
	other.HearOrders(func() { heard <- struct{}{} })
	give := func(kind, subject string, lasting time.Duration) store.GateOrder {
		t.Helper()
		o, err := db.GiveOrder(t.Context(), store.GateOrder{Kind: kind, Subject: subject, Reason: "it is flooding", By: "ann@desk"}, lasting)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	subjects := func() (out []string) {
		t.Helper()
		found, err := other.OpenOrders(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range found {
			out = append(out, o.Kind+" "+o.Subject)
		}
		return out
	}
	expect := func(want ...string) {
		t.Helper()
		got := subjects()
		if len(got) != len(want) {
			t.Fatalf("in force are %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("in force are %q, want %q", got, want)
			}
		}
	}
	// Another server hears of an order. Its listener may still be connecting, so
	// orders are given until one is heard.
	for heardOne := false; !heardOne; {
		give("operation", "Year", time.Hour)
		select {
		case <-heard:
			heardOne = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	first := give("operation", "Year", time.Hour)
	if first.ID == 0 || first.Reason != "it is flooding" || first.By != "ann@desk" || first.Left < 59*time.Minute || first.Left > time.Hour {
		t.Errorf("given %+v", first)
	}
	give("client", "mobile@3.1.0", time.Hour)
	give("mode", "static", time.Hour)
	give("mode", "open", time.Hour) // one mode at a time
	expect("operation Year", "client mobile@3.1.0", "mode open")
	killed := give("kill", "a request", time.Hour)
	for _, server := range []*store.Store{db, other} {
		if err := server.NoteOrder(t.Context(), killed.ID, "ended it"); err != nil {
			t.Error(err)
		}
	}
	if o, err := db.ReadOrder(t.Context(), killed.ID); err != nil || o.Label != "ended it; ended it" || o.Subject != "a request" {
		t.Errorf("the order that two servers have done something about: %+v, %v", o, err)
	}
	if _, err := db.EndOrder(t.Context(), killed); err != nil {
		t.Error(err)
	}
	for _, kind := range []string{"token", "seats", "brownout"} { // each is taken
		o := give(kind, "x", time.Hour)
		if _, err := db.EndOrder(t.Context(), o); err != nil {
			t.Error(err)
		}
	}
	give("tenant", "7", time.Millisecond) // ends by itself
	for len(subjects()) > 3 {
		if t.Context().Err() != nil {
			t.Fatal("the order does not end")
		}
	}
	n, err := db.EndOrder(t.Context(), store.GateOrder{Kind: "operation", Subject: "Year", Reason: "the client is mended", By: "bob@desk"})
	if err != nil || n != 1 {
		t.Fatalf("%d orders ended, %v", n, err)
	}
	expect("client mobile@3.1.0", "mode open")
	last, err := other.LastOrders(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range last {
		switch {
		case o.ID == first.ID && (o.EndedAt == nil || o.EndedBy != "bob@desk" || o.EndedCause != "the client is mended"):
			t.Errorf("the order that was ended is kept as %+v", o)
		case o.Kind == "mode" && o.Subject == "static" && o.EndedCause != "replaced":
			t.Errorf("the order that was replaced is kept as %+v", o)
		case o.Kind == "tenant" && (o.EndedAt != nil || o.Left > 0):
			t.Errorf("the order that expired is kept as %+v", o)
		}
	}
	if n, err = db.EndOrder(t.Context(), store.GateOrder{Kind: "operation", Subject: "Year", Reason: "again", By: "bob@desk"}); err != nil || n != 0 {
		t.Errorf("%d orders ended twice, %v", n, err)
	}
}
