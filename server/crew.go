package server

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"
)

// crew answers requests on goroutines that it uses again. The stack of a goroutine
// grows with the first answer, to 32 kB, and is kept: net/http's own, one for each
// connection, wait here and stay as small as they begin, however many connections
// are open.
type crew struct {
	handler http.Handler
	tasks   chan *task
	end     chan struct{} // closed: nobody waits any more
	waiting atomic.Int32  // for a task
}

// crewWaiting is how many goroutines wait at most when there is nothing to do.
const crewWaiting = 64

// task is one request, and the panic that answering it ended with, if any.
type task struct {
	w    http.ResponseWriter
	r    *http.Request
	done chan any
}

func newCrew(handler http.Handler) *crew {
	return &crew{handler: handler, tasks: make(chan *task), end: make(chan struct{})}
}

// ServeHTTP waits until the request is answered.
func (c *crew) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := &task{w, r, make(chan any, 1)}
	select {
	case c.tasks <- t:
	default:
		go c.work(t)
	}
	if broken := <-t.done; broken != nil {
		panic(broken)
	}
}

// work does a task, and then others while there is room to wait for them.
func (c *crew) work(t *task) {
	for {
		c.do(t)
		if t = nil; c.waiting.Add(1) > crewWaiting {
			c.waiting.Add(-1)
			return
		}
		select {
		case t = <-c.tasks:
			c.waiting.Add(-1)
		case <-c.end:
			return
		}
	}
}

// do passes a panic on to net/http, which knows what to do about it.
func (c *crew) do(t *task) {
	defer func() {
		broken := recover()
		if broken != nil && broken != http.ErrAbortHandler {
			broken = fmt.Sprintf("%v\n%s", broken, debug.Stack())
		}
		t.done <- broken
	}()
	c.handler.ServeHTTP(t.w, t.r)
}
