package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Whoever writes entries holds the workspace's books in common; whoever closes
// them, or changes what all entries depend on, holds them alone. Holders in
// common never wait for each other, and no row is locked.
//
// What is read after the lock was taken, by a statement of its own, stays as it
// is until the transaction ends. Rows are locked before the books.
const shareBooks = `/* shareBooks */
SELECT pg_advisory_xact_lock_shared(hashint8extended($1, 1))`

const takeBooks = `/* takeBooks */
SELECT pg_advisory_xact_lock(hashint8extended($1, 1))`

// entryUnder runs a statement that writes at most one entry, and takes the
// books before it in the same round trip. ok is false where nothing was
// written.
func entryUnder(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, sql string, args ...any) (e timesheet.TimeEntry, ok bool, err error) {
	batch := &pgx.Batch{}
	batch.Queue(shareBooks, v.Workspace.ID)
	batch.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanEntry)
		if len(found) > 0 {
			e, ok = found[0], true
		}
		return err
	})
	return e, ok, tx.SendBatch(ctx, batch).Close()
}

// books is the workspace as it is, for a transaction that holds its books. The
// viewer's may be a moment old.
func books(ctx context.Context, tx pgx.Tx, ws timesheet.WorkspaceID) (timesheet.Workspace, error) {
	rows, err := tx.Query(ctx, readWorkspace, ws)
	if err != nil {
		return timesheet.Workspace{}, fmt.Errorf("read the books: %w", err)
	}
	w, err := pgx.CollectExactlyOneRow(rows, scanWorkspace)
	if err != nil {
		return w, fmt.Errorf("read the books: %w", err)
	}
	return w, nil
}

// openBooks takes the books in common and reads them.
func openBooks(ctx context.Context, tx pgx.Tx, ws timesheet.WorkspaceID) (timesheet.Workspace, error) {
	if _, err := tx.Exec(ctx, shareBooks, ws); err != nil {
		return timesheet.Workspace{}, fmt.Errorf("take the books: %w", err)
	}
	return books(ctx, tx, ws)
}

// inOpenBooks refuses a write that concerns a day of closed books.
func inOpenBooks(w timesheet.Workspace, field string, days ...timesheet.Date) error {
	for _, day := range days {
		if w.Locked(day) {
			return timesheet.Errorf(timesheet.CodePeriodLocked, field, "the books are closed through %s, and this is on %s", w.LockedThrough, day)
		}
	}
	return nil
}

// How the books are taken alone: each try waits this long at most, since
// writers queue behind it, and the next one comes after a pause of about the
// same length.
const (
	booksTry      = 50 * time.Millisecond
	booksPatience = 1500 * time.Millisecond
)

const setLockTimeout = `/* setLockTimeout */
SELECT set_config('lock_timeout', $1, true)`

// aloneWithBooks runs fn, which may lock rows first and takes the books alone
// by [takeAlone], in a savepoint, again and again while others hold what it
// needs, until patience ends. With the books it keeps what fn did.
func (s *Store) aloneWithBooks(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, patience time.Duration, fn func(pgx.Tx) error) error {
	end := time.Now().Add(patience)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-booksPatience/5).Before(end) {
		end = deadline.Add(-booksPatience / 5) // enough to say who holds them
	}
	for {
		err := tryAlone(ctx, tx, fn)
		if state := sqlState(err); state != lockNotAvailable && state != deadlockDetected {
			return err
		}
		if !time.Now().Before(end) {
			return s.whoHoldsBooks(ctx, tx, v)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(booksTry/2 + rand.N(booksTry)):
		}
	}
}

func tryAlone(ctx context.Context, tx pgx.Tx, fn func(pgx.Tx) error) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err = inner.Exec(ctx, setLockTimeout, millis(booksTry)); err == nil {
		err = fn(inner)
	}
	if err == nil {
		return inner.Commit(ctx)
	}
	calm, cancel := settling(ctx)
	defer cancel()
	if undo := inner.Rollback(calm); undo != nil {
		return fmt.Errorf("%w; and undo it: %w", err, undo)
	}
	return err
}

// takeAlone waits until nobody else holds the books.
func takeAlone(ctx context.Context, tx pgx.Tx, ws timesheet.WorkspaceID) error {
	_, err := tx.Exec(ctx, takeBooks, ws)
	return err
}

// writing is who runs a transaction of this process.
type writing struct {
	user   timesheet.UserID
	action string
}

// sign names the writer of a connection's transaction until the returned func is
// called.
func (s *Store) sign(conn *pgx.Conn, v timesheet.Viewer, action string) (erase func()) {
	pid := conn.PgConn().PID()
	s.writers.Store(pid, writing{v.User, action})
	return func() { s.writers.Delete(pid) }
}

const readBookHolders = `/* readBookHolders */
SELECT a.pid, a.application_name, extract(epoch FROM clock_timestamp() - a.xact_start)::int
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
  AND l.granted
  AND l.objsubid = 1
  AND (l.classid::bigint << 32 | l.objid::bigint) IN (hashint8extended($1, 1), hashint8extended($1, 2))
  AND l.pid <> pg_backend_pid()
ORDER BY a.xact_start
LIMIT 1`

const readWriter = `/* readWriter */
SELECT m.name
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = $2`

// whoHoldsBooks is the refusal of whoever has waited in vain. It names the
// person and the operation where this process runs it, else the program.
func (s *Store) whoHoldsBooks(ctx context.Context, tx pgx.Tx, v timesheet.Viewer) error {
	var pid uint32
	var program string
	var seconds int
	rows, err := tx.Query(ctx, readBookHolders, v.Workspace.ID)
	if err != nil {
		return fmt.Errorf("find who holds the books: %w", err)
	}
	found := ""
	if _, err = pgx.ForEachRow(rows, []any{&pid, &program, &seconds}, func() error { found = program; return nil }); err != nil {
		return fmt.Errorf("find who holds the books: %w", err)
	}
	if w, ok := s.writers.Load(pid); ok {
		w := w.(writing)
		found = w.action
		if tx.QueryRow(ctx, readWriter, v.Workspace.ID, w.user).Scan(&program) == nil {
			found += " of " + program
		}
	}
	if found == "" {
		return timesheet.Errorf(timesheet.CodeBusy, "", "others are writing to this workspace; try again")
	}
	return timesheet.Errorf(timesheet.CodeBusy, "", "%s has been writing to this workspace for %d s; try again", found, seconds)
}
