package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"headroom/timesheet"
)

// Config opens a store. The zero value of every field but DSN works.
type Config struct {
	DSN    string                  // connection string or URL; required
	Pools  map[timesheet.Class]int // connections per class; missing: DefaultPools
	Shared bool                    // one pool for all classes, as a server without protection has
	Demote bool                    // report backends yield the processor, where they run on this machine
	Log    *slog.Logger            // nil: discarded
}

// DefaultPools are the connections per class on a database of two cores.
var DefaultPools = map[timesheet.Class]int{
	timesheet.ClassControl:     3,
	timesheet.ClassInteractive: 10,
	timesheet.ClassReport:      3,
	timesheet.ClassBackground:  3,
	timesheet.ClassExport:      1,
}

// Deadlines bound an operation of each class from its arrival; they are the
// statement timeouts of the pools too.
var Deadlines = map[timesheet.Class]time.Duration{
	timesheet.ClassControl:     time.Second,
	timesheet.ClassInteractive: 2 * time.Second,
	timesheet.ClassReport:      15 * time.Second,
	timesheet.ClassBackground:  time.Minute,
	timesheet.ClassExport:      10 * time.Minute,
}

// Store is a database of workspaces. Its methods are safe for concurrent use.
type Store struct {
	log     *slog.Logger
	pools   map[timesheet.Class]*pgxpool.Pool
	shared  bool // they are one
	demote  bool
	heart   *pgxpool.Pool // one connection that only Ping and Beat use
	views   *viewerCache
	reports *reportKeeper
	rests   restsRead

	returning atomic.Pointer[chan struct{}] // closed when the slot given back last is free

	tripsMu sync.Mutex
	trips   []time.Duration // to the database and back, the last ones

	demotionMu sync.Mutex
	demotion   Demotion

	handshakes *rate.Limiter // paces new connections: each costs the server a process

	cancels   *canceller
	writers   sync.Map                                    // pid of a backend -> writing
	imported  atomic.Pointer[func(timesheet.WorkspaceID)] // hears of imports
	published atomic.Pointer[func()]                      // hears of price tables
	ordered   atomic.Pointer[func()]                      // hears of operators' orders
	life      context.Context                             // of what runs beside the calls; ends with Close
	end       context.CancelFunc
	ended     sync.WaitGroup
}

// ErrPending is returned by Open where migrations have not been applied.
var ErrPending = errors.New("the database has pending migrations: run `headroom migrate`")

// Open connects, checks that the schema is current and that the pools fit
// into the database's max_connections twice (a restart overlaps), and opens
// the connections that the pools keep warm.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{log: c.Log, pools: map[timesheet.Class]*pgxpool.Pool{}, cancels: newCanceller(), handshakes: rate.NewLimiter(handshakesPerSecond, handshakesAtOnce), reports: newReportKeeper(), rests: newRestsRead(), life: life, end: end, demote: c.Demote && IsLocal(c.DSN)}
	s.views = newViewerCache(life, s.readSightings)
	err := s.openPools(ctx, c)
	if err == nil {
		err = s.check(ctx, c)
	}
	if err == nil {
		err = s.listen(life, c.DSN)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) openPools(ctx context.Context, c Config) error {
	heart, err := s.newPool(ctx, c.DSN, timesheet.ClassControl, 1)
	if err != nil {
		return err
	}
	s.heart = heart
	if s.shared = c.Shared; s.shared {
		total := 0
		for class := range DefaultPools {
			total += c.size(class)
		}
		pool, err := s.newPool(ctx, c.DSN, timesheet.ClassBackground, total)
		if err != nil {
			return err
		}
		for class := range DefaultPools {
			s.pools[class] = pool
		}
		return nil
	}
	for class := range DefaultPools {
		pool, err := s.newPool(ctx, c.DSN, class, c.size(class))
		if err != nil {
			return err
		}
		s.pools[class] = pool
	}
	return nil
}

func (c Config) size(class timesheet.Class) int {
	if n := c.Pools[class]; n > 0 {
		return n
	}
	return DefaultPools[class]
}

