package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestConnectionsAreCapped(t *testing.T) {
	l := newCapped(listen(t), 2)
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
	l := newCapped(listen(t), 2)
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
