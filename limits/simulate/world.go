package simulate

import (
	"context"
	"math/rand/v2"
	"time"

	"headroom/limits"
)

// Setup is a scenario: a database, servers before it, and who comes.
type Setup struct {
	Name      string
	Cores     int           // of the database
	Guess     int           // what the gates believe; 0: Cores
	Processes int           // servers; 0: 1
	Restart   time.Duration // one server restarts each time this has passed; 0: never
	RoundTrip time.Duration
	Commit    time.Duration
	Demotable bool          // report backends can be told to yield
	Length    time.Duration // of the run
	Storm     [2]time.Duration
	Sources   []Source
	Crowd     *Crowd                         // nil: none
	Speed     []Change                       // of the database
	Foreign   []Change                       // backends of other programs
	Clock     []Change                       // seconds by which the servers' clocks step
	Estimate  float64                        // what forecasts are multiplied with; 0: 1
	Deadlines map[limits.Class]time.Duration // missing: those of the product
}

// Change sets a value from a time on.
type Change struct {
	At time.Duration
	To float64
}

// Source is a stream of operations.
type Source struct {
	Class      limits.Class
	From, To   time.Duration
	Rate       float64                  // births in a second
	Size       func(*rand.Rand) float64 // core-seconds
	Error      float64                  // spread of the forecast, as the sigma of its logarithm
	Tenant     func(*rand.Rand) int
	Clients    int // of each tenant; 0: 20
	Statements int // 0: 1
	Write      bool
	Lock       func(*rand.Rand) int // row that is locked; nil: none
	Tries      int                  // 0: 3; -1: until it succeeds
	Burst      int                  // operations that a client sends at once, as an app's start does; 0: 1
	Group      int                  // to tell the sources' figures apart
}

// operation is what a client wants.
type operation struct {
	source   *Source
	tenant   int
	client   int
	size     float64
	forecast time.Duration
	lock     int
	born     time.Duration
	screen   int32 // operations of one burst have the same
	sample   int   // in the result
	tries    int
	visitor  *visitor // of a crowd, or nil
}

// attempt is one request for it.
type attempt struct {
	op      *operation
	server  int
	gate    gate
	arrived time.Duration
	started time.Duration
	running bool
	over    bool
	timeout *event
	job     job
	permit  *limits.Permit
	waiter  *limits.Waiter
	probe   int // what an opponent notes at the start
}

// gate decides when attempts start. It calls start or refuse on each that
// arrives, at once or later.
type gate interface {
	arrive(a *attempt)
	leave(a *attempt) time.Duration // one that waits has given up; when it is told to come back, 0 if it is not
	ended(a *attempt, ok bool)      // one that ran has ended
}

// drainer is a gate that refuses those who wait when its server stops.
type drainer interface{ drain() }

type world struct {
	ctx context.Context // of the run, for gates that ask with one
	Setup
	engine
	db      *database
	rng     *rand.Rand
	policy  Policy
	servers []*server
	slots   int // report slots taken
	screens int32
	result  *Result
}

type server struct {
	world *world
	index int
	gate  gate
	down  bool
}

// Policy makes the gate of a server.
type Policy struct {
	Name   string
	demote bool // report backends, where they can be
	open   func(*server) gate
}

// Run lets a policy go through a scenario. If ctx ends it stops there.
func Run(ctx context.Context, s Setup, p Policy, seed uint64) *Result {
	s.Processes, s.Estimate = max(1, s.Processes), max(s.Estimate, 0)
	if s.Estimate == 0 {
		s.Estimate = 1
	}
	if s.Guess == 0 {
		s.Guess = s.Cores
	}
	w := &world{ctx: ctx, Setup: s, policy: p, rng: rand.New(rand.NewPCG(seed, 77)), result: &Result{Setup: s, byServer: make([]int, s.Processes)}}
	w.db = newDatabase(&w.engine, s.Cores, s.RoundTrip, s.Commit)
	for i := range s.Processes {
		srv := &server{world: w, index: i}
		srv.gate = p.open(srv)
		w.servers = append(w.servers, srv)
	}
	w.schedule(seed)
	w.play()
	return w.result
}

