package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"headroom/store"
)

// server is a PostgreSQL with, after ensureTemplate, the template database.
type server struct {
	admin    *url.URL // of a database that is never dropped
	template string
}

// connect describes the server at address; nothing is sent yet.
func connect(address string) (*server, error) {
	admin, err := url.Parse(address)
	if err != nil || (admin.Scheme != "postgres" && admin.Scheme != "postgresql") {
		return nil, errors.New("not a postgres:// URL")
	}
	hash, err := migrationsHash()
	if err != nil {
		return nil, err
	}
	return &server{admin: admin, template: "headroom_template_" + hash}, nil
}

// dsn is the connection string of a database on the server.
func (s *server) dsn(database string) string {
	address := *s.admin
	address.Path = "/" + database
	return address.String()
}

// connection opens a connection of its own to the server.
func (s *server) connection(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, s.admin.String())
}

const readTemplate = `/* readTemplate */
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`

// ensureTemplate makes the template database unless it is there. Others may do
// the same at once: one works, and the name appears when the work is complete.
func (s *server) ensureTemplate(ctx context.Context) error {
	conn, err := s.connection(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) // frees the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", s.template); err != nil {
		return err
	}
	var exists bool
	if err := conn.QueryRow(ctx, readTemplate, s.template).Scan(&exists); err != nil || exists {
		return err
	}
	unfinished := s.template + "_unfinished"
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(unfinished)); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+quote(unfinished)); err != nil {
		return err
	}
	if err := store.Migrate(ctx, s.dsn(unfinished), slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+quote(unfinished)+" RENAME TO "+quote(s.template))
	return err
}

// clone creates a database from the template by copying its files: the only
// way of version 14, and in a server on memory the faster of the two since.
func (s *server) clone(ctx context.Context, name string) error {
	conn, err := s.connection(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	statement := "CREATE DATABASE " + quote(name) + " TEMPLATE " + quote(s.template)
	if !strings.HasPrefix(conn.PgConn().ParameterStatus("server_version"), "14") {
		statement += " STRATEGY file_copy"
	}
	_, err = conn.Exec(ctx, statement)
	return err
}

// drop removes a database and ends whatever is connected to it.
func (s *server) drop(ctx context.Context, name string) error {
	conn, err := s.connection(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
	return err
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// migrationsHash names the schema: it changes with any byte of any migration.
func migrationsHash() (string, error) {
	hash := sha256.New()
	files := store.Migrations()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return nil
	})
	return fmt.Sprintf("%x", hash.Sum(nil)[:6]), err
}
