package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc's times: a hundredth of a second on every Linux.
const tick = 10 * time.Millisecond

// usage is what the processor has done so far.
type usage struct {
	server, database, driver, all time.Duration
}

func (u usage) minus(o usage) usage {
	return usage{u.server - o.server, u.database - o.database, u.driver - o.driver, u.all - o.all}
}

// others is what strangers have used.
func (u usage) others() time.Duration { return max(0, u.all-u.server-u.database-u.driver) }

// measure reads /proc. The database is the postmaster, its children and those
// that it has buried.
func measure(server, postmaster int) (u usage, err error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	line, _, _ := strings.Cut(string(stat), "\n")
	for i, text := range strings.Fields(line)[1:] {
		if i == 3 || i == 4 || i > 7 { // idle, waiting for the disk; guests are in user
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return u, fmt.Errorf("/proc/stat: %w", err)
		}
		u.all += time.Duration(n) * tick
	}
	own, err := processOf(server)
	if err != nil {
		return u, err
	}
	driver, err := processOf(os.Getpid())
	if err != nil {
		return u, err
	}
	u.server, u.driver = own.used+own.buried, driver.used
	database, err := processOf(postmaster)
	if err != nil {
		return u, err
	}
	u.database = database.used + database.buried
	for _, child := range children(postmaster) {
		u.database += child.used
	}
	return u, nil
}

// process is what /proc says of one.
type process struct {
	parent       int
	used, buried time.Duration
}

func processOf(pid int) (p process, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, err
	}
	// What follows the name, which is in brackets and may hold some itself.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 15 {
		return p, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	numbers := make([]int64, 15)
	for i := 1; i < len(numbers); i++ {
		if numbers[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return p, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	p.parent = int(numbers[1])
	p.used, p.buried = time.Duration(numbers[11]+numbers[12])*tick, time.Duration(numbers[13]+numbers[14])*tick
	return p, nil
}

func parent(pid int) (int, error) {
	p, err := processOf(pid)
	return p.parent, err
}

func children(pid int) (found []process) {
	paths, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well formed
	for _, path := range paths {
		id, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if p, err := processOf(id); err == nil && p.parent == pid { // others have ended since
			found = append(found, p)
		}
	}
	return found
}

// resident is the memory of a process in MB.
func resident(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.ParseFloat(strings.Fields(rest + " 0")[0], 64)
	if err != nil {
		return 0
	}
	return kb / 1024
}
