package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"headroom/timesheet"
)

// Change describes a mutation to its audit row and to its idempotency key.
type Change struct {
	Action string  // the mutation's name
	Key    *string // the caller's idempotency key; nil: none
	Input  any     // the mutation's input without the key, as JSON in audit
}

// encoded is the input as the audit keeps it.
func (ch Change) encoded() ([]byte, error) {
	input, err := json.Marshal(ch.Input)
	if err != nil {
		return nil, fmt.Errorf("encode the input of %s: %w", ch.Action, err)
	}
	return input, nil
}

// Ref names what a mutation has written.
type Ref struct {
	Entity   string             `json:"entity"` // the type's name in the API
	ID       string             `json:"id"`     // its key within the type
	Version  int                `json:"version,omitempty"`
	Also     string             `json:"also,omitempty"` // a second object of the same type, such as the timer that was stopped
	Results  json.RawMessage    `json:"results,omitempty"`
	Warnings []*timesheet.Error `json:"warnings,omitempty"`
}

// outcome is what the idempotency table keeps of a mutation.
type outcome struct {
	Ref   Ref              `json:"ref"`
	Error *timesheet.Error `json:"error,omitempty"`
}

// write runs a mutation in one transaction: do makes the change and says what
// it wrote, and the audit row and the result for repeats are written with it.
// After a deadlock all of it, do too, runs again.
//
// A repeat of the same key and input does nothing; again then loads what the
// first run has written. A repeat of the key with another input is
// IDEMPOTENCY_MISMATCH; one that runs while the first still does waits within
// the lock timeout, then is IDEMPOTENCY_IN_PROGRESS.
//
// A broken rule comes with the zero value, except that do may return the
// current object and its Ref with a VERSION_CONFLICT.
func write[T any](ctx context.Context, s *Store, v timesheet.Viewer, ch Change,
	do func(pgx.Tx) (T, Ref, error), again func(context.Context, Ref) (T, error),
) (T, []*timesheet.Error, error) {
	var value, none T
	var done outcome
	input, err := ch.encoded()
	if err != nil {
		return none, nil, err
	}
	repeat := false
	err = s.insist(ctx, func(tx pgx.Tx) (err error) {
		defer s.sign(tx.Conn(), v, ch.Action)()
		value, done, repeat = none, outcome{}, false
		if ch.Key == nil {
			value, done.Ref, err = do(tx)
		} else if repeat, done, err = claimKey(ctx, tx, v, *ch.Key, inputHash(ch.Action, input)); err == nil && !repeat {
			value, done, err = attempt(ctx, tx, do)
		}
		if err != nil || repeat {
			return err
		}
		return finish(ctx, tx, v, ch, input, done)
	})
	if err == nil && repeat && done.Ref.ID != "" {
		value, err = again(ctx, done.Ref)
	}
	if err == nil && done.Error != nil {
		err = done.Error
	}
	if err != nil && !isConflict(err) {
		return none, nil, err
	}
	return value, done.Ref.Warnings, err
}

func isConflict(err error) bool {
	broken, ok := timesheet.AsError(err)
	return ok && broken.Code == timesheet.CodeVersionConflict
}

// attempt runs do in a savepoint, so that a broken rule can be remembered in
// the transaction that it did not change.
func attempt[T any](ctx context.Context, tx pgx.Tx, do func(pgx.Tx) (T, Ref, error)) (value T, done outcome, err error) {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return value, done, err
	}
	value, ref, err := do(inner)
	if err == nil {
		return value, outcome{Ref: ref}, inner.Commit(ctx)
	}
	err = asRule(err)
	if undo := inner.Rollback(ctx); undo != nil {
		return value, done, errors.Join(err, undo)
	}
	broken, ok := timesheet.AsError(err)
	if !ok {
		return value, done, err
	}
	done.Error = broken
	if isConflict(broken) {
		done.Ref = ref
	}
	return value, done, nil
}

// checkVersion refuses a change that was made to an older version than the
// current one; nil was made to any.
func checkVersion(expected *int, current int) error {
	if expected == nil || *expected == current {
		return nil
	}
	return timesheet.Errorf(timesheet.CodeVersionConflict, "expectedVersion", "this was changed meanwhile: its version is %d", current)
}

const insertKey = `/* insertKey */
INSERT INTO idempotency (workspace_id, user_id, key, input_hash)
VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT idempotency_pk DO NOTHING`

const readKey = `/* readKey */
SELECT input_hash, result
FROM idempotency
WHERE workspace_id = $1 AND user_id = $2 AND key = $3`

