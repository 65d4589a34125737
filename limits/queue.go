package limits

import (
	"slices"
	"sort"
	"time"
)

// queue orders those who wait by start-time fair queueing (Goyal, Vin, Cheng,
// 1996): each request starts, in virtual time, when the tenant's previous one
// ends or, if the tenant has nothing waiting, now; who starts first is served
// first. Virtual time is counted in forecast work, so a tenant's share does not
// depend on how finely it cuts its work. It exists only while somebody waits.
type queue struct {
	waiting []*Waiter // by start, then by arrival
	work    time.Duration
	virtual time.Duration            // start of the last one served
	finish  map[string]time.Duration // by tenant; absent: not later than virtual
}

// minCost keeps requests of no forecast work from passing all others.
const minCost = 10 * time.Microsecond

func (w *Waiter) finish() time.Duration { return w.start + max(w.request.Work, minCost) }

// start returns the virtual time at which a new request of a tenant starts.
func (q *queue) start(tenant string) time.Duration {
	return max(q.virtual, q.finish[tenant])
}

// muchWaiting is how many operations of a size a tenant has waiting when it has many.
const muchWaiting = 3

// much reports whether a tenant has many operations of a size waiting.
func (q *queue) much(tenant string, work time.Duration) bool {
	return q.finish[tenant]-q.virtual > muchWaiting*max(work, minCost)
}

// most reports whether a tenant has many of a size waiting, and most of what waits.
func (q *queue) most(tenant string, work time.Duration) bool {
	return q.much(tenant, work) && q.finish[tenant]-q.virtual > q.work/2
}

// place returns the position a request with this start takes.
func (q *queue) place(start time.Duration) int {
	n := len(q.waiting)
	if n == 0 || q.waiting[n-1].start <= start {
		return n
	}
	return sort.Search(n, func(i int) bool { return q.waiting[i].start > start })
}

// before is the forecast work of those who stand before a position.
func (q *queue) before(position int) (work time.Duration) {
	if position == len(q.waiting) {
		return q.work
	}
	for _, w := range q.waiting[:position] {
		work += w.request.Work
	}
	return work
}

func (q *queue) insert(w *Waiter, position int) {
	q.waiting = slices.Insert(q.waiting, position, w)
	q.work += w.request.Work
	if q.finish == nil {
		q.finish = map[string]time.Duration{}
	}
	if w.guest {
		q.finish[w.request.Tenant] = q.start(w.request.Tenant) + max(w.request.Work, minCost) // it pays with its next turns
		return
	}
	q.finish[w.request.Tenant] = w.finish()
}

// passable returns the position of the first of a tenant's requests that one of
// the tenant's own may pass: it is more than twice as long, and has waited for less
// than a third of its time. It is -1 if there is none.
func (q *queue) passable(r *Request, now time.Time) int {
	return slices.IndexFunc(q.waiting, func(w *Waiter) bool {
		return w.request.Tenant == r.Tenant && w.request.Work > 2*r.Work &&
			now.Sub(w.arrived) < w.request.Deadline.Sub(w.arrived)/3
	})
}

// pass inserts one at the position of another of its tenant, and moves the tenant's
// from there on back by its work. The tenant's turns stay what they were.
func (q *queue) pass(w *Waiter, position int) {
	var later []*Waiter
	kept := q.waiting[:position:position]
	for _, x := range q.waiting[position:] {
		if x.request.Tenant == w.request.Tenant {
			later = append(later, x)
			q.work -= x.request.Work
		} else {
			kept = append(kept, x)
		}
	}
	q.waiting = kept
	q.insert(w, q.place(w.start))
	for _, x := range later {
		x.start = max(x.start, q.finish[x.request.Tenant])
		q.insert(x, q.place(x.start))
	}
}

// pop takes out the next to be served: of the tenant whose turn it is, the first
// that came or the newest. The queue must not be empty.
func (q *queue) pop(newest bool) *Waiter {
	if newest && !q.waiting[0].guest {
		q.newestForward(q.waiting[0].request.Tenant)
	}
	w := q.waiting[0]
	q.virtual = max(q.virtual, w.start)
	q.takeOut(0)
	if len(q.finish) > 2*len(q.waiting)+16 {
		for tenant, finish := range q.finish {
			if finish <= q.virtual {
				delete(q.finish, tenant)
			}
		}
	}
	return w
}

// newestForward gives a tenant's newest request the place of its first, and each
// of the others the place of the next. The tenant's turns stay what they were.
func (q *queue) newestForward(tenant string) {
	last := len(q.waiting) - 1
	for q.waiting[last].request.Tenant != tenant {
		last--
	}
	carried, end := q.waiting[last], q.waiting[last].start
	for i, w := range q.waiting[:last+1] {
		if w.request.Tenant != tenant {
			continue
		}
		start := w.start
		if i == last {
			start = end
		}
		q.waiting[i], carried.start, carried = carried, start, w
	}
	q.finish[tenant] = max(q.finish[tenant], q.waiting[last].finish())
}

// removeOlder takes out all who came before a time, and hands them to out. Their
// tenants do not pay for them.
func (q *queue) removeOlder(than time.Time, out func(*Waiter)) {
	kept := q.waiting[:0]
	var gone []*Waiter
	for _, w := range q.waiting {
		if !w.guest && w.arrived.Before(than) {
			gone = append(gone, w)
			q.work -= w.request.Work
		} else {
			kept = append(kept, w)
		}
	}
	if len(gone) == 0 {
		return
	}
	clear(q.waiting[len(kept):])
	q.waiting = kept
	q.settle()
	for _, w := range gone {
		delete(q.finish, w.request.Tenant)
	}
	for _, w := range kept {
		q.finish[w.request.Tenant] = w.finish()
	}
	for _, w := range gone {
		out(w)
	}
}

// last takes out the one that would be served last.
func (q *queue) last() *Waiter {
	w := q.waiting[len(q.waiting)-1]
	q.remove(w)
	return w
}

// remove takes out one that was not served; if it was its tenant's latest, the
// tenant's next takes its place.
func (q *queue) remove(w *Waiter) {
	i := slices.Index(q.waiting, w)
	if i < 0 {
		return
	}
	if q.finish[w.request.Tenant] == w.finish() {
		q.finish[w.request.Tenant] = w.start
	}
	q.takeOut(i)
}

func (q *queue) takeOut(i int) {
	q.work -= q.waiting[i].request.Work
	q.waiting = slices.Delete(q.waiting, i, i+1)
	q.settle()
}

// settle forgets virtual time when nobody waits.
func (q *queue) settle() {
	if len(q.waiting) == 0 {
		q.virtual = 0
		clear(q.finish)
	}
}
