package limits

import "time"

// whose knows whose a crowd is: the tenant that has most of what waits. It goes up the
// ladder alone as long as all others together ask for less than there is.
type whose struct {
	tenant  string         // "": nobody has most
	rest    time.Duration  // asked in the window by the others
	load    float64        // that they make: the seats that they would fill, of those there are
	others  ladder         // of them
	reports map[string]int // that run, by tenant
	beside  int            // of these, of others while there is no storm of reports
}

// asked notes a request of a tenant that has most of what waits, or not.
func (w *whose) asked(q *Request, most bool) {
	if most {
		w.tenant = q.Tenant
	}
	if q.Tenant != w.tenant {
		w.rest += q.Work
	}
}

// measure closes a window that was open for so long.
func (w *whose) measure(p *pool, open time.Duration) {
	w.load += 0.3 * (p.corrected(w.rest).Seconds()/open.Seconds()/float64(p.seats) - w.load)
	w.rest = 0
}

// climb moves the others after the first ladder, and forgets whose the crowd was when
// that is down.
func (w *whose) climb(first ladder, crowded bool, now time.Time) {
	w.others = climb(w.others, crowded && (w.tenant == "" || w.load >= 1), now)
	if first.step == Normal && !crowded {
		w.tenant = ""
	}
}

// look counts the others' reports. Where more wait than can run there is a storm of them,
// to which nobody's clicks yield.
func (w *whose) look(reports *pool) {
	w.beside = 0
	if len(reports.queue.waiting) <= reports.seats {
		w.beside = reports.busy - w.reports[w.tenant]
	}
}

func (w *whose) started(tenant string) {
	if w.reports == nil {
		w.reports = map[string]int{}
	}
	w.reports[tenant]++
}

func (w *whose) ended(tenant string) {
	if n := w.reports[tenant]; n > 1 {
		w.reports[tenant] = n - 1
	} else {
		delete(w.reports, tenant)
	}
}
