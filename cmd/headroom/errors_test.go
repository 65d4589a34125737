package main

import (
	"database/sql"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"headroom/store/storetest"
)

// A field that fails for a reason of ours rings the bell though the rest is answered, and
// log and top name the operation that is to be blocked.
func TestErrorsOfFieldsAreFound(t *testing.T) {
	dsn := storetest.New(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	made := runs(t, "token", "create", "--database-url", dsn, "--workspace", "Acme", "--email", "ann@acme.example")
	if made.code != 0 {
		t.Fatal(made.stderr)
	}
	p := serve(t, "--database-url", dsn)
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE tag RENAME TO elsewhere"); err != nil {
		t.Fatal(err)
	}
	const failed = `headroom_requests_total{class="interactive",decision="INTERNAL_SERVER_ERROR"}`
	before := p.gauge(failed)
	for _, query := range []string{`query Mine { viewer { role } }`, `query Tags { tags(first: 5) { nodes { id } } }`} {
		if status, body, err := postAs(p.url, strings.TrimSpace(made.out), "web@7", query); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %s %v", query, status, body, err)
		}
	}
	if n := p.gauge(failed) - before; n != 1 {
		t.Errorf("%v requests are counted as failed, want 1", n)
	}
	if line := regexp.MustCompile(`"level":"ERROR".*"operation":"Tags#[0-9a-f]{8}","client":"web@7","workspace":\d+,`); !line.MatchString(p.log.String()) {
		t.Errorf("the log does not name the operation: %s", p.log)
	}
	top := runs(t, "top", "--once", "--admin-url", p.admin)
	if want := regexp.MustCompile(`(?m)ended 1 x interactive Acme · Tags#[0-9a-f]{8} · web@7: a field of it failed: the log has the cause$`); !want.MatchString(top.out) {
		t.Errorf("top does not name it:\n%s%s", top.out, top.stderr)
	}
	if !regexp.MustCompile(`(?m)^Tags#[0-9a-f]{8} +\d`).MatchString(top.out) {
		t.Errorf("the tables of top:\n%s", top.out)
	}
}
