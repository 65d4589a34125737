package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"headroom/proof"
	"headroom/store/storetest"
)

// signalPostgres sends a signal to the private PostgreSQL of a folder and to all
// of its backends.
func signalPostgres(t *testing.T, dir string, s syscall.Signal) {
	t.Helper()
	for _, parent := range postgresOf(t, dir) {
		children, err := os.ReadFile("/proc/" + parent + "/task/" + parent + "/children")
		if err != nil {
			t.Fatal(err)
		}
		for _, pid := range append(strings.Fields(string(children)), parent) {
			n, err := strconv.Atoi(pid)
			if err == nil {
				err = syscall.Kill(n, s)
			}
			if err != nil && err != syscall.ESRCH {
				t.Fatal(err)
			}
		}
	}
}

// hands write entries one after the other and note what they were told.
type hands struct {
	url     string
	mu      sync.Mutex
	ids     []string       // acknowledged
	refused map[string]int // by status and code
	strange string         // an answer without a code
	acks    atomic.Int64
	away    atomic.Int64 // refusals because the database is away
}

func (h *hands) write(ctx context.Context, client *http.Client) {
	const create = `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z"}) { timeEntry { id } userErrors { code } } }`
	for ctx.Err() == nil {
		status, body, err := postBy(client, h.url, demoOwner, map[string]any{"query": create})
		var answer struct {
			Data struct {
				CreateTimeEntry struct{ TimeEntry struct{ ID string } }
			}
			Errors []struct{ Extensions struct{ Code string } }
		}
		if err == nil {
			err = json.Unmarshal([]byte(body), &answer)
		}
		h.mu.Lock()
		switch {
		case err != nil || len(answer.Errors) > 0 && answer.Errors[0].Extensions.Code == "":
			h.strange = fmt.Sprint(status, body, err)
		case len(answer.Errors) > 0:
			h.refused[fmt.Sprint(status, " ", answer.Errors[0].Extensions.Code)]++
			if answer.Errors[0].Extensions.Code == "UNAVAILABLE" {
				h.away.Add(1)
			}
		case answer.Data.CreateTimeEntry.TimeEntry.ID != "":
			h.ids = append(h.ids, answer.Data.CreateTimeEntry.TimeEntry.ID)
			h.acks.Add(1)
		}
		h.mu.Unlock()
	}
}

// more waits until so many more were counted.
func more(t *testing.T, what string, counter *atomic.Int64, n int64) time.Duration {
	t.Helper()
	began, want := time.Now(), counter.Load()+n
	for counter.Load() < want {
		if time.Since(began) > time.Minute {
			t.Fatalf("%d of %d %s in a minute", n-(want-counter.Load()), n, what)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

// stored counts the entries that there are, of those with these ids.
func (p *process) stored(ids []string) (n int) {
	for len(ids) > 0 {
		part := ids[:min(20, len(ids))]
		ids = ids[len(part):]
		var q strings.Builder
		for i, id := range part {
			fmt.Fprintf(&q, " a%d: node(id: %q) { id }", i, id)
		}
		n += strings.Count(p.ask(demoOwner, "{"+q.String()+" }"), `{"id":`)
	}
	return n
}

// gauge sums a metric up over its labels.
func (p *process) gauge(name string) (sum float64) {
	p.t.Helper()
	resp, err := client.Get(p.admin + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, name) {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			sum += value
		}
	}
	return sum
}

// While PostgreSQL stands still, everybody is told so by a code, and when it goes
// on they are served again, also after it was killed. No acknowledged write is
// lost, and no seat.
func TestDatabaseStopsUnderLoad(t *testing.T) {
	refusals := int64(proof.Size(t, 20_000, 400))
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "20", "--log-level", "error", "--budget-user", "1000000/100000", "--budget-workspace", "1000000/100000")
	h := &hands{url: p.url, refused: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writing sync.WaitGroup
	keeping := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: 30 * time.Second}
	for range 8 {
		writing.Go(func() { h.write(ctx, keeping) })
	}
	const some = 100
	more(t, "writes before", &h.acks, some)
	began := time.Now()
	signalPostgres(t, dir, syscall.SIGSTOP)
	more(t, "refusals while it stands still", &h.away, refusals)
	stood := time.Since(began)
	signalPostgres(t, dir, syscall.SIGCONT)
	back := more(t, "writes after it went on", &h.acks, some)
	began = time.Now()
	signalPostgres(t, dir, syscall.SIGKILL)
	more(t, "refusals while it is dead", &h.away, 1)
	killed := more(t, "writes after it was killed", &h.acks, some)
	cancel()
	writing.Wait()
	if h.strange != "" {
		t.Errorf("an answer without a code: %s", h.strange)
	}
	if got := p.stored(h.ids); got != len(h.ids) {
		t.Errorf("%d entries are stored of %d that were acknowledged", got, len(h.ids))
	}
	if busy, queued := p.gauge("headroom_gate_busy"), p.gauge("headroom_gate_queued"); busy != 0 || queued != 0 {
		t.Errorf("%v seats are taken and %v wait when all is over", busy, queued)
	}
	proof.Result(t, "8 writers; PostgreSQL stood still for %.1f s: %d refusals; %d writes %.2f s after it went on; killed: %d writes again %.2f s after it was known, %.1f s after the kill", stood.Seconds(), h.away.Load(), some, back.Seconds(), some, killed.Seconds(), time.Since(began).Seconds())
	proof.Result(t, "%d writes acknowledged, all of them stored; refused: %v", len(h.ids), h.refused)
}
