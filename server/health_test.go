package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
)

// A ping that waits too long means that the database is away, unless it answers
// others meanwhile: then it is only busy.
func TestBusyIsNotAway(t *testing.T) {
	late := errors.New("too late")
	var h *health
	answering := true
	renewed := 0
	h = &health{log: slog.New(slog.NewTextHandler(io.Discard, nil)), renew: func() { renewed++ }, ping: func(context.Context) error {
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
	if h.look(t.Context()); h.away() || renewed != 1 {
		t.Errorf("after a ping: away %t, connections renewed %d times, want them renewed once", h.away(), renewed)
	}
}
