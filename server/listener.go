package server

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// maxConnections bounds the connections of the public address, adminConnections
// those of the operators'. An idle one costs some 20 kB.
const (
	maxConnections   = 10_000
	adminConnections = 100
)

// connectionsWithin is how many connections the public address takes in a process that
// may have so many files open: a part of them stays for the database, for operators and
// for what the server reads and writes.
func connectionsWithin(files uint64) int {
	kept := adminConnections + min(1000, files/4)
	return int(min(maxConnections, max(files, kept+1)-kept))
}

// connections is how many the public address takes.
func (s *Server) connections() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return maxConnections
	}
	n := connectionsWithin(files.Cur)
	if n < maxConnections {
		s.log.Warn("the limit of open files leaves room for fewer connections than usual: raise it, as LimitNOFILE=32768 does", "files", files.Cur, "connections", n, "usual", maxConnections)
	}
	return n
}

// capped is a listener with a bound on the connections that are open. Beyond it a
// newcomer takes the place of the one from which no whole request has come for longest,
// be it silent or slow; where all have asked for something, of one whose refusal is
// held back. So nobody keeps others out by connections alone: who stays is served, or
// waits in the gate's queue, which has its own order. While nobody has to go, one waits
// here and the others in the kernel's queue.
type capped struct {
	net.Listener
	open chan struct{}
	held chan<- struct{} // whoever receives gives its place up; nil for nobody
	done chan struct{}
	once sync.Once

	mu      sync.Mutex
	idle    list.List // of *counted that have nothing to wait for, for longest first
	waiting bool      // somebody waits for a place
}

func newCapped(l net.Listener, n int, held chan<- struct{}) *capped {
	return &capped{Listener: l, open: make(chan struct{}, n), held: held, done: make(chan struct{})}
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
	if !l.take() {
		_ = conn.Close() // nobody is left to tell
		return nil, net.ErrClosed
	}
	l.wait(false)
	return &counted{Conn: conn, room: l, free: sync.OnceFunc(func() { <-l.open })}, nil
}

// take waits for a place; it returns false where the listener is closed first.
func (l *capped) take() bool {
	select {
	case l.open <- struct{}{}:
		return true
	default:
	}
	for held := l.held; ; {
		select {
		case l.open <- struct{}{}:
			return true
		case held <- struct{}{}:
			held = nil // one is enough
		case <-l.done:
			return false
		}
	}
}

func (l *capped) wait(waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = waiting
}

// endIdle ends the connection that has been silent for longest, if somebody waits.
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

// track is told by http.Server what each connection does. One that has begun to send
// is as good as silent until its request has come whole.
func (l *capped) track(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*counted)
	if !ok || state == http.StateActive {
		return
	}
	l.mu.Lock()
	l.forgetLocked(c)
	if state == http.StateNew || state == http.StateIdle {
		c.idle = l.idle.PushBack(c)
	}
	l.mu.Unlock()
	if state == http.StateIdle {
		l.endIdle()
	}
}

// connectionKey leads from a request to its connection.
type connectionKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

// cameWhole keeps the connection of a request whose answer is under way.
func cameWhole(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*counted); ok {
		c.room.mu.Lock()
		defer c.room.mu.Unlock()
		c.room.forgetLocked(c)
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
	room *capped
	free func()
	idle *list.Element // where it is among the silent; nil if it is not
}

// Close closes the connection.
func (c *counted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
