package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"headroom/proof"
	"headroom/store/storetest"
)

// apps are clients that send their documents by hash, and the text of one that the
// server does not know.
type apps struct {
	*crew   // whom they ask, and where
	tokens  []string
	screens []string // documents

	told    atomic.Int64 // PERSISTED_QUERY_NOT_FOUND
	answers atomic.Int64 // by hash alone
	errors  atomic.Int64 // of any other kind
}

// open has a client ask for two screens.
func (a *apps) open(ctx context.Context, client int) {
	token := a.tokens[client%len(a.tokens)]
	for n := range 2 {
		text := a.screens[(client*7+n*13)%len(a.screens)]
		known := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": fmt.Sprintf("%x", sha256.Sum256([]byte(text)))}}}
		body := a.until(ctx, token, known)
		if strings.Contains(body, "PERSISTED_QUERY_NOT_FOUND") {
			a.told.Add(1)
			known["query"] = text
			body = a.until(ctx, token, known)
		} else {
			a.answers.Add(1)
		}
		if !strings.Contains(body, `"viewer"`) || strings.Contains(body, `"errors"`) {
			a.errors.Add(1)
			a.mu.Lock()
			a.failure = body
			a.mu.Unlock()
		}
	}
}

// until asks again, wherever the server has moved to, until it answers.
func (a *apps) until(ctx context.Context, token string, request map[string]any) string {
	for {
		url, moved := a.server()
		_, body, err := postBy(a.client, url, token, request)
		if err == nil {
			return body
		}
		a.lost.Add(1)
		select {
		case <-moved:
		case <-ctx.Done():
			return err.Error()
		}
	}
}

// stored waits until so many documents are in the database.
func stored(t *testing.T, db *sql.DB, want int) {
	t.Helper()
	tick, patience := time.NewTicker(50*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for {
		n := count(t, db, `SELECT count(*) FROM document`)
		if n == want {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("of %d documents %d are saved after half a minute", want, n)
		}
	}
}

// The server is killed while its clients send their documents by hash, seconds after
// they have sent them for the first time. The next one knows them.
func TestKilledServerKnowsTheHashes(t *testing.T) {
	clients := proof.Size(t, 5000, 240)
	dsn := storetest.New(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	args := []string{"--database-url", dsn, "--budget-user", "1000000/100000", "--budget-workspace", "1000000/100000"}
	p := serve(t, args...)
	tokens, c := hire(t, dsn, p, 8)
	a := &apps{crew: c, tokens: tokens}
	for i := range clients / 8 { // more than the hundredth that may be refused
		a.screens = append(a.screens, fmt.Sprintf("query Screen%d { viewer { role a%d: role } }", i, i))
	}
	var open sync.WaitGroup
	queue := make(chan int)
	for range len(tokens) {
		open.Go(func() {
			for client := range queue {
				a.open(t.Context(), client)
			}
		})
	}
	all := func(from, to int) {
		for client := from; client < to; client++ {
			queue <- client
		}
	}
	all(0, clients)
	stored(t, db, len(a.screens))
	first := a.told.Load()
	all(0, clients/4)
	p.signal(syscall.SIGKILL)
	p = serve(t, args...)
	a.moveTo(p.url)
	all(0, clients)
	close(queue)
	open.Wait()

	again, requests := a.told.Load()-first, 2*clients
	proof.Result(t, "%d clients of %d people with %d documents: %d requests without an answer when the server was killed, %d of %d told PERSISTED_QUERY_NOT_FOUND by the next", clients, len(a.tokens), len(a.screens), a.lost.Load(), again, requests)
	if again > int64(requests/100) {
		t.Errorf("%d of %d requests are told PERSISTED_QUERY_NOT_FOUND after the kill", again, requests)
	}
	if n := a.errors.Load(); n > 0 || a.answers.Load() < int64(requests) {
		t.Errorf("%d answers by hash alone, %d errors, such as %s\n%s", a.answers.Load(), n, a.failure, p.log)
	}
	if first < int64(len(a.screens)) {
		t.Errorf("%d requests were told PERSISTED_QUERY_NOT_FOUND before any of %d documents was known", first, len(a.screens))
	}
}
