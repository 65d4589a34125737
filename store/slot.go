package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"headroom/timesheet"
)

// Slot is one of the places for reports on a database, which all processes
// share: an advisory lock on the very connection that runs the report. So it is
// free again when the backend is gone, whatever became of the process.
type Slot struct {
	store *Store
	conn  *pgxpool.Conn
	key   int
}

// slotLocks is the first key of the locks; the second is the slot's number.
const slotLocks = 0x4852

// takeSlot tries the slots in a random order until one is free. OFFSET keeps the
// planner from moving the lock below the sort, where it would take all of them.
const takeSlot = `/* takeSlot */
SELECT k
FROM (SELECT k FROM generate_series(1, $2::int) k ORDER BY random() OFFSET 0) slots
WHERE pg_try_advisory_lock($1::int, k)
LIMIT 1`

const returnSlot = `/* returnSlot */
SELECT pg_advisory_unlock($1::int, $2::int)`

const countSlots = `/* countSlots */
SELECT count(*)::int
FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory'
  AND l.classid = $1::bigint::oid
  AND l.granted
  AND d.datname = current_database()`

// SlotsTaken is how many of the database's slots are taken, by whatever server.
func (s *Store) SlotsTaken(ctx context.Context) (int, error) {
	n, err := s.count(timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassControl}), countSlots, slotLocks)
	if err != nil {
		return 0, fmt.Errorf("count the slots that are taken: %w", err)
	}
	return n, nil
}

// TakeSlot takes one of the database's first n slots for an operation of a
// class, on a connection of that class. It returns nil where none is free. One that
// this process is giving back is waited for: who has just read a report asks for the
// next one before the database knows that the slot is free.
func (s *Store) TakeSlot(ctx context.Context, class timesheet.Class, n int) (*Slot, error) {
	last := s.returning.Load()
	if last != nil && closed(*last) {
		last = nil
	}
	slot, err := s.trySlot(ctx, class, n)
	if slot != nil || err != nil || last == nil {
		return slot, err
	}
	select {
	case <-*last:
		return s.trySlot(ctx, class, n)
	case <-ctx.Done():
		return nil, nil
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func (s *Store) trySlot(ctx context.Context, class timesheet.Class, n int) (*Slot, error) {
	conn, err := s.pools[class].Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("take a slot: %w", err)
	}
	slot := &Slot{store: s, conn: conn}
	rows, err := conn.Query(ctx, takeSlot, slotLocks, n)
	if err == nil {
		for rows.Next() {
			err = rows.Scan(&slot.key)
		}
		err = errors.Join(err, rows.Err())
	}
	switch {
	case err != nil: // whether the lock was taken is not known
		slot.close()
		return nil, fmt.Errorf("take a slot: %w", err)
	case slot.key == 0:
		conn.Release()
		return nil, nil
	}
	return slot, nil
}

// Release gives the slot back in the background, and with it the connection.
func (l *Slot) Release() {
	done := make(chan struct{})
	l.store.returning.Store(&done)
	go func() {
		defer close(done)
		ctx, cancel := settling(l.store.life)
		defer cancel()
		var held bool
		if err := l.conn.QueryRow(ctx, returnSlot, slotLocks, l.key).Scan(&held); err != nil || !held {
			l.close()
			return
		}
		l.conn.Release()
	}()
}

// close ends the connection, and the lock with it: it must not go back to the
// pool with a slot that nobody knows of.
func (l *Slot) close() {
	ctx, cancel := settling(l.store.life)
	defer cancel()
	_ = l.conn.Conn().Close(ctx) // the pool destroys what is closed
	l.conn.Release()
}
