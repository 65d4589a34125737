package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// Kinds of operators' orders. The first four are blocks.
const (
	orderTenant    = "tenant"
	orderOperation = "operation"
	orderClient    = "client"
	orderToken     = "token"
	orderMode      = "mode"
	orderSlots     = "slots" // of reports, on the database
	orderSeats     = "seats" // of another class, in each server
	orderBrownout  = "brownout"
	orderKill      = "kill"
)

var orderKinds = []string{orderTenant, orderOperation, orderClient, orderToken, orderMode, orderSlots, orderSeats, orderBrownout, orderKill}

// order is one that is in force on this server.
type order struct {
	store.GateOrder
	until   time.Time    // by this server's clock
	refused atomic.Int64 // requests, by this server
}

func (o *order) left(now time.Time) time.Duration { return o.until.Sub(now) }

// inForce are the orders of a moment. They are replaced as a whole, so that
// requests read them without a lock.
type inForce struct {
	all   []*order
	block map[string]map[string]*order // by kind and subject
}

// of are the orders of a kind.
func (f *inForce) of(kind string, now time.Time) (found []*order) {
	for _, o := range f.all {
		if o.Kind == kind && o.left(now) > 0 {
			found = append(found, o)
		}
	}
	return found
}

// count is how many orders of each kind are in force.
func (f *inForce) count(now time.Time) map[string]int {
	n := map[string]int{}
	for _, kind := range orderKinds {
		n[kind] = 0
	}
	for _, o := range f.all {
		if o.left(now) > 0 {
			n[o.Kind]++
		}
	}
	return n
}

// orders are what operators have this server do. All servers read them from the
// database, at once when they are told and each second in any case; what was read
// last holds while the database is away, and each order ends by itself.
type orders struct {
	mu    sync.Mutex // while they are put in force
	mode  string     // of the gate, as it is
	rung  limits.Step
	seats limits.Seats // as they were set; 0: the gate's own number

	now     atomic.Pointer[inForce]
	changed chan struct{}
}

func newOrders() *orders {
	o := &orders{changed: make(chan struct{}, 1)}
	o.now.Store(&inForce{})
	return o
}

// hear has the orders read again soon.
func (o *orders) hear() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// match is the block that meets who asks, nil for none. An operation is blocked by
// its name, its document's hash, or both; a client with its version or with all.
func (f *inForce) match(w who, token timesheet.TokenID) *order {
	if len(f.block) == 0 {
		return nil
	}
	name, _, _ := strings.Cut(w.operation, "#")
	program := w.client[:max(0, strings.LastIndexByte(w.client, '@'))] // without its version
	number := ""
	if f.block[orderToken] != nil {
		number = strconv.FormatInt(int64(token), 10)
	}
	for _, try := range [...]struct{ kind, subject string }{
		{orderToken, number},
		{orderOperation, w.operation},
		{orderOperation, name},
		{orderOperation, w.operation[len(name):]},
		{orderClient, w.client},
		{orderClient, program},
		{orderTenant, w.tenantKey()},
	} {
		if o := f.block[try.kind][try.subject]; o != nil { // no order has an empty subject
			return o
		}
	}
	return nil
}

// tenantKey is a workspace as orders name it.
func (w who) tenantKey() string { return strconv.FormatInt(int64(w.tenant), 10) }

// reasonBlocked is the reason of a refusal by an operator's order.
const reasonBlocked = "blocked"

// blockSpread is how far blocked clients' returns are spread at the most.
const blockSpread = 30 * time.Second

// checkBlocks refuses what operators have blocked. Stopping a timer is refused
// only where that very operation is blocked: nobody's time may be lost.
func (s *Server) checkBlocks(r *request) *fault {
	now := s.now()
	o := s.orders.now.Load().match(whoAsks(r), r.viewer.Token)
	if o == nil || o.left(now) <= 0 || r.class == limits.Control && o.Kind != orderOperation {
		return nil
	}
	o.refused.Add(1)
	s.metrics.blocked.WithLabelValues(o.Kind).Inc()
	left := o.left(now)
	spread := min(left, blockSpread)
	f := refuse(codeOverloaded, "the operators have blocked this "+subjectOf[o.Kind]+" for a while").
		with("class", r.class.String()).with("reason", reasonBlocked).retry(left + jitter(spread) - spread)
	return f
}

// subjectOf is a kind as clients know it.
var subjectOf = map[string]string{orderTenant: "workspace", orderOperation: "operation", orderClient: "client", orderToken: "token"}

// watchOrders keeps to the orders until ctx ends.
func (s *Server) watchOrders(ctx context.Context) {
	repeat(ctx, time.Second, s.orders.changed, s.readOrders)
}

// readOrders reads the orders from the database and follows them.
func (s *Server) readOrders(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	found, err := s.store.OpenOrders(ctx)
	if err != nil {
		s.log.Debug("read the operators' orders", "error", err)
		s.steer(s.now()) // those that were read before end by themselves
		return
	}
	for _, o := range s.obey(found) {
		if o.Kind == orderKill {
			s.kill(ctx, o)
		}
	}
}

// obey puts orders in force in place of those before, and returns those that are new.
func (s *Server) obey(found []store.GateOrder) (fresh []store.GateOrder) {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	now := s.now()
	before := map[int64]*order{}
	for _, o := range s.orders.now.Load().all {
		before[o.ID] = o
	}
	next := &inForce{block: map[string]map[string]*order{}}
	for _, g := range found {
		o := before[g.ID]
		delete(before, g.ID)
		if o == nil {
			o = &order{GateOrder: g, until: now.Add(g.Left)}
			fresh = append(fresh, g)
			s.log.Warn("an operator's order is in force", "order", g.ID, "kind", g.Kind, "subject", g.Subject, "reason", g.Reason, "by", g.By, "for", g.Left.Round(time.Second).String())
			s.lookout.tell(now, fmt.Sprintf("%s: %s, by %s", describe(g), g.Reason, g.By))
		}
		next.all = append(next.all, o)
		if _, blocks := subjectOf[g.Kind]; blocks {
			if next.block[g.Kind] == nil {
				next.block[g.Kind] = map[string]*order{}
			}
			next.block[g.Kind][g.Subject] = o
		}
	}
	s.orders.now.Store(next)
	s.steerLocked(now)
	for _, o := range before {
		s.log.Warn("an operator's order has ended", "order", o.ID, "kind", o.Kind, "subject", o.Subject, "refused", o.refused.Load())
		s.lookout.tell(now, "over: "+describe(o.GateOrder))
	}
	return fresh
}

// describe is an order in a few words.
func describe(o store.GateOrder) string {
	switch o.Kind {
	case orderMode:
		return "the gate's mode is " + o.Subject
	case orderSlots:
		return "report slots: " + o.Subject
	case orderSeats:
		return fmt.Sprintf("seats of %s: %s", o.Subject, o.Label)
	case orderBrownout:
		return "brownout: " + o.Subject + " at least"
	case orderKill:
		return strings.TrimSuffix(fmt.Sprintf("request %s is ended: %s", o.Subject, o.Label), ": ")
	}
	subject := o.Subject
	if o.Label != "" {
		subject = fmt.Sprintf("%s (%s)", o.Label, o.Subject)
	}
	return fmt.Sprintf("%s %s is blocked", subjectOf[o.Kind], subject)
}

// tell keeps what operators did among the changes.
func (l *lookout) tell(now time.Time, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes.add(decision{at: now, verdict: verdictGate, class: limits.Control, reason: "order", text: text})
}
