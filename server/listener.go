package server

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// maxConnections bounds the connections of one address. Beyond it a newcomer takes
// the place of the connection that has been idle for longest; while none is, one
// waits here and the others in the kernel's queue. An idle one costs some 20 kB.
const maxConnections = 10_000

// capped is a listener with a bound on the connections that are open.
type capped struct {
	net.Listener
	open chan struct{}
	done chan struct{}
	once sync.Once

	mu      sync.Mutex
	idle    list.List // of *counted, the longest idle first
	waiting bool      // somebody waits for a place
}

func newCapped(l net.Listener, n int) *capped {
	return &capped{Listener: l, open: make(chan struct{}, n), done: make(chan struct{})}
}

// Accept waits for a connection and then for room.
func (l *capped) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if len(l.open) == cap(l.open) { // nobody else takes places
		l.wait(true)
		l.endIdle()
	}
	select {
	case l.open <- struct{}{}:
	case <-l.done:
		_ = conn.Close() // nobody is left to tell
		return nil, net.ErrClosed
	}
	l.wait(false)
	return &counted{Conn: conn, free: sync.OnceFunc(func() { <-l.open })}, nil
}

func (l *capped) wait(waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = waiting
}

// endIdle ends the connection that has been idle for longest, if somebody waits.
func (l *capped) endIdle() {
	l.mu.Lock()
	longest := l.idle.Front()
	if !l.waiting || longest == nil {
		l.mu.Unlock()
		return
	}
	l.waiting = false
	conn := longest.Value.(*counted)
	l.forgetLocked(conn)
	l.mu.Unlock()
	_ = conn.Close() // nobody is left to tell
}

// track is told by http.Server what each connection does.
func (l *capped) track(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*counted)
	if !ok {
		return
	}
	l.mu.Lock()
	l.forgetLocked(c)
	if state == http.StateIdle {
		c.idle = l.idle.PushBack(c)
	}
	l.mu.Unlock()
	if state == http.StateIdle {
		l.endIdle()
	}
}

func (l *capped) forgetLocked(c *counted) {
	if c.idle != nil {
		l.idle.Remove(c.idle)
		c.idle = nil
	}
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
	idle *list.Element // where it is among the idle; nil if it is not
}

// Close closes the connection.
func (c *counted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
