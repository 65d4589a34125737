package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs that callers tell apart.
const (
	deadlockDetected     = "40P01"
	diskFull             = "53100"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014"
	serializationFailure = "40001"
	tooManyClients       = "53300"
	unstorableText       = "22021" // U+0000 or broken UTF-8
	unstorableJSON       = "22P05" // U+0000 in JSON
)

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// errClosed is returned by every call after Close.
var errClosed = errors.New("the store is closed")

// IsUnavailable tells whether an error means that the database is away: not
// reachable, shutting down, starting, full, or lost in mid-sentence. What a
// mutation has done by then is unknown if it was about to commit.
func IsUnavailable(err error) bool {
	if errors.Is(err, errClosed) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return true
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	var network net.Error
	if errors.As(err, &network) && !network.Timeout() {
		return true
	}
	// 08: connection exception; 57P01 to 57P05: the server ended the session
	// or takes none, as when it shuts down or starts.
	state := sqlState(err)
	return state == tooManyClients || strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P0")
}

// IsTimeout tells whether a deadline ended a statement: the context's, the
// class's statement timeout, or that of waiting for a lock.
func IsTimeout(err error) bool {
	if errors.Is(err, context.Canceled) || IsUnavailable(err) {
		return false
	}
	state := sqlState(err)
	return errors.Is(err, context.DeadlineExceeded) || state == queryCanceled || state == lockNotAvailable
}

// told puts before an error the reason for which its context ended: of a statement
// that was cancelled at our own request, and of one that waited for a connection.
func told(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if cause != nil && !errors.Is(err, cause) && (sqlState(err) == queryCanceled || errors.Is(err, ctx.Err())) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return asRule(err)
}

const readDataFolder = `/* readDataFolder */
SELECT coalesce(current_setting('data_directory', true), '')`

// asFullDisk tells of a disk that is full, which the database survived, where
// it is and what to do. Every other error it returns as it is.
func (s *Store) asFullDisk(ctx context.Context, err error) error {
	if sqlState(err) != diskFull {
		return err
	}
	var folder string
	if s.pool(ctx).QueryRow(ctx, readDataFolder).Scan(&folder) != nil || folder == "" {
		folder = "the database" // only its superuser may know the folder
	}
	return fmt.Errorf("the disk that holds %s is full: free some space on it and try again (%w)", folder, err)
}
