package server

import (
	"sync"
	"time"
)

// Refusals that are held back: clients that ask again at once then cost no more
// than those that wait. A connection that is held costs no processor time.
const (
	parked     = maxConnections // at a time
	debtHold   = 100 * time.Millisecond
	besideHold = 300 * time.Millisecond

	// No answer is held longer: OkHttp gives up after 10 s, and would learn nothing.
	longestHold = 9 * time.Second

	// Of a client that is held already, each further one is held this much longer
	// than the last: for those that came early, and for those that are held at once.
	paceEarly = 50 * time.Millisecond
	paceHeld  = 10 * time.Millisecond

	// Of refusals that nobody remembers having given before, a thousand leave in a
	// second, and a hundred at once.
	paceAll  = time.Millisecond
	burstAll = 100 * time.Millisecond
)

// pacer spaces out what must not take all of the processor: a server that does
// nothing but refuse finds out too late that its database is back.
type pacer struct {
	mu   sync.Mutex
	next time.Time
}

// wait is how long the next one is held.
func (p *pacer) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) || p.next.After(now.Add(time.Minute)) { // or the clock was set back
		p.next = now
	}
	if p.next.Before(now.Add(longestHold)) {
		p.next = p.next.Add(paceAll)
	}
	return max(0, p.next.Sub(now)-burstAll)
}

// pace holds refusals that cost the server more than they tell: that the database
// is away, that a budget is used up, that a document would have to be parsed.
func (s *Server) pace(r *request, f *fault) {
	switch {
	case f.code == codeUnavailable, f.code == codeThrottled, f.code == codeOverloaded && r.refusal == nil:
		if d := min(s.paced.wait(time.Now()), longestHold-r.parked); d > 0 { // who owes points was held before
			s.park(r, d)
		}
	}
}

// holding counts the refusals that are held back, by client.
type holding struct {
	mu sync.Mutex
	of map[string]held
}

func newHolding() holding { return holding{of: map[string]held{}} }

// held are those of a client: now, and all since there were none.
type held struct{ now, all int }

// enter counts one more of a client, and returns how many there were.
func (h *holding) enter(client string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.of[client]
	h.of[client] = held{was.now + 1, was.all + 1}
	return was.now
}

// leave counts one less, and reports whether it was the only one all the time.
func (h *holding) leave(client string) (alone bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.of[client]
	if was.now--; was.now > 0 {
		h.of[client] = was
	} else {
		delete(h.of, client)
	}
	return was.all == 1
}

// holdFor is for how long a refusal of a client is held that was told before when
// to come, and comes early for the so-maniest time beside others that are held. One
// that cannot have read that yet is held a moment; of those that can, one until the
// client's time has come. The others of such a client are held the longer the more
// of them came: an app asks for several things at once, and to hold all of them
// would fill the server with the refusals of a crowd. None is held longer than most.
func holdFor(early, beside int, due, most time.Duration) time.Duration {
	d := due
	switch {
	case early == 0:
		d = besideHold
	case beside > 0:
		d = time.Duration(early)*paceEarly + time.Duration(beside)*paceHeld
	}
	return min(d, due, most)
}

// holdEarly holds the refusal of a client that was told before when to come, for as long
// in all as anybody is held, and reports whether that time has come and the client waits
// for this answer alone: who has asked for more meanwhile does not wait.
func (s *Server) holdEarly(r *request, f *fault) bool {
	if r.refusal == nil || !r.refusal.Again {
		return false
	}
	due, client := r.refusal.RetryAfter, r.account.front.Key
	beside := s.held.enter(client)
	waited := s.park(r, holdFor(r.refusal.Early, beside, due, max(0, longestHold-time.Since(r.arrived))))
	alone := s.held.leave(client)
	f.retry(max(time.Second, due-waited))
	return alone && waited >= due && r.Context().Err() == nil
}

// holdDebt holds the refusal of a client that owes points.
func (s *Server) holdDebt(r *request) {
	client := r.account.front.Key
	beside := s.held.enter(client)
	defer s.held.leave(client)
	s.park(r, min(debtHold+time.Duration(beside)*paceHeld, longestHold))
}

// park holds an answer back, and returns for how long it did. Where somebody needs the
// connection, the answer leaves at once and is the last on it; at the server's end all do.
func (s *Server) park(r *request, d time.Duration) time.Duration {
	select {
	case s.parking <- struct{}{}:
		defer func() { <-s.parking }()
	default:
		return 0
	}
	began, timer := time.Now(), time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.leave:
		r.leaves = true
	case <-s.ending:
	case <-r.Context().Done():
	}
	waited := time.Since(began)
	r.parked += waited
	return waited
}
