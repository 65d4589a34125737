package server

import (
	"context"
	"fmt"
	"time"

	"headroom/limits"
)

// second is what happened in one second, and how the gate stood at its end.
type second struct {
	at       int64 // Unix
	classes  [4]classSecond
	slowdown float64
	crowded  bool
}

type classSecond struct {
	ran, refused        int
	work                float64 // points taken
	seats, busy, queued int
	absorb              time.Duration
}

func (s *second) count(class limits.Class, o spent) {
	c := &s.classes[class]
	c.ran += int(o.ran)
	c.refused += int(o.refused)
	c.work += o.work
}

// look closes a second.
func (l *lookout) look(now time.Time, s limits.Snapshot, slowdown float64, away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	cur := &l.current
	cur.at, cur.slowdown = now.Unix(), slowdown
	for i, c := range s.Classes {
		k := &cur.classes[i]
		k.seats, k.busy, k.queued, k.absorb = c.Seats, c.Busy, c.Queued, c.Absorb
	}
	cur.crowded = s.Adaptive != nil && s.Adaptive.Crowded
	l.seconds[l.sampled%keptSeconds] = *cur
	l.sampled++
	*cur = second{}
	l.compareLocked(now, s, away)
}

// compareLocked makes decisions of what changed in the gate since the last look.
func (l *lookout) compareLocked(now time.Time, s limits.Snapshot, away bool) {
	tell := func(class limits.Class, reason, format string, args ...any) {
		l.changes.add(decision{at: now, verdict: verdictGate, class: class, reason: reason, text: fmt.Sprintf(format, args...)})
	}
	if away != l.absent {
		l.absent = away
		tell(limits.Interactive, "database", "%s", map[bool]string{true: "the database is away", false: "the database is back"}[away])
	}
	first := l.before.Classes[limits.Control].Seats == 0
	was, is := l.before.Adaptive, s.Adaptive
	if !first && was != nil && is != nil {
		if was.Processes != is.Processes {
			tell(limits.Interactive, "servers", "servers on the database: %d, before %d", is.Processes, was.Processes)
		}
		if was.Rung != is.Rung || was.Whose != is.Whose {
			tell(limits.Interactive, "brownout", "brownout: %s%s, before %s", is.Rung, ofOne(is.Whose), was.Rung)
		}
		if is.Crowded && !was.Crowded {
			tell(limits.Interactive, "crowd", "a crowd: more comes than the database can do; the newest is served first")
		} else if was.Crowded && !is.Crowded {
			tell(limits.Interactive, "crowd", "the crowd is over")
		}
	}
	for i, c := range s.Classes {
		if before := l.before.Classes[i].Seats; !first && before != c.Seats {
			tell(c.Class, "seats", "seats of %s: %d, before %d", c.Class, c.Seats, before)
		}
	}
	l.before = s
}

// ofOne says whose alone a rung is.
func ofOne(workspace string) string {
	if workspace == "" {
		return ""
	}
	return " of workspace " + workspace + " alone"
}

// lastSecondsLocked are the newest seconds, oldest first.
func (l *lookout) lastSecondsLocked(most int) []second {
	n := min(uint64(max(0, most)), l.sampled, keptSeconds)
	out := make([]second, 0, n)
	for back := n; back > 0; back-- {
		out = append(out, l.seconds[(l.sampled-back)%keptSeconds])
	}
	return out
}

// watchGate looks at the gate each second until ctx ends.
func (s *Server) watchGate(ctx context.Context) {
	repeat(ctx, time.Second, nil, func(ctx context.Context) {
		s.lookout.look(s.now(), s.snapshot(), s.work.Slowdown(), s.health.away())
		s.countSlots(ctx)
		s.tellRefusals()
	})
}

// countSlots asks how many report slots are taken on the database.
func (s *Server) countSlots(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	held, err := s.store.SlotsTaken(ctx)
	if err != nil {
		held = -1
	}
	s.lookout.mu.Lock()
	defer s.lookout.mu.Unlock()
	s.lookout.held = held
}
