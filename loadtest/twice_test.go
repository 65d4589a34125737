package loadtest

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serverLine is a command line that starts the test binary as a server.
func serverLine(t *testing.T) string {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return asServer + "=1 " + binary
}

// living lists the processes of a group that have not ended.
func living(t *testing.T, group string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 2 && fields[2] == group && fields[0] != "Z" {
			list = append(list, string(text))
		}
	}
	return list
}

func TestServerIsStartedAndEnded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("process groups are looked up in /proc")
	}
	line := "sh -c 'sleep 1000 & " + strings.Replace(serverLine(t), "=1 ", "=1 exec ", 1) + ` "$@"' sh`
	s, err := startServer(t.Context(), line, "off")
	if err != nil {
		t.Fatal(err)
	}
	address, err := allowed(s.target, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := newClient(address, 1, "").preflight(t.Context(), demoUsers()); err != nil {
		t.Error(err)
	}
	group := strconv.Itoa(s.command.Process.Pid)
	if len(living(t, group)) < 2 {
		t.Errorf("group %s: %v, want the server and its child", group, living(t, group))
	}
	s.stop()
	left := living(t, group)
	for wait := time.Millisecond; len(left) > 0 && wait < 10*time.Second; wait *= 2 { // what is killed ends when the machine gets to it
		time.Sleep(wait)
		left = living(t, group)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := http.Get(s.target); err == nil {
		t.Error("it still answers")
	}
}

func TestServerThatDoesNotStart(t *testing.T) {
	tests := []struct {
		name, line string
		says       string
	}{
		{"ends at once", "sh -c 'echo the data folder is of version 12 >&2; exit 3' sh", "the data folder is of version 12"},
		{"no such program", "no-such-headroom serve", "no-such-headroom"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := startServer(t.Context(), tt.line, "on")
			if err == nil || ExitOf(err) != ExitUnreachable || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want exit %d with %q", err, ExitUnreachable, tt.says)
			}
		})
	}
}

func TestServerStartInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := startServer(ctx, "sh -c 'exec sleep 1000' sh", "on"); err == nil || ExitOf(err) != ExitInterrupted {
		t.Errorf("error %v, want exit %d", err, ExitInterrupted)
	}
}

func TestTail(t *testing.T) {
	var l tail
	for range 1000 {
		if _, err := l.Write([]byte("a line of the log\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Write([]byte("the last line\n")); err != nil {
		t.Fatal(err)
	}
	if len(l.text) > tailBytes || !strings.HasSuffix(l.last(), "the last line") || strings.Count(l.last(), "\n") != 7 {
		t.Errorf("%d bytes kept, last lines %q", len(l.text), l.last())
	}
}

func TestBothExit(t *testing.T) {
	of := func(e Exit) *Record { return &Record{Verdict: Verdict{Exit: e}} }
	tests := []struct {
		name    string
		on, off *Record
		want    Exit
	}{
		{"holds with, fails without", of(ExitPass), of(ExitViolated), ExitPass},
		{"fails with", of(ExitViolated), of(ExitViolated), ExitViolated},
		{"holds without too", of(ExitPass), of(ExitPass), ExitViolated},
		{"fails with, holds without", of(ExitViolated), of(ExitPass), ExitViolated},
		{"invalid with", of(ExitInvalid), of(ExitViolated), ExitInvalid},
		{"invalid without", of(ExitPass), of(ExitInvalid), ExitInvalid},
		{"interrupted in the second", of(ExitPass), of(ExitInterrupted), ExitInterrupted},
		{"interrupted in the first", of(ExitInterrupted), nil, ExitInterrupted},
		{"the second never ran", nil, of(ExitViolated), ExitInterrupted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := bothExit(tt.on, tt.off); got != tt.want {
				t.Errorf("exit %d, want %d", got, tt.want)
			}
		})
	}
}

func TestOrderIsDrawn(t *testing.T) {
	first := map[string]int{}
	for seed := range uint64(100) {
		drawn := order(seed)
		if len(drawn) != 2 || drawn[0] == drawn[1] {
			t.Fatalf("seed %d: %v", seed, drawn)
		}
		first[drawn[0]]++
	}
	if first["on"] < 25 || first["off"] < 25 {
		t.Errorf("first of 100 seeds: %v, want both often", first)
	}
}

func TestTwiceUsage(t *testing.T) {
	c := Config{Scenario: "report-storm", Target: "http://127.0.0.1:8080/graphql"}
	if _, err := Twice(t.Context(), c, "false"); err == nil || ExitOf(err) != ExitUsage {
		t.Errorf("%+v: %v, want exit %d", c, err, ExitUsage)
	}
}

func TestPairText(t *testing.T) {
	s := stormScenario(t)
	on := testReport(t, s, synthetic(t, s.Phases, healthy))
	off := testReport(t, s, synthetic(t, s.Phases, func(string, Class, time.Duration) row { return ended(Timeout, 4*time.Second) }))
	pair := &Pair{On: on, Off: off, Exit: bothExit(on, off), order: []string{"off", "on"}}
	var text bytes.Buffer
	if err := pair.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	got := text.String()
	if strings.Index(got, "--limits off") > strings.Index(got, "--limits on") {
		t.Error("the reports are not in the order of the runs")
	}
	for _, want := range []string{"\nlimits on   PASS ", "\nlimits off  FAIL ", "\nPASS     the limits hold what fails without them\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the text lacks %q:\n%s", want, got)
		}
	}
}
