package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What the known servers do. All but the frozen one take their time by a clock, and
// no processor.
const (
	freezeAfter = 2 * time.Second
	freezeFor   = time.Second

	quick     = 3 * time.Millisecond
	slow      = 900 * time.Millisecond
	slowEvery = 98 // so that 1.02 % are slow, and the 99th percentile is

	lieEvery  = 50
	shedEvery = 5
	muteEvery = 40 // refusals without Retry-After
)

// behaviour is how a server treats the nth operation, the first being 1.
type behaviour func(w http.ResponseWriter, n int64)

func right(w http.ResponseWriter) { fmt.Fprint(w, `{"data":{"viewer":{"role":"OWNER"}}}`) }

func refuse(w http.ResponseWriter) {
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, `{"errors":[{"message":"busy","extensions":{"code":"OVERLOADED"}}]}`)
}

// behaviourOf makes a behaviour: its name, with the capacity a second where it has
// one (capacity=400).
func behaviourOf(name string) (behaviour, error) {
	name, value, _ := strings.Cut(name, "=")
	switch name {
	case "ready":
		return func(w http.ResponseWriter, _ int64) { right(w) }, nil
	case "frozen":
		var once sync.Once
		var thaw time.Time
		return func(w http.ResponseWriter, _ int64) {
			once.Do(func() { thaw = time.Now().Add(freezeAfter + freezeFor) })
			if left := time.Until(thaw); left > 0 && left <= freezeFor {
				time.Sleep(left)
			}
			right(w)
		}, nil
	case "humps":
		return func(w http.ResponseWriter, n int64) {
			if n%slowEvery == 0 {
				time.Sleep(slow)
			} else {
				time.Sleep(quick)
			}
			right(w)
		}, nil
	case "capacity":
		perSecond, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, err
		}
		return atMost(perSecond), nil
	case "lying":
		return func(w http.ResponseWriter, n int64) {
			if n%lieEvery == 0 {
				fmt.Fprint(w, `{"data":null,"errors":[{"message":"boom","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
				return
			}
			right(w)
		}, nil
	case "shedding":
		return func(w http.ResponseWriter, n int64) {
			switch {
			case n%muteEvery == 0:
				refuse(w)
			case n%shedEvery == 0:
				w.Header().Set("Retry-After", "1")
				refuse(w)
			default:
				right(w)
			}
		}, nil
	}
	return nil, fmt.Errorf("no server is called %q", name)
}

// atMost answers so many a second, in the order in which they came: who comes while
// others wait is answered that much after the last of them, to the microsecond on
// the server's clock, however late the machine wakes it.
func atMost(perSecond float64) behaviour {
	var mu sync.Mutex
	var free time.Time
	each := time.Duration(float64(time.Second) / perSecond)
	return func(w http.ResponseWriter, _ int64) {
		mu.Lock()
		if now := time.Now(); free.Before(now) {
			free = now
		}
		free = free.Add(each)
		mine := free
		mu.Unlock()
		time.Sleep(time.Until(mine))
		right(w)
	}
}

// serveKnown listens on a port of its own, says where, and serves until it is ended.
func serveKnown(ctx context.Context, name string) error {
	answer, err := behaviourOf(name)
	if err != nil {
		return err
	}
	var n atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, n.Load()) })
	mux.HandleFunc("POST /graphql", func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ OperationName string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/graphql-response+json")
		if asked.OperationName == "" { // before the load
			right(w)
			return
		}
		answer(w, n.Add(1))
	})
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &http.Server{Handler: mux}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody is owed an answer any more
	return server.Serve(listener)
}
