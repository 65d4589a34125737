package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"headroom/limits"
)

// lookout keeps what operators look at while something is wrong: the last
// decisions, who spends, what runs, and the last minutes second by second. It is
// bounded, in memory, and of this process. Noting a refusal allocates nothing.
type lookout struct {
	mu        sync.Mutex
	spenders  spenders
	decisions decisions // about requests
	changes   decisions // of the gate, which a storm of the others must not hide
	running   map[*request]runningOp
	seconds   [keptSeconds]second
	sampled   uint64 // how many there were
	current   second
	held      int // report slots that are taken on the database; -1: not known
	before    limits.Snapshot
	absent    bool // the database was away at the last look
}

const (
	keptDecisions = 256
	keptSeconds   = 300
)

func newLookout() *lookout { return &lookout{running: map[*request]runningOp{}, held: -1} }

// runningOp is an operation that holds a seat.
type runningOp struct {
	who
	name   string
	id     string
	class  limits.Class
	points float64
	since  time.Time
	end    context.CancelCauseFunc
}

// decision is what was decided of an operation, or by the gate of itself. Equal
// ones of ten seconds are one decision that is counted.
type decision struct {
	at      time.Time
	verdict string // refused, ran, ended or gate
	code    string
	reason  string
	class   limits.Class
	who     who
	name    string // of the workspace
	id      string // of the request; of the first of several
	points  float64
	wait    time.Duration // the longest
	retry   time.Duration
	queue   int
	text    string // of the gate
	count   int
}

// Verdicts of decisions.
const (
	verdictRefused = "refused"
	verdictRan     = "ran"   // after a wait that is worth a word
	verdictEnded   = "ended" // by its deadline
	verdictGate    = "gate"  // what changed in the gate
)

// notable is the wait for a seat that makes running a decision to look at.
const notable = 100 * time.Millisecond

// decisions are the last ones, in a ring.
type decisions struct {
	ring [keptDecisions]decision
	n    uint64 // how many there were
}

// together is the span of time in which equal decisions are one.
const together = 10

// alike tells whether two decisions are one.
func (d *decision) alike(o *decision) bool {
	return d.verdict == o.verdict && d.reason == o.reason && d.code == o.code && d.class == o.class && d.who == o.who && d.text == o.text && d.at.Unix()/together == o.at.Unix()/together
}

// add keeps a decision. Only the last ones are compared with it, so that a flood of
// different ones costs no more.
func (l *decisions) add(d decision) {
	d.count = 1
	for back := uint64(1); back <= min(l.n, 16); back++ {
		last := &l.ring[(l.n-back)%keptDecisions]
		if last.alike(&d) {
			last.count++
			last.wait = max(last.wait, d.wait)
			last.queue = max(last.queue, d.queue)
			return
		}
	}
	l.ring[l.n%keptDecisions] = d
	l.n++
}

// whoAsks names who asks, for operators.
func whoAsks(r *request) who {
	w := who{tenant: r.viewer.Workspace.ID, client: r.client}
	if r.doc != nil {
		w.operation = r.doc.label
	}
	return w
}

// labelOf is an operation's name, if it has one, and the begin of its document's
// SHA-256: two documents may have operations of the same name.
func labelOf(name, text string) string {
	sum := sha256.Sum256([]byte(text))
	return name + "#" + hex.EncodeToString(sum[:4])
}

