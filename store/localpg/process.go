package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errLocked is how a server ends whose data folder another still uses.
var errLocked = errors.New("an earlier PostgreSQL still uses the data folder")

// process is a child that dies with us.
type process struct {
	cmd  *exec.Cmd
	tail logTail
	done chan struct{} // closed when the child has ended
	err  error         // how; only after done
}

// spawn starts the child. Linux sends a child its death signal when the thread
// that made it ends, so one thread is kept for that until the child has ended.
func spawn(cmd *exec.Cmd, tail logTail) (*process, error) {
	dieWithParent(cmd.SysProcAttr)
	p := &process{cmd: cmd, tail: tail, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// waitReady waits until the server takes connections. Its pid has to be in the
// file: a file left by a dead server may say "ready" too.
func (p *process) waitReady(ctx context.Context, data, sockets string) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		select {
		case <-p.done:
			return p.startFailure(data)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
		fields := postmasterFile(data)
		if fields[0] == strconv.Itoa(p.pid()) && fields[7] == "ready" && listening(sockets) {
			return nil
		}
	}
}

// startFailure says why the server ended before it was ready. What is wrong with
// a data folder only its owner can mend.
func (p *process) startFailure(data string) error {
	text := p.tail.read()
	for _, sign := range []string{`"postmaster.pid" already exists`, "pre-existing shared memory block"} {
		if strings.Contains(text, sign) {
			return errLocked
		}
	}
	if err := asDiskFull(p.failure()); err == nil || errors.As(err, new(syscall.Errno)) {
		return err
	}
	return fmt.Errorf("PostgreSQL does not start on %s: %s (more in %s); where the folder is damaged, put a backup in its place, or move it away to begin anew without its data",
		data, p.tail.reason(), p.tail.path)
}

// failure says how the server ended: nil for a clean end.
func (p *process) failure() error {
	if p.err == nil {
		return nil
	}
	return fmt.Errorf("PostgreSQL ended (%w); the last lines of %s:\n%s", p.err, p.tail.path, p.tail.read())
}

// stop ends the child: SIGINT ends connections and shuts down cleanly, SIGQUIT
// leaves recovery to the next start, SIGKILL is for a child that hangs.
func (p *process) stop(ctx context.Context) error {
	limit := stopLimit
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		_ = p.cmd.Process.Signal(signal)
		if p.ended(ctx, limit) {
			return nil
		}
		ctx, limit = context.WithoutCancel(ctx), killLimit
	}
	return fmt.Errorf("PostgreSQL (pid %d) does not end", p.pid())
}

// ended waits for the child's end and reports whether it came.
func (p *process) ended(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-p.done:
		return true
	case <-ctx.Done():
		return false
	}
}

const (
	stopLimit = 10 * time.Second
	killLimit = 5 * time.Second
)

// output runs a short-lived child and returns what it prints. It dies with us
// and with ctx.
func output(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	p, err := spawn(cmd, logTail{})
	if err != nil {
		return "", err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		<-p.done
		return "", context.Cause(ctx)
	}
	if p.err != nil {
		return "", fmt.Errorf("%s: %w:\n%s", cmd.Args[0], p.err, lastLines(text.String()))
	}
	return text.String(), nil
}

// logTail is the part of the log that one run of the server wrote.
type logTail struct {
	path string
	from int64
}

const (
	tailBytes = 16 << 10
	tailLines = 20
)

// read returns the last lines of that part.
func (t logTail) read() string {
	file, err := os.Open(t.path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	from := t.from
	if info, err := file.Stat(); err == nil {
		from = max(from, info.Size()-tailBytes)
	}
	text, err := io.ReadAll(io.NewSectionReader(file, from, tailBytes))
	if err != nil {
		return err.Error()
	}
	return lastLines(string(text))
}

// reason is what the server says about why it ends, in one line and without
// times: the first message that is fatal, with the one before it, which often
// says more; without a fatal one, the last two.
func (t logTail) reason() string {
	lines := strings.Split(t.read(), "\n")
	for i, line := range lines {
		if _, message, ok := strings.Cut(line, "] "); ok {
			line = message
		}
		lines[i] = strings.Join(strings.Fields(line), " ")
		if strings.HasPrefix(lines[i], "FATAL:") || strings.HasPrefix(lines[i], "PANIC:") {
			lines = lines[:i+1]
			break
		}
	}
	return strings.Join(lines[max(0, len(lines)-2):], "; ")
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// asDiskFull recognises a full disk in what PostgreSQL's programs print.
func asDiskFull(err error) error {
	if err == nil {
		return nil
	}
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if strings.Contains(strings.ToLower(err.Error()), errno.Error()) {
			return errno
		}
	}
	return err
}
