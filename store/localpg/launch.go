package localpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// startLimit bounds a start. An empty folder takes 1 s, 4 s on a loaded
	// machine; recovery of a gigabyte of log on a slow disk takes minutes.
	startLimit = 5 * time.Minute
	// lockedLimit bounds the wait for a dead server's remains: its pid stays
	// taken until its new parent reaps it.
	lockedLimit = 15 * time.Second
	lockedPoll  = 200 * time.Millisecond
	readyPoll   = 5 * time.Millisecond

	// maxLog is the size in bytes at which a start puts the log aside.
	maxLog = 10 << 20
)

// launcher holds what every program run on one base folder has in common.
type launcher struct {
	base string
	bin  Binaries
	who  account
	log  *slog.Logger
}

func (l launcher) command(program string, args ...string) *exec.Cmd {
	return l.who.command(l.base, filepath.Join(l.bin.Dir, program), args...)
}

// ensureData makes the data folder if there is none. initdb works in a
// temporary folder that is renamed when it is complete, so a killed initdb
// leaves only something that the next start removes. The folder's name is new
// each time: children of a killed initdb work on for a moment.
func (l launcher) ensureData(ctx context.Context, ephemeral bool) (string, error) {
	data := dataDir(l.base, l.bin.Major)
	if err := makePrivate(filepath.Dir(data), l.who); err != nil {
		return "", err
	}
	if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return "", err
		}
		return data, l.who.ownTree(data)
	}
	removeUnfinished(data)
	temp := data + unfinished + rand.Text()
	l.log.Info("making a PostgreSQL data folder", "dir", data)
	if err := l.initdb(ctx, temp, ephemeral); err != nil {
		_ = os.RemoveAll(temp)
		return "", err
	}
	return data, os.Rename(temp, data)
}

// unfinished marks a data folder in the making.
const unfinished = ".unfinished-"

// removeUnfinished clears what killed starts left. What resists is in nobody's
// way and is tried again at the next start.
func removeUnfinished(data string) {
	left, err := filepath.Glob(data + unfinished + "*")
	if err != nil {
		return
	}
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
}

// initdb makes a data folder. Text sorts by its bytes, which is fast and the
// same everywhere; upper and lower case follow Unicode where the system has a
// locale for that.
func (l launcher) initdb(ctx context.Context, data string, ephemeral bool) error {
	var err error
	for _, characters := range []string{"C.UTF-8", "en_US.UTF-8", "C"} {
		args := []string{
			"-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8",
			"--locale=C", "--lc-ctype=" + characters, "--no-instructions",
		}
		if ephemeral {
			args = append(args, "-N")
		}
		_, err = output(ctx, l.command("initdb", args...))
		if err == nil || !strings.Contains(err.Error(), "invalid locale name") {
			break
		}
	}
	return asDiskFull(err)
}

// postgres starts the server and waits until it takes connections. The folder
// lock is ours, so another server on the data is what is left of one whose
// parent died: it is waited for.
func (l launcher) postgres(ctx context.Context, data, sockets string, settings []string) (*process, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("PostgreSQL was not ready after %v", startLimit))
	defer cancel()
	logPath := filepath.Join(l.base, "postgres.log")
	if info, err := os.Stat(logPath); err == nil && info.Size() > maxLog {
		if err := os.Rename(logPath, logPath+".1"); err != nil {
			return nil, err
		}
	}
	for began := time.Now(); ; {
		proc, err := l.attempt(ctx, data, sockets, logPath, settings)
		if !errors.Is(err, errLocked) {
			return proc, err
		}
		pid, alive := interruptOrphan(ctx, data)
		if !alive && time.Since(began) > lockedLimit {
			return nil, fmt.Errorf("%w (its postmaster.pid names pid %d): end that process, then start again", err, pid)
		}
		l.log.Info("waiting for an earlier PostgreSQL to end", "pid", pid, "dir", data)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", err, context.Cause(ctx))
		case <-time.After(lockedPoll):
		}
	}
}

// attempt starts the server once.
func (l launcher) attempt(ctx context.Context, data, sockets, logPath string, settings []string) (*process, error) {
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	info, err := logFile.Stat()
	if err != nil {
		return nil, err
	}
	cmd := l.command("postgres", append([]string{"-D", data}, settings...)...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	proc, err := spawn(cmd, logTail{path: logPath, from: info.Size()})
	if err != nil {
		return nil, err
	}
	if err := proc.waitReady(ctx, data, sockets); err != nil {
		_ = proc.stop(ctx)
		return nil, err
	}
	return proc, nil
}

// interruptOrphan asks a server that still runs on data to shut down, and
// returns its pid and whether it is alive. The pid in the file may belong to
// something else by now, so its command line has to name the folder.
func interruptOrphan(ctx context.Context, data string) (pid int, alive bool) {
	fields := postmasterFile(data)
	pid, err := strconv.Atoi(fields[0])
	if err != nil || pid <= 1 {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, inspectLimit)
	defer cancel()
	args, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "args=", "-p", fields[0]).Output()
	if err != nil || !strings.Contains(string(args), "-D "+data) {
		return pid, false
	}
	return pid, syscall.Kill(pid, syscall.SIGINT) == nil
}

// postmasterFile returns the lines of the file that a running server keeps in
// its data folder: [0] is its pid, [7] its state. Missing lines are empty.
func postmasterFile(data string) (fields [8]string) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return fields
	}
	for i, line := range strings.SplitN(string(text), "\n", len(fields)+1) {
		if i < len(fields) {
			fields[i] = strings.TrimSpace(line)
		}
	}
	return fields
}
