package limits

import (
	"context"
	"time"
)

// Waiter is a request in a gate's queue.
type Waiter struct {
	gate    *Static
	request Request
	arrived time.Time
	start   time.Duration // in the queue's virtual time
	guest   bool          // goes before all who are none

	// One of the two is told of the answer: who waits in Admit by the channel,
	// who came through Offer by the function.
	answered chan struct{}
	tell     func(*Permit, *Refusal)

	permit  *Permit
	refusal *Refusal
}

// Leave takes the request out of the queue, because its caller went away or its
// deadline has come, and counts it as refused for that reason. Once it has been
// answered, Leave ends the permit it got and returns the refusal in its stead.
func (w *Waiter) Leave(why Reason) *Refusal {
	s := w.gate
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.refusal != nil {
		return w.refusal
	}
	p := &s.pools[w.request.Class]
	if w.permit == nil {
		p.queue.remove(w)
	} else if w.permit.ended.CompareAndSwap(false, true) { // granted at the same moment
		s.returnLocked(w.permit, now)
		if w.permit.slot != nil {
			w.permit.slot.Release()
		}
	}
	w.refusal = s.refuseLocked(p, &w.request, why, now)
	s.dispatchLocked(p, now)
	return w.refusal
}

// await waits for w's answer, its deadline or the end of ctx.
func (s *Static) await(ctx context.Context, w *Waiter) (*Permit, *Refusal) {
	var tooLate <-chan time.Time
	if !w.request.Deadline.IsZero() {
		timer := time.NewTimer(w.request.Deadline.Sub(s.now()))
		defer timer.Stop()
		tooLate = timer.C
	}
	why := Canceled
	select {
	case <-w.answered:
		return w.permit, w.refusal
	case <-ctx.Done():
	case <-tooLate:
		why = Expired
	}
	return nil, w.Leave(why)
}
