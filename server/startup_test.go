package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// Before a server answers, the connections that people wait for are open.
func TestPoolsAreWarmed(t *testing.T) {
	db, err := store.Open(t.Context(), store.Config{DSN: storetest.New(t), Pools: map[timesheet.Class]int{timesheet.ClassInteractive: 12, timesheet.ClassReport: 5}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	r := rigOn(t, db, func(c *Config) { c.Nightly = -1 })
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	public := listen(t)
	go func() { ended <- r.server.Serve(ctx, public, listen(t), 0, time.Second) }()
	resp, err := http.Get("http://" + public.Addr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, p := range db.Stats() {
		if p.Class != "background" && p.Class != "export" && p.Total != p.Max {
			t.Errorf("the pool of class %s has %d of %d connections when the server answers", p.Class, p.Total, p.Max)
		}
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A server that starts is as good as the one before it with its first answer: it has the
// price table, what was learned, the documents of the apps, and the orders in force.
func TestNothingIsMissingAtTheFirstAnswer(t *testing.T) {
	dsn := storetest.New(t)
	before := replica(t, dsn, nil)
	table, err := PublishedPrices(t.Context(), before.store)
	if err == nil {
		_, err = PublishPrices(t.Context(), before.store, table, map[string]float64{"row.index": table.Prices["row.index"] * 1.2}, "Ann", "a slower disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 12 {
		before.ask(`{ viewer { role } }`, nil)
	}
	before.server.shareWork(t.Context())
	const screen = `query Screen { viewer { role } }`
	before.byHash(before.token, hashOf(screen), screen, "Screen")
	before.server.saveCommon(t.Context())
	if status, text := before.order(http.MethodPost, "client", "mobile@3.1.0", 3600); status != http.StatusBadRequest || !strings.Contains(text, "--unseen") {
		t.Fatalf("a block of who was not seen: %d %s", status, text)
	}
	if status, text := before.order(http.MethodPost, "slots", "1", 3600); status != http.StatusCreated {
		t.Fatalf("an order: %d %s", status, text)
	}

	r := replica(t, dsn, before)
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	public, admin := listen(t), listen(t)
	go func() { ended <- r.server.Serve(ctx, public, admin, 0, time.Second) }()
	resp, err := http.Get("http://" + admin.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`headroom_price_table_version 1`, `headroom_work_milliseconds_per_point\{statement="Query.viewer"\} [0-9.]+`,
		`headroom_stored_documents 1`, `headroom_documents [1-9]`, `headroom_gate_orders\{kind="slots"\} 1`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).Match(first) {
			t.Errorf("the first answer lacks %s", want)
		}
	}
	if got := measurements(r.server.work, "Query.viewer"); got != 12 {
		t.Errorf("%v measurements are known, want the 12 of the server before", got)
	}
	before.http.URL = "http://" + public.Addr().String()
	if a := before.byHash(before.token, hashOf(screen), "", "Screen"); a.code() != "" {
		t.Errorf("a screen of the apps: %s", a.raw)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A server that has just started runs one report at a time, whatever the database
// would take.
func TestStartsWithOneReport(t *testing.T) {
	db, err := store.Open(t.Context(), store.Config{DSN: storetest.New(t), Pools: map[timesheet.Class]int{timesheet.ClassInteractive: 34, timesheet.ClassReport: 9}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	r := rigOn(t, db, func(c *Config) { c.Gate, c.Cores = Adaptive, 8 })
	if got := r.server.snapshot().Classes[limits.Report].Seats; got != 1 {
		t.Errorf("%d seats for reports at the start, want 1", got)
	}
}

// While no more may wait, what would have to be parsed is refused unread, but for
// what may stop a timer.
func TestFullHouseReadsNothingNew(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Cores = 1 })
	r.ask(`{ viewer { role } }`, nil)
	for !r.server.static.Full(limits.Interactive) {
		r.server.static.Offer(limits.Request{Class: limits.Interactive, Tenant: "a crowd"}, func(*limits.Permit, *limits.Refusal) {})
	}
	known, _ := r.server.documents.held()
	a := r.must(call{query: `{ viewer { role user { id } } }`, token: r.token})
	if a.status != http.StatusServiceUnavailable || a.code() != codeOverloaded || a.Errors[0].Extensions["reason"] != "queue_full" || a.header.Get("Retry-After") == "" {
		t.Errorf("a new document: status %d, %s", a.status, a.raw)
	}
	if now, _ := r.server.documents.held(); now != known {
		t.Errorf("%d documents are kept, there were %d", now, known)
	}
	if a := r.must(call{query: `mutation { stopTimer(input: {}) { userErrors { code } } }`, token: r.token}); a.status != http.StatusOK || a.code() != "" {
		t.Errorf("stopping a timer: status %d, %s", a.status, a.raw)
	}
}

// Who comes before the time it was told waits for that time, and asks again then.
func TestEarlyRetriesAreHeld(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Gate, c.Cores = Adaptive, 2 })
	r.server.adaptive.Brown(limits.OnlyControl, "a test")
	send := func() (answer, time.Time) {
		a := r.must(call{query: `{ viewer { role } }`, token: r.token})
		return a, time.Now()
	}
	began := time.Now()
	first, told := send()
	wait, _ := first.Errors[0].Extensions["retryAfterMs"].(float64)
	due := began.Add(time.Duration(wait) * time.Millisecond)
	if first.code() != codeOverloaded || wait < 1000 || told.After(due) {
		t.Fatalf("the first: %s", first.raw)
	}
	beside, at := send() // of the same moment: its sender cannot have read the first answer
	if beside.code() != codeOverloaded || at.After(due) {
		t.Errorf("one beside it is held: %s", beside.raw)
	}
	for time.Since(began) < 400*time.Millisecond {
		<-time.After(time.Millisecond)
	}
	answered := make(chan answer, 1)
	go func() {
		early, err := r.do(t.Context(), call{query: `{ viewer { role } }`, token: r.token})
		if err != nil {
			t.Error(err)
		}
		answered <- early
	}()
	until(t, "an early one is held", time.Second, func() bool { return len(r.server.parking) == 1 })
	r.server.adaptive.Brown(limits.Normal, "a test")
	if early := <-answered; early.code() != "" || time.Now().Before(due) {
		t.Errorf("an early one is answered %v before its time: %s", time.Until(due), early.raw)
	} else if got := early.header.Get("Server-Timing"); !strings.Contains(got, "hold;dur=") {
		t.Errorf("an early one is not told that it was held: %s", got)
	}
	if got := first.header.Get("Server-Timing"); got != "" {
		t.Errorf("one that leaves at once is told %s", got)
	}
}

// A refusal that waited for a seat first tells for how long.
func TestRefusalsTellWhatTheyWaited(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Cores = 1 })
	r.ask(`{ viewer { role } }`, nil)
	for n := 0; ; n++ { // all seats are taken
		_, _, waiter := r.server.static.Offer(limits.Request{Class: limits.Interactive, Tenant: fmt.Sprint(n)}, func(*limits.Permit, *limits.Refusal) {})
		if waiter != nil {
			waiter.Leave(limits.Expired)
			break
		}
	}
	r.server.deadlines[limits.Interactive] = 3 * waitTold
	a := r.must(call{query: `{ viewer { role } }`, token: r.token})
	_, told, _ := strings.Cut(a.header.Get("Server-Timing"), "queue;dur=")
	ms, _, _ := strings.Cut(told, ",")
	if waited, err := strconv.ParseFloat(ms, 64); a.code() != codeDeadline || err != nil || waited < millis(waitTold) {
		t.Errorf("status %d, %s, Server-Timing %q (%v)", a.status, a.raw, a.header.Get("Server-Timing"), err)
	}
}
