package loadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is a headroom that was started for a run.
type server struct {
	target, admin string
	command       *exec.Cmd
	exited        chan struct{}
	log           tail
}

// How long a server may take.
const (
	startWithin = 90 * time.Second // a private Postgres may have to recover first
	stopWithin  = 30 * time.Second // a graceful drain
)

// startServer runs a command line with --limits, --addr and --admin-addr added
// and waits until it is ready. It is stopped with stop, never by ctx alone.
func startServer(ctx context.Context, line, limits string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{target: "http://" + address + "/graphql", admin: "http://" + admin, exited: make(chan struct{})}
	s.command = exec.Command("sh", "-c", "exec "+line+` "$@"`, "sh",
		"--limits", limits, "--addr", address, "--admin-addr", admin)
	s.command.Stdout, s.command.Stderr = &s.log, &s.log
	s.command.WaitDelay = 2 * time.Second // a child of its own may hold its output open
	s.command.SysProcAttr = apart()
	if err := s.command.Start(); err != nil {
		return nil, stopf(ExitUsage, "start the server: %w", err)
	}
	go func() {
		_ = s.command.Wait() // how it ended is in its log
		close(s.exited)
	}()
	if err := s.ready(ctx, "http://"+address+"/readyz"); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// freeAddress is a loopback address on which nobody listens just now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// ready waits until the server says that it is.
func (s *server) ready(ctx context.Context, page string) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	address, err := url.Parse(page)
	if err != nil {
		return fmt.Errorf("address %s: %w", page, err)
	}
	c := newClient(address, 1, "")
	defer c.transport.CloseIdleConnections()
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		if status, _, err := c.get(ctx, page); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-every.C:
		case <-s.exited:
			return stopf(ExitUnreachable, "the server ended before it was ready:\n%s", s.log.last())
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return stopf(ExitInterrupted, "stopped while the server was starting")
			}
			return stopf(ExitUnreachable, "the server was not ready after %v:\n%s", startWithin, s.log.last())
		}
	}
}

// stop asks the server to drain, so that it can end its own children, then
// kills what is left of its process group.
func (s *server) stop() {
	group := -s.command.Process.Pid
	_ = s.command.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-s.exited:
	case <-time.After(stopWithin):
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // nothing may be left
	<-s.exited
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// last is the last lines, indented.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(string(bytes.TrimSpace(t.text)), "\n")
	lines = lines[max(0, len(lines)-8):]
	return "  " + strings.Join(lines, "\n  ")
}
