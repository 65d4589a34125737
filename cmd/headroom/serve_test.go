package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"headroom/store"
	"headroom/store/storetest"
)

func TestServeDemo(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "300")
	body := p.ask(demoOwner, `{ viewer { role } timeEntries(first: 5) { nodes { id } totalCount } myDay { day } }`)
	if !strings.Contains(body, `"role":"OWNER"`) || !strings.Contains(body, `"totalCount":300`) {
		t.Errorf("the demo's owner sees %s, want 300 entries", body)
	}
	for token, role := range map[string]string{demoManager: "MANAGER", demoMember: "MEMBER"} {
		if body := p.ask(token, `{ viewer { role } }`); !strings.Contains(body, role) {
			t.Errorf("%s is %s, want %s", token, body, role)
		}
	}
	t.Run("a second server on the folder", func(t *testing.T) {
		r := runs(t, "serve", "--data-dir", dir, "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")
		wantRefusal(t, r, fmt.Sprint(p.cmd.Process.Pid))
	})
	t.Run("a port in use", func(t *testing.T) {
		r := runs(t, "serve", "--data-dir", storetest.Dir(t), "--addr", strings.TrimPrefix(p.url, "http://"), "--admin-addr", "127.0.0.1:0")
		wantRefusal(t, r, "--addr")
	})
	t.Run("a command beside the server", func(t *testing.T) {
		r := runs(t, "token", "create", "--data-dir", dir, "--workspace", "Beside", "--email", "b@beside.example", "--timezone", "Asia/Kathmandu")
		if r.code != 0 {
			t.Fatalf("exit %d: %s", r.code, r.stderr)
		}
		if body := p.ask(strings.TrimSpace(r.out), `{ viewer { workspace { name timeZone } role } }`); !strings.Contains(body, `"timeZone":"Asia/Kathmandu"`) || !strings.Contains(body, "OWNER") {
			t.Errorf("the new token's owner sees %s", body)
		}
	})
	p.signal(syscall.SIGTERM)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM ends the server with %d, want 0\n%s", code, p.log)
	}
	if left := postgresOf(t, dir); len(left) > 0 {
		t.Errorf("PostgreSQL is left after SIGTERM: %v", left)
	}
}

// The fixed tokens stand for the same people at every start, whatever the
// workspace is called by then and however many others have joined it.
func TestDemoIsFoundAgain(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "20")
	names := map[string]string{}
	for _, token := range []string{demoOwner, demoManager, demoMember} {
		names[token] = p.ask(token, `{ viewer { user { id } } }`)
	}
	p.ask(demoOwner, `mutation { updateWorkspace(input: {name: "Renamed"}) { userErrors { code } } }`)
	for i := range 101 {
		p.ask(demoOwner, fmt.Sprintf(`mutation { inviteMember(input: {name: "0%03d", email: "p%d@many.example", role: MEMBER}) { userErrors { code } } }`, i, i))
	}
	p.signal(syscall.SIGTERM)
	again := serve(t, "--data-dir", dir)
	for token, want := range names {
		var before, after struct{ Data any }
		if json.Unmarshal([]byte(want), &before) != nil || json.Unmarshal([]byte(again.ask(token, `{ viewer { user { id } } }`)), &after) != nil {
			t.Fatal("an answer is no JSON")
		}
		if fmt.Sprint(before.Data) != fmt.Sprint(after.Data) {
			t.Errorf("%s stands for %v, and did for %v", token, after.Data, before.Data)
		}
	}
}

func TestKilledServerLeavesNoPostgres(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "50")
	p.ask(demoOwner, `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z", description: "kept"}) { timeEntry { id } } }`)
	if len(postgresOf(t, dir)) == 0 {
		t.Skip("processes cannot be listed on this system")
	}
	p.signal(syscall.SIGKILL)
	waitUntil(t, "PostgreSQL ends with its killed server", func() bool { return len(postgresOf(t, dir)) == 0 })
	again := serve(t, "--data-dir", dir)
	if body := again.ask(demoOwner, `{ timeEntries(first: 5, filter: {text: "kept"}) { nodes { description } totalCount } }`); !strings.Contains(body, `"totalCount":1`) {
		t.Errorf("after the next start: %s, want the acknowledged entry", body)
	}
}

