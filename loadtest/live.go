package loadtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
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

// cells are what each class did since the last call; it starts anew.
func (l *live) cells() [][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var rows [][]string
	for _, c := range l.classes {
		p50, p99 := "-", "-"
		if c.response.count() > 0 {
			p50, p99 = short(c.response.at(0.5)), short(c.response.at(0.99))
		}
		rows = append(rows, []string{
			string(c.class), strconv.Itoa(c.arrived), strconv.Itoa(c.ok), strconv.Itoa(c.shed), strconv.Itoa(c.bad), strconv.Itoa(c.inFlight), p50, p99,
		})
		c.arrived, c.ok, c.shed, c.bad = 0, 0, 0, 0
		c.response.reset()
	}
	return rows
}

var liveHeader = []string{"", "came", "ok", "shed", "other", "open", "p50", "p99"}

// line is one line of a log.
func (l *live) line() string {
	var parts []string
	for _, row := range l.cells() {
		var part strings.Builder
		part.WriteString(row[0])
		for i, name := range liveHeader[1:] {
			part.WriteString(" " + name + " " + row[i+1])
		}
		parts = append(parts, part.String())
	}
	return strings.Join(parts, "; ")
}

// show draws a table on a terminal each second, over the one before; elsewhere
// it writes a line every five, so that a log stays readable. It returns when
// done is closed.
func (l *live) show(w io.Writer, terminal bool, start time.Time, spans []span, done <-chan struct{}) {
	every := 5 * time.Second
	if terminal {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	drawn := 0 // lines of the table on the screen
	for {
		select {
		case <-ticker.C:
			at := where(time.Since(start), spans)
			if !terminal {
				fmt.Fprintf(w, "%s  %s\n", at, l.line())
				continue
			}
			var b bytes.Buffer
			table(&b, append([]string{at}, liveHeader[1:]...), l.cells())
			fmt.Fprint(w, over(drawn), b.String())
			drawn = bytes.Count(b.Bytes(), []byte("\n"))
		case <-done:
			fmt.Fprint(w, over(drawn))
			return
		}
	}
}

// over moves a terminal up over so many lines and clears them.
func over(lines int) string {
	if lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\x1b[J", lines)
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
