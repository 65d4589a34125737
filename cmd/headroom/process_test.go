package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
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

func TestServeDemo(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "300")
	body := p.ask(demoOwner, `{ viewer { role } timeEntries(first: 5) { nodes { id } totalCount } myDay { day } }`)
	if !strings.Contains(body, `"role":"OWNER"`) || !strings.Contains(body, `"totalCount":300`) {
		t.Errorf("the demo's owner sees %s, want 300 entries", body)
	}
	for token, role := range map[string]string{demoManager: "MANAGER", demoMember: "MEMBER"} {
		if body := p.ask(token, `{ viewer { role } }`); !strings.Contains(body, role) {
			t.Errorf("%s is %s, want %s", token, body, role)
		}
	}
	t.Run("a second server on the folder", func(t *testing.T) {
		r := runs(t, "serve", "--data-dir", dir, "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")
		wantRefusal(t, r, fmt.Sprint(p.cmd.Process.Pid))
	})
	t.Run("a port in use", func(t *testing.T) {
		r := runs(t, "serve", "--data-dir", storetest.Dir(t), "--addr", strings.TrimPrefix(p.url, "http://"), "--admin-addr", "127.0.0.1:0")
		wantRefusal(t, r, "--addr")
	})
	t.Run("a command beside the server", func(t *testing.T) {
		r := runs(t, "token", "create", "--data-dir", dir, "--workspace", "Beside", "--email", "b@beside.example", "--timezone", "Asia/Kathmandu")
		if r.code != 0 {
			t.Fatalf("exit %d: %s", r.code, r.stderr)
		}
		if body := p.ask(strings.TrimSpace(r.out), `{ viewer { workspace { name timeZone } role } }`); !strings.Contains(body, `"timeZone":"Asia/Kathmandu"`) || !strings.Contains(body, "OWNER") {
			t.Errorf("the new token's owner sees %s", body)
		}
	})
	p.signal(syscall.SIGTERM)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM ends the server with %d, want 0\n%s", code, p.log)
	}
	if left := postgresOf(t, dir); len(left) > 0 {
		t.Errorf("PostgreSQL is left after SIGTERM: %v", left)
	}
}

// The fixed tokens stand for the same people at every start, whatever the
// workspace is called by then and however many others have joined it.
func TestDemoIsFoundAgain(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "20")
	names := map[string]string{}
	for _, token := range []string{demoOwner, demoManager, demoMember} {
		names[token] = p.ask(token, `{ viewer { user { id } } }`)
	}
	p.ask(demoOwner, `mutation { updateWorkspace(input: {name: "Renamed"}) { userErrors { code } } }`)
	for i := range 101 {
		p.ask(demoOwner, fmt.Sprintf(`mutation { inviteMember(input: {name: "0%03d", email: "p%d@many.example", role: MEMBER}) { userErrors { code } } }`, i, i))
	}
	p.signal(syscall.SIGTERM)
	again := serve(t, "--data-dir", dir)
	for token, want := range names {
		var before, after struct{ Data any }
		if json.Unmarshal([]byte(want), &before) != nil || json.Unmarshal([]byte(again.ask(token, `{ viewer { user { id } } }`)), &after) != nil {
			t.Fatal("an answer is no JSON")
		}
		if fmt.Sprint(before.Data) != fmt.Sprint(after.Data) {
			t.Errorf("%s stands for %v, and did for %v", token, after.Data, before.Data)
		}
	}
}

// What is empty in the environment is not set, an enum and a number alike.
func TestEmptyVariablesAreUnset(t *testing.T) {
	want := runs(t, "config", "--data-dir", "set")
	cmd := command(t, "config", "--data-dir", "set")
	for line := range strings.Lines(want.out) {
		name, _, _ := strings.Cut(line, "=")
		cmd.Env = append(cmd.Env, name+"=")
	}
	out, err := cmd.Output()
	if err != nil || string(out) != want.out || strings.Count(want.out, "\n") < 10 {
		t.Errorf("with every variable empty: %v\n%s\nwant what is so without them:\n%s", err, out, want.out)
	}
	cmd = command(t, "config")
	cmd.Env = append(cmd.Env, "HEADROOM_DATABASE_URL=", "DATABASE_URL=postgres://db.example/headroom")
	if out, err := cmd.Output(); err != nil || !strings.Contains(string(out), "HEADROOM_DATABASE_URL=postgres://db.example/headroom\n") {
		t.Errorf("an empty HEADROOM_DATABASE_URL hides DATABASE_URL: %v\n%s", err, out)
	}
}

