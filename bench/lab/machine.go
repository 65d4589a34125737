package lab

import (
	"bufio"
	"os"
	"os/exec"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Machine is where and of what a run was taken.
type Machine struct {
	Date     time.Time `json:"date"`
	Commit   string    `json:"commit"`
	Clean    bool      `json:"clean"` // nothing was changed beside the commit
	CPU      string    `json:"cpu"`
	Cores    int       `json:"cores"`
	Load     string    `json:"load"` // of the machine, before the run
	Go       string    `json:"go"`
	Postgres string    `json:"postgres"`
	Command  string    `json:"command"`
}

// Describe describes this machine and this run, all but the database.
func Describe() Machine {
	m := Machine{Date: time.Now().UTC().Truncate(time.Second), Cores: runtime.NumCPU(), Go: runtime.Version(), Command: command(os.Args[1:])}
	m.Commit = output("git", "rev-parse", "--short", "HEAD")
	m.Clean = output("git", "status", "--porcelain") == ""
	m.CPU = line("/proc/cpuinfo", "model name")
	m.Load = strings.Join(strings.Fields(line("/proc/loadavg", ""))[:3], " ")
	return m
}

// command is how to do it again: the benchmark's name and its flags, without the
// folders of this machine.
func command(args []string) string {
	name := "bench"
	if info, ok := debug.ReadBuildInfo(); ok {
		name = path.Base(info.Path)
	}
	kept := []string{"go", "run", "./" + name}
	for i := 0; i < len(args); i++ {
		if flag := strings.TrimLeft(args[i], "-"); flag == "data" || flag == "out" {
			i++
			continue
		}
		kept = append(kept, args[i])
	}
	return strings.Join(kept, " ")
}

func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// line is the first line of a file with a prefix, without it.
func line(path, prefix string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if rest, ok := strings.CutPrefix(scanner.Text(), prefix); ok {
			return strings.TrimLeft(rest, "\t :")
		}
	}
	return "unknown"
}
