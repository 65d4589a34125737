package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headroom/proof"
	"headroom/server"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// strangers are people of one workspace with a token each.
func strangers(t *testing.T, dsn string, n int) (tokens []string) {
	t.Helper()
	if r := runs(t, "token", "create", "--database-url", dsn, "--workspace", "Acme", "--email", "ann@acme.example"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, made := range []string{
		fmt.Sprintf(`INSERT INTO membership (workspace_id, role, name, name_key) SELECT 1, 'MEMBER', 'user ' || n, 'user ' || n FROM generate_series(1, %d) n`, n),
		`INSERT INTO api_token (workspace_id, user_id, name, scope) SELECT 1, user_id, 'phone', 'WRITE' FROM membership WHERE role = 'MEMBER'`,
	} {
		if _, err := db.ExecContext(t.Context(), made); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	secret, err := s.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), `SELECT id, user_id FROM api_token WHERE name = 'phone'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	keys := server.NewKeys(secret)
	for rows.Next() {
		token := timesheet.Token{Scope: timesheet.ScopeWrite}
		if err := rows.Scan(&token.ID, &token.UserID); err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, keys.MintToken(1, token))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return tokens
}

// A server that was killed and has just started again is met by a crowd whom it has
// not seen: each is answered, or told when to come. Nobody is told that the database is
// away, and it is not held for that.
func TestCrowdOfStrangersAtAStart(t *testing.T) {
	crowd := proof.Size(t, 10_000, 500)
	dsn := storetest.New(t)
	tokens := strangers(t, dsn, crowd)
	args := []string{"--database-url", dsn, "--budget-workspace", "1000000/1000000", "--log-level", "error"}
	serve(t, args...).signal(syscall.SIGKILL)
	p := serve(t, args...)
	p.ready()
	var all sync.WaitGroup
	var mu sync.Mutex
	answers, took := map[string]int{}, []time.Duration(nil)
	apart := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	began := time.Now()
	for _, token := range tokens {
		all.Go(func() {
			sent := time.Now()
			status, body, err := postBy(apart, p.url, token, map[string]any{"query": theDay})
			kind := fmt.Sprint(status, err)
			if err == nil {
				_, code, _ := strings.Cut(body, `"code":"`)
				code, _, _ = strings.Cut(code, `"`)
				kind = strings.TrimSpace(fmt.Sprint(status, " ", code))
			}
			mu.Lock()
			defer mu.Unlock()
			answers[kind]++
			if status == http.StatusOK {
				took = append(took, time.Since(sent))
			}
		})
	}
	all.Wait()
	for kind, n := range answers {
		if kind != "200" && kind != "503 OVERLOADED" && kind != "503 DEADLINE_EXCEEDED" {
			t.Errorf("%d are answered %s", n, kind)
		}
	}
	if strings.Contains(p.log.String(), "away") || p.gauge("headroom_database_up") != 1 {
		t.Errorf("the database was held for away:\n%s", p.log)
	}
	slices.Sort(took)
	proof.Result(t, "%d people at once, in %.1f s: %v; %d were answered, half of them within %s", crowd, time.Since(began).Seconds(), answers, len(took), ms(quantile(took, 0.5)))
}
