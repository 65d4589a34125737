package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// RunSQL runs a statement of a test as list runs those of the product.
func (s *Store) RunSQL(ctx context.Context, sql string, args ...any) error {
	_, err := list(ctx, s, pgx.RowToMap, sql, args...)
	return err
}

// Transact runs a transaction of a test as write runs those of the product.
func (s *Store) Transact(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.transact(ctx, fn)
}

// Snapshot runs what a report reads.
func (s *Store) Snapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.snapshot(ctx, fn)
}

// Insist is Transact for what may run again.
func (s *Store) Insist(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.insist(ctx, fn)
}
