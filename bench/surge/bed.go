package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"headroom/loadtest"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bed is what all parts stand on.
type bed struct {
	dir   string
	surge string // the program
	seed  uint64
	made  int // folders and files
}

// build makes one of the product's programs.
func (b *bed) build(ctx context.Context, name string) (string, error) {
	program := filepath.Join(b.dir, name)
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/"+name)
	build.Dir = ".." // the product's own module
	build.Stderr = os.Stderr
	return program, build.Run()
}

// fresh is a path that nobody has used.
func (b *bed) fresh(name string) string {
	b.made++
	return filepath.Join(b.dir, fmt.Sprintf("%d-%s", b.made, name))
}

// server is a known server that runs.
type server struct {
	address string
	command *exec.Cmd
}

// serve starts a known server.
func serve(ctx context.Context, name string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, self, "serve", name)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the server %s: %w", name, err), command.Wait())
	}
	return &server{strings.TrimSpace(line), command}, nil
}

func (s *server) target() string { return "http://" + s.address + "/graphql" }

// asked is how many operations the server counted.
func (s *server) asked(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/count", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(text))
}

func (s *server) stop() {
	_ = s.command.Process.Kill() // it holds nothing
	_ = s.command.Wait()         // and was killed
}

// sent is what a run of surge came to.
type sent struct {
	exit   int
	cpu    time.Duration
	most   int64 // resident, in bytes
	record *loadtest.Record
	said   string
}

// ask runs surge with a scenario's text against a target and reads what it stored.
func (b *bed) ask(ctx context.Context, command, scenario, target string, flags ...string) (*sent, error) {
	path, out := b.fresh("scenario.yaml"), b.fresh("out")
	if err := os.WriteFile(path, []byte(scenario), 0o600); err != nil {
		return nil, err
	}
	args := append([]string{command, path, "--target", target, "--out", out, "--seed", fmt.Sprint(b.seed)}, flags...)
	return b.command(ctx, out, args...)
}

// command runs surge, which stores its run in out.
func (b *bed) command(ctx context.Context, out string, args ...string) (*sent, error) {
	defer os.RemoveAll(out)
	run := exec.CommandContext(ctx, b.surge, args...)
	var said bytes.Buffer
	run.Stdout, run.Stderr = &said, &said
	if err := run.Run(); err != nil && run.ProcessState == nil {
		return nil, err
	}
	s := &sent{exit: run.ProcessState.ExitCode(), cpu: run.ProcessState.UserTime() + run.ProcessState.SystemTime(), said: said.String()}
	if usage, ok := run.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.most = usage.Maxrss << 10
	}
	var err error
	if s.record, err = loadtest.ReadRecord(out); err != nil {
		return nil, fmt.Errorf("surge ended with %d: %w\n%s", s.exit, err, s.said)
	}
	return s, nil
}

// How long those who ask wait: a queue's closed form holds where nobody leaves.
const (
	forever = "late: 30s, abandon: 60s"
	people  = "late: 2s, abandon: 4s"
)

// scenario is one phase, or several, of one operation that known servers answer.
func scenario(patience, slo, phases string) string {
	return `version: 1
name: known
about: One operation, for a server of known behaviour.
extend: 0
classes:
  interactive: { ` + patience + `, slo: { ` + slo + ` } }
operations:
  Ask: { class: interactive, document: "query Ask { viewer { role } }", expect: viewer }
phases:
` + phases
}

// phase is a line of a scenario: everything at one rate.
func phase(name string, length time.Duration, rate string) string {
	return fmt.Sprintf("  - { name: %s, for: %s, streams: [ { mix: { Ask: 1 }, rate: %s, arrivals: even } ] }\n", name, length, rate)
}
