package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

func TestConnectionsAreCapped(t *testing.T) {
	l := newCapped(listen(t), 2, nil)
	defer l.Close()
	accepted := make(chan net.Conn, 3)
	ended := make(chan error, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first, second := <-accepted, <-accepted
	defer second.Close()
	select {
	case <-accepted:
		t.Fatal("a third connection is open, want two")
	case <-time.After(20 * time.Millisecond): // it cannot be seen to wait otherwise
	}
	first.Close()
	first.Close() // twice frees one place
	third := <-accepted
	defer third.Close()
	l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept ended with %v, want %v", err, net.ErrClosed)
	}
}

// Ten thousand devices that came back and fell silent keep nobody out: whoever
// comes next takes the place of the one that has been silent for longest.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	l := newCapped(listen(t), 2, nil)
	idle := make(chan struct{}, 1)
	track := func(conn net.Conn, state http.ConnState) {
		if l.track(conn, state); state == http.StateIdle {
			idle <- struct{}{}
		}
	}
	server := &http.Server{ConnState: track, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("here")) })}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	ask := func(conn net.Conn) error {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: here\r\n\r\n"); err != nil {
			return err
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		<-idle // else a later one may be idle before this one
		return response.Body.Close()
	}
	var conns []net.Conn
	for i := range 5 {
		conn := dial()
		if err := ask(conn); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns = append(conns, conn)
	}
	for i, conn := range conns {
		if err := ask(conn); (err == nil) != (i >= 3) {
			t.Errorf("connection %d ends with %v; want the last two of five open", i, err)
		}
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// One workspace that opens all connections there are keeps nobody out: whose refusal is
// held back, who sends slowly and who sends nothing make room for those who come.
func TestOneTenantCannotTakeAllConnections(t *testing.T) {
	const places = 20
	r := newRig(t, func(c *Config) { c.Gate, c.Cores = Adaptive, 2 })
	r.http.Close()
	globex, err := r.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Globex", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR", Owner: store.Person{Name: "Dora", Email: "dora@globex.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.http = httptest.NewUnstartedServer(r.server.Handler())
	room := newCapped(r.http.Listener, places, r.server.leave)
	r.http.Listener, r.http.Config.ConnState, r.http.Config.ConnContext = room, room.track, withConnection
	r.http.Start()
	t.Cleanup(r.http.Close)

	request := func(token, query string) string {
		body := `{"query":"` + query + `"}`
		return fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
	}
	dial := func(sends string) net.Conn {
		conn, err := net.Dial("tcp", r.http.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, sends); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	// ask is a newcomer's question, on a connection of its own.
	ask := func() {
		t.Helper()
		conn := dial(request(r.token, "{ viewer { role } }"))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("a newcomer is answered %v, %v", response, err)
		}
		conn.Close()
	}
	whole := request(r.mint(globex, globex.User, timesheet.ScopeWrite), "{ viewer { role } }")
	for name, sends := range map[string]string{"silence": "", "half a header": whole[:40], "half a body": whole[:len(whole)-5]} {
		for range places {
			dial(sends)
		}
		until(t, name+" on all connections", 5*time.Second, func() bool { return len(room.open) == places })
		for range 3 {
			ask()
		}
	}

	r.server.adaptive.Brown(limits.OnlyControl, "a test")
	held, again := make([]net.Conn, places), make([]string, places)
	for i := range held {
		again[i] = request(r.mint(globex, globex.User, timesheet.ScopeWrite), "{ viewer { role } }")
		held[i] = dial(again[i])
		response, err := http.ReadResponse(bufio.NewReader(held[i]), nil)
		if err != nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("the first of the flood is answered %v, %v", response, err)
		}
	}
	for told := time.Now(); time.Since(told) < 400*time.Millisecond; { // what comes later was sent by who knows its time
		<-time.After(time.Millisecond)
	}
	for i, conn := range held {
		if _, err := io.WriteString(conn, again[i]); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "refusals held back on all connections", 5*time.Second, func() bool { return len(r.server.parking) == places })
	r.server.adaptive.Brown(limits.Normal, "a test")
	for range 3 {
		ask()
	}
	if n := len(r.server.parking); n < places-5 {
		t.Errorf("%d refusals are still held back: more left than had to", n)
	}
}

func TestConnectionsWithinTheLimitOfFiles(t *testing.T) {
	for files, want := range map[uint64]int{64: 1, 256: 92, 1024: 668, 4096: 2996, 20_000: 10_000, 1 << 40: 10_000} {
		if got := connectionsWithin(files); got != want {
			t.Errorf("%d connections of %d files, want %d", got, files, want)
		}
	}
}