// claimKey takes the key for this transaction, or finds what an earlier one
// has stored under it. A concurrent holder is waited for by the insert.
func claimKey(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, key string, hash []byte) (repeat bool, done outcome, err error) {
	tag, err := tx.Exec(ctx, insertKey, v.Workspace.ID, v.User, key, hash)
	if sqlState(err) == lockNotAvailable {
		return false, done, timesheet.Errorf(timesheet.CodeIdempotencyBusy, "idempotencyKey", "the first request with this key is still running; repeat it later")
	}
	if err != nil {
		return false, done, asRule(err)
	}
	if tag.RowsAffected() == 1 {
		return false, done, nil
	}
	var stored []byte
	var result []byte
	if err := tx.QueryRow(ctx, readKey, v.Workspace.ID, v.User, key).Scan(&stored, &result); err != nil {
		return false, done, err
	}
	if !bytes.Equal(stored, hash) {
		return false, done, timesheet.Errorf(timesheet.CodeIdempotencyMismatch, "idempotencyKey", "this key was used with another input")
	}
	return true, done, json.Unmarshal(result, &done)
}

func inputHash(action string, input []byte) []byte {
	h := sha256.New()
	h.Write([]byte(action))
	h.Write([]byte{0})
	h.Write(input)
	return h.Sum(nil)
}

const insertAudit = `/* insertAudit */
INSERT INTO audit (workspace_id, actor_id, token_id, action, entity, entity_id, changes)
VALUES ($1, $2, $3, $4, $5, $6, $7)`

const storeResult = `/* storeResult */
UPDATE idempotency
SET result = $4
WHERE workspace_id = $1 AND user_id = $2 AND key = $3`

// finish writes the audit row and the result for repeats in one round trip.
func finish(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, ch Change, input []byte, done outcome) error {
	batch := &pgx.Batch{}
	if done.Error == nil {
		batch.Queue(insertAudit, v.Workspace.ID, nullable(v.User), nullable(v.Token), ch.Action, done.Ref.Entity, done.Ref.ID, input)
	}
	if ch.Key != nil {
		batch.Queue(storeResult, v.Workspace.ID, v.User, *ch.Key, done)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// nullable stores a missing actor, such as the command line, as null.
func nullable[T timesheet.UserID | timesheet.TokenID](id T) *T {
	if id == 0 {
		return nil
	}
	return &id
}

// settling is the context of a commit or a rollback: what the client does no
// longer matters, and a large commit takes its time.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := max(5*time.Second, Deadlines[timesheet.ServiceFrom(ctx).Class])
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// transactRuns is how often a transaction runs at most that others get in the
// way of. Each deadlock takes the database's deadlock_timeout, a second, to see.
const transactRuns = 3

// transactPause lets the other side of a deadlock go first. Whoever runs again
// at once takes the same lock before the other has woken up, and both are
// where they were.
const transactPause = 50 * time.Millisecond

// insist is transact for an fn that may run again from its beginning: it does
// after a deadlock and where it could not be serialized, of which the database
// has undone everything. What fn leaves behind outside of the transaction must
// not depend on earlier runs.
func (s *Store) insist(ctx context.Context, fn func(pgx.Tx) error) error {
	return rerun(ctx, func() error { return s.transact(ctx, fn) })
}

// rerun runs a transaction again where others got in its way.
func rerun(ctx context.Context, transaction func() error) error {
	for run := 1; ; run++ {
		err := transaction()
		state := sqlState(err)
		if state != deadlockDetected && state != serializationFailure || run == transactRuns {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(run) * transactPause):
		}
	}
}

// transact runs fn in a transaction on a connection of the request's class. A
// request that is cancelled is rolled back before the call returns; one whose
// changes are complete is committed, so that its outcome is known.
func (s *Store) transact(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.transactAs(ctx, pgx.TxOptions{}, fn)
}

func (s *Store) transactAs(ctx context.Context, as pgx.TxOptions, fn func(pgx.Tx) error) error {
	return s.onConnection(ctx, func(conn *pgxpool.Conn) error { return transactOn(ctx, conn, as, fn) })
}

// onConnection does something with a connection of the request's class, to
// itself.
func (s *Store) onConnection(ctx context.Context, do func(*pgxpool.Conn) error) error {
	release, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer release()
	conn, giveBack, err := s.acquire(ctx)
	if err != nil {
		return told(ctx, err)
	}
	defer giveBack()
	return do(conn)
}

func transactOn(ctx context.Context, conn *pgxpool.Conn, as pgx.TxOptions, fn func(pgx.Tx) error) error {
	tx, err := begin(ctx, conn, as)
	if err != nil {
		return told(ctx, err)
	}
	defer func() { // also of a panic; after Commit it does nothing
		ctx, cancel := settling(ctx)
		defer cancel()
		_ = tx.Rollback(ctx) // where it fails, the connection is closed
	}()
	if err := fn(tx); err != nil {
		return told(ctx, err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	return told(ctx, tx.Commit(ctx))
}

// begin starts a transaction within the request's deadline. That the client
// has left does not reach it: pgx closes a connection whose BEGIN is cancelled.
func begin(ctx context.Context, conn *pgxpool.Conn, as pgx.TxOptions) (pgx.Tx, error) {
	calm, cancel := settling(ctx)
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok {
		calm, cancel = context.WithDeadline(calm, deadline)
		defer cancel()
	}
	return conn.BeginTx(calm, as)
}
