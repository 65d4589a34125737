package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Operation is what one request may use of the database and what it has used.
// A request without one, such as a background job, is not limited.
type Operation struct {
	Usage
	seats chan struct{}
	slot  *Slot // whose connection it runs on; nil: any of its class

	reused atomic.Bool
	keeps  atomic.Pointer[Kept] // the statement to explain; nil: none
}

// NewOperation allows seats statements at a time: the executor resolves root
// fields in parallel, and twenty of them must not be twenty backends on one
// permit.
func NewOperation(seats int) *Operation {
	return &Operation{seats: make(chan struct{}, seats)}
}

// NewRehearsal is an operation that asks the database nothing: its statements end with
// [ErrRehearsed], so that what is refused before the first one can be seen.
func NewRehearsal() *Operation { return &Operation{} }

// ErrRehearsed is what the statements of a rehearsal end with.
var ErrRehearsed = errors.New("a rehearsal asks the database nothing")

// RunIn makes the operation run on a slot's connection, so that the slot ends with
// the backend that does the work. It is called before the first statement; the
// slot is released after Close.
func (op *Operation) RunIn(slot *Slot) { op.slot = slot }

func slotFrom(ctx context.Context) *Slot {
	if op := operationFrom(ctx); op != nil {
		return op.slot
	}
	return nil
}

type operationKey struct{}

// WithOperation puts the operation into the context.
func WithOperation(ctx context.Context, op *Operation) context.Context {
	return context.WithValue(ctx, operationKey{}, op)
}

func operationFrom(ctx context.Context) *Operation {
	op, _ := ctx.Value(operationKey{}).(*Operation)
	return op
}

// seat takes one of the operation's seats until release is called.
func seat(ctx context.Context) (release func(), err error) {
	op := operationFrom(ctx)
	switch {
	case op == nil:
		return func() {}, nil
	case op.seats == nil:
		return nil, ErrRehearsed
	}
	select {
	case op.seats <- struct{}{}:
		return func() { <-op.seats }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// tracer counts an operation's statements, those in batches too.
type tracer struct{}

type startKey struct{}

func (tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, start pgx.TraceQueryStartData) context.Context {
	op := operationFrom(ctx)
	if op == nil {
		return ctx
	}
	op.keepStatement(start)
	return context.WithValue(ctx, startKey{}, time.Now())
}

func (tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, end pgx.TraceQueryEndData) {
	if op := operationFrom(ctx); op != nil {
		counted(ctx, op, end.CommandTag)
		spent(ctx, op)
	}
}

func (t tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return t.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{})
}

func (tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, query pgx.TraceBatchQueryData) {
	if op := operationFrom(ctx); op != nil {
		counted(ctx, op, query.CommandTag)
	}
}

func (tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	if op := operationFrom(ctx); op != nil {
		spent(ctx, op)
	}
}

func counted(ctx context.Context, op *Operation, tag pgconn.CommandTag) {
	op.count(tag.RowsAffected())
	if part := UsageFrom(ctx); part != nil {
		part.count(tag.RowsAffected())
	}
}

func spent(ctx context.Context, op *Operation) {
	began, ok := ctx.Value(startKey{}).(time.Time)
	if !ok {
		return
	}
	took := int64(time.Since(began))
	op.busy.Add(took)
	if part := UsageFrom(ctx); part != nil {
		part.busy.Add(took)
	}
}

// Close waits until the operation's statements have ended and lets no further
// one begin. Whoever holds a permit for the operation gives it back after
// that: a loader may still be reading when the last waiter has left.
func (op *Operation) Close() {
	for range cap(op.seats) {
		op.seats <- struct{}{}
	}
}
