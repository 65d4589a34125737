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

	// No answer of a client that is not known is held longer: it would have left, and
	// learned nothing. OkHttp waits for 10 s, others for longer. Who has stayed for all of
	// that so often does not read what it is told: it is held for as long again the next
	// time, up to three times that. Few load balancers wait for less than half a minute.
	longestHold  = 9 * time.Second
	patientAfter = 3
	patientHold  = 3 * longestHold
	patienceKept = time.Minute // at least

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

// holding counts the refusals that are held back, by client, and knows for how long
// clients and programs have waited for an answer.
type holding struct {
	mu       sync.Mutex
	of       map[string]held
	stays    fading[stay]  // of clients
	programs fading[trial] // by what they call themselves
}

func newHolding() holding { return holding{of: map[string]held{}} }

// held are those of a client: now, and all since there were none.
type held struct{ now, all int }

// stay is for how long a client is held at most, how often it has stayed to the end, and
// whether it once left before.
type stay struct {
	most   time.Duration
	stayed int
	left   bool
}

// trial is what became of a program's clients that were held for longer than the longest
// hold of those that nobody knows.
type trial struct {
	under        bool          // one is held longer than any before it
	proven       time.Duration // the longest that one has stayed
	stayed, left int
}

// known is for how long any of a program's clients may be held: one that gives up at the
// very time that another was answered at must not be.
func (t trial) known() time.Duration {
	if t.left > t.stayed {
		return longestHold
	}
	return max(longestHold, t.proven-t.proven/10)
}

// fading forgets what was not noted again after patienceKept, or twice that.
type fading[V any] struct {
	recent, before map[string]V
	turned         time.Time
}

func (f *fading[V]) get(key string) (V, bool) {
	if v, ok := f.recent[key]; ok {
		return v, true
	}
	v, ok := f.before[key]
	return v, ok
}

func (f *fading[V]) put(key string, v V, now time.Time) {
	if since := now.Sub(f.turned); since > patienceKept || since < 0 || f.recent == nil {
		f.before, f.recent, f.turned = f.recent, map[string]V{}, now
	}
	f.recent[key] = v
}

// enter counts one more of a client, and returns how many there were.
func (h *holding) enter(client string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.of[client]
	h.of[client] = held{was.now + 1, was.all + 1}
	return was.now
}

// most is for how long a client is held at most.
func (h *holding) most(client string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stay(client).most
}

func (h *holding) stay(client string) stay {
	if p, ok := h.stays.get(client); ok {
		return p
	}
	return stay{most: longestHold}
}

// stayed notes that a client was held for so long in all, and whether it left meanwhile.
// Who leaves once is not tried again.
func (h *holding) stayed(client string, held time.Duration, left bool, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.stay(client)
	switch {
	case left:
		p = stay{most: longestHold, left: true}
	case !p.left && held >= p.most-p.most/10:
		if p.stayed++; p.stayed >= patientAfter {
			p.most = min(p.most+longestHold, patientHold)
		}
	default:
		return
	}
	h.stays.put(client, p, now)
}

// tries returns for how much of a time a client of a program may be held, and whether
// that is a test: programs give up after a time of their own, so one client finds out
// for all.
func (h *holding) tries(program string, wanted time.Duration, now time.Time) (held time.Duration, test bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, _ := h.programs.get(program)
	known := t.known()
	if wanted <= known || t.under || t.left > t.stayed {
		return min(wanted, known), false
	}
	t.under = true
	h.programs.put(program, t, now)
	return wanted, true
}

// tried notes how that ended.
func (h *holding) tried(program string, held time.Duration, left, test bool, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, _ := h.programs.get(program)
	if test {
		t.under = false
	}
	switch {
	case held <= longestHold: // it was not put to the test
	case left:
		t.left++
	default:
		t.stayed, t.proven = t.stayed+1, max(t.proven, held)
	}
	h.programs.put(program, t, now)
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
// in all as the client is known to wait, and reports whether that time has come and the
// client waits for this answer alone: who has asked for more meanwhile does not wait.
func (s *Server) holdEarly(r *request, f *fault) bool {
	if r.refusal == nil || !r.refusal.Again {
		return false
	}
	due, client := r.refusal.RetryAfter, r.account.front.Key
	beside, most, already := s.held.enter(client), s.held.most(client), time.Since(r.arrived)
	d := holdFor(r.refusal.Early, beside, due, max(0, most-already))
	held, test := already+d, false
	if held > longestHold {
		held, test = s.held.tries(r.client, held, time.Now())
	}
	waited := s.park(r, max(0, held-already))
	alone, left := s.held.leave(client), r.Context().Err() != nil
	s.held.stayed(client, time.Since(r.arrived), left, time.Now())
	if held > longestHold {
		s.held.tried(r.client, time.Since(r.arrived), left, test, time.Now())
	}
	f.retry(max(time.Second, due-waited))
	return alone && waited >= due && !left
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
