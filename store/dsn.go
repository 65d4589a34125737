package store

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// IsLocal tells whether a connection string names a database on this machine.
func IsLocal(dsn string) bool {
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return false
	}
	ip := net.ParseIP(cfg.Host)
	return strings.HasPrefix(cfg.Host, "/") || cfg.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// Redact hides the passwords of a connection string, wherever a URL can have
// them. What is no URL, or could be read as another one by the driver, it hides
// entirely.
func Redact(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" || u.Opaque != "" || u.Fragment != "" || strings.Contains(u.Path, "@") {
		return "(set)"
	}
	pairs := strings.Split(u.RawQuery, "&")
	for i, pair := range pairs {
		key, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(key); err != nil || strings.Contains(strings.ToLower(name), "password") {
			pairs[i] = key + "=xxxxx"
		}
	}
	u.RawQuery = strings.Join(pairs, "&")
	return u.Redacted()
}

// Explain says in one line why a database could not be used, without the
// connection string, which the driver's own message repeats; every other error
// it returns as it is.
func Explain(err error) error {
	var connect *pgconn.ConnectError
	var parse *pgconn.ParseConfigError
	switch {
	case errors.As(err, &connect):
		return fmt.Errorf("cannot reach the database at %s, port %d (database %s, user %s): %s; see that it runs, or correct --database-url",
			connect.Config.Host, connect.Config.Port, connect.Config.Database, connect.Config.User, reason(connect))
	case errors.As(err, &parse):
		return errors.New("the database URL cannot be read: it has the form postgres://user:password@host:5432/database")
	}
	return err
}

// reason tells why several attempts to connect failed. A server that answered
// knows best: with no sslmode the driver first tries TLS, and that it was
// refused is not what is wrong. Else the first attempt tells as much as others.
func reason(connect *pgconn.ConnectError) string {
	var pg *pgconn.PgError
	if errors.As(connect, &pg) {
		return fmt.Sprintf("%s (SQLSTATE %s)", pg.Message, pg.Code)
	}
	text, _, _ := strings.Cut(connect.Unwrap().Error(), "\n")
	if _, short, ok := strings.Cut(text, "dial error: "); ok {
		return short
	}
	return text
}
