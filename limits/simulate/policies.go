package simulate

import (
	"context"

	"headroom/limits"
)

// Without is the adaptive gate without a part.
func Without(name string, part limits.Part) Policy {
	return adaptive("without "+name, true, func(_ *server, c *limits.AdaptiveConfig) { c.Without = part })
}

// Ablations are the adaptive gate, each time without one of its parts.
func Ablations() []Policy {
	return []Policy{
		Adaptive(),
		Without("few seats in a crowd", limits.NarrowSeats),
		Without("all seats where others use the database", limits.WideWhereShared),
		Without("newest first", limits.NewestFirst),
		Without("who has most waiting yields", limits.MostYields),
		Without("a ladder of its own for whose crowd it is", limits.OwnLadder),
		Without("care for deadlines", limits.CareForDeadlines),
		Without("small reports first", limits.SmallFirst),
		Without("the pause after a slot", limits.PauseAfterSlot),
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
