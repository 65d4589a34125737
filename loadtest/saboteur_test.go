package loadtest

import (
	"context"
	"net"
	"net/http"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What sabotages are made of. Where one does nothing the run is no INVALID, which
// fails its test.

// halt stops a process for a while.
func halt(pid int, d time.Duration) {
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	<-time.After(d)
	_ = syscall.Kill(pid, syscall.SIGCONT)
}

// hog starts so many processes that do nothing but work, and end by themselves. They
// are nobody's children, or they would be the server's.
func hog(n int) {
	_ = exec.Command("sh", "-c", `for i in $(seq `+strconv.Itoa(n)+`); do timeout 3 sh -c 'while :; do :; done' >/dev/null 2>&1 & done`).Run()
}

func spin(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
	}
}

// collect makes garbage and has it collected without end.
func collect(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
		list := make([]*int, 1<<17)
		for i := range list {
			list[i] = new(int)
		}
		runtime.GC()
		runtime.KeepAlive(list)
	}
}

// fill keeps files from growing beyond so many bytes.
func fill(most uint64) {
	signal.Ignore(syscall.SIGXFSZ)
	_ = unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: unix.RLIM_INFINITY})
}

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// dialling puts something between the generator and its dialler.
func dialling(with func(dial dialer, ctx context.Context, network, address string) (net.Conn, error)) func(*session, *attack) {
	return func(s *session, _ *attack) {
		dial := s.client.transport.DialContext
		s.client.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return with(dial, ctx, network, address)
		}
		s.client.transport.CloseIdleConnections()
	}
}

// fragile is a connection that its own side closes after a few requests, before they
// are answered.
type fragile struct {
	net.Conn
	writes atomic.Int64
}

func (f *fragile) Write(p []byte) (int, error) {
	if f.writes.Add(1) > 20 {
		defer f.Conn.Close()
	}
	return f.Conn.Write(p)
}

// hangUp makes the client dial anew each time.
func hangUp(w http.ResponseWriter, a asked) {
	w.Header().Set("Connection", "close")
	right(w, a)
}

func slowly(w http.ResponseWriter, a asked) {
	<-time.After(10 * time.Millisecond)
	right(w, a)
}

// throttling refuses every tenth for the budget's sake.
func throttling() func(http.ResponseWriter, asked) {
	var n atomic.Int64
	return func(w http.ResponseWriter, a asked) {
		if n.Add(1)%10 != 0 {
			right(w, a)
			return
		}
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		say(w, `{"errors":[{"message":"slow down","extensions":{"code":"THROTTLED"}}]}`)
	}
}
