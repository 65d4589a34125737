package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"headroom/limits"
	"headroom/store"
	"headroom/store/storetest"
)

// tended is a server with the adaptive gate, running on a database until the test
// ends.
func tended(t *testing.T, dsn string) *Server {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	r := rigOn(t, db, func(c *Config) {
		c.Gate, c.Cores = Adaptive, 2
		c.User, c.Tenant = limits.Rate{Size: 1e6, Restore: 1e6}, limits.Rate{Size: 1e6, Restore: 1e6}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.server.tend(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	r.server.beat(ctx)
	const report = `{ timesheetReport(input: {period: {from: "2000-01-01", to: "2050-01-01"}, groupBy: [USER]}) { rows { label } } }`
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			a, err := r.do(t.Context(), call{token: r.token, query: report})
			if err != nil || a.status != http.StatusOK {
				t.Errorf("a report is answered %d %s (%v)", a.status, a.raw, err)
			}
		})
	}
	t.Cleanup(wg.Wait)
	return r.server
}

// The reports of two servers on a database run one after the other on the slot
// that two cores have, all of them, and the slot is free in the end.
func TestServersShareTheSlots(t *testing.T) {
	dsn := storetest.New(t)
	watch, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close(context.WithoutCancel(t.Context()))
	taken := func() (n int) {
		if err := watch.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 18514`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	one, other := tended(t, dsn), tended(t, dsn)
	most := 0
	for done := uint64(0); done < 24; {
		most = max(most, taken())
		done = 0
		for _, s := range []*Server{one, other} {
			c := s.snapshot().Classes[limits.Report]
			done += c.Admitted - uint64(c.Busy)
			for why, n := range c.Refused {
				if n > 0 {
					t.Fatalf("%d reports were refused: %v", n, why)
				}
			}
		}
		if t.Context().Err() != nil {
			t.Fatalf("%d of 24 reports were done", done)
		}
	}
	if most != 1 {
		t.Errorf("%d reports ran at once, want 1", most)
	}
	for taken() > 0 {
		if t.Context().Err() != nil {
			t.Fatal("the slot is never free")
		}
	}
	other.beat(t.Context())
	rec := httptest.NewRecorder()
	other.AdminHandler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	for _, want := range []string{"headroom_gate_servers 2", "headroom_gate_crowded 0", "headroom_gate_kept_ratio 1", "headroom_report_backends_yield 0"} {
		if !strings.Contains(rec.Body.String(), want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestPoolsHoldTheSeats(t *testing.T) {
	_, err := New(Config{Store: storetest.Open(t), Secret: []byte("a secret of the tests"), Log: slog.New(slog.DiscardHandler), Cores: 8})
	// The pools come in no order, and two are too small.
	named := regexp.MustCompile(`^the pool of class (interactive has 10 connections for 32 seats: give it 34|report has 3 connections for 7 seats: give it 9), or lower the cores$`)
	if err == nil || !named.MatchString(err.Error()) {
		t.Errorf("pools smaller than the seats: %v", err)
	}
}
