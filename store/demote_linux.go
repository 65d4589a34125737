package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// demotedNice is the priority of a demoted backend: beside one of nice 0 it has
// about a ninth of the share of a core, and all of an idle one.
const demotedNice = 10

// demote makes a backend of a database of this machine yield the processor. Nice
// counts only within a session's group while the kernel groups sessions by
// itself, and the group's own value only outside of control groups; so both are
// set, and both are read again.
func demote(ctx context.Context, pid int, database string) error {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !bytes.HasPrefix(title, []byte("postgres: ")) || !bytes.Contains(title, []byte(" "+database+" ")) {
		return fmt.Errorf("process %d of this machine is no backend of %s: the database runs elsewhere", pid, database)
	}
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, pid, demotedNice); err != nil {
		return fmt.Errorf("set the priority of backend %d: %w; it takes the user of PostgreSQL or root", pid, err)
	}
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, pid)
	if nice := 20 - raw; err != nil || nice != demotedNice { // the call counts down from 20
		return fmt.Errorf("backend %d has priority %d after it was set to %d (%v)", pid, nice, demotedNice, err)
	}
	return demoteGroup(ctx, pid)
}

// demoteGroup sets the nice value of a backend's automatic group.
func demoteGroup(ctx context.Context, pid int) error {
	path := fmt.Sprintf("/proc/%d/autogroup", pid)
	group, _, err := autogroup(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil // this kernel has none
	}
	if err != nil {
		return err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return fmt.Errorf("read backend %d: %w", pid, err)
	}
	// After the name in parentheses come the state and the parent.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return fmt.Errorf("backend %d has no parent", pid)
	}
	if parents, _, err := autogroup("/proc/" + fields[1] + "/autogroup"); err == nil && parents == group {
		return fmt.Errorf("backend %d shares the group of its server, which must not be demoted", pid)
	}
	if err := writeGroup(ctx, path); err != nil {
		return fmt.Errorf("set the priority of the group of backend %d: %w", pid, err)
	}
	if _, nice, err := autogroup(path); err != nil || nice != demotedNice {
		return fmt.Errorf("the group of backend %d has priority %d after it was set to %d (%v)", pid, nice, demotedNice, err)
	}
	return nil
}

// The kernel takes one such write each 100 ms of all who are not root together,
// and has the others try again.
const (
	groupPause = 100 * time.Millisecond
	groupTries = 20
)

func writeGroup(ctx context.Context, path string) (err error) {
	for range groupTries {
		if err = os.WriteFile(path, []byte(strconv.Itoa(demotedNice)), 0); !errors.Is(err, syscall.EAGAIN) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(groupPause):
		}
	}
	return err
}

// autogroup reads "/autogroup-17 nice 0".
func autogroup(path string) (name string, nice int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", 0, err
	}
	if _, err := fmt.Sscanf(string(text), "%s nice %d", &name, &nice); err != nil {
		return "", 0, fmt.Errorf("read %s: %w", path, err)
	}
	return name, nice, nil
}