// newPool opens a pool whose sessions carry the class's own limits.
func (s *Store) newPool(ctx context.Context, dsn string, class timesheet.Class, size int) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	cfg.MaxConns = int32(size)
	cfg.MinIdleConns = int32(min(size, 2))
	cfg.ConnConfig.Tracer = tracer{}
	cfg.ConnConfig.BuildContextWatcherHandler = s.cancels.handler
	cfg.PrepareConn = trusted
	cfg.BeforeConnect = func(ctx context.Context, _ *pgx.ConnConfig) error { return s.handshakes.Wait(ctx) }
	params := cfg.ConnConfig.RuntimeParams
	params["application_name"] = "headroom " + classNames[class]
	params["timezone"] = "UTC"
	params["jit"] = "off"
	params["max_parallel_workers_per_gather"] = "0"
	params["statement_timeout"] = millis(Deadlines[class])
	// Less than the statement's, which would else always fire first.
	params["lock_timeout"] = millis(min(Deadlines[class]*3/4, 5*time.Second))
	params["idle_in_transaction_session_timeout"] = millis(Deadlines[class] + 5*time.Second)
	params["client_connection_check_interval"] = "500"
	if class == timesheet.ClassExport {
		// Another replica takes an export over once this ends the transaction of
		// a server that died without a word. Between two batches lies a write.
		params["idle_in_transaction_session_timeout"] = millis(time.Minute)
	}
	if class == timesheet.ClassReport || class == timesheet.ClassExport {
		params["default_transaction_read_only"] = "on"
		params["work_mem"] = "32MB"
	}
	if class == timesheet.ClassReport && s.demote {
		cfg.AfterConnect = s.demoteReport
	}
	return pgxpool.NewWithConfig(ctx, cfg)
}