func TestVersion(t *testing.T) {
	if r := runs(t, "--version"); r.code != 0 || !regexp.MustCompile(`^headroom \S+ go1\.\S+\n$`).MatchString(r.out) {
		t.Errorf("exit %d, %q, %s", r.code, r.out, r.stderr)
	}
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

func TestKilledServerLeavesNoPostgres(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "50")
	p.ask(demoOwner, `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z", description: "kept"}) { timeEntry { id } } }`)
	if len(postgresOf(t, dir)) == 0 {
		t.Skip("processes cannot be listed on this system")
	}
	p.signal(syscall.SIGKILL)
	for deadline := time.Now().Add(3 * time.Second); len(postgresOf(t, dir)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL is left 3 s after SIGKILL: %v", postgresOf(t, dir))
		}
	}
	again := serve(t, "--data-dir", dir)
	if body := again.ask(demoOwner, `{ timeEntries(first: 5, filter: {text: "kept"}) { nodes { description } totalCount } }`); !strings.Contains(body, `"totalCount":1`) {
		t.Errorf("after the next start: %s, want the acknowledged entry", body)
	}
}

func TestSigtermLosesNoAcknowledgedWrite(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "50", "--budget-user", "1000000/100000", "--budget-workspace", "1000000/100000")
	var acknowledged atomic.Int64
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for {
				status, body, err := post(p.url, demoOwner, `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z", description: "under load"}) { timeEntry { id } userErrors { code } } }`)
				if err != nil {
					return // the address is closed
				}
				if status == http.StatusOK && strings.Contains(body, `"timeEntry":{"id"`) {
					acknowledged.Add(1)
				}
			}
		})
	}
	for acknowledged.Load() < 200 {
		time.Sleep(time.Millisecond)
	}
	p.signal(syscall.SIGTERM)
	writers.Wait()
	again := serve(t, "--data-dir", dir)
	body := again.ask(demoOwner, `{ timeEntries(first: 1, filter: {text: "under load"}) { totalCount } }`)
	var stored struct {
		Data struct {
			TimeEntries struct{ TotalCount int64 }
		}
	}
	if err := json.Unmarshal([]byte(body), &stored); err != nil {
		t.Fatal(err)
	}
	if n := stored.Data.TimeEntries.TotalCount; n < acknowledged.Load() {
		t.Errorf("%d entries are stored, %d were acknowledged", n, acknowledged.Load())
	}
}

