package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// snapshot runs fn in a transaction whose statements see one moment and change
// nothing.
func (s *Store) snapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.transactAs(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
}

// listIn is list within a transaction.
func listIn[T any](ctx context.Context, tx pgx.Tx, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}
