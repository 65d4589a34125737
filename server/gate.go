package server

import (
	"context"
	"fmt"
	"time"

	"headroom/limits"
	"headroom/store"
)

// GateKind says which gate decides when operations start.
type GateKind string

// Fixed has the same seats at all times and for this process alone; Adaptive
// shares the database's with the other processes.
const (
	Fixed    GateKind = "static"
	Adaptive GateKind = "adaptive"
)

func (s *Server) openGate(c Config) (err error) {
	if s.userBudget, err = limits.NewBudget(c.User); err != nil {
		return fmt.Errorf("budget of a person: %w", err)
	}
	if s.workspaceBudget, err = limits.NewBudget(c.Tenant); err != nil {
		return fmt.Errorf("budget of a workspace: %w", err)
	}
	if err := checkPools(c); err != nil {
		return err
	}
	if s.configured = configuredGate(c, s.mode.of(RuleGate)); s.configured == string(Off) || c.Another != nil {
		if s.static, err = limits.NewStatic(limits.StaticConfig{Seats: limits.SeatsFor(c.Cores)}); err != nil {
			return fmt.Errorf("seats: %w", err)
		}
		if s.gate = c.Another; s.gate == nil {
			s.gate = limits.Unlimited{}
		}
		return nil
	}
	s.adaptive, err = limits.NewAdaptive(limits.AdaptiveConfig{Cores: c.Cores, Slots: slots{c.Store}, Cautious: cautious})
	if err != nil {
		return fmt.Errorf("gate: %w", err)
	}
	s.static, s.gate = &s.adaptive.Static, s.adaptive
	s.orders.mode = string(Adaptive) // a new gate follows
	s.steer(s.now())
	return nil
}

// cautious is how long a server that has started runs one report at a time.
const cautious = 30 * time.Second

// checkPools refuses pools in which operations that hold a seat would have to wait.
func checkPools(c Config) error {
	if c.Mode == Off {
		return nil
	}
	seats := limits.SeatsFor(c.Cores)
	for _, p := range c.Store.Stats() {
		class, err := limits.ParseClass(p.Class)
		if err != nil {
			continue // a pool of no class of the gate
		}
		if p.Max < seats[class] {
			return fmt.Errorf("the pool of class %s has %d connections for %d seats: give it %d, or lower the cores", class, p.Max, seats[class], seats[class]+2)
		}
	}
	return nil
}

// slots are the database's, for the gate.
type slots struct{ store *store.Store }

// slotWait bounds one try: the gate has more to do than to wait for a database.
const slotWait = 500 * time.Millisecond

// Take implements limits.Slots. What keeps the database from answering is seen
// and told by the server's health.
func (s slots) Take(ctx context.Context, class limits.Class, n int) limits.Slot {
	ctx, cancel := context.WithTimeout(ctx, slotWait)
	defer cancel()
	slot, err := s.store.TakeSlot(ctx, serviceClass[class], n)
	if err != nil || slot == nil {
		return nil
	}
	return slot
}

const beatEvery = time.Second

// tend runs the adaptive gate until ctx ends, and tells it each second what the
// servers on the database know of each other. Without an answer it keeps to the
// last it had.
func (s *Server) tend(ctx context.Context) {
	if s.adaptive == nil {
		return
	}
	go s.adaptive.Run(ctx)
	every(ctx, beatEvery, nil, s.beat)
}

func (s *Server) beat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	n, err := s.store.Beat(ctx, s.snapshot().Classes[limits.Report].Queued > 0)
	if err != nil {
		s.log.Debug("no news of other servers", "error", err)
		return
	}
	s.adaptive.Beat(limits.Beat{
		Processes: 1 + n.Others, Waiting: n.Waiting, RoundTrip: n.RoundTrip, Demoted: s.store.Demotion().Demoted(),
	})
}
