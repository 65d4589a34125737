// Package storetest gives every test a fresh, migrated PostgreSQL database.
//
// Each test binary starts its own private server, on first use, and clones a
// database per test from a migrated template, which takes 25 to 40 ms. The
// server's data folder is a copy of an image that is built once per version of
// PostgreSQL and of the migrations, so a start takes well under a second.
// Nothing has to be set up, torn down or called from a TestMain: the server
// ends with the test binary, however that ends, and so does its folder.
//
// HEADROOM_TEST_DATABASE_URL, a postgres:// URL of a role that may create
// databases, has the tests use that server instead. The template stays there
// for the next run.
package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/store"
)

// limit bounds each step on the server: creating and dropping a database takes
// some 40 ms, fetching binaries and building the image up to a minute.
const limit = 2 * time.Minute

// New returns the DSN of a database that has the current schema, no rows, and
// no other users. It is dropped, with whatever is still connected, at the end
// of the test.
func New(t testing.TB) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	name := "headroom_test_" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := server.clone(ctx, name); err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := server.drop(ctx, name); err != nil {
			t.Errorf("storetest: %v", err)
		}
	})
	return server.dsn(name)
}

// Open returns a store on a database of its own, closed at the end of the test.
// Tests inside package store cannot use it; they belong to store_test.
func Open(t testing.TB) *store.Store {
	t.Helper()
	opened, err := store.Open(t.Context(), store.Config{DSN: New(t)})
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(opened.Close)
	return opened
}

// Dir returns a folder that PostgreSQL's user may enter, which may be another
// than the test's own and has no way into t.TempDir. It is removed at the end of
// the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hr")
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatalf("storetest: %v", err)
	}
	return dir
}

// shared is the server of this test binary.
var shared = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if url := os.Getenv(urlVariable); url != "" {
		s, err := connect(url)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", urlVariable, err)
		}
		return s, s.ensureTemplate(ctx)
	}
	return startPrivate(ctx)
})

const urlVariable = "HEADROOM_TEST_DATABASE_URL"
