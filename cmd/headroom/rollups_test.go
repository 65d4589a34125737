package main

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"headroom/demo"
	"headroom/store"
	"headroom/store/storetest"
)

// The commands tell drift by their exit code, and repair it.
func TestRollups(t *testing.T) {
	dsn := storetest.New(t)
	s, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := s.LoadCompany(t.Context(), demo.Small(demo.SmallConfig{Name: "Acme", Entries: 50, Until: time.Now()}), nil)
	s.Close()
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	step := func(code int, out, stderr string, args ...string) {
		t.Helper()
		r := runs(t, append([]string{"rollups"}, append(args, "--database-url", dsn)...)...)
		if r.code != code || !strings.Contains(r.out, out) || !strings.Contains(r.stderr, stderr) {
			t.Errorf("%v: exit %d, %q, %q; want %d, %q, %q", args, r.code, r.out, r.stderr, code, out, stderr)
		}
	}
	step(0, "sums and entries agree", "", "check")
	if _, err := db.ExecContext(t.Context(), `UPDATE rollup SET secs = secs + 1 WHERE workspace_id = $1 AND ctid = (SELECT min(ctid) FROM rollup)`, owner.Workspace.ID); err != nil {
		t.Fatal(err)
	}
	step(1, "wrong: 1 sums, the days of 0 entries", "1 of 1 workspaces have drifted", "check", "--workspace", "Acme")
	step(0, "repaired: 1 sums", "", "rebuild")
	step(0, "sums and entries agree", "", "check")
	step(1, "", `there is no workspace named "Nobody"`, "check", "--workspace", "Nobody")
	for _, at := range []string{"3", "25:00", "noon"} {
		r := runs(t, "config", "--rollup-check", at)
		if r.code != 1 || !strings.Contains(r.stderr, "write it as 03:00, or off") {
			t.Errorf("--rollup-check %s: exit %d, %q", at, r.code, r.stderr)
		}
	}
}

// Nothing to compare is no agreement: another database may have been meant.
func TestRollupsOfNothing(t *testing.T) {
	r := runs(t, "rollups", "check", "--database-url", storetest.New(t))
	if r.code != 1 || !strings.Contains(r.stderr, "holds no workspace") {
		t.Errorf("exit %d, %q, %q", r.code, r.out, r.stderr)
	}
}
