package limits

import (
	"context"
	"sync/atomic"
	"time"
)

// Request is what a Gate must know about an operation.
type Request struct {
	Class Class
	// Tenant shares the queue fairly with the other tenants. Client is who would
	// try again, and is told the same time again if it comes too early.
	Tenant, Client string
	// Work is the forecast of database and server time; the bound where nothing
	// better is known.
	Work time.Duration
	// Deadline is set at arrival. The zero time stands for no deadline.
	Deadline time.Time
}

// A Gate decides whether an operation may start now.
type Gate interface {
	// Admit returns either a permit or a refusal, the other is nil. It waits at
	// most until the request's deadline or the end of ctx. A permit must be
	// ended, so the line after the call is `defer permit.Drop()`.
	Admit(context.Context, Request) (*Permit, *Refusal)
}

// Outcome is what an admitted operation turned out to need.
type Outcome struct {
	DB         time.Duration // time spent in database statements
	Statements int
	Rows       int
	Err        error // nil if the operation was answered
}

// Step is a rung of the brownout ladder; each rung includes those below it.
type Step int

// Normal asks nothing of the operation.
const Normal Step = 0

// Permit is the right to run one operation. Its methods may be called from any
// goroutine.
type Permit struct {
	holder holder // nil: nothing to give back
	class  Class
	tenant string
	step   Step
	work   time.Duration // the forecast it was admitted with
	since  time.Time
	most   time.Duration // until its deadline, from since; 0: it has none
	slot   Slot
	beside int  // the seats there were, if it had waited for one
	modest bool // its tenant had little waiting, in a crowd
	ended  atomic.Bool
}

// holder takes back what a permit holds, and learns from the outcome if teach is
// set.
type holder interface {
	release(p *Permit, o Outcome, teach bool)
}

// NewPermit is for gates of other packages: the permit of an admitted request,
// whose end is told once, with whether the outcome teaches anything.
func NewPermit(r Request, end func(o Outcome, teach bool)) *Permit {
	return &Permit{holder: ending(end), class: r.Class, work: r.Work}
}

type ending func(Outcome, bool)

func (end ending) release(_ *Permit, o Outcome, teach bool) { end(o, teach) }

// Step returns the brownout step this operation must honour.
func (p *Permit) Step() Step { return p.step }

// Slot returns the database's slot that the operation runs in, or nil.
func (p *Permit) Slot() Slot { return p.slot }

// Done ends the permit and lets the gate learn from the outcome. Only the first
// Done or Drop counts.
func (p *Permit) Done(o Outcome) {
	if p.ended.CompareAndSwap(false, true) && p.holder != nil {
		p.holder.release(p, o, true)
	}
}

// Drop ends the permit without teaching: the operation failed, was cancelled or
// panicked. After Done it does nothing.
func (p *Permit) Drop() {
	if p.ended.CompareAndSwap(false, true) && p.holder != nil {
		p.holder.release(p, Outcome{}, false)
	}
}

// Reason says why a gate refused.
type Reason int

// The reasons. Overload is the gate's own doing in QueueFull and Backlog; in
// Expired the operation waited in vain.
const (
	QueueFull Reason = iota // too many already wait, or a tenant with less waiting took the place
	Backlog                 // at arrival: what waits before it leaves no time until its deadline
	Expired                 // while waiting, or at its turn: too late to finish before its deadline
	Canceled                // the caller went away
	Draining                // the server is shutting down
	Shed                    // in a crowd, others were served
	Brownout                // on this rung of the ladder the class is not served
	numReasons
)

var reasonNames = [numReasons]string{"queue_full", "backlog", "expired", "canceled", "draining", "shed", "brownout"}

// String returns the reason's name as logs and metrics carry it.
func (r Reason) String() string { return reasonNames[r] }

// Refusal is a gate's answer to an operation that may not start. It is shared
// and must not be changed.
type Refusal struct {
	Reason Reason
	// RetryAfter is when trying again makes sense, between 1 s and 60 s.
	RetryAfter time.Duration
	Again      bool // the client was told this time before, or came before another that it was told
	Early      int  // how often it came again, long enough after to have read that
	Class      Class
	Queue      float64 // operations of the class that were waiting
	Free       float64 // seats of the class that were free
}

// Unlimited is a gate that admits everything at once and counts nothing.
type Unlimited struct{}

// Admit implements Gate.
func (Unlimited) Admit(_ context.Context, r Request) (*Permit, *Refusal) {
	return &Permit{class: r.Class, work: r.Work}, nil
}
