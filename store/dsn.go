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

// Redact hides the password of a connection string.
func Redact(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return "(set)"
	}
	return u.Redacted()
}

// Explain says in one line where a database could not be reached, without the
// connection string, which the driver's own message repeats; every other error
// it returns as it is.
func Explain(err error) error {
	var connect *pgconn.ConnectError
	var parse *pgconn.ParseConfigError
	switch {
	case errors.As(err, &connect):
		reason, _, _ := strings.Cut(connect.Unwrap().Error(), "\n") // one attempt's is enough
		if _, short, ok := strings.Cut(reason, "dial error: "); ok {
			reason = short
		}
		return fmt.Errorf("cannot reach the database at %s, port %d (database %s, user %s): %s", connect.Config.Host, connect.Config.Port, connect.Config.Database, connect.Config.User, reason)
	case errors.As(err, &parse):
		return errors.New("the database URL cannot be read: it has the form postgres://user:password@host:5432/database")
	}
	return err
}
