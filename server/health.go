package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// health watches the database, so that a server whose database hangs answers
// at once instead of letting everybody wait for their deadline.
type health struct {
	ping     func(context.Context) error
	changed  func(away bool)
	log      *slog.Logger
	gone     atomic.Bool
	answered atomic.Uint64 // operations that the database had a part in
	draining atomic.Bool
}

const (
	pingEvery = 500 * time.Millisecond
	pingWait  = time.Second
)

// watch pings until ctx ends.
func (h *health) watch(ctx context.Context) {
	every(ctx, pingEvery, nil, h.look)
}

func (h *health) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pingWait)
	defer cancel()
	before := h.answered.Load()
	err := h.pinged(ctx)
	if err != nil && !h.away() && h.answered.Load() != before {
		return // it answers others: in a crowd a ping waits like everybody
	}
	if away := err != nil; away != h.away() {
		h.changed(away)
	}
	was := h.gone.Swap(err != nil)
	switch {
	case err != nil && !was:
		h.log.Error("the database is away", "error", err)
	case err == nil && was:
		h.log.Info("the database is back")
	}
}

// pinged is ping that returns when ctx ends: to end a statement takes longer where
// nobody answers.
func (h *health) pinged(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() { answer <- h.ping(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// away tells whether the database did not answer the last time.
func (h *health) away() bool { return h.gone.Load() }

// unavailable is the answer while the database is away.
func (s *Server) unavailable() *fault {
	return refuse(codeUnavailable, "the database is away").retry(jitter(2 * time.Second))
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // a prober that left needs no answer
}

// livez says that the process is up.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") }

// readyz says that the server is able to answer, refusals included. A database
// that is away must not take a replica out: a balancer's own 503 has no JSON
// body, and every replica would go at once.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.health.draining.Load() {
		plain(w, http.StatusServiceUnavailable, "draining")
		return
	}
	plain(w, http.StatusOK, "ok")
}

// healthz shows operators what readyz hides.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	status := http.StatusOK
	state := map[string]any{"database": "ok", "draining": s.health.draining.Load(), "pools": s.store.Stats()}
	if s.health.away() {
		status, state["database"] = http.StatusServiceUnavailable, "away"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(state); err != nil {
		s.log.Debug("write health", "error", err)
	}
}

// tidyEvery is how often expired rows are deleted.
const tidyEvery = time.Hour

// tidy deletes what has expired, until ctx ends.
func (s *Server) tidy(ctx context.Context) {
	every(ctx, tidyEvery, nil, func(ctx context.Context) {
		if n, err := s.store.ForgetKeys(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("delete expired idempotency keys", "error", err)
		} else if n > 0 {
			s.log.Info("deleted expired idempotency keys", "rows", n)
		}
	})
}
