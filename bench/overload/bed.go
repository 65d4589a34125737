package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"bench/lab"
)

// The database has a core for itself; the servers and the load share the other.
const (
	databaseCore = 0
	serverCore   = 1
)

// bed is what all blocks stand on.
type bed struct {
	pg           *lab.Postgres
	postmaster   int
	dsn, program string
	owner        timesheet.Viewer
	keys         server.Keys
	tokens       []string           // of one person each client
	neighbours   []timesheet.Viewer // owners of the workspaces of that part, else none
	theirs       [][]string         // tokens of each
}

// clients is how many programs ask: each has a token of its own.
const clients = 200

// openBed fills the database of a part and builds the server.
func openBed(ctx context.Context, pg *lab.Postgres, dir, part string) (*bed, error) {
	b := &bed{pg: pg, program: filepath.Join(dir, "headroom")}
	if part == "neighbours" {
		if err := b.settle(ctx); err != nil {
			return nil, err
		}
	} else {
		owner, err := b.seeded(ctx, "bench_1", lab.ShapeOf(1))
		if err != nil {
			return nil, err
		}
		b.owner = owner
	}
	if err := pg.Exec(ctx, b.dsn, `VACUUM ANALYZE`, `CHECKPOINT`); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, store.Config{DSN: b.dsn})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	secret, err := s.Secret(ctx)
	if err != nil {
		return nil, err
	}
	b.keys = server.NewKeys(secret)
	if b.tokens, err = b.mint(ctx, s, b.owner, clients); err != nil {
		return nil, err
	}
	for _, owner := range b.neighbours {
		tokens, err := b.mint(ctx, s, owner, clients/tenants)
		if err != nil {
			return nil, err
		}
		b.theirs = append(b.theirs, tokens)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.program, "./cmd/headroom")
	build.Dir = ".." // the product's own module
	build.Stderr = os.Stderr
	return b, build.Run()
}

func (b *bed) seeded(ctx context.Context, name string, s lab.Shape) (owner timesheet.Viewer, err error) {
	b.dsn, owner, err = lab.Seeded(ctx, b.pg, name, s)
	return owner, err
}

// mint makes tokens of a person.
func (b *bed) mint(ctx context.Context, s *store.Store, owner timesheet.Viewer, n int) (tokens []string, err error) {
	for range n {
		in := store.NewToken{User: owner.User, Name: "bench", Scope: timesheet.ScopeWrite}
		token, _, err := s.CreateToken(ctx, owner, in, store.Change{Action: "createToken", Input: in})
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, b.keys.MintToken(owner.Workspace.ID, token))
	}
	return tokens, nil
}

// divide gives the database a core, and this program and what it starts the other.
func (b *bed) divide(ctx context.Context) (err error) {
	if b.postmaster, err = b.pg.PID(ctx); err != nil {
		return err
	}
	if err := b.eachProcess(func(pid int) error { return pin(pid, databaseCore) }); err != nil {
		return err
	}
	return pin(os.Getpid(), serverCore)
}

// pin binds a process, all of its threads and what it starts from now on to a core.
func pin(pid, core int) error {
	var set unix.CPUSet
	set.Set(core)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(filepath.Base(t))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("bind process %d to core %d: %w", pid, core, err)
		}
	}
	return nil
}

// eachProcess calls do for each of the database's.
func (b *bed) eachProcess(do func(pid int) error) error {
	if err := do(b.postmaster); err != nil {
		return err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", b.postmaster, b.postmaster))
	if err != nil {
		return err
	}
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		if err := do(pid); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// gates are the opponents and how a server with each is started.
var gates = map[string]func(b *bed) []string{
	"none":        func(b *bed) []string { return b.serve("--limits", "off") },
	"bulkheads":   func(b *bed) []string { return b.serve("--gate", "static") },
	"failsafe-go": func(b *bed) []string { return []string{os.Args[0], "failsafe", b.dsn} },
	"refusing":    func(b *bed) []string { return []string{os.Args[0], "refusing", b.dsn} },
	"bare":        func(b *bed) []string { return []string{os.Args[0], "bare"} },
	"adaptive":    func(b *bed) []string { return b.serve("--gate", "adaptive") }, // the default, by name
}

func (b *bed) serve(gate ...string) []string {
	return append([]string{
		b.program, "serve", "--database-url", b.dsn, "--db-cores", "1", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0",
		"--budget-user", "1000000/1000000", "--budget-workspace", "1000000/1000000", "--rollup-check", "off", "--log-level", "error",
		"--export-dir", filepath.Join(filepath.Dir(b.program), "exports"), "--drain", "1s",
	}, gate...)
}

// process is a running server.
type process struct {
	cmd *exec.Cmd
	url string
	log bytes.Buffer
}

// start starts servers with a gate and waits until each answers.
func (b *bed) start(ctx context.Context, gate string, n int) (servers []*process, err error) {
	for range n {
		args := gates[gate](b)
		p := &process{cmd: exec.Command(args[0], args[1:]...)}
		if p.cmd.Stderr = &p.log; gate == "refusing" {
			p.cmd.Stderr = nil // it tells of each request
		}
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := p.cmd.StdoutPipe()
		if err != nil {
			return servers, err
		}
		if err := p.cmd.Start(); err != nil {
			return servers, err
		}
		servers = append(servers, p)
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		_, rest, _ := strings.Cut(line, "http://")
		addr, _, ok := strings.Cut(rest, "/")
		if !ok {
			return servers, fmt.Errorf("a server with the gate %s did not start: %s%s", gate, line, p.log.String())
		}
		p.url = "http://" + addr + "/graphql"
		go io.Copy(io.Discard, lines)
	}
	return servers, nil
}

func stopAll(servers []*process) error {
	var errs []error
	for _, p := range servers {
		errs = append(errs, p.cmd.Process.Signal(syscall.SIGTERM))
	}
	for _, p := range servers {
		killer := time.AfterFunc(5*time.Second, func() { p.cmd.Process.Kill() })
		_ = p.cmd.Wait() // a server that was killed at its drain's end is as good
		killer.Stop()
		if p.log.Len() > 0 {
			fmt.Fprintf(os.Stderr, "%.3000s\n", p.log.String())
		}
	}
	return errors.Join(errs...)
}
