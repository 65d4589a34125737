package limits

import "time"

// card is what an Adaptive gate knows beyond a Static one: the whole card. Its
// methods need the gate's lock; on nil they change nothing.
type card struct {
	slots  Slots
	secret uint64 // of the draws of clients
	wake   chan struct{}

	without  Part
	cores    int       // of the database
	beat     Beat      // from the other processes
	empty    time.Time // when the interactive queue was last empty
	stood    time.Time // when it last stood
	crowded  bool      // it stood within the last second
	refusal  time.Time // the last of an interactive operation
	keep     float64   // the share of clients that is served while crowded
	window   time.Time // begin of the tenth of a second in which are counted:
	asked    int       // interactive requests
	served   uint64    // those admitted before it
	swept    time.Time
	started  time.Time // the last report
	pause    time.Time // until when no report slot is asked for
	promises promises
}

func (r *card) lacks(p Part) bool { return r.without&p != 0 }

// The interactive queue counts as standing for this long after it did.
const aftermath = time.Second

// age is the time since t. A t that the clock has not reached, because it was
// set back, is forgotten.
func age(now time.Time, t *time.Time) time.Duration {
	if t.After(now.Add(time.Minute)) {
		*t = now
	}
	return now.Sub(*t)
}

// look sees how the interactive queue stands and sets its seats.
func (r *card) look(s *Static, now time.Time) {
	p := &s.pools[Interactive]
	standing, oldest := patience(p.meanHeld(), r.keep)
	if len(p.queue.waiting) == 0 {
		r.empty = now
	} else if age(now, &r.empty) > standing {
		r.stood = now
	}
	r.crowded = !r.stood.IsZero() && age(now, &r.stood) <= aftermath
	p.seats = wideSeats(r.cores, r.beat.Processes, s.pools[Report].seats, r.beat.Demoted)
	if r.crowded && !r.lacks(NarrowSeats) && (r.beat.Demoted || s.pools[Report].busy == 0) {
		p.seats = min(p.seats, narrowSeats(r.cores, r.beat.Processes, p.idle(r.beat.RoundTrip)))
	}
	p.share = float64(p.seats)
	p.maxQueue = p.seats * queuePerSeat[Interactive]
	r.count(p, now)
	if r.crowded && age(now, &r.swept) > oldest/4 {
		r.swept = now
		p.queue.removeOlder(now.Add(-oldest), func(w *Waiter) {
			s.answerLocked(w, nil, s.refuseLocked(p, &w.request, Shed, now))
		})
	}
}

// count closes the window in which the share of clients is measured.
func (r *card) count(p *pool, now time.Time) {
	if over := age(now, &r.window); over < tick && over >= 0 {
		return
	}
	if r.crowded {
		r.keep = keepShare(r.keep, r.asked, int(p.admitted-r.served))
	} else {
		r.keep = 1
	}
	r.window, r.asked, r.served = now, 0, p.admitted
}

// arrived notes a request before it is judged.
func (r *card) arrived(s *Static, p *pool, q *Request, now time.Time) {
	if r == nil {
		return
	}
	r.promises.classes[p.class].asked += q.Work
	if p.class != Interactive {
		return
	}
	r.asked++
	if since := age(now, &r.window); len(p.queue.waiting) == 0 && !r.crowded && since >= 0 && since < tick {
		r.empty = now // nothing else can have changed
		return
	}
	r.look(s, now)
}

// newestFirst reports whether a class is served so.
func (r *card) newestFirst(p *pool) bool {
	return r != nil && p.class == Interactive && r.crowded && !r.lacks(NewestFirst)
}

// sheds reports whether a request that would have to wait in a crowd is refused
// at once. A tenant of which nobody waits takes nothing from the others.
func (r *card) sheds(p *pool, q *Request, now time.Time) bool {
	if r.lacks(ShedByClient) || r.keep >= 1 || p.queue.start(q.Tenant) <= p.queue.virtual {
		return false
	}
	if kept(nameHash(r.secret, q.Client), now.Unix()/10, r.keep) {
		return false
	}
	r.stood = now
	return true
}

// needsSlot reports whether operations of a class run in the database's slots.
func (r *card) needsSlot(class Class) bool {
	return r != nil && (class == Report || class == Background)
}

// queued wakes Run.
func (r *card) queued(p *pool) {
	if r == nil || !r.needsSlot(p.class) {
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// dispatched looks again after the queue has changed.
func (r *card) dispatched(p *pool, now time.Time) {
	if r != nil && p.class == Interactive && len(p.queue.waiting) == 0 {
		r.empty = now
	}
}

// returned lets the other processes have the slot that was given back: the one
// that gives it back would always be first to ask again.
func (r *card) returned(s *Static, permit *Permit, now time.Time) {
	if r == nil || permit.slot == nil {
		return
	}
	if r.beat.Waiting > 0 && !r.lacks(PauseAfterSlot) {
		r.pause = now.Add(tick + time.Duration(s.random.Int64N(int64(tick))))
	}
	r.queued(&s.pools[permit.class])
}

// holdFor is the time between two reports while people wait.
const holdFor = 5 * time.Second

// holds reports whether reports wait for the interactive queue to go down.
func (r *card) holds(now time.Time) bool {
	pressed := r.crowded || !r.refusal.IsZero() && age(now, &r.refusal) <= aftermath
	return pressed && !r.lacks(HoldReports) && age(now, &r.started) < holdFor
}

// refused gives a refusal its time to retry.
func (r *card) refused(s *Static, p *pool, q *Request, out *Refusal, now time.Time) {
	if r == nil {
		return
	}
	if p.class == Interactive {
		r.refusal = now
	}
	r.promises.promise(p, nameHash(r.secret, q.Client), q.Work, out, now, s.random.Float64())
}
