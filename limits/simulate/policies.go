package simulate

import (
	"context"

	"headroom/limits"
)

// Ablations are the adaptive gate, each time without one of its parts.
func Ablations() []Policy {
	without := func(name string, part limits.Part) Policy {
		return adaptive("without "+name, true, func(_ *server, c *limits.AdaptiveConfig) { c.Without = part })
	}
	return []Policy{
		Adaptive(),
		without("few seats in a crowd", limits.NarrowSeats),
		without("newest first", limits.NewestFirst),
		without("care for deadlines", limits.CareForDeadlines),
		without("small reports first", limits.SmallFirst),
		without("the pause after a slot", limits.PauseAfterSlot),
		adaptive("without slots of the database", true, func(srv *server, c *limits.AdaptiveConfig) {
			c.Slots = &ownSlots{share: max(1, srv.world.Processes)}
		}),
		adaptive("without demotion", false, nil),
	}
}

// ownSlots are a fixed share of the database's for one process, at least one.
type ownSlots struct{ share, taken int }

func (o *ownSlots) Take(_ context.Context, _ limits.Class, n int) limits.Slot {
	if o.taken >= max(1, n/o.share) {
		return nil
	}
	o.taken++
	return o
}

func (o *ownSlots) Release() { o.taken-- }