// note keeps how a request was answered. Requests that were refused before their
// price was known are no load and are left out.
func (l *lookout) note(r *request, f *fault, now time.Time) {
	if r.doc == nil || r.price.Basis == "" {
		return
	}
	o := spent{name: r.viewer.Workspace.Name, asked: r.price.Expected, waited: r.timings.queue}
	d := decision{
		at: now, class: r.class, who: whoAsks(r), name: o.name, id: r.id, points: r.price.Expected, wait: r.timings.queue,
	}
	switch {
	case r.op != nil:
		o.work, o.ran = r.actual, 1
		switch {
		case f != nil:
			d.verdict, d.code, d.reason = verdictEnded, f.code, "deadline"
			if f.why() == reasonKilled {
				d.reason = reasonKilled
			}
		case r.broke:
			d.verdict, d.code, d.reason = verdictEnded, codeInternal, "broke"
		case r.timings.queue >= notable:
			d.verdict, d.reason = verdictRan, "waited"
		}
		if f != nil && f.code == codeDeadline {
			o.late = 1
		}
	case f != nil:
		o.refused = 1
		d.verdict, d.code, d.retry, d.reason = verdictRefused, f.code, f.retryAfter, f.why()
		if d.reason == reasonBlocked { // whoever goes on all the same must not hide the next
			o.asked = 0
		}
		if r.refusal != nil {
			d.queue = int(r.refusal.Queue)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spenders.add(d.who, o, now)
	l.current.count(r.class, o)
	if d.verdict != "" {
		l.decisions.add(d)
	}
}

// why is a refusal's reason in one word.
func (f *fault) why() string {
	switch f.code {
	case codeThrottled:
		return "budget"
	case codeTooExpensive:
		return "too_expensive"
	case codeUnavailable:
		return "database_away"
	case codeReadOnly:
		return limits.ReadOnly.String()
	}
	for _, d := range f.details {
		if reason, ok := d.value.(string); ok && d.name == "reason" {
			return reason
		}
	}
	return ""
}

// begin notes that an operation has its seat, end that it has given it back.
func (l *lookout) begin(r *request, now time.Time, end context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running[r] = runningOp{
		who: whoAsks(r), name: r.viewer.Workspace.Name, id: r.id, class: r.class, points: r.price.Expected, since: now, end: end,
	}
}

func (l *lookout) end(r *request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.running, r)
}

// inFlightLocked is what runs, as if it had ended now: a report of ten seconds
// must be seen before it ends. Of each it counts at most what it was quoted.
func (l *lookout) inFlightLocked(now time.Time) (sums map[who]spent, oldest []runningOp) {
	sums = map[who]spent{}
	for _, op := range l.running {
		s := sums[op.who]
		s.add(spent{name: op.name, asked: op.points, work: min(op.points, millis(now.Sub(op.since))), ran: 1})
		sums[op.who] = s
		oldest = append(oldest, op)
	}
	slices.SortFunc(oldest, func(a, b runningOp) int { return a.since.Compare(b.since) })
	return sums, oldest[:min(len(oldest), 10)]
}

// last are the newest decisions, newest first.
func (l *decisions) last(most int) []decision {
	var out []decision
	for back := uint64(1); back <= min(l.n, keptDecisions) && len(out) < most; back++ {
		out = append(out, l.ring[(l.n-back)%keptDecisions])
	}
	return out
}

// explain puts a decision into a sentence.
func (d *decision) explain() string {
	switch d.reason {
	case limits.QueueFull.String():
		return "its class's queue is full, and nobody with more in it could make room"
	case limits.Backlog.String():
		return fmt.Sprintf("%d of its class wait already: it could not end before its deadline", d.queue)
	case limits.Expired.String():
		return "its turn came too late to end before its deadline"
	case limits.Canceled.String():
		return "its caller went away while it waited"
	case limits.Draining.String():
		return "the server is shutting down"
	case limits.Shed.String():
		return "in a crowd the newest are served first, and it had waited for too long"
	case limits.Brownout.String():
		return "the gate stands on a rung of its ladder on which such operations are not served"
	case limits.ReadOnly.String():
		return "the operators have the server read only"
	case reasonBlocked:
		return "an operator has blocked it"
	case reasonKilled:
		return "an operator has ended it"
	case "budget":
		return "a budget is used up: the person's, the workspace's, or that for refused requests"
	case "too_expensive":
		return "one operation may not cost that much"
	case "database_away":
		return "the database did not answer"
	case "deadline":
		if d.code != codeDeadline {
			return "it failed while it ran: " + d.code
		}
		return "it was still running at its deadline, or its caller left"
	case "broke":
		return "a field of it failed: the log has the cause"
	case "waited":
		return "it waited for a seat and then ran"
	}
	if d.text == "" {
		return "it was answered " + d.code
	}
	return d.text
}
