package server

import (
	"net"
	"sync"
)

// maxConnections bounds the connections of one address; further ones wait in
// the kernel's queue. An idle one costs some 20 kB.
const maxConnections = 10_000

// capped is a listener with a bound on the connections that are open.
type capped struct {
	net.Listener
	open chan struct{}
	done chan struct{}
	once sync.Once
}

func newCapped(l net.Listener, n int) *capped {
	return &capped{Listener: l, open: make(chan struct{}, n), done: make(chan struct{})}
}

// Accept waits for room and then for a connection.
func (l *capped) Accept() (net.Conn, error) {
	select {
	case l.open <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.open
		return nil, err
	}
	return &counted{Conn: conn, free: sync.OnceFunc(func() { <-l.open })}, nil
}

// Close ends Accept.
func (l *capped) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	free func()
}

// Close closes the connection.
func (c *counted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
