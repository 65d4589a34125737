package loadtest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of CPU times below /proc; the kernel fixes it for programs
// at a hundredth of a second, whatever it runs at.
const tick = 10 * time.Millisecond

// process is what /proc tells about one process. cpu includes children that
// have ended and been waited for.
type process struct {
	pid, parent int
	name        string
	cpu         time.Duration
}

// machineBusy is the time all processors together were not idle since boot,
// time stolen by other guests of the host included.
func machineBusy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	const idle, wait, steal = 4, 5, 8 // columns after the name; guest time is part of user
	if len(fields) <= steal || fields[0] != "cpu" {
		return 0, fmt.Errorf("read the machine's CPU time: unknown form %q", line)
	}
	var busy time.Duration
	for column := 1; column <= steal; column++ {
		n, err := strconv.ParseInt(fields[column], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the machine's CPU time: %w", err)
		}
		if column != idle && column != wait {
			busy += time.Duration(n) * tick
		}
	}
	return busy, nil
}

// listener finds the process that listens on a TCP port of this machine.
func listener(port string) (int, error) {
	inodes, err := listening(port)
	if err != nil {
		return 0, err
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, fmt.Errorf("list open files: %w", err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !inodes[target] {
			continue // gone meanwhile, or another user's
		}
		return strconv.Atoi(strings.Split(link, "/")[2])
	}
	return 0, fmt.Errorf("no process that listens on port %s can be seen", port)
}

// listening collects the sockets that listen on a port, as /proc/PID/fd links
// name them.
func listening(port string) (map[string]bool, error) {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %s: %w", port, err)
	}
	suffix := fmt.Sprintf(":%04X", number)
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue // no IPv6
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			const local, state, inode, listen = 1, 3, 9, "0A"
			fields := strings.Fields(lines.Text())
			if len(fields) > inode && fields[state] == listen && strings.HasSuffix(fields[local], suffix) {
				inodes["socket:["+fields[inode]+"]"] = true
			}
		}
	}
	return inodes, nil
}

// processes lists what runs on this machine.
func processes() ([]process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var all []process
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		if p, ok := parseProcess(string(text)); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

// parseProcess reads a line of /proc/PID/stat: the name stands in brackets and
// may itself hold brackets and spaces.
func parseProcess(line string) (process, bool) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return process{}, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line[:open]))
	fields := strings.Fields(line[end+1:])
	const parent, utime, cstime = 1, 11, 14 // columns after the name
	if err != nil || len(fields) <= cstime {
		return process{}, false
	}
	p := process{pid: pid, name: line[open+1 : end]}
	if p.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return process{}, false
	}
	for _, field := range fields[utime : cstime+1] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return process{}, false
		}
		p.cpu += time.Duration(n) * tick
	}
	return p, true
}

// machine tells what the kernel says of the machine; what it does not say is
// empty.
func machine() Machine {
	var m Machine
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.MemoryMiB = int64(uint64(info.Totalram) * uint64(info.Unit) >> 20)
	}
	text, _ := os.ReadFile("/proc/cpuinfo") // empty if it cannot be read
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == "model name" {
			m.Processor = strings.TrimSpace(value)
			break
		}
	}
	return m
}
