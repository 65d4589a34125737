package loadtest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// errand is one operation of one arrival: all it takes to send it, and again.
type errand struct {
	at     uint32 // its row
	due    time.Duration
	stream uint16
	call   call
	host   string // of connections of its own; empty: the shared ones
	kind   *Behaviour
	rng    *rand.Rand // for the pauses between attempts; nil if there is one attempt
}

// serve draws, sends and records one arrival.
func (a *attack) serve(seq uint64) {
	arrival := a.plan.arrivals[seq]
	stream := a.plan.streams[arrival.stream]
	e := errand{at: arrival.row, due: arrival.due, stream: arrival.stream, kind: behaviours[0]}
	if len(stream.Clients) > 0 {
		e.rng = rand.New(rand.NewPCG(a.plan.seed^behaviourDomain, seq))
		e.kind = pickBehaviour(stream.Clients, e.rng)
	}
	if len(stream.Each) > 0 {
		people := a.people[arrival.stream]
		a.serveClient(seq, a.each[arrival.stream], people[int(a.plan.nth[seq])%len(people)], e)
		return
	}
	if given, ok := stream.Rate.(script); ok {
		call, err := a.deck.scripted(given[a.plan.nth[seq]])
		e.call = call
		a.operation(e, err)
		return
	}
	call, err := a.deck.draw(a.mixes[arrival.stream], a.plan.seed, seq)
	e.call = call
	a.operation(e, err)
}

// behaviourDomain keeps the draws of clients' behaviour apart from those of
// operations.
const behaviourDomain = 5 << 61

// serveClient runs a client's operations one after the other, as one person on
// connections of its own. What a cancel leaves undone is interrupted. Nobody comes a
// second time before all have come: who shares a person's token shares what that is told.
func (a *attack) serveClient(seq uint64, each []*loaded, person int, e errand) {
	e.host = fmt.Sprintf("c%d.sim", seq)
	rng := rand.New(rand.NewPCG(a.plan.seed, seq))
	user := each[0].users[person]
	for _, op := range each {
		if a.ctx.Err() != nil {
			now := time.Since(a.start)
			a.end(e.at, row{sent: now, end: now, op: op.index, outcome: Interrupted, kind: kindIndex(e.kind)})
		} else {
			var err error
			e.call, err = a.deck.drawFor(rng, op, user)
			a.operation(e, err)
		}
		e.due = a.rows[e.at].end.since()
		e.at++
	}
}

func kindIndex(b *Behaviour) uint8 {
	for i := range behaviours {
		if behaviours[i] == b {
			return uint8(i)
		}
	}
	return 0
}

// operation runs one to its end and keeps its row.
func (a *attack) operation(e errand, err error) {
	stream := a.plan.streams[e.stream]
	a.live.arrived(stream.Class)
	var r row
	j := judgement{outcome: GeneratorError}
	if err != nil {
		j.detail = err.Error()
	} else {
		r, j = a.operate(e, stream.Stream)
		r.op = e.call.op.index
	}
	r.outcome, r.remark, r.kind = j.outcome, j.remark(), kindIndex(e.kind)
	a.end(e.at, r)
	a.live.ended(stream.Class, j.outcome, r.end-e.due)
	if j.detail != "" {
		a.note(detail{e.call.op.Name, j.outcome.String(), j.detail})
	}
}

// end writes the row of an operation that is over.
func (a *attack) end(at uint32, r row) {
	a.rows[at] = packed(r)
	a.over.raise(at)
}

// maxRetrying is how long after it was due an operation is still tried again.
const maxRetrying = 2 * time.Minute

// operate makes attempts until one is right or the client gives up. The row
// spans them all.
func (a *attack) operate(e errand, stream Stream) (row, judgement) {
	var whole row
	due := e.due
	for n := 1; ; n++ {
		r, answer, j := a.attempt(due, stream.patience().Abandon, e)
		r.op, r.outcome, r.kind, r.attempts = e.call.op.index, j.outcome, kindIndex(e.kind), uint8(n)
		whole = spanning(whole, r)
		if n > 1 && j.outcome == Dropped {
			j = judgement{outcome: GeneratorError, detail: "too much in flight to try again"}
		}
		pause, again := e.again(j.outcome, answer, n)
		next := r.end + pause
		again = again && next-e.due < maxRetrying && a.sent.Load() < maxRequests
		if n > 1 || again {
			a.keep(try{r, due, e.stream})
		}
		if again {
			again = a.park(next)
		}
		if !again {
			return whole, a.ended(j, whole.end-e.due, stream)
		}
		due = next
	}
}

// again asks the client whether and when to try again after attempt n.
func (e errand) again(o Outcome, answer answer, n int) (time.Duration, bool) {
	switch o {
	case OK, Rejected, Dropped, GeneratorError, Interrupted:
		return 0, false
	}
	if n >= e.kind.Attempts {
		return 0, false
	}
	return e.kind.again(answer, o, n, e.rng)
}

// ended is the judgement of the whole operation after its last attempt.
func (a *attack) ended(j judgement, response time.Duration, stream Stream) judgement {
	switch {
	case a.ctx.Err() != nil && j.outcome != OK && !j.foreign:
		return judgement{outcome: Interrupted}
	case j.outcome == OK && response > stream.patience().Late:
		return judgement{outcome: Late, detail: "right, but too late", refused: j.refused}
	}
	return j
}

// spanning adds an attempt to the row of its operation.
func spanning(whole, r row) row {
	if whole.attempts == 0 {
		return r
	}
	sent, served, queued, bytes := whole.sent, whole.served+r.served, whole.queued+r.queued, whole.bytes+r.bytes
	whole = r
	whole.sent, whole.served, whole.queued, whole.bytes = sent, served, queued, bytes
	return whole
}

// park waits for the next attempt's due time without a slot. It is false if
// the run is cancelled, or if as many wait as there are workers for.
func (a *attack) park(until time.Duration) bool {
	select {
	case a.parked <- struct{}{}:
		defer func() { <-a.parked }()
	default:
		return false
	}
	wait(a.ctx, a.start.Add(until))
	return a.ctx.Err() == nil
}

func (a *attack) keep(t try) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tries = append(a.tries, t)
}

// attempt sends a call if fewer than the cap are in flight, and gives it up
// when the person who asked would have, counted from the due time.
func (a *attack) attempt(due, abandon time.Duration, e errand) (row, answer, judgement) {
	select {
	case a.client.slots <- struct{}{}:
		defer func() { <-a.client.slots }()
	default:
		now := time.Since(a.start)
		return row{sent: now, end: now}, answer{}, judgement{outcome: Dropped}
	}
	ctx, cancel := context.WithDeadline(a.ctx, a.start.Add(due+abandon))
	defer cancel()
	a.sent.Add(1)
	got := a.client.send(ctx, e.host, e.call.user.Token, e.call.body)
	server, queued := serverTime(got.answer.header)
	r := row{
		sent: got.sent.Sub(a.start), end: got.end.Sub(a.start),
		served: microseconds(server), queued: microseconds(queued), told: pointsOf(got.answer.header),
		bytes: uint32(len(got.answer.body)), status: uint16(got.answer.status),
	}
	j := classify(e.call.op, e.call.user, got.answer)
	if j.told > 0 {
		r.told = uint32(min(j.told.Milliseconds(), math.MaxUint32))
	}
	return r, got.answer, j
}