func TestSigtermLosesNoAcknowledgedWrite(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "50", "--budget-user", "1000000/100000", "--budget-workspace", "1000000/100000")
	var acknowledged atomic.Int64
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for {
				status, body, err := post(p.url, demoOwner, `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z", description: "under load"}) { timeEntry { id } userErrors { code } } }`)
				if err != nil {
					return // the address is closed
				}
				if status == http.StatusOK && strings.Contains(body, `"timeEntry":{"id"`) {
					acknowledged.Add(1)
				}
			}
		})
	}
	waitUntil(t, "200 writes", func() bool { return acknowledged.Load() >= 200 })
	p.signal(syscall.SIGTERM)
	writers.Wait()
	again := serve(t, "--data-dir", dir)
	body := again.ask(demoOwner, `{ timeEntries(first: 1, filter: {text: "under load"}) { totalCount } }`)
	var stored struct {
		Data struct {
			TimeEntries struct{ TotalCount int64 }
		}
	}
	if err := json.Unmarshal([]byte(body), &stored); err != nil {
		t.Fatal(err)
	}
	if n := stored.Data.TimeEntries.TotalCount; n < acknowledged.Load() {
		t.Errorf("%d entries are stored, %d were acknowledged", n, acknowledged.Load())
	}
}

// A database of the operator's: nothing is migrated unasked, no demo token
// works, strangers see no schema.
func TestServeRealDatabase(t *testing.T) {
	dsn := storetest.New(t)
	r := runs(t, "migrate", "--database-url", dsn)
	if r.code != 0 || !strings.Contains(r.out, "up to date") {
		t.Fatalf("migrate: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	p := serve(t, "--database-url", dsn)
	for query, token := range map[string]string{`{ viewer { role } }`: demoOwner, `{ __schema { queryType { name } } }`: ""} {
		if status, body, err := post(p.url, token, query); err != nil || status != http.StatusUnauthorized {
			t.Errorf("%s with token %q: status %d, %s, %v; want 401", query, token, status, body, err)
		}
	}
	r = runs(t, "token", "create", "--database-url", dsn, "--workspace", "Acme", "--email", "olga@acme.example", "--scope", "read")
	if r.code != 0 {
		t.Fatalf("token create: exit %d, %s", r.code, r.stderr)
	}
	token := strings.TrimSpace(r.out)
	p.ask(token, `{ viewer { role } __schema { queryType { name } } }`)
	if status, body, err := post(p.url, token, `mutation { startTimer(input: {}) { userErrors { code } } }`); err != nil || status != http.StatusForbidden {
		t.Errorf("a mutation by a read token: status %d, %s, %v; want 403", status, body, err)
	}
}

func TestPendingMigrations(t *testing.T) {
	dsn := storetest.New(t)
	emptied := empty(t, dsn)
	r := runs(t, "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", emptied)
	wantRefusal(t, r, "headroom migrate")
	if r := runs(t, "migrate", "--database-url", emptied); r.code != 0 {
		t.Fatalf("migrate: %s", r.stderr)
	}
	serve(t, "--database-url", emptied)
}

// empty takes the schema out of a database.
func empty(t *testing.T, dsn string) string {
	t.Helper()
	pending, err := store.Pending(t.Context(), dsn)
	if err != nil || pending {
		t.Fatalf("a test's database is not migrated: %v, %v", pending, err)
	}
	db, err := sql.Open("pgx", dsn) // the store has registered the driver
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
		t.Fatal(err)
	}
	return dsn
}
