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
		case answer.Data.CreateTimeEntry.TimeEntry.ID != "":
			h.ids = append(h.ids, answer.Data.CreateTimeEntry.TimeEntry.ID)
			h.acks.Add(1)
		}
		h.mu.Unlock()
	}
}

// more waits until so many more were counted.
func more(t *testing.T, what string, counter *atomic.Int64, n int64) {
	t.Helper()
	want := counter.Load() + n
	waitUntil(t, fmt.Sprint(n, " ", what), func() bool { return counter.Load() >= want })
}

// passes waits for a time of the proof: it is how long, and not what happens then.
func passes(d time.Duration) { <-time.After(d) }

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
// lost, and no seat. The record says how long refusals took, and when the p99 of
// those who look at their day was back in its bound, which is max(2.5 x calm, calm +
// 10 ms).
func TestDatabaseStopsUnderLoad(t *testing.T) {
	stands := time.Duration(proof.Size(t, 10_000, 200)) * time.Millisecond
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "2000", "--log-level", "error", "--budget-user", "1000000/100000", "--budget-workspace", "1000000/100000")
	h, c := &hands{url: p.url, refused: map[string]int{}}, &clicks{}
	c.url.Store(&p.url)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	keeping := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 30 * time.Second}
	for range 2 {
		all.Go(func() { h.write(ctx, keeping) })
	}
	for range 3 {
		all.Go(func() { c.loop(ctx, keeping, demoMember) })
	}
	const some = 100
	more(t, "writes at first", &h.acks, some)
	from := time.Now()
	passes(stands) // in calm
	calm, _ := c.between(from, time.Now())
	bound := max(quantile(calm, 0.99)*5/2, quantile(calm, 0.99)+10*time.Millisecond)
	proof.Result(t, "calm: p50 %s, p99 %s of %d clicks beside 2 writers; the bound is %s", ms(quantile(calm, 0.5)), ms(quantile(calm, 0.99)), len(calm), ms(bound))
	for _, fault := range []struct {
		name string
		stop func()
		back func()
	}{
		{"SIGSTOP", func() { signalPostgres(t, dir, syscall.SIGSTOP) }, func() { signalPostgres(t, dir, syscall.SIGCONT) }},
		{"SIGKILL", func() { signalPostgres(t, dir, syscall.SIGKILL) }, nil}, // the server starts it again by itself
	} {
		began := time.Now()
		fault.stop()
		more(t, "refusals during "+fault.name, &c.away, 1)
		known := time.Now()
		if fault.back != nil {
			passes(stands)
			fault.back()
		}
		returned := time.Now()
		more(t, "writes after "+fault.name, &h.acks, some)
		served := time.Now()
		passes(stands / 2)
		_, caught := c.between(began.Add(-100*time.Millisecond), known)
		_, refused := c.between(known, served)
		proof.Result(t, "%s: known after %.2f s; away %.1f s; %d clicks that it caught were refused within %s, %d that came meanwhile, half of them within %s and 99 %% within %s; %d writes again %.2f s after its return; the p99 of the clicks is back in its bound %.1f s after it",
			fault.name, known.Sub(began).Seconds(), returned.Sub(began).Seconds(), len(caught), ms(quantile(caught, 1)), len(refused), ms(quantile(refused, 0.5)), ms(quantile(refused, 0.99)), some, served.Sub(returned).Seconds(), c.bounded(returned, time.Now(), bound).Seconds())
	}
	cancel()
	all.Wait()
	if h.strange != "" || c.wrong != "" {
		t.Errorf("an answer without a code: %s%s", h.strange, c.wrong)
	}
	if got := p.stored(h.ids); got != len(h.ids) {
		t.Errorf("%d entries are stored of %d that were acknowledged", got, len(h.ids))
	}
	if busy, queued := p.gauge("headroom_gate_busy"), p.gauge("headroom_gate_queued"); busy != 0 || queued != 0 {
		t.Errorf("%v seats are taken and %v wait when all is over", busy, queued)
	}
	proof.Result(t, "%d writes acknowledged, all of them stored; other writes: %v", len(h.ids), h.refused)
}
