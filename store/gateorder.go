package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// GateOrder is what operators have all servers do for a while, and the record of it.
type GateOrder struct {
	ID      int64
	Kind    string // tenant, operation, client or token, which are blocked; mode; slots; seats; brownout; kill
	Subject string // who is blocked, a workspace or a token by its number; the mode; the number of slots; the class; the rung; the request's id
	Label   string // the workspace's name; the number of seats; what was ended
	Reason  string
	By      string
	At      time.Time
	Left    time.Duration // until it ends by itself, by the database's clock; not above 0: it has

	EndedAt             *time.Time // taken back before that; nil: it was not
	EndedBy, EndedCause string
}

const gateOrderColumns = `id, kind, subject, label, reason, given_by, given_at, extract(epoch FROM expires_at - now())::float8, ended_at, coalesce(ended_by, ''), coalesce(ended_reason, '')`

func scanGateOrder(row pgx.CollectableRow) (o GateOrder, err error) {
	var left float64
	err = row.Scan(&o.ID, &o.Kind, &o.Subject, &o.Label, &o.Reason, &o.By, &o.At, &left, &o.EndedAt, &o.EndedBy, &o.EndedCause)
	o.Left = time.Duration(left * float64(time.Second))
	return o, err
}

const (
	// giveOrder replaces an order of the same kind about the same; there is one mode,
	// one number of slots and one rung at a time.
	giveOrder = `/* giveOrder */
WITH replaced AS (
  UPDATE gate_order
  SET ended_at = now(), ended_by = $4, ended_reason = 'replaced'
  WHERE ended_at IS NULL
    AND expires_at > now()
    AND kind = $1
    AND (subject = $2 OR kind IN ('mode', 'slots', 'brownout'))
)
INSERT INTO gate_order (kind, subject, label, reason, given_by, expires_at)
VALUES ($1, $2, $6, $3, $4, now() + make_interval(secs => $5))
RETURNING ` + gateOrderColumns

	// endOrder takes back the order about a subject, or all of the kind.
	endOrder = `/* endOrder */
UPDATE gate_order
SET ended_at = now(), ended_by = $4, ended_reason = $3
WHERE ended_at IS NULL
  AND expires_at > now()
  AND kind = $1
  AND (subject = $2 OR $2 = '')`

	// noteOrder adds to an order what a server has done about it.
	noteOrder = `/* noteOrder */
UPDATE gate_order
SET label = concat_ws('; ', nullif(label, ''), $2::text)
WHERE id = $1`

	readOrder = `/* readOrder */
SELECT ` + gateOrderColumns + `
FROM gate_order
WHERE id = $1`

	openOrders = `/* openOrders */
SELECT ` + gateOrderColumns + `
FROM gate_order
WHERE ended_at IS NULL
  AND expires_at > now()
ORDER BY id`

	lastOrders = `/* lastOrders */
SELECT ` + gateOrderColumns + `
FROM gate_order
ORDER BY id DESC
LIMIT $1`

	listenOrders = `/* listenOrders */
LISTEN headroom_orders`

	tellOrder = `/* tellOrder */
SELECT pg_notify('headroom_orders', '0')`
)

// ordersChannel is where servers tell each other of orders.
const ordersChannel = "headroom_orders"

// HearOrders has f called when an operator has given or ended an order, through
// this server or another one.
func (s *Store) HearOrders(f func()) { s.ordered.Store(&f) }

// tellOrder tells all servers at once; who does not hear it reads it within a
// second.
func (s *Store) tellOrder(ctx context.Context) {
	if _, err := s.exec(ctx, tellOrder); err != nil {
		s.log.Warn("tell servers of an operator's order", "error", err)
	}
}

// urgent is for what must get through while everything else waits.
func urgent(ctx context.Context) context.Context {
	return timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassControl})
}

// GiveOrder writes an order down for as long as lasting, in place of the one about
// the same, and tells all servers.
func (s *Store) GiveOrder(ctx context.Context, o GateOrder, lasting time.Duration) (GateOrder, error) {
	ctx = urgent(ctx)
	given, _, err := one(ctx, s, scanGateOrder, giveOrder, o.Kind, o.Subject, o.Reason, o.By, lasting.Seconds(), o.Label)
	if err != nil {
		return GateOrder{}, fmt.Errorf("give an order: %w", err)
	}
	s.tellOrder(ctx)
	return given, nil
}

// EndOrder takes back the order of a kind about a subject, or with "" all of the
// kind, and returns how many there were.
func (s *Store) EndOrder(ctx context.Context, o GateOrder) (int64, error) {
	ctx = urgent(ctx)
	n, err := s.exec(ctx, endOrder, o.Kind, o.Subject, o.Reason, o.By)
	if err != nil {
		return 0, fmt.Errorf("end an order: %w", err)
	}
	s.tellOrder(ctx)
	return n, nil
}

// NoteOrder adds to an order what this server has done about it.
func (s *Store) NoteOrder(ctx context.Context, id int64, done string) error {
	if _, err := s.exec(urgent(ctx), noteOrder, id, done); err != nil {
		return fmt.Errorf("note what was done about an order: %w", err)
	}
	return nil
}

// ReadOrder reads an order again.
func (s *Store) ReadOrder(ctx context.Context, id int64) (GateOrder, error) {
	o, ok, err := one(urgent(ctx), s, scanGateOrder, readOrder, id)
	if err == nil && !ok {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return GateOrder{}, fmt.Errorf("read an order: %w", err)
	}
	return o, nil
}

// OpenOrders are those in force, the oldest first.
func (s *Store) OpenOrders(ctx context.Context) ([]GateOrder, error) {
	orders, err := list(urgent(ctx), s, scanGateOrder, openOrders)
	if err != nil {
		return nil, fmt.Errorf("read the orders: %w", err)
	}
	return orders, nil
}

// LastOrders are the latest, also those that have ended, the newest first.
func (s *Store) LastOrders(ctx context.Context, most int) ([]GateOrder, error) {
	orders, err := list(urgent(ctx), s, scanGateOrder, lastOrders, most)
	if err != nil {
		return nil, fmt.Errorf("read the last orders: %w", err)
	}
	return orders, nil
}
