package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func TestKindsOfErrors(t *testing.T) {
	state := func(code string) error { return fmt.Errorf("list: %w", &pgconn.PgError{Code: code}) }
	for name, c := range map[string]struct {
		err                  error
		unavailable, timeout bool
	}{
		"shut down by an administrator": {state("57P01"), true, false},
		"crashed":                       {state("57P02"), true, false},
		"starting":                      {state("57P03"), true, false},
		"too many clients":              {state("53300"), true, false},
		"connection failure":            {state("08006"), true, false},
		"lost in mid-sentence":          {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true, false},
		"reset":                         {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true, false},
		"statement timeout":             {state("57014"), false, true},
		"lock timeout":                  {state("55P03"), false, true},
		"deadline":                      {fmt.Errorf("list: %w", context.DeadlineExceeded), false, true},
		"client left":                   {fmt.Errorf("%w: %w", context.Canceled, state("57014")), false, false},
		"constraint":                    {state("23505"), false, false},
		"broken rule":                   {timesheet.NotFound("id", "tag"), false, false},
		"nothing":                       {nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := store.IsUnavailable(c.err); got != c.unavailable {
				t.Errorf("IsUnavailable is %v, want %v", got, c.unavailable)
			}
			if got := store.IsTimeout(c.err); got != c.timeout {
				t.Errorf("IsTimeout is %v, want %v", got, c.timeout)
			}
		})
	}
}

func TestDatabaseAway(t *testing.T) {
	away := func(t *testing.T, err error) {
		t.Helper()
		if !store.IsUnavailable(err) || store.IsTimeout(err) {
			t.Errorf("got %v, want that the database is away", err)
		}
	}
	t.Run("no socket", func(t *testing.T) {
		_, err := store.Open(t.Context(), store.Config{DSN: "postgres:///x?user=x&host=" + t.TempDir()})
		away(t, err)
	})
	t.Run("nobody listens", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
		_, err = store.Open(t.Context(), store.Config{DSN: fmt.Sprintf("postgres://x:secret@%s/x", listener.Addr())})
		away(t, err)
	})
	t.Run("the backend is ended", func(t *testing.T) {
		dsn := storetest.New(t)
		s, conn := openStore(t, dsn), connectTo(t, dsn)
		done := make(chan error)
		go func() { done <- s.RunSQL(t.Context(), `SELECT pg_sleep(60)`) }()
		waitUntil(t, "the statement to run", func() bool {
			return ask[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active'`) > 0
		})
		mustExec(t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND pid <> pg_backend_pid()`)
		away(t, <-done)
		if err := s.RunSQL(t.Context(), `SELECT 1`); err != nil {
			t.Errorf("the next statement failed: %v", err)
		}
	})
	t.Run("the store is closed", func(t *testing.T) {
		s := storetest.Open(t)
		s.Close()
		away(t, s.RunSQL(t.Context(), `SELECT 1`))
		away(t, s.Transact(t.Context(), func(pgx.Tx) error { return nil }))
	})
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	control := timesheet.WithService(t.Context(), timesheet.Service{Class: timesheet.ClassControl})
	if err := s.RunSQL(control, `SELECT pg_sleep(60)`); !store.IsTimeout(err) || store.IsUnavailable(err) {
		t.Errorf("beyond the class's time: %v", err)
	}
	short, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("killed"))
	defer cancel()
	if err := s.RunSQL(short, `SELECT pg_sleep(60)`); err == nil || err.Error()[:6] != "killed" {
		t.Errorf("the cause of a deadline is lost: %v", err)
	}
	short, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.RunSQL(short, `SELECT pg_sleep(60)`); !store.IsTimeout(err) {
		t.Errorf("beyond the request's deadline: %v", err)
	}
}
