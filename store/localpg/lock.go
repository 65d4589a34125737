package localpg

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockFile is the lock on a base folder. The kernel frees it with the process,
// so it is never stale; what is written in it may be.
type lockFile struct{ file *os.File }

// heldError says that another process holds the base folder.
type heldError struct {
	dir     string
	pid     int    // 0 if it has not said yet
	sockets string // empty until its server is ready
}

func (e *heldError) Error() string {
	who := "another headroom"
	if e.pid != 0 {
		who = fmt.Sprintf("headroom (pid %d)", e.pid)
	}
	return fmt.Sprintf("%s already uses %s: wait until it has started or ended, stop it, choose another folder with --data-dir, or set DATABASE_URL", who, e.dir)
}

// dsn is the connection string of the holder's server, if that takes
// connections by now.
func (e *heldError) dsn() (string, bool) {
	if e.sockets == "" || !listening(e.sockets) {
		return "", false
	}
	return dsn(e.sockets), true
}

func listening(sockets string) bool {
	conn, err := net.Dial("unix", filepath.Join(sockets, socketName))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// takeLock locks the base folder for this process or returns a [heldError].
func takeLock(base string) (*lockFile, error) {
	file, err := os.OpenFile(filepath.Join(base, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		pid, sockets := readLock(file)
		file.Close()
		return nil, &heldError{dir: base, pid: pid, sockets: sockets}
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	lock := &lockFile{file: file}
	if err := lock.write(fmt.Sprintf("%d\n", os.Getpid())); err != nil {
		lock.release()
		return nil, err
	}
	return lock, nil
}

// announce tells other commands where the server listens.
func (l *lockFile) announce(sockets string) error {
	return l.write(fmt.Sprintf("%d\n%s\n", os.Getpid(), sockets))
}

func (l *lockFile) write(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// release empties the file before it frees the lock, so that nothing stale is
// read by whoever comes next.
func (l *lockFile) release() {
	_ = l.file.Truncate(0)
	_ = l.file.Close()
}

// readLock reads what the holder wrote so far: only whole lines count.
func readLock(file *os.File) (pid int, sockets string) {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 4096))
	if err != nil {
		return 0, ""
	}
	lines := strings.SplitAfter(string(text), "\n")
	whole := func(i int) string {
		if i >= len(lines) || !strings.HasSuffix(lines[i], "\n") {
			return ""
		}
		return strings.TrimSuffix(lines[i], "\n")
	}
	pid, _ = strconv.Atoi(whole(0))
	return pid, whole(1)
}
