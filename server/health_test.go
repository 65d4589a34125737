package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A ping that waits too long means that the database is away, unless it answers
// others meanwhile: then it is only busy.
func TestBusyIsNotAway(t *testing.T) {
	late := errors.New("too late")
	var h *health
	answering := true
	var told []bool
	h = &health{log: slog.New(slog.NewTextHandler(io.Discard, nil)), changed: func(away bool) { told = append(told, away) }, ping: func(context.Context) error {
		if answering {
			h.answered.Add(1)
		}
		return late
	}}
	if h.look(t.Context()); h.away() {
		t.Error("a database that answers others is away")
	}
	answering = false
	if h.look(t.Context()); !h.away() {
		t.Error("a database that answers nobody is not away")
	}
	h.ping = func(context.Context) error { return nil }
	h.look(t.Context())
	if h.look(t.Context()); h.away() || !slices.Equal(told, []bool{true, false}) {
		t.Errorf("after two pings: away %t, the store was told %v, want that of each change once", h.away(), told)
	}
}

// A ping that does not return when its time is over is not waited for.
func TestDeafDatabaseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		h := &health{log: slog.New(slog.DiscardHandler), changed: func(bool) {}, ping: func(context.Context) error { <-ended; return nil }}
		began := time.Now()
		h.look(t.Context())
		if took := time.Since(began); !h.away() || took != pingWait {
			t.Errorf("after %v the database is away: %t", took, h.away())
		}
		close(ended)
	})
}
