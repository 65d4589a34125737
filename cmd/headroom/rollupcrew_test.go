package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headroom/graph"
	"headroom/timesheet"
)

// crew is what writers over HTTP have in common: the server that is there at
// the moment, the entries they all change, and what they were told.
type crew struct {
	client   *http.Client
	projects []string
	goal     int64         // acknowledged edits
	step     int64         // how many of them make a mark
	marks    chan struct{} // has room for all

	tried, acknowledged, refused, lost, failed atomic.Int64

	mu       sync.Mutex
	url      string
	moved    chan struct{} // closed when url is another
	ids      []string
	versions map[string]int // the last that was acknowledged
	failure  string         // the first
}

func (c *crew) server() (url string, moved <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.url, c.moved
}

func (c *crew) moveTo(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved != nil {
		close(c.moved)
	}
	c.url, c.moved = url, make(chan struct{})
}

// some returns n ids, of which any may be the same.
func (c *crew) some(r *rand.Rand, n int) (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		ids = append(ids, c.ids[r.IntN(len(c.ids))])
	}
	return ids
}

func (c *crew) keep(e *editedEntry) {
	if e == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.versions[e.ID]; !known {
		c.ids = append(c.ids, e.ID)
	}
	c.versions[e.ID] = max(c.versions[e.ID], e.Version)
}

// write edits until all writers together have reached their goal. Where the
// server is gone it waits for the next.
func (c *crew) write(ctx context.Context, token string, r *rand.Rand) {
	for c.acknowledged.Load() < c.goal && c.tried.Add(1) < 5*c.goal {
		url, moved := c.server()
		field, selection, input := c.edit(r)
		switch done, err := c.send(url, token, field, selection, input); {
		case err != nil:
			c.lost.Add(1)
			select {
			case <-moved:
			case <-ctx.Done():
				return
			case <-time.After(30 * time.Second): // the server is not what failed
			}
		case done:
			if c.acknowledged.Add(1)%c.step == 0 {
				c.marks <- struct{}{}
			}
		}
	}
}

// edit draws a mutation: its field, what is asked of it, and its input.
func (c *crew) edit(r *rand.Rand) (field, selection string, input map[string]any) {
	const one = `timeEntry { id version }`
	in := map[string]any{"billable": r.IntN(2) == 0, "projectId": nil}
	if i := r.IntN(len(c.projects) + 1); i < len(c.projects) {
		in["projectId"] = c.projects[i]
	}
	from := time.Date(2024, time.January, 1, 0, 0, r.IntN(90*86400), 0, time.UTC)
	times := func() {
		in["startedAt"] = from.Format(time.RFC3339)
		in["endedAt"] = from.Add(time.Duration(r.IntN(20_000)) * time.Second).Format(time.RFC3339)
	}
	id := map[string]any{"id": c.some(r, 1)[0]}
	switch n := r.IntN(1000); {
	case n < 300:
		times()
		return "createTimeEntry", one, in
	case n < 550:
		times()
		in["id"] = id["id"]
		return "updateTimeEntry", one, in
	case n < 650:
		return "deleteTimeEntry", `deletedId`, id
	case n < 750:
		return "restoreTimeEntry", one, id
	case n < 830:
		return "startTimer", one + ` stopped { id version }`, in
	case n < 890:
		return "stopTimer", one, map[string]any{}
	case n < 940:
		return "continueEntry", one + ` stopped { id version }`, id
	case n < 998:
		in["ids"] = c.some(r, 1+r.IntN(20))
		return "bulkEditTimeEntries", `results { ` + one + ` }`, in
	}
	return "setRate", `repriced`, map[string]any{
		"projectId": in["projectId"], "minor": r.IntN(20_000), "applyTo": "ALL_FROM",
		"effectiveFrom": from.Format(time.DateOnly), "applyFrom": from.Format(time.DateOnly),
	}
}

type editedEntry struct {
	ID      string
	Version int
}

type editAnswer struct {
	Errors []struct{ Message string }
	Data   map[string]struct {
		TimeEntry, Stopped *editedEntry
		Results            []struct{ TimeEntry *editedEntry }
		UserErrors         []struct{ Code string }
	}
}

// send tells whether an edit was acknowledged; an error says that there was no
// answer.
func (c *crew) send(url, token, field, selection string, input map[string]any) (done bool, err error) {
	query := fmt.Sprintf(`mutation($input: %s%sInput!) { %s(input: $input) { %s userErrors { code } } }`, strings.ToUpper(field[:1]), field[1:], field, selection)
	status, body, err := postBy(c.client, url, token, map[string]any{"query": query, "variables": map[string]any{"input": input}})
	if err != nil {
		return false, err
	}
	var a editAnswer
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != http.StatusOK || len(a.Errors) > 0 {
		c.fail(fmt.Sprintf("%s: status %d, %s", field, status, body))
		return false, nil
	}
	payload := a.Data[field]
	if len(payload.UserErrors) > 0 {
		c.refused.Add(1)
		return false, nil
	}
	c.keep(payload.TimeEntry)
	c.keep(payload.Stopped)
	for _, one := range payload.Results {
		c.keep(one.TimeEntry)
	}
	return true, nil
}

func (c *crew) fail(what string) {
	c.failed.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == "" {
		c.failure = what
	}
}

// wantKept wants every acknowledged entry stored, in the version that was
// acknowledged or a later one.
func (c *crew) wantKept(t *testing.T, stored map[string]int) {
	t.Helper()
	var missing error
	for id, version := range c.versions {
		key, ok := graph.ID(id).Key().(timesheet.EntryID)
		if !ok {
			t.Fatalf("%s is no entry's id", id)
		}
		if got := stored[key.String()]; got < version {
			missing = errors.Join(missing, fmt.Errorf("entry %s is stored in version %d, version %d was acknowledged", key, got, version))
		}
	}
	if missing != nil {
		t.Error(missing)
	}
}
