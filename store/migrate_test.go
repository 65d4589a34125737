package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// bare returns the DSN of a database without a schema.
func bare(t testing.TB) string {
	t.Helper()
	dsn := storetest.New(t)
	conn := connectTo(t, dsn)
	mustExec(t, conn, `DROP SCHEMA public CASCADE`)
	mustExec(t, conn, `CREATE SCHEMA public`)
	return dsn
}

func TestMigrate(t *testing.T) {
	dsn := bare(t)
	if _, err := store.Open(t.Context(), store.Config{DSN: dsn}); !errors.Is(err, store.ErrPending) || !strings.Contains(err.Error(), "headroom migrate") {
		t.Errorf("opening an empty database returned %v, want ErrPending, which names the command", err)
	}
	quiet := slog.New(slog.DiscardHandler)
	var errs [2]error
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = store.Migrate(t.Context(), dsn, quiet) })
	}
	all.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatalf("two at once: %v", err)
	}
	if pending, err := store.Pending(t.Context(), dsn); err != nil || pending {
		t.Errorf("after migrating, pending is %v (%v)", pending, err)
	}
	s := openStore(t, dsn)
	addWorkspace(t, s, "Acme")
}

func TestMigrateSaysWhatADatabaseLacks(t *testing.T) {
	for _, c := range []struct{ name, role, prepare, want string }{
		{"no rights", "headroom_stranger", `SELECT`, "GRANT CREATE ON SCHEMA public"},
		{"no schema", "", `DROP SCHEMA public`, "GRANT CREATE ON SCHEMA public"},
		{"a table of others", "", `CREATE TABLE client ()`, "use an empty one"},
		{"a function of others", "", `CREATE FUNCTION stamp() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'`, "use an empty one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dsn := bare(t)
			conn := connectTo(t, dsn)
			mustExec(t, conn, c.prepare)
			err := store.Migrate(t.Context(), asRole(t, conn, dsn, c.role), slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %s", err, c.want)
			}
		})
	}
}

// A database whose data come from another cluster, where transaction ids were
// higher, goes on with higher stamps.
// A database that cannot hold every name is refused before anything is in it.
func TestOtherEncodingsAreRefused(t *testing.T) {
	conn := connectTo(t, storetest.New(t))
	name := "headroom_test_latin1_" + strings.ToLower(rand.Text())
	mustExec(t, conn, `CREATE DATABASE `+name+` ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	dsn, err := url.Parse(storetest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	dsn.Path = "/" + name
	_, opened := store.Open(t.Context(), store.Config{DSN: dsn.String()})
	for what, err := range map[string]error{
		"open": opened, "migrate": store.Migrate(t.Context(), dsn.String(), slog.New(slog.DiscardHandler)),
	} {
		if err == nil || !strings.Contains(err.Error(), "LATIN1") || !strings.Contains(err.Error(), "ENCODING 'UTF8'") {
			t.Errorf("%s: %v; want what the encoding is and what to do", what, err)
		}
	}
	if n := ask[int](t, connectTo(t, dsn.String()), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`); n != 0 {
		t.Errorf("%d tables are in it all the same", n)
	}
}

