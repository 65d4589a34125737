package loadtest

import (
	"context"
	"time"
)

// pacer lets vegeta send arrival k when it is due. It waits inside Pace and
// always answers 0, because a wait handed back to vegeta ends in time.Sleep,
// which overshoots and cannot be cancelled.
type pacer struct {
	ctx      context.Context // the run's; Pace takes none
	start    time.Time
	arrivals []arrival
	sleeper  *Sleeper
}

// Pace blocks until the arrival after hits others is due; stop is true when
// there is none or the run was cancelled.
func (p *pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	if hits >= uint64(len(p.arrivals)) || p.ctx.Err() != nil {
		return 0, true
	}
	return 0, !p.sleeper.Until(p.start.Add(p.arrivals[hits].due))
}

// Rate is part of vegeta's interface and only informs; 0 says unknown.
func (p *pacer) Rate(time.Duration) float64 { return 0 }
