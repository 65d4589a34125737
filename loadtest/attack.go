package loadtest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// row is what is kept of one arrival. Times count from the run's start, so
// that a million rows fit into 48 MB.
type row struct {
	sent, first, end time.Duration
	server           time.Duration // as the server accounts for it, 0 if it does not
	bytes            uint32
	status           uint16
	outcome          Outcome
	op               uint8
	refused          bool // ok, with userErrors
}

// attack is one run of a plan: vegeta's Attacker around our client.
type attack struct {
	plan   *plan
	deck   *deck
	mixes  []*mix // by stream
	client *client
	start  time.Time
	ctx    context.Context
	rows   []row   // by seq; each written once, by whoever serves that arrival
	hits   int     // as vegeta counted them
	usages []Usage // of the machine, by phase; fewer if the run was cut short
	live   *live

	readings []Reading // of the server's counters, around the phases

	mu      sync.Mutex
	details map[detail]int
}

// detail is why answers of an operation were not ok.
type detail struct {
	Operation string `json:"operation"`
	Outcome   string `json:"outcome"`
	Reason    string `json:"reason"`
}

// maxDetails bounds the kinds of reasons kept, whatever the server makes up.
const maxDetails = 100

func newAttack(p *plan, d *deck, c *client, l *live) (*attack, error) {
	a := &attack{plan: p, deck: d, client: c, live: l, rows: make([]row, len(p.arrivals)), details: map[detail]int{}}
	for _, stream := range p.streams {
		m, err := d.mix(stream.Mix)
		if err != nil {
			return nil, fmt.Errorf("phase %s: %w", p.phases[stream.phase].Name, err)
		}
		a.mixes = append(a.mixes, m)
	}
	return a, nil
}

// head is the time between the decision to start and the first due arrival.
const head = 20 * time.Millisecond

// spareWorkers is how many of vegeta's workers there are beyond the cap on what
// is in flight. With none the attack silently queues instead of dropping.
const spareWorkers = 32

// run sends everything planned and returns when the last answer is in, or soon
// after ctx ends. The attack's start must be set.
func (a *attack) run(ctx context.Context) error {
	sleeper, err := newSleeper(ctx)
	if err != nil {
		return err
	}
	defer sleeper.close()
	a.ctx = ctx
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: a}),
		vegeta.Workers(10),
		vegeta.MaxWorkers(uint64(cap(a.client.slots)+spareWorkers)),
	)
	pacer := &pacer{ctx: ctx, start: a.start, arrivals: a.plan.arrivals, sleeper: sleeper}
	for range attacker.Attack(sameTarget, pacer, 0, "") {
		a.hits++
	}
	return nil
}

// sameTarget gives vegeta something to build a request from; what is really
// sent is drawn in RoundTrip.
func sameTarget(t *vegeta.Target) error {
	t.Method, t.URL = http.MethodGet, "http://surge.invalid/"
	return nil
}

// RoundTrip serves the arrival that X-Vegeta-Seq names and hands vegeta a
// canned answer: what happened is in the row.
func (a *attack) RoundTrip(r *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(r.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil || seq >= uint64(len(a.rows)) {
		return nil, fmt.Errorf("arrival %q is not in the plan", r.Header.Get("X-Vegeta-Seq"))
	}
	a.serve(seq)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// serve draws, sends and records one arrival.
func (a *attack) serve(seq uint64) {
	arrival := a.plan.arrivals[seq]
	class := a.plan.streams[arrival.stream].Class
	call, err := a.deck.draw(a.mixes[arrival.stream], a.plan.seed, seq)
	a.live.arrived(class)
	var r row
	var j judgement
	if err != nil {
		j = judgement{outcome: GeneratorError, detail: err.Error()}
	} else {
		r, j = a.attempt(arrival.due, patienceOf(class), call)
		r.op = call.op.index
	}
	r.outcome, r.refused = j.outcome, j.refused
	a.rows[seq] = r
	a.live.ended(class, j.outcome, r.end-arrival.due)
	if j.detail != "" {
		a.note(detail{call.op.Name, j.outcome.String(), j.detail})
	}
}

// attempt sends a call if fewer than the cap are in flight, and gives it up
// when the person who asked would have, counted from the due time.
func (a *attack) attempt(due time.Duration, p patience, call call) (row, judgement) {
	select {
	case a.client.slots <- struct{}{}:
		defer func() { <-a.client.slots }()
	default:
		now := time.Since(a.start)
		return row{sent: now, first: now, end: now}, judgement{outcome: Dropped}
	}
	ctx, cancel := context.WithDeadline(a.ctx, a.start.Add(due+p.abandon))
	defer cancel()
	try := a.client.send(ctx, call.user.Token, call.body)
	r := row{
		sent: try.sent.Sub(a.start), first: try.first.Sub(a.start), end: try.end.Sub(a.start),
		server: serverTime(try.answer.header),
		bytes:  uint32(len(try.answer.body)), status: uint16(try.answer.status),
	}
	j := classify(call.op.Operation, try.answer)
	if j.outcome == OK && r.end-due > p.late {
		j = judgement{outcome: Late, detail: "right, but too late", refused: j.refused}
	}
	return r, j
}

func (a *attack) note(d detail) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.details[d]; known || len(a.details) < maxDetails {
		a.details[d]++
	}
}

// reasons is a copy of what was noted.
func (a *attack) reasons() map[detail]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.details)
}
