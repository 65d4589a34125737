package loadtest

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// live counts what happens while a run goes on, for the line shown each second.
type live struct {
	mu      sync.Mutex
	classes []*liveClass // in the order of their first arrival
}

// liveClass counts since the last line, except what is in flight.
type liveClass struct {
	class                  Class
	arrived, ok, shed, bad int
	inFlight               int
	response               histogram
}

func (l *live) classLocked(class Class) *liveClass {
	for _, c := range l.classes {
		if c.class == class {
			return c
		}
	}
	c := &liveClass{class: class}
	l.classes = append(l.classes, c)
	return c
}

func (l *live) arrived(class Class) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.classLocked(class)
	c.arrived++
	c.inFlight++
}

func (l *live) ended(class Class, outcome Outcome, response time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.classLocked(class)
	c.inFlight--
	switch outcome {
	case OK:
		c.ok++
	case Shed:
		c.shed++
		return
	default:
		c.bad++
	}
	c.response.add(response)
}

// line describes the time since the last line and starts anew.
func (l *live) line() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var parts []string
	for _, c := range l.classes {
		part := fmt.Sprintf("%s %d: ok %d, shed %d, other %d", c.class, c.arrived, c.ok, c.shed, c.bad)
		if c.ok+c.bad > 0 {
			part += ", p99 " + short(c.response.at(0.99))
		}
		if c.inFlight > 0 {
			part += fmt.Sprintf(", %d open", c.inFlight)
		}
		parts = append(parts, part)
		c.arrived, c.ok, c.shed, c.bad = 0, 0, 0, 0
		c.response.reset()
	}
	return strings.Join(parts, "; ")
}

// show writes a line each second to a terminal, over the one before; elsewhere
// one every five, so that a log stays readable. It returns when done is closed.
func (l *live) show(w io.Writer, terminal bool, start time.Time, spans []span, done <-chan struct{}) {
	every, before, after := 5*time.Second, "", "\n"
	if terminal {
		every, before, after = time.Second, "\r\x1b[K", ""
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			fmt.Fprint(w, before, where(time.Since(start), spans), "  ", l.line(), after)
		case <-done:
			fmt.Fprint(w, before)
			return
		}
	}
}

// where names the phase at a time and how far into it that is.
func where(at time.Duration, spans []span) string {
	for _, s := range spans {
		if at < s.end {
			return fmt.Sprintf("%s %.0f/%.0f s", s.Name, max(0, at-s.start).Seconds(), s.For.Seconds())
		}
	}
	return "waiting for the last answers"
}

// progress shows what goes on until ctx or the returned function ends it.
func (s *session) progress(ctx context.Context, l *live, start time.Time, spans []span) (stop func()) {
	if s.Progress == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		l.show(s.Progress, s.Terminal, start, spans, ctx.Done())
	}()
	return func() {
		cancel()
		<-finished
	}
}
