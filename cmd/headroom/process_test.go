package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The test binary is the program too: a test starts it as a process of its
// own, to kill it like one.
func TestMain(m *testing.M) {
	if os.Getenv("HEADROOM_TEST_RUN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command prepares the program with a clean environment.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "HEADROOM_") && !strings.HasPrefix(kv, "DATABASE_URL=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "HEADROOM_TEST_RUN=1", "HEADROOM_DATA_DIR="+t.TempDir())
	return cmd
}

// result is how a command ended.
type result struct {
	code        int
	out, stderr string
}

func runs(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := command(t, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// process is a running server.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	admin string // the operators' address
	log   *bytes.Buffer
	done  chan struct{}
}

// serve starts a server on free ports and waits until it answers.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, log: &bytes.Buffer{}, done: make(chan struct{})}
	p.cmd = command(t, append([]string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--log-level", "warn"}, args...)...)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1)
	go func() {
		defer close(p.done)
		scanner := bufio.NewScanner(out)
		if scanner.Scan() {
			lines <- scanner.Text()
		}
		close(lines)
		_, _ = io.Copy(io.Discard, out)
		_ = p.cmd.Wait() // how it ended is asked of ProcessState
	}()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.done })
	select {
	case line := <-lines:
		_, rest, ok := strings.Cut(line, "http://")
		addr, _, _ := strings.Cut(rest, "/")
		if !ok {
			<-p.done
			t.Fatalf("the server did not start: %q\n%s", line, p.log)
		}
		p.url = "http://" + addr
		_, operators, _ := strings.Cut(line, "(operators: ")
		p.admin = strings.TrimSuffix(operators, ")")
	case <-time.After(time.Minute):
		t.Fatalf("the server did not start in a minute\n%s", p.log)
	}
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the server did not end in 30 s after %v\n%s", s, p.log)
	}
}

// ready waits until the server says that it can answer.
func (p *process) ready() {
	p.t.Helper()
	waitUntil(p.t, "the server is ready", func() bool {
		resp, err := client.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

func post(url, token, query string) (status int, body string, err error) {
	return postBy(client, url, token, map[string]any{"query": query})
}

// postAs is post of a client that says what it is, as NAME@VERSION.
func postAs(url, token, name, query string) (status int, body string, err error) {
	program, version, _ := strings.Cut(name, "@")
	named := &http.Client{Timeout: client.Timeout, Transport: naming{client.Transport, program, version}}
	return postBy(named, url, token, map[string]any{"query": query})
}

type naming struct {
	http.RoundTripper
	program, version string
}

// RoundTrip implements http.RoundTripper.
func (n naming) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Apollographql-Client-Name", n.program)
	r.Header.Set("Apollographql-Client-Version", n.version)
	return n.RoundTripper.RoundTrip(r)
}

func postBy(client *http.Client, url, token string, request map[string]any) (status int, body string, err error) {
	text, err := json.Marshal(request)
	if err != nil {
		return 0, "", err
	}
	req, err := http.NewRequest(http.MethodPost, url+"/graphql", bytes.NewReader(text))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

func (p *process) ask(token, query string) string {
	p.t.Helper()
	status, body, err := post(p.url, token, query)
	if err != nil || status != http.StatusOK || strings.Contains(body, `"errors"`) {
		p.t.Fatalf("%s: status %d, %s, %v\n%s", query, status, body, err, p.log)
	}
	return body
}

// postgresOf lists the processes of the private PostgreSQL of a folder.
func postgresOf(t *testing.T, dir string) (pids []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err == nil && bytes.Contains(text, []byte(dir)) && bytes.Contains(text, []byte("postgres")) {
			pids = append(pids, filepath.Base(filepath.Dir(f)))
		}
	}
	return pids
}

// wantRefusal wants one line that names what to do, and nothing done.
func wantRefusal(t *testing.T, r result, hint string) {
	t.Helper()
	line, told := lastLine(r.stderr), 0
	for line := range strings.Lines(r.stderr) {
		if !strings.HasPrefix(line, "{") { // of the log
			told++
		}
	}
	if r.code == 0 || told != 1 || !strings.HasPrefix(line, "headroom: ") || !strings.Contains(line, hint) {
		t.Errorf("exit %d, %q; want a failure and one line with %q\n%s", r.code, line, hint, r.stderr)
	}
	if r.out != "" {
		t.Errorf("printed %q all the same", r.out)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// waitUntil asks again and again until it holds, for a minute at most.
func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within a minute", what)
		case <-again.C:
		}
	}
}
