package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// Connections are opened at a bounded pace, however many are wanted at once.
func TestHandshakesArePaced(t *testing.T) {
	dsn := storetest.New(t)
	watch, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close(context.WithoutCancel(t.Context()))
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Pools: map[timesheet.Class]int{timesheet.ClassInteractive: 60}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	opened := func() (n int) {
		if err := watch.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before, began := opened(), time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if err := s.Warm(ctx); err == nil {
		t.Error("60 connections are open within 0.4 s")
	}
	n := opened() - before
	if most := 10 + 50*time.Since(began).Seconds() + 1; float64(n) > most {
		t.Errorf("%d connections were opened, at most %.0f are in their time", n, most)
	}
	if n == 0 {
		t.Error("none was opened")
	}
}
