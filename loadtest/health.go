package loadtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// reading is CPU time used so far by us, by the server's side, and by everything
// on the machine.
type reading struct {
	at                    time.Time
	wall                  time.Time // the same, by the clock that can be set
	client, server, total time.Duration
	seen                  bool // server and total could be read
}

// Usage is the share of the machine's processors that each used in a phase, 0
// to 1.
type Usage struct {
	Client    float64 `json:"client"`
	Server    float64 `json:"server"`
	Strangers float64 `json:"strangers"`
	Seen      bool    `json:"seen"` // server and strangers could be told apart

	stepped time.Duration // by which the machine's clock was set meanwhile
	own     int           // processors that the generator could use; 0: all that it may
}

// watch reads the load around each phase of a run.
type watch struct {
	server int // pid of the target, 0 if not known
	why    string
}

// newWatch finds the process that serves the port.
func newWatch(port string) watch {
	pid, err := listener(port)
	if err != nil {
		return watch{why: err.Error()}
	}
	return watch{server: pid}
}

// phases reads the load at the start of each phase and at the end of the last;
// when ctx ends it reads once more and returns what it has.
func (w watch) phases(ctx context.Context, start time.Time, spans []span) []Usage {
	last := w.read()
	var used []Usage
	for i, span := range spans {
		if i == 0 {
			wait(ctx, start)
			last = w.read()
		}
		wait(ctx, start.Add(span.end))
		now := w.read()
		usage := between(last, now, runtime.NumCPU())
		usage.own = runtime.GOMAXPROCS(0)
		used = append(used, usage)
		if ctx.Err() != nil {
			break
		}
		last = now
	}
	return used
}

// quiet waits, at most so long, until other programs use little enough of the
// machine for a run to count. It says what it waits for.
func (w watch) quiet(ctx context.Context, most time.Duration, say func(string, ...any)) {
	const probe, aloud = 2 * time.Second, 5 // every fifth probe is worth a line
	last := w.read()
	until := time.Now().Add(most)
	for i := 0; last.seen && time.Now().Before(until) && ctx.Err() == nil; i++ {
		wait(ctx, time.Now().Add(probe))
		now := w.read()
		others := between(last, now, runtime.NumCPU()).Strangers
		if others <= maxStrangersCPU {
			return
		}
		if i%aloud == 0 {
			say("other programs use %s of the machine: waiting for them to end", percent(others))
		}
		last = now
	}
}

// wait returns at the time given, or when ctx ends.
func wait(ctx context.Context, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// between turns two readings into shares of the machine.
func between(from, to reading, processors int) Usage {
	whole := float64(to.at.Sub(from.at)) * float64(processors)
	if whole <= 0 {
		return Usage{}
	}
	u := Usage{Client: float64(to.client-from.client) / whole, stepped: to.wall.Sub(from.wall) - to.at.Sub(from.at)}
	if !from.seen || !to.seen {
		return u
	}
	u.Seen = true
	u.Server = float64(to.server-from.server) / whole
	u.Strangers = min(1, max(0, float64(to.total-from.total)/whole-u.Client-u.Server))
	return u
}

func (w watch) read() reading {
	now := time.Now()
	l := reading{at: now, wall: now.Round(0), client: ownCPU()}
	if w.server == 0 {
		return l
	}
	total, err := machineBusy()
	if err != nil {
		return l
	}
	all, err := processes()
	if err != nil {
		return l
	}
	l.total, l.server, l.seen = total, serversSide(all, w.server, os.Getpid()), true
	return l
}

// ownCPU is the time this process has used.
func ownCPU() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// serversSide is the time used by the server, its descendants, and, where its
// database is not among those, by every Postgres on the machine: it is the
// server's even if somebody else started it.
func serversSide(all []process, server, own int) time.Duration {
	children := map[int][]process{}
	var sum time.Duration
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
		if p.pid == server && server != own {
			sum += p.cpu
		}
	}
	database := false
	for queue := []int{server}; len(queue) > 0; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			if p.pid == own {
				continue
			}
			sum += p.cpu
			database = database || p.name == "postgres"
			queue = append(queue, p.pid)
		}
	}
	if database {
		return sum
	}
	for _, p := range all {
		if p.name == "postgres" {
			sum += p.cpu
		}
	}
	return sum
}

// fileLimit is how many files and sockets this process may open; Go raises the
// soft limit to the hard one at start.
func fileLimit() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	return int(min(uint64(limit.Cur), 1<<20)), nil
}
