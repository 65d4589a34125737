package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// ofOneMoment also tells the planner that pages found by an index are as near as
// the next. Months lie together, as they were written, which it does not see
// behind the workspace: it would read all sums for a third of them.
var ofOneMoment = pgx.TxOptions{BeginQuery: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL random_page_cost = 1.1`}

// snapshot runs fn in a transaction whose statements see one moment and change
// nothing.
func (s *Store) snapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	return s.transactAs(ctx, ofOneMoment, fn)
}

// listIn is list within a transaction.
func listIn[T any](ctx context.Context, tx pgx.Tx, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}
