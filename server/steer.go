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
	for _, o := range given.of(orderMode, now) {
		mode, why = o.Subject, o.Reason
	}
	if mode != s.orders.mode {
		s.setMode(mode, why)
		s.orders.mode = mode
	}
	rung, because := limits.Normal, ""
	for _, o := range given.of(orderBrownout, now) {
		if step, err := limits.ParseStep(o.Subject); err == nil && mode != modeOpen { // an open gate refuses nobody
			rung, because = step, o.Reason
		}
	}
	if rung != s.orders.rung {
		s.adaptive.Brown(rung, because)
		s.orders.rung = rung
	}
	s.setSeats(given, now)
}

// setSeats sets the seats that orders ask for. Their numbers were checked where they
// were given, by a server whose pools may be larger.
func (s *Server) setSeats(given *inForce, now time.Time) {
	var wanted limits.Seats
	for _, o := range given.of(orderSlots, now) {
		wanted[limits.Report], _ = strconv.Atoi(o.Subject)
	}
	for _, o := range given.of(orderSeats, now) {
		if class, err := limits.ParseClass(o.Subject); err == nil {
			wanted[class], _ = strconv.Atoi(o.Label)
		}
	}
	for i, n := range wanted {
		class := limits.Class(i)
		if n = min(n, s.mostSeats(class)); n != s.orders.seats[class] {
			s.adaptive.SetSeats(class, n)
			s.orders.seats[class] = n
		}
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

// mostSeats are the connections that a class has.
func (s *Server) mostSeats(class limits.Class) int {
	most := 0
	for _, p := range s.store.Stats() {
		if p.Class == class.String() {
			most = p.Max
		}
	}
	return most
}

// reportSlots is how many reports may run at once.
func (s *Server) reportSlots() int { return s.snapshot().Classes[limits.Report].Seats }
