package server

import (
	"strconv"
	"time"

	"headroom/limits"
)

// modeOpen is the gate's mode in which it counts and refuses nobody.
const modeOpen = "open"

// configuredGate is the gate's mode without an order of the operators.
func configuredGate(c Config, m Mode) string {
	switch {
	case m == Off:
		return string(Off)
	case m == Measure:
		return modeOpen
	case c.Gate == Adaptive:
		return string(Adaptive)
	}
	return string(Fixed)
}

// deciding is the gate as it is steered at the moment.
func (s *Server) deciding() limits.Gate {
	if s.open.Load() {
		return limits.Measure(s.static)
	}
	return s.gate
}

// gateName is the mode in force.
func (s *Server) gateName() string {
	switch {
	case s.adaptive == nil:
		return s.configured
	case s.open.Load():
		return modeOpen
	case s.adaptive.Snapshot().Adaptive.Fixed:
		return string(Fixed)
	}
	return string(Adaptive)
}

// steer has the gate follow the orders about its mode and its report slots.
func (s *Server) steer(now time.Time) {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	s.steerLocked(now)
}

func (s *Server) steerLocked(now time.Time) {
	if s.adaptive == nil {
		return
	}
	given := s.orders.now.Load()
	mode, why := s.configured, "as configured"
	if o := given.one(orderMode, now); o != nil {
		mode, why = o.Subject, o.Reason
	}
	if mode != s.orders.mode {
		s.setMode(mode, why)
		s.orders.mode = mode
	}
	slots := 0
	if o := given.one(orderSlots, now); o != nil {
		slots, _ = strconv.Atoi(o.Subject) // checked where it was given
		slots = min(slots, s.mostReports())
	}
	if slots != s.orders.slots {
		s.adaptive.SetSeats(limits.Report, slots)
		s.orders.slots = slots
	}
}

func (s *Server) setMode(mode, why string) {
	switch GateKind(mode) {
	case Adaptive:
		s.adaptive.Follow(why)
	case modeOpen, Fixed:
		s.adaptive.Fix(why)
	}
	s.open.Store(mode == modeOpen)
	if mode == modeOpen {
		s.adaptive.LetIn()
	}
}

// mostReports are the connections that reports have.
func (s *Server) mostReports() int {
	most := 0
	for _, p := range s.store.Stats() {
		if p.Class == limits.Report.String() {
			most = p.Max
		}
	}
	return most
}

// reportSlots is how many reports may run at once.
func (s *Server) reportSlots() int { return s.snapshot().Classes[limits.Report].Seats }
