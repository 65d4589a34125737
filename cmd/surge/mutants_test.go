package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/loadtest"
	"headroom/proof"
)

// mutant is a way to make the product worse: a place in one of its files with what
// stands there instead. The file is replaced while a server is built for the test
// (go build -overlay), so that nothing of it is in the product or its sources.
type mutant struct {
	name     string
	file     string
	old, new string
	alone    bool     // it changes the data, which therefore are a copy
	found    []string // by which command of surge
	exit     loadtest.Exit
}

var (
	byLists   = []string{"compare", "--scenario", "lists", "--duration", "5s"}
	byCompare = []string{"compare", "--duration", "8s"}
	byStorm   = []string{"run", "report-storm", "--duration", "12s"}
	byCrowd   = []string{"run", "testdata/heeding.yaml"}
)

var mutants = []mutant{
	{
		name: "a statement for each row", found: byLists, exit: loadtest.ExitRegression,
		file: "dataloader/loader.go", old: "const maxBatch = 1000", new: "const maxBatch = 1",
	},
	{
		name: "a lost index", found: byCompare, exit: loadtest.ExitRegression, alone: true,
		file: "store/migrate.go", old: "\t\tfor _, m := range done {\n",
		new: "\t\tif _, err := db.ExecContext(ctx, `DROP INDEX IF EXISTS time_entry_started, time_entry_user`); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tfor _, m := range done {\n",
	},
	{
		name: "a tenth more work", found: byCompare, exit: loadtest.ExitRegression,
		file: "server/transport.go", old: "\ts.settle(r, permit, reserved, f)\n",
		new: "\tfor until := time.Now().Add(time.Since(r.arrived) / 10); time.Now().Before(until); {\n\t}\n\ts.settle(r, permit, reserved, f)\n",
	},
	{
		name: "no limits", found: byStorm, exit: loadtest.ExitViolated,
		file: "cmd/headroom/serve.go", old: `default:"on" enum:"on,measure,off"`, new: `default:"off" enum:"on,measure,off"`,
	},
	{
		name: "refusals without Retry-After", found: byStorm, exit: loadtest.ExitViolated,
		file: "server/answer.go", old: "if f.retryAfter > 0 {", new: "if f.retryAfter < 0 {",
	},
	{
		name: "one pool for all", found: byStorm, exit: loadtest.ExitViolated,
		file: "server/understand.go", old: "\tclass := limits.Classify(p, asked)\n", new: "\tclass := min(limits.Classify(p, asked), limits.Interactive)\n",
	},
	{
		name: "everybody told the same second", found: byCrowd, exit: loadtest.ExitViolated,
		file: "limits/promise.go", old: "\tif after >= maxRetryAfter/2 {\n", new: "\tif true {\n\t\treturn time.Second\n\t}\n\tif after >= maxRetryAfter/2 {\n",
	},
}

// overlay writes the replacement of a mutant's file, and the list of it for go.
func (m mutant) overlay(t *testing.T, dir string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(m.old)); n != 1 {
		t.Fatalf("%s holds %q %d times, want once", m.file, m.old, n)
	}
	replacement := filepath.Join(dir, "replacement.go")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: replacement}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{replacement: bytes.Replace(source, []byte(m.old), []byte(m.new), 1), filepath.Join(dir, "overlay.json"): list} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "overlay.json")
}

// Whatever makes the product worse in one of seven ways is found, and the product
// as it is passes the same. In full it takes a quarter of an hour on a machine that
// is left alone; else only the first one is built, and none is run.
func TestRegressionsAreFound(t *testing.T) {
	n := proof.Size(t, len(mutants), 1)
	if !proof.Full() {
		for _, m := range mutants {
			m.overlay(t, t.TempDir())
		}
		build(t, mutants[0].overlay(t, t.TempDir()))
		return
	}
	good := build(t, "")
	data := filepath.Join(folder(t), "data")
	tokens := filepath.Join(t.TempDir(), "tokens.csv")
	if out, err := exec.Command(good, "seed", "--data-dir", data, "--entries", "300000", "--tenants", "100", "--tokens", tokens).CombinedOutput(); err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}
	for _, args := range [][]string{byStorm, byCrowd} {
		t.Run("the product by "+args[1], func(t *testing.T) {
			code, text := against(t, good, data, args, tokens)
			if code != loadtest.ExitPass {
				t.Fatalf("exit %d:\n%s", code, text)
			}
			proof.Result(t, "the product passes %s", args[1])
		})
	}
	for _, m := range mutants[:n] {
		t.Run(m.name, func(t *testing.T) {
			bad := build(t, m.overlay(t, t.TempDir()))
			began := time.Now()
			code, text := m.find(t, good, bad, data, tokens)
			lines := strings.Split(strings.TrimSpace(text), "\n")
			if code != m.exit {
				t.Fatalf("exit %d, want %d:\n%s", code, m.exit, text)
			}
			proof.Result(t, "%s: found by %s in %.0f s: %s", m.name, strings.Join(m.found, " "), time.Since(began).Seconds(), lines[len(lines)-1])
		})
	}
}

// find lets surge judge the mutant.
func (m mutant) find(t *testing.T, good, bad, data, tokens string) (loadtest.Exit, string) {
	t.Helper()
	if m.found[0] != "compare" {
		return against(t, bad, data, m.found, tokens)
	}
	own := data
	if m.alone {
		own = filepath.Join(folder(t), "data")
		if out, err := exec.Command("cp", "-a", data, own).CombinedOutput(); err != nil {
			t.Fatalf("copy the data: %v\n%s", err, out)
		}
	}
	return surge(t, append(slices.Clone(m.found), "--tokens", tokens,
		good+" serve --no-demo --log-level warn --data-dir "+data, bad+" serve --no-demo --log-level warn --data-dir "+own)...)
}

// against runs a scenario against a server of its own.
func against(t *testing.T, program, data string, args []string, tokens string) (loadtest.Exit, string) {
	t.Helper()
	const address, operators = "127.0.0.1:18580", "127.0.0.1:18581"
	command := exec.Command(program, "serve", "--no-demo", "--log-level", "warn", "--data-dir", data, "--addr", address, "--admin-addr", operators)
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
	return surge(t, append(slices.Clone(args), "--target", "http://"+address+"/graphql", "--tokens", tokens)...)
}

// surge runs a command.
func surge(t *testing.T, args ...string) (loadtest.Exit, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String() + stderr.String()
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
