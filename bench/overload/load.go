package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"headroom/timesheet"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"bench/lab"
)

// op is a kind of operation.
type op struct {
	name   string
	report bool
	body   func(r *rand.Rand) map[string]any
}

// click looks for a text that nothing has in eleven days of everybody: one
// statement of some 10 ms that ends with an empty page.
var click = search("click", 11)

// search looks so in a number of days.
func search(name string, days int) op {
	return op{name: name, body: func(r *rand.Rand) map[string]any {
		from := timesheet.DayOf(lab.Since, time.UTC) + timesheet.Date(r.IntN(30*lab.Months-days-9))
		return map[string]any{
			"query":     `query Search($from: Date!, $to: Date!) { timeEntries(filter: {text: "nothing has this", period: {from: $from, to: $to}}, first: 20) { nodes { id description } } }`,
			"variables": map[string]any{"from": from.String(), "to": (from + timesheet.Date(days-1)).String()},
		}
	}}
}

// reports are as different in size as people's are.
var reports = []op{
	report("3 months by task", 3, "TASK"), report("a year by task", 12, "TASK"), report("a year by tag and person", 12, "TAG, USER"),
	report("36 months by task", 36, "TASK"), report("36 months by tag and person", 36, "TAG, USER"),
}

// report has another maxRows each time, so that none is given again from memory.
func report(name string, months int, keys string) op {
	from := timesheet.DayOf(lab.Since, time.UTC)
	to := timesheet.DayOf(lab.Since.AddDate(0, months, -1), time.UTC)
	query := fmt.Sprintf(`query Report($n: Int!) { timesheetReport(input: {period: {from: %q, to: %q}, groupBy: [%s], maxRows: $n}) { totals { seconds } } }`, from, to, keys)
	return op{name: name, report: true, body: func(r *rand.Rand) map[string]any {
		return map[string]any{"query": query, "variables": map[string]any{"n": 1 + r.IntN(timesheet.MaxReportRows)}}
	}}
}

// record is what became of one operation.
type record struct {
	name    string
	report  bool
	due     time.Duration // since the block's begin
	took    time.Duration // since it was due
	held    bool          // on purpose, since its sender came before the time it was told
	outcome string        // "" for an answer, else the code, and the gate's reason
}

// load sends operations when they are due, in turn to each server.
type load struct {
	servers []*process
	tokens  []string
	client  *http.Client

	mu      sync.Mutex
	records []record
	sending sync.WaitGroup
}

func newLoad(servers []*process, tokens []string) *load {
	return &load{servers: servers, tokens: tokens, client: &http.Client{
		Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4096},
	}}
}

// one sends an operation and notes what became of it.
func (l *load) one(ctx context.Context, o op, r *rand.Rand, n int, begin, due time.Time) record {
	out := record{name: o.name, report: o.report, due: due.Sub(begin)}
	out.outcome, out.held = l.send(ctx, l.servers[n%len(l.servers)].url, l.tokens[r.IntN(len(l.tokens))], o.body(r))
	out.took = time.Since(due)
	return out
}

func (l *load) send(ctx context.Context, url, token string, body map[string]any) (outcome string, held bool) {
	text, err := json.Marshal(body)
	if err != nil {
		return err.Error(), false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return err.Error(), false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := l.client.Do(req)
	if err != nil {
		return "TRANSPORT " + lastOf(err), false
	}
	defer resp.Body.Close()
	held = strings.Contains(resp.Header.Get("Server-Timing"), "hold;")
	text, err = io.ReadAll(resp.Body)
	if err != nil {
		return "TRANSPORT " + lastOf(err), false
	}
	var answer struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code, Reason string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "NO JSON", held
	}
	if len(answer.Errors) == 0 {
		return "", held
	}
	x := answer.Errors[0].Extensions
	return x.Code + map[bool]string{true: " " + x.Reason}[x.Reason != ""], held
}

// lastOf is the innermost reason of an error, without addresses.
func lastOf(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

// stream sends operations of a kind at a rate, at random times, for a while.
func (l *load) stream(ctx context.Context, choose func(*rand.Rand) op, perSecond float64, begin time.Time, from, to time.Duration, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 1))
	n := int(seed)
	for at := from; ; n++ {
		at += time.Duration(r.ExpFloat64() / perSecond * float64(time.Second))
		if at >= to {
			return nil
		}
		due := begin.Add(at)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(due)):
		}
		own, number := rand.New(rand.NewPCG(seed, r.Uint64())), n
		o := choose(r)
		l.sending.Go(func() {
			done := l.one(ctx, o, own, number, begin, due)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.records = append(l.records, done)
		})
	}
}

// alone runs an operation again and again and returns its median time in
// milliseconds, which is what the database works for it and the way there.
func (l *load) alone(ctx context.Context, o op, times int) (median float64, err error) {
	r := rand.New(rand.NewPCG(7, 7))
	var took []float64
	for i := range times + 1 {
		done := l.one(ctx, o, r, 0, time.Now(), time.Now())
		if done.outcome != "" {
			return 0, errors.New(o.name + ": " + done.outcome)
		}
		if i > 0 { // the first one plans
			took = append(took, millis(done.took))
		}
	}
	return quantile(took, 0.5), nil
}

// closed has so many clients ask again and again for a while, and returns how many
// operations a second were answered.
func (l *load) closed(ctx context.Context, o op, clients int, during time.Duration) (float64, error) {
	begin := time.Now()
	done := make([]int, clients)
	var asking errgroup.Group
	for i := range clients {
		asking.Go(func() error {
			r := rand.New(rand.NewPCG(11, uint64(i)))
			for ; time.Since(begin) < during; done[i]++ {
				if out := l.one(ctx, o, r, i, begin, time.Now()); out.outcome != "" {
					return errors.New(o.name + ": " + out.outcome)
				}
			}
			return nil
		})
	}
	err := asking.Wait()
	sum := 0
	for _, n := range done {
		sum += n
	}
	return float64(sum) / time.Since(begin).Seconds(), err
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
