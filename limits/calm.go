package limits

import "time"

// calmFor is how many operations may run at once, itself included, while what an
// operation takes says something about itself: half of the cores have nothing to
// do, as far as the gate knows.
func (s *Static) calmFor() int { return max(1, s.pools[Interactive].seats/8) }

// easyLocked reports whether nothing is congested: nobody waits, there is no crowd,
// no report waits in another process, and few operations run.
func (s *Static) easyLocked() bool {
	if s.draining || s.card != nil && (s.card.crowded || s.card.beat.Waiting > 0) {
		return false
	}
	busy := 0
	for i := range s.pools {
		if len(s.pools[i].queue.waiting) > 0 {
			return false
		}
		busy += s.pools[i].busy
	}
	return busy <= s.calmFor()
}

// lookAroundLocked notes the time while something is congested.
func (s *Static) lookAroundLocked(now time.Time) {
	if !s.easyLocked() {
		s.uneasy = now
	}
}

// calmSince reports whether nothing was congested since a time until now.
func (s *Static) calmSince(since time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.easyLocked() && s.uneasy.Before(since)
}

// Calm reports whether nothing was congested in the gate since the operation was
// admitted, so that the time it took is its own. It is asked before Done.
func (p *Permit) Calm() bool {
	s, ok := p.holder.(*Static)
	return ok && s.calmSince(p.since)
}

// Idle reports whether nothing runs and nobody waits.
func (s *Static) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.pools {
		if s.pools[i].busy > 0 || len(s.pools[i].queue.waiting) > 0 {
			return false
		}
	}
	return true
}
