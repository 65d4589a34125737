package store

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"golang.org/x/time/rate"
)

// How a statement whose context has ended is stopped. The server is asked to
// cancel it, on a connection of its own as the protocol wants, and the call
// goes on reading until the server says that it is ready: then the backend is
// idle, the connection keeps its place in the pool, and whoever holds a permit
// for the work may give it back. Three things go wrong on the way:
//
//   - A request overtakes the statement, finds an idle backend and is ignored.
//     So it is repeated, ever more slowly, until the call has ended.
//   - A request arrives late and would hit the next statement. So the call
//     waits until the server has closed the connection of the request, which
//     it does after it has signalled the backend; where that could not be seen,
//     the connection is not used again.
//   - The server does not listen at all. So after cancelWait, or deafWait where
//     that is known, the read fails, and pgx closes the connection.
const (
	// cancelWait bounds how long a cancelled call waits for its backend.
	cancelWait = 2 * time.Second
	deafWait   = 100 * time.Millisecond
	// cancelAgain is the first pause before a request is repeated.
	cancelAgain = 20 * time.Millisecond
	// Each request costs the server a process: a storm of clients that leave
	// must not become one of forks. Statements that end by themselves while
	// they wait for their turn need no request.
	cancelsPerSecond = 200
	cancelBurst      = 20
	cancelsAtOnce    = 4
)

// canceller makes the handlers of a store's connections, which share its pace.
type canceller struct {
	pace  *rate.Limiter
	slots chan struct{}
	deaf  atomic.Bool // the server answers nobody
}

func newCanceller() *canceller {
	return &canceller{pace: rate.NewLimiter(cancelsPerSecond, cancelBurst), slots: make(chan struct{}, cancelsAtOnce)}
}

// handler stops the statements of one connection, one at a time as pgx runs
// them.
func (c *canceller) handler(conn *pgconn.PgConn) ctxwatch.Handler {
	return &cancelHandler{conn: conn, canceller: c}
}

type cancelHandler struct {
	*canceller
	conn  *pgconn.PgConn
	calm  context.CancelFunc // the call has ended: no further request
	done  chan struct{}      // no request is on its way
	doubt bool               // a request may still arrive; read after done
}

// HandleCancel begins to stop the statement; pgx calls it when the context has
// ended while a call is reading.
func (h *cancelHandler) HandleCancel(ended context.Context) {
	patience := cancelWait
	if h.deaf.Load() {
		patience = deafWait
	}
	ctx, calm := context.WithTimeout(context.WithoutCancel(ended), patience)
	h.calm, h.done = calm, make(chan struct{})
	_ = h.conn.Conn().SetDeadline(time.Now().Add(patience)) // fails on a closed connection only
	go func() {
		defer close(h.done)
		for pause := cancelAgain; ctx.Err() == nil; pause *= 2 {
			h.request(ctx)
			wait(ctx, pause)
		}
	}()
}

// request asks once, when it is this connection's turn.
func (h *cancelHandler) request(ctx context.Context) {
	if h.pace.Wait(ctx) != nil {
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return
	}
	// What was begun is finished even if the call ends meanwhile.
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelWait)
	defer cancel()
	if err := h.conn.CancelRequest(sending); err != nil || sending.Err() != nil {
		h.doubt = true
	}
}

// HandleUnwatchAfterCancel returns when nothing can hit the connection's next
// statement any more; pgx calls it when the server is ready again or the
// connection is lost.
func (h *cancelHandler) HandleUnwatchAfterCancel() {
	h.calm()
	if h.conn.IsClosed() {
		return // it has no next statement
	}
	<-h.done
	_ = h.conn.Conn().SetDeadline(time.Time{})
	if h.doubt {
		h.conn.CustomData()[doubtful] = true
	}
}

// doubtful marks connections whose next statement might be cancelled.
const doubtful = "headroom: a cancel request may still arrive"

// trusted keeps such connections from being used again.
func trusted(_ context.Context, conn *pgx.Conn) (bool, error) {
	return conn.PgConn().CustomData()[doubtful] == nil, nil
}

// wait pauses until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
