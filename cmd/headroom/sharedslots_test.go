package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"headroom/proof"
	"headroom/store/storetest"
)

// asking sends reports and clicks to a server that may be killed at any time.
type asking struct {
	url             atomic.Pointer[string]
	reports, clicks atomic.Int64 // answered
	mu              sync.Mutex
	wrong           string // an answer that is none of what a storm may give
}

// loop asks for a report and then for a day, again and again.
func (a *asking) loop(ctx context.Context, client *http.Client, token string) {
	for i := 0; ctx.Err() == nil; i++ {
		report := fmt.Sprintf(`{ timesheetReport(input: {period: {from: "2000-01-01", to: "2050-01-01"}, groupBy: [USER], maxRows: %d}) { totals { seconds } } }`, 1+i%10000)
		a.one(client, token, &a.reports, report)
		a.one(client, token, &a.clicks, `{ myDay { day } }`)
	}
}

func (a *asking) one(client *http.Client, token string, counter *atomic.Int64, query string) {
	status, body, err := postBy(client, *a.url.Load(), token, map[string]any{"query": query})
	switch {
	case err != nil: // it was killed
	case status == http.StatusOK && !strings.Contains(body, `"errors"`):
		counter.Add(1)
	case status == http.StatusServiceUnavailable && counter == &a.reports:
	default:
		a.mu.Lock()
		a.wrong = fmt.Sprintf("%d %s", status, body)
		a.mu.Unlock()
	}
}

const holders = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 18514`

// Of two servers on a database one is killed and started again and again, while
// reports storm into both. Never do more reports run than the database has slots,
// each server gets its part of them, and every click is answered.
func TestServersShareSlotsWhileOneRestarts(t *testing.T) {
	lives := proof.Size(t, 6, 2)
	reports := int64(proof.Size(t, 600, 12)) // of the younger server in each life
	dsn := storetest.New(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	args := []string{"--database-url", dsn, "--db-cores", "2", "--rollup-check", "off", "--log-level", "error", "--budget-user", "1000000/1000000", "--budget-workspace", "1000000/1000000"}
	elder, younger := &asking{}, &asking{}
	stays, restarts := serve(t, args...), serve(t, args...)
	elder.url.Store(&stays.url)
	younger.url.Store(&restarts.url)
	tokens, _ := hire(t, dsn, stays, 2)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	keeping := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 30 * time.Second}
	for i, a := range []*asking{elder, younger} {
		for range 4 {
			all.Go(func() { a.loop(ctx, keeping, tokens[i]) })
		}
	}
	most, looks := 0, 0
	until := func(counter *atomic.Int64, n int64) {
		t.Helper()
		began, want := time.Now(), counter.Load()+n
		for ; counter.Load() < want; looks++ { // the database says nothing of itself
			most = max(most, count(t, db, holders))
			if time.Since(began) > 2*time.Minute {
				t.Fatalf("%d of %d reports in two minutes", n-(want-counter.Load()), n)
			}
		}
	}
	before := elder.reports.Load()
	for range lives {
		until(&younger.reports, reports)
		restarts.signal(syscall.SIGKILL)
		until(&elder.reports, reports)
		restarts = serve(t, args...)
		younger.url.Store(&restarts.url)
	}
	until(&younger.reports, reports)
	cancel()
	all.Wait()
	if most > 1 {
		t.Errorf("%d reports ran at once, want 1", most)
	}
	for name, a := range map[string]*asking{"the elder": elder, "the younger": younger} {
		if a.wrong != "" || a.clicks.Load() == 0 {
			t.Errorf("%s answered %d clicks, and one with %s", name, a.clicks.Load(), a.wrong)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); count(t, db, holders) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("a slot is never free again")
		}
	}
	proof.Result(t, "two servers, one killed %d times: at most %d report at once in %d looks; the one that stayed answered %d reports, the other %d; clicks %d and %d", lives, most, looks, elder.reports.Load()-before, younger.reports.Load(), elder.clicks.Load(), younger.clicks.Load())
}