func TestMigrateRaisesStampsAfterAMove(t *testing.T) {
	dsn := storetest.New(t)
	s, conn := openStore(t, dsn), connectTo(t, dsn)
	owner := addWorkspace(t, s, "Acme")
	var told bytes.Buffer
	log := slog.New(slog.NewTextHandler(&told, nil))
	stampOf := func(name string) int64 {
		t.Helper()
		tag, _, err := s.CreateTag(t.Context(), owner, tagNamed(name), store.Change{Action: "createTag"})
		if err != nil {
			t.Fatal(err)
		}
		return ask[int64](t, conn, `SELECT stamp FROM tag WHERE id = $1`, tag.ID)
	}
	first := stampOf("first")
	if err := store.Migrate(t.Context(), dsn, log); err != nil || told.Len() > 0 {
		t.Errorf("on the same cluster: %v, %s", err, told.String())
	}
	for _, table := range []string{"workspace", "membership", "client", "project", "task", "tag", "time_entry"} {
		if n := ask[int](t, conn, `SELECT count(*) FROM information_schema.triggers WHERE trigger_name = $1`, table+"_stamp"); n != 1 {
			t.Errorf("table %s has no trigger for stamps", table)
		}
	}
	for move, highest := range []int64{1e12, 1e13} {
		mustExec(t, conn, `ALTER TABLE membership DISABLE TRIGGER membership_stamp`)
		mustExec(t, conn, `UPDATE membership SET stamp = $1`, highest)
		mustExec(t, conn, `ALTER TABLE membership ENABLE TRIGGER membership_stamp`)
		mustExec(t, conn, `UPDATE cluster SET system_identifier = 'elsewhere'`)
		var errs [2]error
		var both sync.WaitGroup
		for i := range errs {
			both.Go(func() { errs[i] = store.Migrate(t.Context(), dsn, log) })
		}
		both.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		base := ask[int64](t, conn, `SELECT stamp_base FROM cluster`)
		next := stampOf(strings.Repeat("x", move+1))
		if base != highest || next <= highest || next <= first {
			t.Errorf("move %d: base %d and next stamp %d after %d", move+1, base, next, highest)
		}
		if strings.Count(told.String(), "another database cluster") != move+1 {
			t.Errorf("move %d was told of as:\n%s", move+1, told.String())
		}
	}
}

func TestOpenRefusesPoolsThatDoNotFit(t *testing.T) {
	_, err := store.Open(t.Context(), store.Config{DSN: storetest.New(t), Pools: map[timesheet.Class]int{timesheet.ClassReport: 5000}})
	if err == nil || !strings.Contains(err.Error(), "raise max_connections to") {
		t.Errorf("got %v, want one line that says what to do", err)
	}
}

func TestOpenRefusesWhatIsNoURL(t *testing.T) {
	for _, dsn := range []string{"postgres://[", "host=/tmp port=x"} {
		if _, err := store.Open(t.Context(), store.Config{DSN: dsn}); err == nil {
			t.Errorf("Open(%q) succeeded", dsn)
		}
	}
}

// Without protection all classes share one pool and its limits.
func TestSharedPool(t *testing.T) {
	dsn := storetest.New(t)
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	total := 0
	for _, n := range store.DefaultPools {
		total += n
	}
	for _, stat := range s.Stats() {
		if stat.Max != total {
			t.Errorf("class %s has %d connections, want all %d", stat.Class, stat.Max, total)
		}
	}
	owner := addWorkspace(t, s, "Acme")
	ctx := timesheet.WithService(t.Context(), timesheet.Service{Class: timesheet.ClassReport})
	if _, _, err := s.CreateTag(ctx, owner, tagNamed("x"), store.Change{Action: "createTag"}); err != nil {
		t.Errorf("the shared pool does not write: %v", err)
	}
}

// Each class has its own connections and the settings that keep it in bounds.
func TestPoolsOfClasses(t *testing.T) {
	s := storetest.Open(t)
	for class, want := range map[timesheet.Class]string{
		timesheet.ClassControl:     "headroom control/1s/750ms/off",
		timesheet.ClassInteractive: "headroom interactive/2s/1500ms/off",
		timesheet.ClassReport:      "headroom report/15s/5s/on",
		timesheet.ClassBackground:  "headroom background/1min/5s/off",
	} {
		ctx := timesheet.WithService(t.Context(), timesheet.Service{Class: class})
		err := s.RunSQL(ctx, `
SELECT 1 / (current_setting('application_name') || '/' || current_setting('statement_timeout') || '/' ||
  current_setting('lock_timeout') || '/' || current_setting('default_transaction_read_only') = $1 AND
  current_setting('timezone') = 'UTC' AND current_setting('jit') = 'off' AND
  current_setting('max_parallel_workers_per_gather') = '0')::int`, want)
		if err != nil {
			t.Errorf("class %d does not have the settings %s: %v", class, want, err)
		}
	}
}
