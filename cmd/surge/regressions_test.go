package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/loadtest"
	"headroom/proof"
)

// inFull is why a proof does nothing otherwise: it has no smaller size.
const inFull = "servers are compared for minutes: with HEADROOM_PROOF=full"

// What can be counted is found on a busy machine too: each of the four that do more
// statements, go through more rows, or say less or all the same when they refuse.
func TestCountedRegressionsAreFound(t *testing.T) {
	if proof.Declare(t); !proof.Full() {
		for _, m := range slices.Concat(counted, stormed, timed) {
			m.overlay(t, t.TempDir())
		}
		build(t, counted[0].overlay(t, t.TempDir()))
		return
	}
	b := newBench(t, "300000", "100")
	for _, m := range counted {
		b.finds(t, m)
	}
	t.Run("the product", func(t *testing.T) {
		code, text := b.against(t, b.good, byRefusals)
		if code != loadtest.ExitPass && code != loadtest.ExitInvalid { // so busy may the machine be
			t.Fatalf("exit %d:\n%s", code, text)
		}
		proof.Result(t, "is not found by %s: %s", strings.Join(byRefusals, " "), last(text))
	})
}

// The product beside itself counts the same, on a busy machine too.
func TestTheSameCountsTheSame(t *testing.T) {
	n := proof.Size(t, 10, 1)
	if !proof.Full() {
		t.Skip(inFull)
	}
	b := newBench(t, "300000", "100")
	for i := range n {
		args := slices.Concat([][]string{byLists, byCount}[i%2], []string{"--seed", strconv.Itoa(1 + 100*i)})
		code, text := b.beside(t, b.good, b.data, args)
		if code != loadtest.ExitPass {
			t.Fatalf("exit %d:\n%s", code, text)
		}
		proof.Result(t, "%s: %s", strings.Join(args, " "), last(text))
	}
}

// A storm of reports finds a server without limits and one with a single pool, and the
// product passes it. Workspaces are so large that nobody asks again before they were
// told to come, and is held back for that. The machine must be left alone.
func TestStormedRegressionsAreFound(t *testing.T) {
	if proof.Declare(t); !proof.Full() {
		t.Skip(inFull)
	}
	b := newBench(t, "1000000", "20")
	t.Run("the product", func(t *testing.T) {
		code, text := b.against(t, b.good, byStorm)
		if code != loadtest.ExitPass {
			t.Fatalf("exit %d:\n%s", code, text)
		}
		proof.Result(t, "passes %s: %s", strings.Join(byStorm, " "), last(text))
	})
	for _, m := range stormed {
		b.finds(t, m)
	}
}

// A tenth more processor time is found. The machine must be left alone.
func TestTimedRegressionsAreFound(t *testing.T) {
	if proof.Declare(t); !proof.Full() {
		t.Skip(inFull)
	}
	b := newBench(t, "300000", "100")
	for _, m := range timed {
		b.finds(t, m)
	}
}

// The product beside itself is not called slower more often than its looks allow. The
// machine must be left alone for some minutes.
func TestTheSameIsNotSlower(t *testing.T) {
	n := proof.Size(t, 3, 1)
	if !proof.Full() {
		t.Skip(inFull)
	}
	b := newBench(t, "300000", "100")
	alarms := 0
	for i := range n {
		code, text := b.beside(t, b.good, b.data, append(slices.Clone(byTime), "--seed", strconv.Itoa(1+100*i)))
		if proof.Result(t, "%s", last(text)); code == loadtest.ExitRegression {
			alarms++
		}
	}
	if alarms > 1 {
		t.Errorf("%d of %d comparisons of a program with itself say that it is slower", alarms, n)
	}
}

// bench is what mutants are judged on: the product, and data to work on.
type bench struct{ good, data, tokens string }

// newBench builds the product and seeds its data. HEADROOM_REGRESSIONS is a folder in
// which they are kept for the next proof.
func newBench(t *testing.T, entries, tenants string) *bench {
	t.Helper()
	dir := os.Getenv("HEADROOM_REGRESSIONS")
	if dir == "" {
		dir = folder(t)
	}
	dir = filepath.Join(dir, entries+"-"+tenants)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b := &bench{good: build(t, ""), data: filepath.Join(dir, "data"), tokens: filepath.Join(dir, "tokens.csv")}
	if _, err := os.Stat(b.tokens); err == nil {
		return b
	}
	if out, err := exec.Command(b.good, "seed", "--data-dir", b.data, "--entries", entries, "--tenants", tenants, "--tokens", b.tokens).CombinedOutput(); err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}
	return b
}

// finds builds a mutant and lets surge find it.
func (b *bench) finds(t *testing.T, m mutant) {
	t.Helper()
	t.Run(m.name, func(t *testing.T) {
		bad := build(t, m.overlay(t, t.TempDir()))
		began := time.Now()
		code, text := b.judge(t, m, bad)
		if code != m.exit {
			t.Fatalf("exit %d, want %d:\n%s", code, m.exit, text)
		}
		proof.Result(t, "found by %s in %.0f s: %s", strings.Join(m.found, " "), time.Since(began).Seconds(), last(text))
	})
}

// last is the last line of what surge says: what decided.
func last(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// judge lets surge judge a mutant.
func (b *bench) judge(t *testing.T, m mutant, bad string) (loadtest.Exit, string) {
	t.Helper()
	if m.found[0] != "compare" {
		return b.against(t, bad, m.found)
	}
	own := b.data
	if m.alone {
		own = filepath.Join(folder(t), "data")
		if out, err := exec.Command("cp", "-a", b.data, own).CombinedOutput(); err != nil {
			t.Fatalf("copy the data: %v\n%s", err, out)
		}
	}
	return b.beside(t, bad, own, m.found)
}

// beside compares a program on its data with the product.
func (b *bench) beside(t *testing.T, program, data string, args []string) (loadtest.Exit, string) {
	t.Helper()
	const serve = " serve --no-demo --log-level warn --data-dir "
	return surge(t, append(slices.Clone(args), "--tokens", b.tokens, b.good+serve+b.data, program+serve+data)...)
}

// against runs a scenario against a server of its own.
func (b *bench) against(t *testing.T, program string, args []string) (loadtest.Exit, string) {
	t.Helper()
	address, operators := free(t), free(t)
	command := exec.Command(program, "serve", "--no-demo", "--log-level", "warn", "--data-dir", b.data, "--addr", address, "--admin-addr", operators)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	defer func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
	}()
	ready := func() bool {
		response, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	}
	for tick := time.NewTicker(100 * time.Millisecond); !ready(); <-tick.C {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v", err)
		default:
		}
	}
	return surge(t, append(slices.Clone(args), "--target", "http://"+address+"/graphql", "--admin", "http://"+operators, "--tokens", b.tokens)...)
}

// free is a loopback address on which nobody listens just now.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// surge runs a command.
func surge(t *testing.T, args ...string) (loadtest.Exit, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return code, stderr.String() + stdout.String()
}

// build makes a server, with a list of replaced files if there is one.
func build(t *testing.T, overlay string) string {
	t.Helper()
	program := filepath.Join(folder(t), "headroom")
	out, err := exec.Command("go", "build", "-overlay="+overlay, "-o", program, "headroom/cmd/headroom").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// folder is one that PostgreSQL, which runs as another user where we are root, can
// reach.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "surge-regressions-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
