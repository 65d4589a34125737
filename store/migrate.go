package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // goose speaks database/sql
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the files that Migrate applies, in order of name.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

func withProvider(dsn string, fn func(*goose.Provider, *sql.DB) error) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	defer db.Close()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // asks every second, for 5 minutes
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, Migrations(), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return fn(provider, db)
}

// Migrate brings the schema up to date; several may run at once, one works.
// Where the data have moved to another database cluster it raises the base of
// stamps above every stamp in use, since transaction ids began anew there.
func Migrate(ctx context.Context, dsn string, log *slog.Logger) error {
	return withProvider(dsn, func(p *goose.Provider, db *sql.DB) error {
		var encoding string
		if err := db.QueryRowContext(ctx, readEncoding).Scan(&encoding); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if err := checkEncoding(encoding); err != nil {
			return err
		}
		done, err := p.Up(ctx)
		if err != nil {
			return fmt.Errorf("migrate: %w", explainMigration(err))
		}
		for _, m := range done {
			log.Info("migrated", "file", m.Source.Path, "ms", m.Duration.Milliseconds())
		}
		if err := raiseStamps(ctx, db, log); err != nil {
			return fmt.Errorf("migrate: %w", explainMigration(err))
		}
		return nil
	})
}

const readEncoding = `/* readEncoding */
SELECT current_setting('server_encoding')`

// checkEncoding refuses a database that cannot hold every name: one of another
// encoding fails in mid-sentence, where somebody types what it lacks.
func checkEncoding(encoding string) error {
	if encoding == "UTF8" {
		return nil
	}
	return fmt.Errorf("the database's encoding is %s, headroom needs UTF8: make one with CREATE DATABASE name ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0", encoding)
}

// SQLSTATEs of a database that cannot take our schema.
const (
	insufficientPrivilege = "42501"
	noSchema              = "3F000"
	duplicateTable        = "42P07"
	duplicateFunction     = "42723"
	duplicateObject       = "42710"
)

// explainMigration says what to do about a database that does not let us make
// our tables, or where others are in their place. Every other error it returns
// as it is.
func explainMigration(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.Code {
	case insufficientPrivilege, noSchema:
		return fmt.Errorf("this user may not make tables here: GRANT CREATE ON SCHEMA public to it, or migrate as the user who owns the tables (%w)", pg)
	case duplicateTable, duplicateFunction, duplicateObject:
		return fmt.Errorf("something that is not headroom's is in this database already: use an empty one (%w)", pg)
	}
	return err
}

// Pending tells whether the schema lacks a migration.
func Pending(ctx context.Context, dsn string) (pending bool, err error) {
	err = withProvider(dsn, func(p *goose.Provider, _ *sql.DB) error {
		pending, err = p.HasPending(ctx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("compare the migrations: %w", err)
	}
	return pending, nil
}

// lockCluster lets one process at a time decide.
const lockCluster = `/* lockCluster */
LOCK TABLE cluster IN EXCLUSIVE MODE`

const readCluster = `/* readCluster */
SELECT s.system_identifier::text, coalesce(c.system_identifier, ''), coalesce(c.stamp_base, 0)
FROM pg_control_system() s
LEFT JOIN cluster c ON true`

const readTopStamp = `/* readTopStamp */
SELECT greatest(
  (SELECT max(stamp) FROM workspace), (SELECT max(stamp) FROM membership),
  (SELECT max(stamp) FROM client), (SELECT max(stamp) FROM project),
  (SELECT max(stamp) FROM task), (SELECT max(stamp) FROM tag),
  (SELECT max(stamp) FROM time_entry), 0)`

const storeCluster = `/* storeCluster */
INSERT INTO cluster (system_identifier, stamp_base)
VALUES ($1, $2)
ON CONFLICT ON CONSTRAINT cluster_pk
DO UPDATE SET system_identifier = excluded.system_identifier, stamp_base = excluded.stamp_base`

func raiseStamps(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, lockCluster); err != nil {
		return fmt.Errorf("lock the cluster's identity: %w", err)
	}
	var here, before string
	var base int64
	if err := tx.QueryRowContext(ctx, readCluster).Scan(&here, &before, &base); err != nil {
		return fmt.Errorf("read the cluster's identity: %w", err)
	}
	if here == before {
		return nil
	}
	if before != "" {
		if err := tx.QueryRowContext(ctx, readTopStamp).Scan(&base); err != nil {
			return fmt.Errorf("read the highest stamp: %w", err)
		}
		log.Info("the data have moved to another database cluster", "stamp_base", base)
	}
	replace := fmt.Sprintf(`CREATE OR REPLACE FUNCTION stamp() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT %d::bigint + pg_current_xact_id()::text::bigint $$`, base)
	if _, err := tx.ExecContext(ctx, replace); err != nil {
		return fmt.Errorf("raise the base of stamps: %w", err)
	}
	if _, err := tx.ExecContext(ctx, storeCluster, here, base); err != nil {
		return fmt.Errorf("remember the cluster's identity: %w", err)
	}
	return tx.Commit()
}
