package loadtest

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// asServer makes the test binary a server of known behaviour, for tests that
// start one by a command line.
const asServer = "SURGE_TEST_SERVER"

func TestMain(m *testing.M) {
	switch os.Getenv(asServer) {
	case "":
	case "held":
		serveHeld()
	default:
		serveFake()
		return
	}
	if os.Getenv(asGenerator) != "" {
		generate()
		return
	}
	os.Exit(m.Run())
}

// serveFake listens as headroom would until it is asked to end.
func serveFake() {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	limits := flags.String("limits", "on", "")
	addr := flags.String("addr", "", "")
	flags.String("admin-addr", "", "")
	if err := flags.Parse(os.Args[1:]); err != nil {
		os.Exit(2)
	}
	server := &http.Server{Addr: *addr, Handler: fakeHandler(hall(*limits == "on"))}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
}

// asked is what a fake server sees of a request.
type asked struct {
	OperationName string
	Query         string
	Variables     map[string]any
	token         string
}

// class is the class of the operation asked for.
func (a asked) class() Class {
	if strings.Contains(a.Query, "timesheetReport") {
		return ClassReport
	}
	return ClassInteractive
}

// fakeHandler answers what comes before a load by itself and leaves the
// operations to answer; nil answers them right and at once.
func fakeHandler(answer func(http.ResponseWriter, *http.Request, asked)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) {
		var a asked
		if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
			http.Error(w, "bad JSON", http.StatusBadRequest)
			return
		}
		a.token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("Content-Type", "application/graphql-response+json")
		switch {
		case a.Query == typenameQuery:
			say(w, `{"data":{"__typename":"Query"}}`)
		case a.Query == viewerQuery:
			role := strings.ToUpper(strings.TrimPrefix(a.token, "demo-"))
			say(w, `{"data":{"viewer":{"role":%q}}}`, role)
		case a.OperationName == "":
			say(w, `{"data":{"projects":{"nodes":[{"id":"p1"},{"id":"p2"}]},"timeEntries":{"nodes":[{"day":"2026-03-02"}]}}}`)
		case answer != nil:
			answer(w, r, a)
		default:
			right(w, a)
		}
	})
	return mux
}

func say(w io.Writer, format string, values ...any) { fmt.Fprintf(w, format, values...) }

// right gives a correct answer to any operation of the catalog.
func right(w http.ResponseWriter, a asked) {
	w.Header().Set("Server-Timing", "parse;dur=0.1, db;dur=0.4")
	for _, op := range []*Operation{myDay, running, page, projects, start, stop, create, monthReport, yearsReport} {
		if op.Name != a.OperationName {
			continue
		}
		if op == stop {
			say(w, `{"data":{"stopTimer":{"timeEntry":null,"userErrors":[{"code":"NOT_RUNNING","message":"no timer runs"}]}}}`)
			return
		}
		say(w, `{"data":{%q:{"id":"1"}}}`, cmp.Or(op.Root, "runningTimer"))
		return
	}
	w.WriteHeader(http.StatusBadRequest)
	say(w, `{"errors":[{"message":"unknown operation","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`)
}

// refused counts refusals, so that they are told different times.
var refused atomic.Int64

// refuse sheds in the documented way.
func refuse(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "2")
	w.WriteHeader(http.StatusServiceUnavailable)
	say(w, `{"errors":[{"message":"busy","extensions":{"code":"OVERLOADED","class":"report","retryAfterMs":%d}}]}`, 1000+refused.Add(1)*37%1000)
}

// hall is a server whose reports take 100 ms. With limits they have a seat of
// their own, one may wait, and the rest is shed; without, all share three seats
// and wait for them in one row.
func hall(limits bool) func(http.ResponseWriter, *http.Request, asked) {
	shared := make(chan struct{}, 3)
	seat, queue := make(chan struct{}, 1), make(chan struct{}, 2)
	return func(w http.ResponseWriter, r *http.Request, a asked) {
		if limits && a.class() == ClassInteractive {
			right(w, a)
			return
		}
		seats := shared
		if limits {
			select {
			case queue <- struct{}{}:
				defer func() { <-queue }()
			default:
				refuse(w)
				return
			}
			seats = seat
		}
		select {
		case seats <- struct{}{}:
			defer func() { <-seats }()
		case <-r.Context().Done():
			return
		}
		if a.class() == ClassReport {
			<-time.After(100 * time.Millisecond)
		}
		right(w, a)
	}
}

// fake starts a server on loopback for a test and returns its address.
func fake(t *testing.T, answer func(http.ResponseWriter, *http.Request, asked)) string {
	t.Helper()
	server := httptest.NewServer(fakeHandler(answer))
	t.Cleanup(server.Close)
	return server.URL + "/graphql"
}
