package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// recorder holds the one capture there may be. Requests look at recording
// alone, which is nil nearly always.
type recorder struct {
	recording atomic.Pointer[capture]

	mu   sync.Mutex
	held *capture // until somebody has fetched it
}

// observe counts an answered request for its tenant, and offers it to a
// capture, if there is one. Requests whose document was not understood have
// nothing that could be sent again.
func (s *Server) observe(r *request, status int, decision string) {
	s.demand.asked(r.viewer.Workspace.ID, r.actual, s.now())
	c := s.recorder.recording.Load()
	if c == nil || r.doc == nil {
		return
	}
	c.offer(captured{
		doc: r.doc, vars: r.vars, viewer: r.viewer, class: r.className(), points: r.price.Expected,
		arrived: r.arrived, took: time.Since(r.arrived), status: status, decision: decision,
	})
}

// Bounds of what may be asked for.
const (
	captureMinutes    = 10
	captureMaxMinutes = 120
	captureMB         = 100
	captureMaxMB      = 1024
)

// startCapture is POST /debug/capture.
func (s *Server) startCapture(w http.ResponseWriter, r *http.Request) {
	minutes, err := captureBound(r, "minutes", captureMinutes, captureMaxMinutes)
	if err == nil {
		var mb int
		if mb, err = captureBound(r, "max_mb", captureMB, captureMaxMB); err == nil {
			s.beginCapture(context.WithoutCancel(r.Context()), w, time.Duration(minutes)*time.Minute, int64(mb)<<20)
			return
		}
	}
	plain(w, http.StatusBadRequest, err.Error())
}

func (s *Server) beginCapture(ctx context.Context, w http.ResponseWriter, length time.Duration, maxBytes int64) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	if s.recorder.held != nil {
		plain(w, http.StatusConflict, "there is a capture already: fetch it with DELETE /debug/capture")
		return
	}
	c, err := newCapture(redactor{schema: s.documents.schema}, s.log, time.Now(), length, maxBytes)
	if err != nil {
		s.log.Error("start a capture", "error", err)
		plain(w, http.StatusInternalServerError, "the capture cannot be started: "+err.Error())
		return
	}
	s.recorder.held = c
	s.recorder.recording.Store(c)
	go func() {
		c.record(ctx)
		s.recorder.recording.CompareAndSwap(c, nil)
		s.log.Info("the capture has ended", "rows", c.rows.Load(), "dropped", c.dropped.Load(), "bytes", c.bytes.Load())
	}()
	s.log.Info("capturing requests", "until", c.until, "max_bytes", maxBytes)
	s.showCapture(w, http.StatusAccepted, c)
}

// captureStatus is GET /debug/capture.
func (s *Server) captureStatus(w http.ResponseWriter, _ *http.Request) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	if s.recorder.held == nil {
		plain(w, http.StatusNotFound, "there is no capture: start one with POST /debug/capture")
		return
	}
	s.showCapture(w, http.StatusOK, s.recorder.held)
}

func (s *Server) showCapture(w http.ResponseWriter, status int, c *capture) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(c.status()); err != nil {
		s.log.Debug("write the state of a capture", "error", err)
	}
}

// endCapture is DELETE /debug/capture: it ends the recording and hands it over.
// A transfer that broke off can be asked for again.
func (s *Server) endCapture(w http.ResponseWriter, r *http.Request) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	c := s.recorder.held
	if c == nil {
		plain(w, http.StatusNotFound, "there is no capture: start one with POST /debug/capture")
		return
	}
	s.recorder.recording.CompareAndSwap(c, nil)
	c.stop()
	select {
	case <-c.ended:
	case <-r.Context().Done():
		return
	}
	if c.err != nil {
		plain(w, http.StatusInternalServerError, "the capture could not be written: "+c.err.Error())
	} else {
		w.Header().Set("Content-Type", "application/gzip")
		w.Header().Set("Content-Disposition", `attachment; filename="capture.ndjson.gz"`)
		if err := c.send(w); err != nil {
			s.log.Warn("hand over the capture", "error", err)
			return
		}
	}
	s.recorder.held = nil
	if err := c.file.Close(); err != nil {
		s.log.Warn("close the capture", "error", err)
	}
}

// captureBound reads a whole number of the address.
func captureBound(r *http.Request, name string, usual, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%s=%q is no whole number between 1 and %d", name, text, most)
	}
	return n, nil
}
