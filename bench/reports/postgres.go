package main

import (
	"context"
	"fmt"
	"headroom/store"
	"headroom/store/localpg"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is the private server: durable, as in use.
type postgres struct {
	server *localpg.Server
	dir    string
	keep   bool
}

func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	p := &postgres{dir: dir, keep: dir != ""}
	if dir == "" {
		var err error
		if p.dir, err = os.MkdirTemp("", "headroom-bench"); err != nil {
			return nil, err
		}
		if err := os.Chmod(p.dir, 0o755); err != nil { // PostgreSQL's user has to pass
			return nil, err
		}
	}
	server, err := localpg.Start(ctx, localpg.Config{Dir: p.dir, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return nil, err
	}
	p.server = server
	return p, p.exec(ctx, p.server.DSN(), `ALTER SYSTEM SET max_wal_size = '8GB'`, `SELECT pg_reload_conf()`)
}

func (p *postgres) stop(ctx context.Context) {
	if err := p.server.Stop(context.WithoutCancel(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
	}
	if !p.keep {
		_ = os.RemoveAll(p.dir) // in the folder for temporary files
	}
}

// database makes a database of a name, where it is missing, with the schema.
func (p *postgres) database(ctx context.Context, name string) (dsn string, err error) {
	dsn = strings.Replace(p.server.DSN(), "/postgres?", "/"+name+"?", 1)
	conn, err := pgx.Connect(ctx, p.server.DSN())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil {
		return "", err
	}
	if !there {
		if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
			return "", err
		}
	}
	return dsn, store.Migrate(ctx, dsn, slog.New(slog.DiscardHandler))
}

func (p *postgres) exec(ctx context.Context, dsn string, statements ...string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func (p *postgres) version(ctx context.Context) (text string, err error) {
	conn, err := pgx.Connect(ctx, p.server.DSN())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	return text, conn.QueryRow(ctx, `SELECT 'PostgreSQL ' || current_setting('server_version')`).Scan(&text)
}

// rowsRead is how many rows of entries and rollups have been read so far, from
// tables and from indexes, by backends that have ended.
func rowsRead(ctx context.Context, conn *pgx.Conn) (n int64, err error) {
	if _, err := conn.Exec(ctx, `SELECT pg_stat_clear_snapshot()`); err != nil {
		return 0, err
	}
	return n, conn.QueryRow(ctx, `
SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables WHERE relname LIKE 'time_entry%' OR relname LIKE 'rollup%')
     + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE relname LIKE 'time_entry%' OR relname LIKE 'rollup%')`).Scan(&n)
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
