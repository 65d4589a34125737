package loadtest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// serveHeld answers what comes before a load, and nothing after, on a port that it
// tells.
func serveHeld() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	hold := func(_ http.ResponseWriter, r *http.Request, _ asked) { <-r.Context().Done() }
	panic(http.Serve(listener, fakeHandler(hold)))
}

// A client of a storm that waits for its answer takes three goroutines and 40 kB at
// most, so that thousands fit beside their server.
func TestStormClientIsSmall(t *testing.T) {
	server := exec.CommandContext(t.Context(), os.Args[0])
	server.Env = append(os.Environ(), asServer+"=held")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	const clients, d = 1000, 500 * time.Millisecond
	s := testSession(t, "http://"+strings.TrimSpace(address)+"/graphql")
	s.client.slots = make(chan struct{}, clients)
	phase := Phase{Name: "storm", For: d, Streams: []Stream{{
		Class: ClassInteractive, Each: []*Operation{myDay, running}, Rate: constant(clients/d.Seconds(), d), Patience: Patience{time.Hour, time.Hour},
	}}}
	ctx, cancel := context.WithCancel(t.Context())
	before, goroutines := held()
	ended := make(chan error)
	go func() { ended <- s.round(ctx, &finished{}, []Phase{phase}, 1) }()
	for len(s.client.slots) < clients || runtime.NumGoroutine() > goroutines+3*clients+100 {
		select { // until all are sent, and those who dialled for them are gone
		case err := <-ended:
			t.Fatalf("the round ended: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	after, more := held()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	bytes, threads := float64(after-before)/clients, float64(more-goroutines)/clients
	t.Logf("a client takes %.1f kB and %.2f goroutines", bytes/1e3, threads)
	most := 40e3
	if testing.Short() {
		most = 60e3 // the race detector has 36 to 42
	}
	if bytes > most || threads > 3.1 { // vegeta's, the pacer's and the watch's are shared
		t.Errorf("a client takes %.1f kB and %.2f goroutines, want at most %.0f kB and 3", bytes/1e3, threads, most/1e3)
	}
}

// held is the memory in use and the goroutines of this process.
func held() (bytes int64, goroutines int) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}
