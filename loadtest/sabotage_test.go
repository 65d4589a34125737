package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"headroom/proof"
)

// sabotage is a way to make the generator useless while the server does all it can.
type sabotage struct {
	name   string
	says   string   // what the verdict names
	env    []string // of the generator's process
	files  string   // it may open; empty: as many as we
	rate   string   // empty: 250
	answer func(http.ResponseWriter, asked)
	before func(*session, *attack) // in the generator, when all is ready
	after  func(*attack)           // in the generator, when all is sent
	beside func(generator int)     // from outside, once the load is being sent
}

const slowGenerator = `the generator lagged|the generator's lag|sent too late or not at all|of its processors`

var sabotages = []sabotage{
	{name: "stopped for half a second", says: "sent too late or not at all", beside: func(pid int) { halt(pid, 500*time.Millisecond) }},
	{name: "stopped time and again", says: slowGenerator, beside: func(pid int) {
		for range 15 {
			halt(pid, 50*time.Millisecond)
			<-time.After(25 * time.Millisecond)
		}
	}},
	{name: "other programs on every processor", says: "other programs used", beside: func(int) { hog(2 * runtime.NumCPU()) }},
	{name: "a processor used up inside", says: slowGenerator, before: func(*session, *attack) {
		for range 2 * runtime.GOMAXPROCS(0) {
			go spin(2 * time.Second)
		}
	}},
	{name: "garbage without end", says: slowGenerator, before: func(*session, *attack) {
		for range 2 * runtime.GOMAXPROCS(0) {
			go collect(2 * time.Second)
		}
	}},
	{name: "one processor for far too much", says: slowGenerator + "|arrivals were not sent", env: []string{"GOMAXPROCS=1", "GOGC=1"}, rate: "10000"},
	{name: "few files", says: "only 900 files may be open", files: "900"},
	{name: "no files in the middle", says: "failed inside the generator", answer: hangUp, beside: func(pid int) {
		_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4, Max: 1 << 10}, nil) // without it nothing is found, which fails
	}},
	{name: "no local ports", says: "failed inside the generator", answer: hangUp, before: dialling(func(dial dialer, ctx context.Context, network, address string) (net.Conn, error) {
		if time.Now().UnixNano()%3 == 0 {
			return nil, &net.OpError{Op: "dial", Err: syscall.EADDRNOTAVAIL}
		}
		return dial(ctx, network, address)
	})},
	{name: "sockets closed under it", says: "failed inside the generator", before: dialling(func(dial dialer, ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &fragile{Conn: conn}, err
	})},
	{name: "room for one in flight", says: "arrivals were not sent", answer: slowly, before: func(s *session, _ *attack) { s.client.slots = make(chan struct{}, 1) }},
	{name: "begun late", says: slowGenerator, before: func(_ *session, a *attack) { a.start = a.start.Add(-150 * time.Millisecond) }},
	{name: "the clock set forward", says: "the machine's clock was set by 1h", after: func(a *attack) { a.usages[0].stepped = time.Hour }},
	{name: "the clock set back", says: "the machine's clock was set by -2s", after: func(a *attack) { a.usages[0].stepped = -2 * time.Second }},
	{name: "arrivals left out", says: "the books do not balance", after: func(a *attack) { a.hits -= 2 }},
	{name: "arrivals sent twice", says: "more often than was kept", after: func(a *attack) { a.serve(3) }},
	{name: "sent before they were due", says: "before they were due", after: func(a *attack) {
		for i := range a.rows {
			a.rows[i].sent -= min(a.rows[i].sent, offsetOf(time.Second))
		}
	}},
	{name: "results dropped", says: "the books do not balance", after: func(a *attack) { clear(a.rows[10:12]) }},
	{name: "results duplicated", says: "before they were due", after: func(a *attack) { copy(a.rows[100:110], a.rows[90:100]) }},
	{name: "people without budgets", says: "were THROTTLED", answer: throttling()},
	{name: "a full disk", says: "results.csv is not whole", before: func(*session, *attack) { fill(4 << 10) }},
	{name: "the folder for the results gone", says: "could not be stored", before: func(s *session, _ *attack) {
		if os.RemoveAll(s.Out) != nil || os.WriteFile(s.Out, nil, 0o600) != nil {
			os.Exit(9)
		}
	}},
}

