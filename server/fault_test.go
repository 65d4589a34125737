package server

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/store/localpg"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// until waits for a condition that another process brings about.
func until(t *testing.T, what string, limit time.Duration, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", limit, what)
		}
	}
}

// observer is a connection beside the server's, to see and to block what it does.
type observer struct {
	t  *testing.T
	db *sql.DB
}

func observe(t *testing.T, dsn string) observer {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return observer{t, db}
}

// active counts statements of the server that are running.
func (o observer) active() (n int) {
	o.t.Helper()
	err := o.db.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'headroom%' AND datname = current_database() AND state = 'active'`).Scan(&n)
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// block makes every statement on entries wait until release is called.
func (o observer) block() (release func()) {
	o.t.Helper()
	tx, err := o.db.Begin()
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := tx.Exec(`LOCK TABLE time_entry IN ACCESS EXCLUSIVE MODE`); err != nil {
		o.t.Fatal(err)
	}
	return func() { tx.Rollback() }
}

func (r *rig) busy() (busy int) {
	for _, class := range r.server.snapshot().Classes {
		busy += class.Busy
	}
	return busy
}

func openDSN(t *testing.T, dsn string) *store.Store {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func TestClientThatLeavesStopsItsSQL(t *testing.T) {
	dsn := storetest.New(t)
	r := rigOn(t, openDSN(t, dsn), nil)
	o := observe(t, dsn)
	r.ask(`{ runningTimer { id } }`, nil)
	opened := connections(r.store)
	release := o.block()
	defer release()
	for range 25 {
		ctx, leave := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := r.do(ctx, call{query: `{ runningTimer { id } }`, token: r.token})
			gone <- err
		}()
		until(t, "the statement begins", 5*time.Second, func() bool { return o.active() == 1 })
		if r.busy() != 1 {
			t.Errorf("%d seats are taken while a statement runs, want 1", r.busy())
		}
		leave()
		if err := <-gone; err == nil {
			t.Fatal("the request was answered although its client left")
		}
		// The class's own deadline would end it after 2 s.
		until(t, "the statement ends", time.Second, func() bool { return o.active() == 0 })
		until(t, "the seat is free", time.Second, func() bool { return r.busy() == 0 })
	}
	if more := connections(r.store) - opened; more > 3 {
		t.Errorf("25 cancels opened %d connections", more)
	}
}

func connections(s *store.Store) (n int64) {
	for _, p := range s.Stats() {
		n += p.Opened
	}
	return n
}

// A seat that came back before its backend is idle would let the database do
// more than the gate admits.
func TestSeatOutlivesItsStatement(t *testing.T) {
	dsn := storetest.New(t)
	r := rigOn(t, openDSN(t, dsn), func(c *Config) { c.Cores = 1 })
	o := observe(t, dsn)
	release := o.block()
	defer release()
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			ctx, leave := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer leave()
			_, _ = r.do(ctx, call{query: `{ runningTimer { id } timeEntries(first: 5) { nodes { id } } }`, token: r.token})
		})
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	for done := false; !done; {
		select {
		case <-ended:
			done = true
		default:
		}
		seats := limits.SeatsFor(1)[limits.Interactive]
		if n := o.active(); n > seats {
			t.Fatalf("%d statements run on %d seats", n, seats)
		}
	}
	until(t, "all seats are free", 5*time.Second, func() bool { return r.busy() == 0 && o.active() == 0 })
}

func TestDeadlineIsToldFromTheDatabase(t *testing.T) {
	dsn := storetest.New(t)
	r := rigOn(t, openDSN(t, dsn), nil)
	o := observe(t, dsn)
	release := o.block()
	defer release()
	query := r.must(call{query: `{ runningTimer { id } }`, token: r.token})
	if query.status != http.StatusGatewayTimeout || query.code() != codeDeadline {
		t.Errorf("a query: status %d, %s, want 504 %s", query.status, query.raw, codeDeadline)
	}
	mutation := r.must(call{query: `mutation { stopTimer(input: {}) { userErrors { code } } }`, token: r.token})
	if mutation.code() != codeDeadline || mutation.Errors[0].Extensions["outcome"] != "unknown" {
		t.Errorf("a mutation: %s, want %s with outcome unknown", mutation.raw, codeDeadline)
	}
}

func TestDatabaseThatGoesAndComesBack(t *testing.T) {
	dir := storetest.Dir(t)
	cfg := localpg.Config{Dir: dir, Ephemeral: true}
	pg, err := localpg.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { pg.Stop(context.WithoutCancel(t.Context())) }()
	if err := store.Migrate(t.Context(), pg.DSN(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	log := &sharedLog{}
	r := rigOn(t, openDSN(t, pg.DSN()), func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	stranger := r.mint(r.owner, r.owner.User, timesheet.ScopeRead) // not in memory
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	go r.server.health.watch(watching)
	r.ask(`{ runningTimer { id } }`, nil)
	if err := pg.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "the server notices", 5*time.Second, r.server.health.away)
	for _, query := range []string{`{ runningTimer { id } }`, `mutation { startTimer(input: {}) { userErrors { code } } }`} {
		a := r.must(call{query: query, token: r.token})
		if a.status != http.StatusServiceUnavailable || a.code() != codeUnavailable || a.header.Get("Retry-After") == "" {
			t.Errorf("%s while the database is away: status %d, %s", query, a.status, a.raw)
		}
	}
	// Who cannot be known without the database is answered without asking it.
	if a := r.must(call{query: `{ runningTimer { id } }`, token: stranger}); a.code() != codeUnavailable || strings.Contains(log.String(), "read who asks") {
		t.Errorf("an unknown token while the database is away: %s\n%s", a.raw, log)
	}
	if status := get(t, r.http.URL+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz while the database is away: %d, want 200", status)
	}
	if pg, err = localpg.Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	until(t, "the server notices that it is back", 10*time.Second, func() bool { return !r.server.health.away() })
	r.ask(`{ runningTimer { id } }`, nil)
}

// sharedLog is a log that is read while others write to it.
type sharedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func get(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// What was admitted before the signal is answered, what comes later is told to
// come back.
func TestDrainCutsNoAnswer(t *testing.T) {
	dsn := storetest.New(t)
	r := rigOn(t, openDSN(t, dsn), nil)
	o := observe(t, dsn)
	public, admin := listen(t), listen(t)
	ctx, terminate := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(ctx, public, admin, 300*time.Millisecond, 10*time.Second) }()
	r.http.URL = "http://" + public.Addr().String()
	release := o.block()
	answers := make(chan answer, 1)
	go func() {
		a, err := r.do(t.Context(), call{query: `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z"}) { timeEntry { id } userErrors { code } } }`, token: r.token})
		if err != nil {
			t.Error("the running answer was cut:", err)
		}
		answers <- a
	}()
	until(t, "the mutation runs", 5*time.Second, func() bool { return o.active() == 1 })
	terminate()
	until(t, "readiness is withdrawn", 5*time.Second, func() bool { return get(t, "http://"+admin.Addr().String()+"/readyz") == http.StatusServiceUnavailable })
	release()
	if a := <-answers; a.status != http.StatusOK || len(a.Errors) > 0 {
		t.Errorf("the running mutation: status %d, %s", a.status, a.raw)
	}
	if err := <-served; err != nil {
		t.Error("serve:", err)
	}
	var n int
	if err := o.db.QueryRow(`SELECT count(*) FROM time_entry`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d entries are stored, want the acknowledged one: %v", n, err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
