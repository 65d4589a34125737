package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"headroom/store"
)

// An order to kill is carried out once, by each server that runs the request when it
// hears of it, and is over a moment later.
const (
	killLasts = 5 * time.Second
	killHeard = 2 * time.Second // servers read their orders each second
)

// errKilled is why an operation ends that operators have ended.
var errKilled = errors.New("ended by an operator")

// reasonKilled is its reason for the client.
const reasonKilled = "killed"

// killed is the answer to it. Who tries again at once would be killed again.
func (r *request) killed() *fault {
	return r.uncertain(refuse(codeOverloaded, "the operators have ended this operation").
		with("class", r.class.String()).with("reason", reasonKilled).retry(jitter(blockSpread)))
}

// kill ends what runs under an order's request here, and notes what it was.
func (s *Server) kill(ctx context.Context, o store.GateOrder) {
	for _, op := range s.lookout.kill(o.Subject) {
		host, err := os.Hostname()
		if err != nil {
			host = "a server without a name"
		}
		what := fmt.Sprintf("%s of %s, %s, after %s on %s", op.operation, tenantName(op.tenant, op.name), cmp.Or(op.client, "(unnamed)"), s.now().Sub(op.since).Round(time.Millisecond), host)
		s.log.Warn("an operator has ended a request", "request", o.Subject, "what", what, "reason", o.Reason, "by", o.By)
		if err := s.store.NoteOrder(ctx, o.ID, what); err != nil {
			s.log.Warn("an operator will not learn of it", "error", err)
		}
	}
}

// kill ends the operations that run under a request's id, and returns them.
func (l *lookout) kill(id string) (ended []runningOp) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, op := range l.running {
		if op.id == id {
			op.end(errKilled)
			ended = append(ended, op)
		}
	}
	return ended
}

// carriedOut waits until a server has noted what it ended. Where none has, the id is
// that of nothing that runs.
func (s *Server) carriedOut(ctx context.Context, o store.GateOrder) (store.GateOrder, error) {
	deadline := s.now().Add(killHeard)
	for pause := 10 * time.Millisecond; ; pause *= 2 {
		now, err := s.store.ReadOrder(ctx, o.ID)
		if err != nil || now.Label != "" {
			return now, err
		}
		if s.now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			return o, ctx.Err()
		case <-time.After(pause):
		}
	}
	o.Reason, o.By = "no server runs it", "the server"
	if _, err := s.store.EndOrder(ctx, o); err != nil {
		return o, err
	}
	var running []string
	s.lookout.mu.Lock()
	for _, op := range s.lookout.running {
		running = append(running, op.id)
	}
	s.lookout.mu.Unlock()
	return o, bad("no server runs the request %q%s; it may have ended, headroom top shows what runs longest", o.Subject, nearest(o.Subject, running))
}
