package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/proof"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func interactive(t testing.TB, s *store.Store) store.PoolStat {
	t.Helper()
	for _, stat := range s.Stats() {
		if stat.Class == "interactive" {
			return stat
		}
	}
	t.Fatal("there is no interactive pool")
	return store.PoolStat{}
}

// upTo is a wait of any length below d.
func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

const busyBackends = `
SELECT count(*)
FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'headroom %' AND state <> 'idle'`

// Clients that leave stop their statements, and the connections live on: when
// a call returns, its backend is idle.
func TestCancelledStatementsKeepTheirConnections(t *testing.T) {
	dsn := storetest.New(t)
	s := openStore(t, dsn)
	watch := connectTo(t, dsn)
	const clients = 4
	times := proof.Size(t, 1000, 40) / clients
	for name, run := range map[string]func(context.Context) error{
		"statement": func(ctx context.Context) error { return s.RunSQL(ctx, `SELECT pg_sleep(30)`) },
		"many rows": func(ctx context.Context) error {
			return s.RunSQL(ctx, `SELECT n, pg_sleep(0.001) FROM generate_series(1, 30000) n`)
		},
		"transaction": func(ctx context.Context) error {
			return s.Transact(ctx, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `SELECT pg_sleep(30)`)
				return err
			})
		},
		"savepoint": func(ctx context.Context) error {
			return s.Transact(ctx, func(tx pgx.Tx) error {
				inner, err := tx.Begin(ctx)
				if err != nil {
					return err
				}
				_, err = inner.Exec(ctx, `SELECT pg_sleep(30)`)
				return errors.Join(err, inner.Rollback(ctx))
			})
		},
		"batch": func(ctx context.Context) error {
			return s.Transact(ctx, func(tx pgx.Tx) error {
				batch := &pgx.Batch{}
				batch.Queue(`SELECT 1`)
				batch.Queue(`SELECT pg_sleep(30)`)
				return tx.SendBatch(ctx, batch).Close()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			waitUntil(t, "the pool to be warm", func() bool { return interactive(t, s).Total >= 2 })
			before := interactive(t, s).Opened
			var cancels atomic.Int64
			var all sync.WaitGroup
			for client := range clients {
				random := proof.Rand(t, uint64(client))
				all.Go(func() {
					for range times {
						ctx, leave := context.WithCancel(t.Context())
						time.AfterFunc(upTo(random, 4*time.Millisecond), leave)
						if err := run(ctx); !errors.Is(err, context.Canceled) {
							t.Errorf("the cancelled call returned %v", err)
						}
						leave()
						cancels.Add(1)
					}
				})
			}
			all.Wait()
			if n := ask[int](t, watch, busyBackends); n > 0 {
				t.Errorf("%d backends still work after their calls have returned", n)
			}
			opened := interactive(t, s).Opened - before
			proof.Result(t, "%d cancels opened %d connections", cancels.Load(), opened)
			if opened > 10 {
				t.Errorf("%d cancels opened %d connections, want at most 10", cancels.Load(), opened)
			}
		})
	}
}

// The backend is idle at the moment the call returns, each time.
func TestCancelReturnsWhenTheBackendIsIdle(t *testing.T) {
	dsn := storetest.New(t)
	s := openStore(t, dsn)
	watch := connectTo(t, dsn)
	times, random := proof.Size(t, 1000, 20), proof.Rand(t, 0)
	for range times {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(upTo(random, 3*time.Millisecond), leave)
		err := s.RunSQL(ctx, `SELECT pg_sleep(30)`)
		busy := ask[int](t, watch, busyBackends)
		leave()
		if !errors.Is(err, context.Canceled) || busy != 0 {
			t.Fatalf("returned %v with %d backends at work", err, busy)
		}
	}
	proof.Result(t, "%d cancelled calls returned, each with its backend idle", times)
}

// A cancel request never hits the statement after the one it was meant for.
func TestCancelNeverHitsTheNextStatement(t *testing.T) {
	s, err := store.Open(t.Context(), store.Config{DSN: storetest.New(t), Pools: map[timesheet.Class]int{timesheet.ClassInteractive: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cancelled := 0
	times, random := proof.Size(t, 5000, 100), proof.Rand(t, 0)
	for i := range times {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(upTo(random, 2*time.Millisecond), leave)
		sleep := random.Float64() * 0.002
		if i%10 == 0 {
			sleep = 1 // surely still asleep, on a slow machine too
		}
		if err := s.RunSQL(ctx, `SELECT pg_sleep($1)`, sleep); err != nil {
			cancelled++
		}
		leave()
		if err := s.RunSQL(t.Context(), `SELECT pg_sleep(0.002)`); err != nil {
			t.Fatalf("after %d cancels, the next statement failed: %v", cancelled, err)
		}
	}
	if cancelled == 0 {
		t.Error("no statement was cancelled: the test shows nothing")
	}
	proof.Result(t, "%d of %d statements were cancelled, and the next one never failed", cancelled, times)
}

// A backend that will not stop loses its connection after a while, and with
// it its client's patience; the pool opens another.
func TestCancelGivesUpOnADeafBackend(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, leave)
	err := s.RunSQL(ctx, `
DO $$
DECLARE until timestamptz := clock_timestamp() + interval '3 seconds';
BEGIN
  WHILE clock_timestamp() < until LOOP
    BEGIN PERFORM pg_sleep(0.3); EXCEPTION WHEN query_canceled THEN NULL; END;
  END LOOP;
END $$`)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the call returned %v, want that it was cancelled", err)
	}
	if err := s.RunSQL(t.Context(), `SELECT 1`); err != nil {
		t.Errorf("the next statement failed: %v", err)
	}
}

// What was begun after its deadline is rolled back and leaves nothing behind.
func TestCancelledTransactionChangesNothing(t *testing.T) {
	s, owner, conn := newDatabase(t)
	ctx, leave := context.WithCancel(t.Context())
	err := s.Transact(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE workspace SET name = 'half' WHERE workspace_id = $1`, owner.Workspace.ID)
		leave()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the transaction returned %v, want that it was cancelled", err)
	}
	if name := ask[string](t, conn, `SELECT name FROM workspace`); name != "Acme" {
		t.Errorf("the workspace is called %q, want Acme", name)
	}
}
