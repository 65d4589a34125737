package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// clicks are what people who look at their day are answered.
type clicks struct {
	url  atomic.Pointer[string] // of the server, which may be killed at any time
	away atomic.Int64           // refusals because the database is away

	mu    sync.Mutex
	all   []click
	wrong string // an answer without a code
}

// click is one question with its answer.
type click struct {
	began time.Time
	took  time.Duration
	code  string // "": it was answered
}

const theDay = `{ myDay { day } }`

// loop asks fifty times a second until ctx ends, whether or not it is answered. What
// a killed server did not answer is left out.
func (c *clicks) loop(ctx context.Context, client *http.Client, token string) {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	var asked sync.WaitGroup
	defer asked.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		asked.Go(func() {
			began := time.Now()
			status, body, err := postBy(client, *c.url.Load(), token, map[string]any{"query": theDay})
			if err == nil {
				c.keep(click{began: began, took: time.Since(began)}, status, body)
			}
		})
	}
}

func (c *clicks) keep(one click, status int, body string) {
	var answer struct {
		Errors []struct{ Extensions struct{ Code string } }
	}
	err := json.Unmarshal([]byte(body), &answer)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil, len(answer.Errors) > 0 && answer.Errors[0].Extensions.Code == "", len(answer.Errors) == 0 && status != http.StatusOK:
		c.wrong = fmt.Sprint(status, " ", body)
		return
	case len(answer.Errors) > 0:
		one.code = answer.Errors[0].Extensions.Code
		if one.code == "UNAVAILABLE" {
			c.away.Add(1)
		}
	}
	c.all = append(c.all, one)
}

// between are the clicks of a span of time, sorted by how long they took.
func (c *clicks) between(from, to time.Time) (answered, refused []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		if one.began.Before(from) || !one.began.Before(to) {
			continue
		}
		if one.code == "" {
			answered = append(answered, one.took)
		} else {
			refused = append(refused, one.took)
		}
	}
	slices.Sort(answered)
	slices.Sort(refused)
	return answered, refused
}

// quantile of sorted times; 0 for none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// ms shows a time in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// within is the share of sorted times that are not above a bound.
func within(sorted []time.Duration, bound time.Duration) float64 {
	n, _ := slices.BinarySearch(sorted, bound+1)
	return float64(n) / float64(max(1, len(sorted)))
}

// bounded is how long after a moment the p99 of each half second was back in a bound
// for good, with no click refused, as far as is known up to an end.
func (c *clicks) bounded(from, to time.Time, bound time.Duration) time.Duration {
	const window = 500 * time.Millisecond
	back := time.Duration(0)
	for at := from; at.Add(window).Before(to); at = at.Add(window / 5) {
		answered, refused := c.between(at, at.Add(window))
		if len(refused) > 0 || quantile(answered, 0.99) > bound {
			back = at.Add(window).Sub(from)
		}
	}
	return back
}