var classNames = map[timesheet.Class]string{
	timesheet.ClassControl:     "control",
	timesheet.ClassInteractive: "interactive",
	timesheet.ClassReport:      "report",
	timesheet.ClassBackground:  "background",
	timesheet.ClassExport:      "export",
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

const readCapacity = `/* readCapacity */
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       current_setting('server_version_num')::int,
       current_setting('server_encoding')`

// minVersion is the oldest server the statements are written for.
const minVersion = 140000

func (s *Store) check(ctx context.Context, c Config) error {
	var room, version int
	var encoding string
	if err := s.pools[timesheet.ClassInteractive].QueryRow(ctx, readCapacity).Scan(&room, &version, &encoding); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	if err := checkEncoding(encoding); err != nil {
		return err
	}
	if version < minVersion {
		return fmt.Errorf("the database is PostgreSQL %d, headroom needs 14 or later", version/10000)
	}
	need := 2 // the listener, and Ping's own
	for class := range DefaultPools {
		need += c.size(class)
	}
	if 2*need > room {
		return fmt.Errorf("two processes of %d connections do not fit into the database's %d: raise max_connections to %d or lower --db-cores", need, room, 2*need+10)
	}
	pending, err := Pending(ctx, c.DSN)
	if err != nil {
		return err
	}
	if pending {
		return ErrPending
	}
	return nil
}

// Handshakes cost the database a process and some milliseconds each. After it was
// away all servers connect at once, so each does it at this pace.
const (
	handshakesPerSecond = 50
	handshakesAtOnce    = 10
)

// Warm opens all connections of what people wait for, so that none of them waits
// for a handshake. It returns when all are open, or says why one is not.
func (s *Store) Warm(ctx context.Context) error {
	for _, class := range []timesheet.Class{timesheet.ClassControl, timesheet.ClassInteractive, timesheet.ClassReport} {
		var opening errgroup.Group
		conns := make([]*pgxpool.Conn, s.pools[class].Config().MaxConns)
		for i := range conns {
			opening.Go(func() (err error) {
				conns[i], err = s.pools[class].Acquire(ctx)
				return err
			})
		}
		err := opening.Wait()
		for _, conn := range conns {
			if conn != nil {
				conn.Release()
			}
		}
		if err != nil || s.shared {
			return err
		}
	}
	return nil
}

// Ping asks the database for an answer, on a connection of its own: that all
// others are taken does not make the database absent.
func (s *Store) Ping(ctx context.Context) error {
	return s.heart.Ping(ctx)
}

// SetAway says whether the database answers nobody: then a statement that has to end
// is not waited for. Once it is back, the connections that are open are closed: they
// are broken, and each would fail whoever takes it first.
func (s *Store) SetAway(away bool) {
	if s.cancels.deaf.Store(away); away {
		return
	}
	for _, pool := range s.pools {
		pool.Reset()
	}
}

// PoolStat says how a class's pool is used.
type PoolStat struct {
	Class                      string
	Max, Total, Busy           int
	Opened, Waited, WaitedOnNS int64
}

// Stats describes the pools, for metrics.
func (s *Store) Stats() []PoolStat {
	var stats []PoolStat
	seen := map[*pgxpool.Pool]bool{}
	for class, name := range classNames {
		if seen[s.pools[class]] {
			continue
		}
		seen[s.pools[class]] = true
		if s.shared {
			name = "shared"
		}
		p := s.pools[class].Stat()
		stats = append(stats, PoolStat{
			Class: name, Max: int(p.MaxConns()), Total: int(p.TotalConns()), Busy: int(p.AcquiredConns()),
			Opened: p.NewConnsCount(), Waited: p.EmptyAcquireCount(), WaitedOnNS: p.EmptyAcquireWaitTime().Nanoseconds(),
		})
	}
	return stats
}

// Close waits for running statements and closes the pools.
func (s *Store) Close() {
	s.end()
	s.ended.Wait()
	if s.heart != nil {
		s.heart.Close()
	}
	for _, pool := range s.pools {
		pool.Close()
	}
}

// pool is the one of the request's class.
func (s *Store) pool(ctx context.Context) *pgxpool.Pool {
	return s.pools[timesheet.ServiceFrom(ctx).Class]
}

// session runs single statements: on the connection of the request's slot, or
// on any of its class.
func (s *Store) session(ctx context.Context) interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
} {
	if slot := slotFrom(ctx); slot != nil {
		return slot.conn
	}
	return s.pool(ctx)
}

// acquire takes a connection until release is called: the one of the request's
// slot, or one of its class.
func (s *Store) acquire(ctx context.Context) (conn *pgxpool.Conn, release func(), err error) {
	if slot := slotFrom(ctx); slot != nil {
		return slot.conn, func() {}, nil
	}
	conn, err = s.pool(ctx).Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	return conn, conn.Release, nil
}

// enter takes a seat of the request's operation until release is called.
func (s *Store) enter(ctx context.Context) (release func(), err error) {
	if s.life.Err() != nil {
		return nil, errClosed
	}
	return seat(ctx)
}

// list runs a statement and collects its rows.
func list[T any](ctx context.Context, s *Store, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	release, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	rows, err := s.session(ctx).Query(ctx, sql, args...)
	if err != nil {
		return nil, told(ctx, err)
	}
	found, err := pgx.CollectRows(rows, scan)
	return found, told(ctx, err)
}

// one runs a statement that returns at most one row; ok is false for none.
func one[T any](ctx context.Context, s *Store, scan pgx.RowToFunc[T], sql string, args ...any) (row T, ok bool, err error) {
	found, err := list(ctx, s, scan, sql, args...)
	if err != nil || len(found) == 0 {
		return row, false, err
	}
	return found[0], true, nil
}

// exec runs a statement that returns no rows and tells how many it changed.
func (s *Store) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	release, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	tag, err := s.session(ctx).Exec(ctx, sql, args...)
	return tag.RowsAffected(), told(ctx, err)
}

// count runs a statement that returns one number.
func (s *Store) count(ctx context.Context, sql string, args ...any) (int, error) {
	n, _, err := one(ctx, s, pgx.RowTo[int], sql, args...)
	return n, err
}
