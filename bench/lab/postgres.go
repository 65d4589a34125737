// Package lab is what all benchmarks share: a PostgreSQL of their own, and a
// description of the machine.
package lab

import (
	"context"
	"fmt"
	"headroom/store"
	"headroom/store/localpg"
	"log/slog"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Postgres is the private server: durable, as in use.
type Postgres struct {
	server *localpg.Server
	dir    string
	keep   bool
}

// StartPostgres starts it in a folder that is kept, or in a temporary one for "".
// Settings are written as name = value; they count before it returns.
func StartPostgres(ctx context.Context, dir string, settings ...string) (*Postgres, error) {
	p := &Postgres{dir: dir, keep: dir != ""}
	if dir == "" {
		var err error
		if p.dir, err = os.MkdirTemp("", "headroom-bench"); err != nil {
			return nil, err
		}
		if err := os.Chmod(p.dir, 0o755); err != nil { // PostgreSQL's user has to pass
			return nil, err
		}
	}
	if err := p.start(ctx); err != nil {
		return nil, err
	}
	if err := p.Exec(ctx, p.server.DSN(), `ALTER SYSTEM SET max_wal_size = '8GB'`, `SELECT pg_reload_conf()`); err != nil || len(settings) == 0 {
		return p, err
	}
	for _, setting := range settings {
		if err := p.Exec(ctx, p.server.DSN(), `ALTER SYSTEM SET `+setting); err != nil {
			return p, err
		}
	}
	if err := p.server.Stop(ctx); err != nil {
		return p, err
	}
	return p, p.start(ctx)
}

func (p *Postgres) start(ctx context.Context) (err error) {
	p.server, err = localpg.Start(ctx, localpg.Config{Dir: p.dir, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	return err
}

// Stop stops it and deletes a temporary folder.
func (p *Postgres) Stop(ctx context.Context) {
	if err := p.server.Stop(context.WithoutCancel(ctx)); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
	}
	if !p.keep {
		_ = os.RemoveAll(p.dir) // in the folder for temporary files
	}
}

// Database makes a database of a name, where it is missing, with the schema.
func (p *Postgres) Database(ctx context.Context, name string) (dsn string, err error) {
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

// Exec runs statements on a connection of their own.
func (p *Postgres) Exec(ctx context.Context, dsn string, statements ...string) error {
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

// Version names the server.
func (p *Postgres) Version(ctx context.Context) (text string, err error) {
	conn, err := pgx.Connect(ctx, p.server.DSN())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	return text, conn.QueryRow(ctx, `SELECT 'PostgreSQL ' || current_setting('server_version')`).Scan(&text)
}

// PID is that of the process that starts all others.
func (p *Postgres) PID(ctx context.Context) (pid int, err error) {
	conn, err := pgx.Connect(ctx, p.server.DSN())
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	return pid, conn.QueryRow(ctx, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`).Scan(&pid)
}