// play lets events happen until the end.
func (w *world) play() {
	for w.ctx.Err() == nil {
		g, ends := w.db.next()
		at := w.Length + 1
		if len(w.events) > 0 {
			at = w.events[0].at
		}
		if min(at, ends) > w.Length {
			w.now = w.Length
			return
		}
		if ends <= at {
			w.now = ends
			w.db.finish(g)
			continue
		}
		ev := w.pop()
		w.now = ev.at
		if ev.fn != nil {
			ev.fn()
		}
	}
}

func (w *world) schedule(seed uint64) {
	for i := range w.Sources {
		src := &w.Sources[i]
		rng := rand.New(rand.NewPCG(seed, uint64(i)+1000)) // the same operations for all policies
		w.after(src.From, func() { w.birth(src, rng) })
	}
	for _, c := range w.Speed {
		w.after(c.At, func() { w.db.sync(); w.db.speed = c.To; w.db.share() })
	}
	for _, c := range w.Foreign {
		w.after(c.At, func() { w.db.sync(); w.db.foreign = int(c.To); w.db.share() })
	}
	if w.Crowd != nil {
		w.come(w.Crowd, rand.New(rand.NewPCG(seed, 999)))
	}
	if w.Restart > 0 {
		w.after(w.Restart, func() { w.restart(0) })
	}
}

// birth makes an operation of a source and plans the next.
func (w *world) birth(src *Source, rng *rand.Rand) {
	to := src.To
	if to == 0 {
		to = w.Length
	}
	w.after(time.Duration(rng.ExpFloat64()/src.Rate*1e9), func() {
		if w.now < to {
			w.burst(src, rng)
			w.birth(src, rng)
		}
	})
}

// burst makes the operations that a client sends at once.
func (w *world) burst(src *Source, rng *rand.Rand) {
	first := w.newOperation(src, rng)
	w.result.born(first)
	w.attempt(first)
	for range src.Burst - 1 {
		next := w.newOperation(src, rng)
		next.tenant, next.client, next.screen = first.tenant, first.client, first.screen
		w.result.born(next)
		w.attempt(next)
	}
}

func (w *world) newOperation(src *Source, rng *rand.Rand) *operation {
	op := &operation{source: src, size: src.Size(rng), born: w.now, screen: w.screens}
	w.screens++
	op.forecast = time.Duration(op.size * w.Estimate * lognormal(rng, src.Error) * 1e9)
	if src.Tenant != nil {
		op.tenant = src.Tenant(rng)
	}
	clients := src.Clients
	if clients == 0 {
		clients = 20
	}
	op.client = op.tenant*100_000 + rng.IntN(clients)
	if src.Lock != nil {
		op.lock = src.Lock(rng)
	}
	return op
}

// restart stops one server for two seconds and then plans the next.
func (w *world) restart(i int) {
	srv := w.servers[i%len(w.servers)]
	srv.down = true
	if d, ok := srv.gate.(drainer); ok {
		d.drain()
	}
	w.after(2*time.Second, func() {
		srv.gate = w.policy.open(srv)
		srv.down = false
	})
	w.after(w.Restart, func() { w.restart(i + 1) })
}

// alive is the number of servers that run.
func (w *world) alive() (n int) {
	for _, srv := range w.servers {
		if !srv.down {
			n++
		}
	}
	return n
}

// clock is the servers' time, which may step.
func (w *world) clock() time.Time {
	t := time.Unix(1_000_000_000, 0).Add(w.now)
	for _, c := range w.Clock {
		if w.now >= c.At {
			t = t.Add(time.Duration(c.To * 1e9))
		}
	}
	return t
}
