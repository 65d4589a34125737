package limits

import "time"

// card is what an Adaptive gate knows beyond a Static one: the whole card. Its
// methods need the gate's lock; on nil they change nothing.
type card struct {
	slots  Slots
	secret uint64 // of the hashes of clients
	wake   chan struct{}

	opened   time.Time // the gate, which is cautious for a while
	cautious time.Duration
	without  Part
	cores    int       // of the database
	places   int       // for reports on it
	wanted   Seats     // by people, in place of the gate's own; 0: its own
	beat     Beat      // from the other processes
	empty    time.Time // when the interactive queue was last empty
	stood    time.Time // when it last stood
	crowded  bool      // it stood within the last second
	keep     float64   // the share of requests that can be served while crowded
	window   time.Time // begin of the tenth of a second in which are counted:
	asked    int       // interactive requests
	served   uint64    // those admitted before it
	swept    time.Time
	pause    time.Time // until when no report slot is asked for
	promises promises
	guests   guests
	ladder   ladder
	whose    whose

	few, all pace // of operations that had waited, with few seats and with all
}

func (r *card) lacks(p Part) bool { return r.without&p != 0 }

// The interactive queue counts as standing for this long after it did.
const aftermath = time.Second

// deepQueue is how many may wait for each seat before the queue counts as standing
// at once: the last of them will wait twenty times as long as one is served. A rush
// fills it in a moment, and whoever is served in its order meanwhile waits for all
// of those before.
const deepQueue = 20

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
	wanted := r.wanted[Interactive]
	p.seats = wanted
	if wanted == 0 {
		p.seats = wideSeats(r.cores, r.beat.Processes, r.places, r.beat.Demoted)
	}
	if waiting := len(p.queue.waiting); waiting == 0 {
		r.empty = now
	} else if waiting > deepQueue*p.seats || age(now, &r.empty) > standing {
		r.stood = now
	}
	r.crowded = !r.stood.IsZero() && age(now, &r.stood) <= aftermath
	r.climb(s, now)
	r.whose.look(&s.pools[Report])
	if r.crowded && wanted == 0 && !r.lacks(NarrowSeats) && (r.beat.Demoted || s.pools[Report].busy == 0) {
		narrow := min(p.seats, narrowSeats(r.cores, r.beat.Processes, p.idle(r.beat.RoundTrip)))
		if r.lacks(WideWhereShared) || r.beat.Processes > 1 || !wideWins(&r.few, &r.all, now) {
			p.seats = narrow
		}
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

// climb moves the gate on its ladder, and refuses who waits for what stops with
// the rung.
func (r *card) climb(s *Static, now time.Time) {
	first, then := r.ladder.step, r.whose.others.step
	r.ladder = climb(r.ladder, r.crowded, now)
	r.whose.climb(r.ladder, r.crowded, now)
	if r.ladder.step > first || r.whose.others.step > then {
		for class := range numClasses {
			s.refuseBrownedLocked(&s.pools[class], now)
		}
	}
}

// count closes the window in which is measured what can be served, and what all ask
// beside the tenant that asks for most.
func (r *card) count(p *pool, now time.Time) {
	over := age(now, &r.window)
	if over < tick && over >= 0 {
		return
	}
	if over > 0 {
		r.whose.measure(p, over)
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
	r.promises.arrived(p, nameHash(r.secret, q.Client), q.Work, now)
	if p.class != Interactive {
		return
	}
	r.asked++
	if since := age(now, &r.window); len(p.queue.waiting) == 0 && !r.crowded && since >= 0 && since < tick {
		r.empty = now // nothing else can have changed
		return
	}
	r.look(s, now)
	r.whose.asked(q, r.crowded && !r.lacks(OwnLadder) && p.queue.most(q.Tenant, q.Work))
}

// place finds where a request would stand, and whether it passes longer reports of
// its tenant there.
func (r *card) place(p *pool, q *Request, now time.Time) (start time.Duration, position int, passes bool) {
	if r != nil && p.class == Report && !r.lacks(SmallFirst) {
		if i := p.queue.passable(q, now); i >= 0 {
			return p.queue.waiting[i].start, i, true
		}
	}
	if r.guest(p, q, now) {
		return p.queue.virtual - 1, p.queue.place(p.queue.virtual - 1), false
	}
	start = p.queue.start(q.Tenant)
	return start, p.queue.place(start), false
}

// guest reports whether a request is one more of a client that was let in, and goes
// first. Few at a time do, one of each tenant, and none of a tenant that has much
// waiting: a guest takes a turn of its tenant's.
func (r *card) guest(p *pool, q *Request, now time.Time) bool {
	if !r.crowdIn(p) || r.guests.find(nameHash(r.secret, q.Client), now) == nil {
		return false
	}
	if p.queue.much(q.Tenant, q.Work) {
		return false
	}
	for i, w := range p.queue.waiting {
		switch {
		case !w.guest:
			return true
		case 2*i >= narrowSeats(r.cores, r.beat.Processes, 1), w.request.Tenant == q.Tenant:
			return false
		}
	}
	return true
}

// admitted notes who is let in. Whoever is while others wait may be of a crowd that is
// not seen yet, and would be turned away at its second operation.
func (r *card) admitted(p *pool, q *Request, now time.Time) {
	if r == nil {
		return
	}
	if p.class == Report {
		r.whose.started(q.Tenant)
	}
	client := nameHash(r.secret, q.Client)
	first := true
	if r.crowdIn(p) || p.class == Interactive && len(p.queue.waiting) > 0 {
		first = r.guests.enter(client, now)
	}
	r.promises.admitted(p, client, q.Work, first, now)
}

// crowdIn reports whether there is a crowd before a class.
func (r *card) crowdIn(p *pool) bool { return r != nil && p.class == Interactive && r.crowded }

// newestFirst reports whether a class is served so.
func (r *card) newestFirst(p *pool) bool { return r.crowdIn(p) && !r.lacks(NewestFirst) }

// yields reports whether the next in a crowd's queue has to wait although there is a
// seat: its tenant has most of what waits, and one of a tenant that has little runs.
// There are a few more seats than cores, for the time that operations are on their way;
// filled by one tenant they make all others slower. And it leaves a core for each report
// of another tenant, which would else have what clicks leave of it: next to nothing.
func (r *card) yields(p *pool) bool {
	if r == nil || p.modest == 0 && r.whose.beside == 0 || !r.crowded || !r.narrowed(p) {
		return false
	}
	if p.busy < max(1, narrowSeats(r.cores, r.beat.Processes, 1)-r.whose.beside) {
		return false
	}
	w := p.queue.waiting[0]
	return p.queue.most(w.request.Tenant, w.request.Work)
}

// modest reports whether a request in a crowd is of a tenant that has little waiting.
func (r *card) modest(p *pool, q *Request) bool {
	return r != nil && r.crowded && p.class == Interactive && !r.lacks(MostYields) && !p.queue.much(q.Tenant, q.Work)
}

// narrowed reports whether the interactive seats are few.
func (r *card) narrowed(p *pool) bool {
	return p.seats < wideSeats(r.cores, r.beat.Processes, r.places, r.beat.Demoted)
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
	if r == nil {
		return
	}
	if permit.class == Report {
		r.whose.ended(permit.tenant)
	}
	if permit.slot == nil {
		return
	}
	if r.beat.Waiting > 0 && !r.lacks(PauseAfterSlot) {
		r.pause = now.Add(tick + time.Duration(s.random.Int64N(int64(tick))))
	}
	r.queued(&s.pools[permit.class])
}

// ran learns how long one that had to wait held its seat.
func (r *card) ran(p *pool, permit *Permit, held time.Duration, now time.Time) {
	switch {
	case r == nil || p.class != Interactive || permit.beside != p.seats: // none, or they have changed meanwhile
	case r.narrowed(p):
		r.few.learn(held, p.seats, now)
	default:
		r.all.learn(held, p.seats, now)
	}
}

// refused gives a refusal its time to retry.
func (r *card) refused(s *Static, p *pool, q *Request, out *Refusal, now time.Time) {
	if r == nil {
		return
	}
	r.promises.promise(p, nameHash(r.secret, q.Client), q.Work, r.crowdIn(p), out, now, s.random.Float64())
}
