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
	waiting []*waiter // by start, then by arrival
	work    time.Duration
	virtual time.Duration            // start of the last one served
	finish  map[string]time.Duration // by tenant; absent: not later than virtual
}

// waiter is a request in a queue. answered is closed after one of permit and
// refusal is set.
type waiter struct {
	request  Request
	arrived  time.Time
	start    time.Duration
	answered chan struct{}
	permit   *Permit
	refusal  *Refusal
}

// minCost keeps requests of no forecast work from passing all others.
const minCost = 10 * time.Microsecond

func (w *waiter) finish() time.Duration { return w.start + max(w.request.Work, minCost) }

// start returns the virtual time at which a new request of a tenant starts.
func (q *queue) start(tenant string) time.Duration {
	return max(q.virtual, q.finish[tenant])
}

// place returns the position a request with this start takes, and the forecast
// work of those before it.
func (q *queue) place(start time.Duration) (position int, before time.Duration) {
	n := len(q.waiting)
	if n == 0 || q.waiting[n-1].start <= start {
		return n, q.work
	}
	position = sort.Search(n, func(i int) bool { return q.waiting[i].start > start })
	for _, w := range q.waiting[:position] {
		before += w.request.Work
	}
	return position, before
}

func (q *queue) insert(w *waiter, position int) {
	q.waiting = slices.Insert(q.waiting, position, w)
	q.work += w.request.Work
	if q.finish == nil {
		q.finish = map[string]time.Duration{}
	}
	q.finish[w.request.Tenant] = w.finish()
}

// pop takes out the next to be served. The queue must not be empty.
func (q *queue) pop() *waiter {
	w := q.waiting[0]
	q.virtual = w.start
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

// last takes out the one that would be served last.
func (q *queue) last() *waiter {
	w := q.waiting[len(q.waiting)-1]
	q.remove(w)
	return w
}

// remove takes out one that was not served; if it was its tenant's latest, the
// tenant's next takes its place.
func (q *queue) remove(w *waiter) {
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
	if len(q.waiting) == 0 {
		q.virtual = 0
		clear(q.finish)
	}
}
