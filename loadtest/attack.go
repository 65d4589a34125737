package loadtest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// row is what is known of one operation, from its first attempt to its last
// answer. Times count from the run's start.
type row struct {
	sent, end time.Duration
	served    uint32 // microseconds, as the server accounts for them; 0 if it does not
	queued    uint32 // of served: waiting or held back, not work
	bytes     uint32
	told      uint32 // milliseconds until the client may come back, of a refusal; else hundredths of the points it took, 0 if the server does not say
	status    uint16
	op        uint16
	outcome   Outcome
	kind      uint8 // of client, in behaviours
	attempts  uint8
	remark    remark
}

// remark is what there is to say of an answer beside its outcome.
type remark uint8

const (
	noRemark   remark = iota
	userErrors        // right, but the rules of the business said no
	foreign           // another person's data
)

// points are what the server says the operation took, in hundredths.
func (r row) points() uint32 {
	if r.outcome == Shed || r.outcome == Throttled {
		return 0
	}
	return r.told
}

// server is the server's time, with what was waited in it.
func (r row) server() time.Duration { return time.Duration(r.served) * time.Microsecond }

// work is the server's time without what it waited.
func (r row) work() time.Duration { return max(0, r.server()-r.waited()) }

// waited is what of the server's time was none of its work.
func (r row) waited() time.Duration { return time.Duration(r.queued) * time.Microsecond }

// microseconds fit a duration into a row.
func microseconds(d time.Duration) uint32 {
	return uint32(min(max(0, d.Microseconds()), math.MaxUint32))
}

// try is one attempt of an operation that had more than one.
type try struct {
	row
	due    time.Duration
	stream uint16
}

// attack is one run of a plan: vegeta's Attacker around our client.
type attack struct {
	plan   *plan
	deck   *deck
	mixes  []*mix      // by stream
	each   [][]*loaded // by stream: the operations of each client
	people [][]int     // by stream: whose turn it is to come as a client
	client *client
	start  time.Time
	ctx    context.Context
	rows   []kept        // in the order of arrivals; each written once, by whoever serves that arrival
	over   bits          // the rows that are written
	parked chan struct{} // one for each client that waits to try again
	sent   atomic.Int64  // attempts
	hits   int           // as vegeta counted them
	usages []Usage       // of the machine, by phase; fewer if the run was cut short
	live   *live

	readings []Reading    // of the server's counters, around the phases
	gate     []GateMoment // of its gauges, every second or so

	mu      sync.Mutex
	details map[detail]int
	tries   []try
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
	a := &attack{plan: p, deck: d, client: c, live: l, rows: make([]kept, p.rows), over: newBits(p.rows), details: map[detail]int{}}
	for _, stream := range p.streams {
		if err := a.load(stream.Stream); err != nil {
			return nil, fmt.Errorf("phase %s: %w", p.phases[stream.phase].Name, err)
		}
	}
	a.parked = make(chan struct{}, p.clients+min(p.retrying, 1)*openParked)
	return a, nil
}

// load prepares a stream's operations.
func (a *attack) load(stream Stream) error {
	var each []*loaded
	for _, op := range stream.Each {
		l, err := a.deck.load(op)
		if err != nil {
			return err
		}
		each = append(each, l)
	}
	a.each = append(a.each, each)
	var people []int
	if len(each) > 0 {
		people = rand.New(rand.NewPCG(a.plan.seed^peopleDomain, uint64(len(a.people)))).Perm(len(each[0].users))
	}
	a.people = append(a.people, people)
	given, scripted := stream.Rate.(script)
	for _, call := range given {
		if _, err := a.deck.load(call.op); err != nil {
			return err
		}
	}
	if len(each) > 0 || scripted {
		a.mixes = append(a.mixes, nil)
		return nil
	}
	m, err := a.deck.mix(stream.Mix)
	a.mixes = append(a.mixes, m)
	return err
}

// peopleDomain keeps the draws of who comes as a client apart from other draws.
const peopleDomain = 7 << 61

// openParked is how many senders of the open streams may wait to try again.
const openParked = 1000

// head is the time between the decision to start and the first due arrival.
const head = 20 * time.Millisecond

// spareWorkers is how many of vegeta's workers there are beyond the cap on what
// is in flight. With none the attack silently queues instead of dropping.
const spareWorkers = 32

// run sends everything planned and returns when the last answer is in, or soon
// after ctx ends. The attack's start must be set.
func (a *attack) run(ctx context.Context) error {
	sleeper, err := NewSleeper(ctx)
	if err != nil {
		return err
	}
	defer sleeper.Close()
	a.ctx = ctx
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: a}),
		vegeta.Workers(10),
		vegeta.MaxWorkers(uint64(cap(a.client.slots)+cap(a.parked)+spareWorkers)),
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
	if err != nil || seq >= uint64(len(a.plan.arrivals)) {
		return nil, fmt.Errorf("arrival %q is not in the plan", r.Header.Get("X-Vegeta-Seq"))
	}
	a.serve(seq)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
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
