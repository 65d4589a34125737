package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headroom/proof"
	"headroom/store/storetest"
)

// unequal counts the sums of rollup that are not those of the entries, missing
// ones too. It shares nothing with the product's own check.
const unequal = `
SELECT count(*) FROM (
  SELECT FROM (
    SELECT workspace_id, date_trunc('month', day)::date, coalesce(project_id, 0), user_id, billable, currency, 1::numeric, secs::numeric, amount_x3600::numeric
    FROM time_entry WHERE deleted_at IS NULL AND ended_at IS NOT NULL
    UNION ALL
    SELECT workspace_id, month, project_id, user_id, billable, currency, -entries, -secs, -amount_x3600 FROM rollup
  ) d (workspace, month, project, person, billable, currency, entries, secs, amount)
  GROUP BY workspace, month, project, person, billable, currency
  HAVING sum(entries) <> 0 OR sum(secs) <> 0 OR sum(amount) <> 0
) u`

// unequalProjects counts the same of the sums of projects with their rests.
const unequalProjects = `
SELECT count(*) FROM (
  SELECT FROM (
    SELECT workspace_id, date_trunc('month', day)::date, coalesce(project_id, 0), billable, currency, 1::numeric, secs::numeric, amount_x3600::numeric
    FROM time_entry WHERE deleted_at IS NULL AND ended_at IS NOT NULL
    UNION ALL
    SELECT workspace_id, month, project_id, billable, currency, -entries, -secs, -amount_x3600 FROM project_rollup
    UNION ALL
    SELECT workspace_id, month, project_id, billable, currency, folded_entries - entries, folded_secs - secs, folded_amount_x3600 - amount_x3600 FROM rollup WHERE unfolded
  ) d (workspace, month, project, billable, currency, entries, secs, amount)
  GROUP BY workspace, month, project, billable, currency
  HAVING sum(entries) <> 0 OR sum(secs) <> 0 OR sum(amount) <> 0
) u`

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func storedVersions(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT id::text, version FROM time_entry`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]int{}
	for rows.Next() {
		var id string
		var version int
		if err := rows.Scan(&id, &version); err != nil {
			t.Fatal(err)
		}
		found[id] = version
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// hire makes writers, each a person with a token, and what they work on.
func hire(t *testing.T, dsn string, p *process, n int) (tokens []string, c *crew) {
	t.Helper()
	for i := range n {
		args := []string{"token", "create", "--database-url", dsn, "--workspace", "Acme", "--email", fmt.Sprintf("w%d@acme.example", i)}
		if i > 0 {
			args = append(args, "--role", "admin")
		}
		r := runs(t, args...)
		if r.code != 0 {
			t.Fatal(r.stderr)
		}
		tokens = append(tokens, strings.TrimSpace(r.out))
	}
	c = &crew{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}, Timeout: 30 * time.Second}, versions: map[string]int{}}
	id := regexp.MustCompile(`"id":"(\w+)"`)
	for _, name := range []string{"one", "two", "three"} {
		body := p.ask(tokens[0], fmt.Sprintf(`mutation { createProject(input: {name: %q}) { project { id } } }`, name))
		c.projects = append(c.projects, id.FindStringSubmatch(body)[1])
	}
	body := p.ask(tokens[0], `mutation { createTimeEntry(input: {startedAt: "2024-01-02T08:00:00Z", endedAt: "2024-01-02T09:00:00Z"}) { timeEntry { id } } }`)
	c.keep(&editedEntry{ID: id.FindStringSubmatch(body)[1]})
	c.moveTo(p.url)
	return tokens, c
}

// Eight writers edit the same entries at random while their server is killed
// and started again and again. Afterwards the sums are those of the entries,
// though nothing has repaired them, and nothing acknowledged is lost. Then a
// trigger is lost, and the check says where that did harm.
func TestRollupEqualsEntriesAfterKills(t *testing.T) {
	n := proof.Size(t, 100_000, 2000)
	kills := max(2, n/4000)
	dsn := storetest.New(t)
	args := []string{"--database-url", dsn, "--limits", "off", "--rollup-check", "off"}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p := serve(t, args...)
	tokens, c := hire(t, dsn, p, 8)
	c.goal, c.step, c.marks = int64(n), int64(n/(kills+1)), make(chan struct{}, 2*kills)
	var writers sync.WaitGroup
	for i, token := range tokens {
		r := proof.Rand(t, uint64(i))
		writers.Go(func() { c.write(t.Context(), token, r) })
	}
	for range kills {
		select {
		case <-c.marks:
		case <-time.After(5 * time.Minute):
			t.Fatalf("of %d edits %d are acknowledged, %d refused, %d failed: %s", c.tried.Load(), c.acknowledged.Load(), c.refused.Load(), c.failed.Load(), c.failure)
		}
		p.signal(syscall.SIGKILL)
		p = serve(t, args...)
		c.moveTo(p.url)
	}
	writers.Wait()

	stored := storedVersions(t, db)
	c.wantKept(t, stored)
	sums, differ := count(t, db, `SELECT count(*) FROM rollup`), count(t, db, unequal)
	projects, folded := count(t, db, unequalProjects), count(t, db, `SELECT count(*) FROM project_rollup WHERE entries > 0`)
	check := runs(t, "rollups", "check", "--database-url", dsn)
	if projects > 0 || folded == 0 {
		t.Errorf("%d sums of projects, of which servers have folded %d, are not those of the entries", projects, folded)
	}
	if differ > 0 || check.code != 0 {
		t.Errorf("%d of %d sums are not those of the entries, and the check ends with %d: %s%s", differ, sums, check.code, check.out, check.stderr)
	}
	if acknowledged := c.acknowledged.Load(); acknowledged < c.goal || c.failed.Load() > c.goal/100 {
		t.Errorf("%d of %d edits are acknowledged, %d failed: %s", acknowledged, c.goal, c.failed.Load(), c.failure)
	}
	if c.lost.Load() == 0 {
		t.Error("no kill came between an edit and its answer: the test shows nothing")
	}
	p.signal(syscall.SIGTERM) // a connection that ends has told its deadlocks
	// A repricing locks rows in the order in which it finds them, so that it may
	// meet a bulk edit: the victim runs again, and here it is only counted.
	deadlocks := count(t, db, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	proof.Result(t, "8 writers, %d edits acknowledged, %d refused by a rule, %d without an answer and %d failed, while the server was killed %d times", c.acknowledged.Load(), c.refused.Load(), c.lost.Load(), c.failed.Load(), kills)
	proof.Result(t, "%d sums of %d entries, of which %d differ; %d deadlocks; %d acknowledged entries looked up by id", sums, len(stored), differ, deadlocks, len(c.versions))
	proof.Result(t, "%d sums of projects, folded by each server that was started, of which %d differ with their rests", folded, projects)

	if _, err := db.ExecContext(t.Context(), `DROP TRIGGER time_entry_added ON time_entry`); err != nil {
		t.Fatal(err)
	}
	serve(t, args...).ask(tokens[0], `mutation { createTimeEntry(input: {startedAt: "2024-01-02T08:00:00Z", endedAt: "2024-01-02T09:00:00Z"}) { timeEntry { id } } }`)
	check = runs(t, "rollups", "check", "--database-url", dsn)
	if check.code != 1 || !strings.HasPrefix(check.out, "Acme (") || !strings.Contains(check.out, "wrong: 1 sums, the days of 0 entries") {
		t.Errorf("without a trigger the check ends with %d: %s%s", check.code, check.out, check.stderr)
	}
	proof.Result(t, "one entry without the trigger: headroom rollups check ends with %d and says %s", check.code, strings.TrimSpace(check.out))
}