// Whatever is done to the generator, its run is INVALID and says why: it neither
// passes nor blames the server, whose promises are strict. In full the same run
// without sabotage has to pass, so a machine that is left alone is needed.
func TestSabotagesAreInvalid(t *testing.T) {
	n := proof.Size(t, len(sabotages), 3)
	order := proof.Rand(t, 0).Perm(len(sabotages))
	if proof.Full() {
		if got := (sabotage{}).run(t); got.Word != "PASS" {
			t.Fatalf("without sabotage: %s %q", got.Word, got.Reasons)
		}
		proof.Result(t, "without sabotage the run passes")
	}
	for _, at := range order[:n] {
		t.Run(sabotages[at].name, func(t *testing.T) {
			got := sabotages[at].run(t)
			why := regexp.MustCompile(sabotages[at].says)
			reasons := strings.Join(got.Reasons, "; ")
			if got.Word != "INVALID" || got.Exit != ExitInvalid || !why.MatchString(reasons) {
				t.Fatalf("%s (exit %d) %q, want INVALID for %s", got.Word, got.Exit, reasons, sabotages[at].says)
			}
			proof.Result(t, "INVALID: %s", why.FindString(reasons))
		})
	}
}

// run sends a second and a half from a process of its own.
func (b sabotage) run(t *testing.T) (v Verdict) {
	t.Helper()
	var once sync.Once
	loaded := make(chan struct{})
	answer := b.answer
	if answer == nil {
		answer = right
	}
	server := httptest.NewServer(fakeHandler(func(w http.ResponseWriter, _ *http.Request, a asked) {
		once.Do(func() { close(loaded) })
		answer(w, a)
	}))
	defer server.Close()
	rate := b.rate
	if rate == "" {
		rate = "250"
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "scenario.yaml")
	text := strings.ReplaceAll(sabotaged, "RATE", rate)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	limit := ""
	if b.files != "" {
		limit = "ulimit -n " + b.files + "; "
	}
	generator := exec.CommandContext(t.Context(), "sh", "-c", limit+`exec "$@"`, "sh", os.Args[0], b.name, server.URL+"/graphql", path, filepath.Join(dir, "out"))
	generator.Env = append(append(os.Environ(), b.env...), asGenerator+"=1")
	var out bytes.Buffer
	generator.Stdout, generator.Stderr = &out, os.Stderr
	if err := generator.Start(); err != nil {
		t.Fatal(err)
	}
	if b.beside != nil {
		go func() {
			<-loaded
			b.beside(generator.Process.Pid)
		}()
	}
	if err := generator.Wait(); err != nil {
		t.Fatalf("the generator ended with %v\n%s", err, &out)
	}
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	return v
}

const sabotaged = `version: 1
name: sabotaged
about: What passes unless somebody breaks the generator.
extend: 0
classes: { interactive: { slo: { p99: 100ms, ok: 99%, shed: 0% } } }
phases: [ { name: load, for: 1500ms, streams: [ { mix: { MyDay: 1 }, rate: RATE, arrivals: even } ] } ]
`

// asGenerator makes the test binary a generator whose arguments are a sabotage, the
// target, the scenario and the folder for the results.
const asGenerator = "SURGE_TEST_GENERATOR"

// generate runs as surge does, with a sabotage in its midst, and prints the verdict.
func generate() {
	var b sabotage
	for _, known := range sabotages {
		if known.name == os.Args[1] {
			b = known
		}
	}
	v, err := b.generate(Config{Target: os.Args[2], Scenario: os.Args[3], Out: os.Args[4], Seed: 1})
	if stop := (*Stop)(nil); err != nil && isStop(err) {
		stop = err.(*Stop)
		v = Verdict{Exit: stop.Exit, Word: map[Exit]string{ExitInvalid: "INVALID"}[stop.Exit], Reasons: []string{err.Error()}}
	} else if err != nil {
		panic(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		panic(err)
	}
}

func (b sabotage) generate(c Config) (Verdict, error) {
	ctx := context.Background()
	s, err := open(ctx, c)
	if err != nil {
		return Verdict{}, err
	}
	scenario, _, _, err := s.scenario(ctx, nil)
	if err != nil {
		return Verdict{}, err
	}
	inFlight, err := fit(scenario.inFlight(), 0, s.files)
	if err != nil {
		return Verdict{}, &Stop{ExitInvalid, err}
	}
	s.client.slots = make(chan struct{}, inFlight)
	plan, err := newPlan(scenario.Phases, s.Seed)
	if err != nil {
		return Verdict{}, err
	}
	a, err := newAttack(plan, s.deck, s.client, &live{})
	if err != nil {
		return Verdict{}, err
	}
	defer goFirst()()
	a.start = time.Now().Add(head)
	if b.before != nil {
		b.before(s, a)
	}
	usage := make(chan []Usage, 1)
	go func() { usage <- s.watch.phases(ctx, a.start, plan.phases) }()
	if err := a.run(ctx); err != nil {
		return Verdict{}, err
	}
	a.usages = <-usage
	if b.after != nil {
		b.after(a)
	}
	done := &finished{scenario: scenario, began: time.Now(), rounds: []*attack{a}, verdict: judge(scenario, []*attack{a}, false)}
	r := s.record(done, nil, nil)
	err = r.write(s.Out)
	return r.Verdict, err
}
