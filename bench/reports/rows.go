package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// rowsRead is how many rows of entries and rollups have been read so far, from
// tables and from indexes, by backends that have ended.
func rowsRead(ctx context.Context, conn *pgx.Conn) (n int64, err error) {
	if _, err := conn.Exec(ctx, `SELECT pg_stat_clear_snapshot()`); err != nil {
		return 0, err
	}
	return n, conn.QueryRow(ctx, `
SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables WHERE relname LIKE 'time_entry%' OR relname LIKE '%rollup%')
     + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE relname LIKE 'time_entry%' OR relname LIKE '%rollup%')`).Scan(&n)
}

// ended waits until no backend of ours is left in a database, so that all has
// been counted.
func ended(ctx context.Context, conn *pgx.Conn) error {
	for {
		var left int
		err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&left)
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
