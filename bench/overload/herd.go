package main

import (
	"context"
	"headroom/timesheet"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// herd is a crowd of clients that ask again as soon as they are refused.
type herd struct {
	Clients         int
	Asked, Answered [3]float64 // a second, in each of herdFor
	Cores           [3]float64 // of the server
}

const herdSize = 10_000

// herdFor are the herd's onset, the time in which the server learns how long it waits
// for an answer, and what stays.
var herdFor = [3]time.Duration{5 * time.Second, 25 * time.Second, 30 * time.Second}

// refusing is the part of a server's cores that its answers did not take.
func (h *herd) refusing(i int, click float64) float64 { return h.Cores[i] - h.Answered[i]*click/1e6 }

// herd has all clients ask at once, each on a connection of its own, and again as
// soon as they are answered.
func (b *bed) herd(ctx context.Context, tokens []string, body []byte) (*herd, error) {
	servers, err := b.start(ctx, "adaptive", 1)
	if err != nil {
		return nil, err
	}
	defer stopAll(servers)
	if err := newLoad(servers, b.tokens).warm(ctx, click, 1); err != nil {
		return nil, err
	}
	d := &deaf{server: servers[0]}
	for _, token := range tokens {
		d.asking.Go(func() { d.insist(requestOf(token, body)) })
	}
	defer d.stop()
	h := &herd{Clients: len(tokens)}
	for i, during := range herdFor {
		if err := d.watch(ctx, h, i, during); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// deaf are clients that do not hear when they are to come back.
type deaf struct {
	server          *process
	asked, answered atomic.Int64
	stopped         atomic.Bool
	open            sync.Map // of *connection
	asking          sync.WaitGroup
}

// insist asks again and again, and dials anew when the connection ends.
func (d *deaf) insist(request []byte) {
	for !d.stopped.Load() {
		c, err := dial(d.server)
		if err != nil {
			time.Sleep(100 * time.Millisecond) // the kernel's queue is full
			continue
		}
		d.open.Store(c, true)
		for err == nil && !d.stopped.Load() {
			var status int
			if status, err = c.ask(request); err == nil {
				d.asked.Add(1)
			}
			if status == http.StatusOK {
				d.answered.Add(1)
			}
		}
		d.open.Delete(c)
		c.Close()
	}
}

func (d *deaf) stop() {
	d.stopped.Store(true)
	d.open.Range(func(c, _ any) bool { c.(*connection).Close(); return true })
	d.asking.Wait()
}

// watch notes what happens in a while, as the i-th part of the herd's time.
func (d *deaf) watch(ctx context.Context, h *herd, i int, during time.Duration) error {
	asked, answered, at := d.asked.Load(), d.answered.Load(), time.Now()
	began, err := d.server.cpu()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(during):
	}
	ended, err := d.server.cpu()
	took := time.Since(at).Seconds()
	h.Asked[i], h.Answered[i] = float64(d.asked.Load()-asked)/took, float64(d.answered.Load()-answered)/took
	h.Cores[i] = (ended - began).Seconds() / took
	return err
}

// crowd are tokens of one person, kept for the next run.
func (b *bed) crowd(ctx context.Context, n int) ([]string, error) {
	conn, err := pgx.Connect(ctx, b.dsn)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	ws, user := int64(b.owner.Workspace.ID), int64(b.owner.User)
	if _, err := conn.Exec(ctx, `INSERT INTO api_token (workspace_id, user_id, name, scope)
		SELECT $1, $2, 'crowd', 'WRITE' FROM generate_series(1, $3 - (SELECT count(*)::int FROM api_token WHERE name = 'crowd'))`, ws, user, n); err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT id FROM api_token WHERE name = 'crowd' LIMIT $1`, n)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	var tokens []string
	for _, id := range ids {
		tokens = append(tokens, b.keys.MintToken(b.owner.Workspace.ID, timesheet.Token{ID: timesheet.TokenID(id), UserID: b.owner.User, Scope: timesheet.ScopeWrite}))
	}
	return tokens, nil
}
