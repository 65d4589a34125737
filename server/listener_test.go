package server

import (
	"errors"
	"net"
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