// A database of the operator's: nothing is migrated unasked, no demo token
// works, strangers see no schema.
func TestServeRealDatabase(t *testing.T) {
	dsn := storetest.New(t)
	r := runs(t, "migrate", "--database-url", dsn)
	if r.code != 0 || !strings.Contains(r.out, "up to date") {
		t.Fatalf("migrate: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	p := serve(t, "--database-url", dsn)
	for query, token := range map[string]string{`{ viewer { role } }`: demoOwner, `{ __schema { queryType { name } } }`: ""} {
		if status, body, err := post(p.url, token, query); err != nil || status != http.StatusUnauthorized {
			t.Errorf("%s with token %q: status %d, %s, %v; want 401", query, token, status, body, err)
		}
	}
	r = runs(t, "token", "create", "--database-url", dsn, "--workspace", "Acme", "--email", "olga@acme.example", "--scope", "read")
	if r.code != 0 {
		t.Fatalf("token create: exit %d, %s", r.code, r.stderr)
	}
	token := strings.TrimSpace(r.out)
	p.ask(token, `{ viewer { role } __schema { queryType { name } } }`)
	if status, body, err := post(p.url, token, `mutation { startTimer(input: {}) { userErrors { code } } }`); err != nil || status != http.StatusForbidden {
		t.Errorf("a mutation by a read token: status %d, %s, %v; want 403", status, body, err)
	}
}

func TestBadConfiguration(t *testing.T) {
	dsn := storetest.New(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	short := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(short, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, hint string
		args       []string
	}{
		{"an unknown flag", "--frob", []string{"serve", "--frob"}},
		{"an unknown command", "frob", []string{"frob"}},
		{"a demo token on a public address", "--database-url", []string{"serve", "--addr", "0.0.0.0:0"}},
		{"an operators' address for everybody", "--admin-token-file", []string{"serve", "--admin-addr", "0.0.0.0:0"}},
		{"a budget that is none", "--budget-user", []string{"serve", "--budget-user", "much"}},
		{"a negative budget", "--budget-workspace", []string{"serve", "--budget-workspace", "-1/5"}},
		{"a mode that is none", "--limits", []string{"serve", "--limits", "maybe"}},
		{"an operators' port in use", "--admin-addr", []string{"serve", "--database-url", dsn, "--addr", "127.0.0.1:0", "--admin-addr", taken.Addr().String()}},
		{"a database that is not there", "correct --database-url", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", "postgres://someone:hunter2@127.0.0.1:1/none"}},
		{"a URL that is none", "database URL", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", "postgres://%zz"}},
		{"pools that do not fit", "--db-cores", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", dsn, "--db-cores", "500"}},
		{"a secret that is too short", "16 characters", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", dsn, "--secret-file", short}},
		{"a zone that is none", "Europe/", []string{"token", "create", "--database-url", dsn, "--workspace", "W", "--email", "w@w.example", "--timezone", "CEST"}},
		{"a token that expires in the past", "--expires", []string{"token", "create", "--database-url", dsn, "--workspace", "W", "--email", "w@w.example", "--expires=-1h"}},
		{"fewer than no entries", "--demo-entries", []string{"serve", "--demo-entries=-5"}},
		{"an origin that is none", "--cors-origin", []string{"serve", "--cors-origin", "foo"}},
		{"a new workspace without an owner", "owner", []string{"token", "create", "--database-url", dsn, "--workspace", "W", "--email", "w@w.example", "--role", "member"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := runs(t, test.args...)
			wantRefusal(t, r, test.hint)
			if strings.Contains(r.stderr, "hunter2") {
				t.Errorf("the password is printed: %s", r.stderr)
			}
		})
	}
}

func TestPendingMigrations(t *testing.T) {
	dsn := storetest.New(t)
	emptied := empty(t, dsn)
	r := runs(t, "serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", emptied)
	wantRefusal(t, r, "headroom migrate")
	if r := runs(t, "migrate", "--database-url", emptied); r.code != 0 {
		t.Fatalf("migrate: %s", r.stderr)
	}
	serve(t, "--database-url", emptied)
}

// empty takes the schema out of a database.
func empty(t *testing.T, dsn string) string {
	t.Helper()
	pending, err := store.Pending(t.Context(), dsn)
	if err != nil || pending {
		t.Fatalf("a test's database is not migrated: %v, %v", pending, err)
	}
	db, err := sql.Open("pgx", dsn) // the store has registered the driver
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
		t.Fatal(err)
	}
	return dsn
}

func TestConfigHidesSecrets(t *testing.T) {
	r := runs(t, "config", "--database-url", "postgres://me:hunter2@db.example/headroom", "--addr", "0.0.0.0:9000")
	if r.code != 0 || !strings.Contains(r.out, "HEADROOM_ADDR=0.0.0.0:9000") || !strings.Contains(r.out, "db.example") {
		t.Errorf("exit %d, %s%s", r.code, r.out, r.stderr)
	}
	if strings.Contains(r.out, "hunter2") {
		t.Errorf("the password is printed: %s", r.out)
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"import", "--help"}, {"seed", "--help"}, {"token", "create", "--help"}} {
		r := runs(t, args...)
		if r.code != 0 || !strings.Contains(r.out, "headroom "+strings.Join(args[:len(args)-1], " ")) {
			t.Errorf("headroom %s: exit %d, %s%s", strings.Join(args, " "), r.code, r.out, r.stderr)
		}
	}
}
