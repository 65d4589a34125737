package server

import (
	"encoding/json"
	"net/http"

	"headroom/graph"
)

// schema serves the SDL with its prices.
func (s *Server) schema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/graphql; charset=utf-8")
	_, _ = w.Write([]byte(graph.SDL())) // a client that left needs no answer
}

// debugLimits shows the gate at this moment.
func (s *Server) debugLimits(w http.ResponseWriter, _ *http.Request) {
	type class struct {
		Class               string `json:"class"`
		Seats, Busy, Queued int
		Admitted            uint64
		WaitedMs            float64
		Refused             map[string]uint64
		WouldRefuse         map[string]uint64
	}
	view := struct {
		Mode     Mode    `json:"mode"`
		Measured []Rule  `json:"measured,omitempty"`
		Classes  []class `json:"classes"`
	}{Mode: s.mode.Mode, Measured: s.mode.measured}
	for _, c := range s.snapshot().Classes {
		row := class{Class: c.Class.String(), Seats: c.Seats, Busy: c.Busy, Queued: c.Queued, Admitted: c.Admitted, WaitedMs: float64(c.Waited.Microseconds()) / 1000, Refused: map[string]uint64{}, WouldRefuse: map[string]uint64{}}
		for reason, n := range c.Refused {
			row.Refused[reason.String()] = n
		}
		for reason, n := range c.WouldRefuse {
			row.WouldRefuse[reason.String()] = n
		}
		view.Classes = append(view.Classes, row)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(view); err != nil {
		s.log.Debug("write limits", "error", err)
	}
}
