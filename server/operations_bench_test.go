package server

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"headroom/limits"
)

// What an app asks for most, with all that it shows.
const (
	entryShown  = `id description startedAt endedAt seconds billable project { id name client { id name } } task { id name }`
	dayShown    = `{ viewer { user { id name } } myDay(date: "2026-03-02") { entries { ` + entryShown + ` } } }`
	pageShown   = `{ timeEntries(first: 50) { nodes { user { id name } tags { id name } ` + entryShown + ` } } }`
	totalsShown = `{ projects(first: 50) { nodes { id name client { id name } trackedSeconds } } }`
	entryMade   = `mutation($p: ID!) { createTimeEntry(input: {projectId: $p, startedAt: "2026-02-02T08:00:00Z", endedAt: "2026-02-02T09:00:00Z", description: "work"}) { timeEntry { id description startedAt endedAt project { id name } } userErrors { code message } } }`
	timerRun    = `mutation($p: ID!) { startTimer(input: {projectId: $p, startedAt: "2026-02-02T08:00:00Z"}) { timeEntry { id project { id name } } } stopTimer(input: {endedAt: "2026-02-02T09:00:00Z"}) { timeEntry { id project { id name } } } }`
)

// BenchmarkOperation answers them on the whole way from HTTP to PostgreSQL and
// back, without the network. CPU is the server's alone.
func BenchmarkOperation(b *testing.B) {
	plenty := limits.Rate{Size: 1e9, Restore: 1e9}
	r := newRig(b, func(c *Config) {
		c.User, c.Tenant, c.Log = plenty, plenty, slog.New(slog.NewJSONHandler(io.Discard, nil))
	})
	project := r.fill(50, 20)
	handler := r.server.Handler()
	for _, op := range []struct{ name, text string }{
		{"MyDay", dayShown}, {"PageOf50", pageShown}, {"ProjectsWithTotals", totalsShown}, {"CreateEntry", entryMade}, {"StartAndStop", timerRun},
	} {
		b.Run(op.name, func(b *testing.B) {
			body, err := json.Marshal(map[string]any{"query": op.text, "variables": map[string]any{"p": project}})
			if err != nil {
				b.Fatal(err)
			}
			if !strings.Contains(op.text, "$p") {
				body, _ = json.Marshal(map[string]any{"query": op.text})
			}
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				req := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(string(body)))
				req.Header.Set("Content-Type", mediaJSON)
				req.Header.Set("Authorization", "Bearer "+r.token)
				w := httptest.NewRecorder()
				if handler.ServeHTTP(w, req); w.Code != http.StatusOK || strings.Contains(w.Body.String(), `"errors"`) {
					b.Fatal(w.Body)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

// fill makes projects with clients and tasks, an entry of each, of which the first
// are of one day, and returns a project's id.
func (r *rig) fill(projects, day int) (project string) {
	tag := find(r.ask(`mutation { createTag(input: {name: "tag"}) { tag { id } } }`, nil).Data, "id")
	for i := range projects {
		client := find(r.ask(`mutation($n: String!) { createClient(input: {name: $n}) { client { id } } }`, map[string]any{"n": fmt.Sprint("client ", i)}).Data, "id")
		made := find(r.ask(`mutation($n: String!, $c: ID) { createProject(input: {name: $n, clientId: $c}) { project { id } } }`, map[string]any{"n": fmt.Sprint("project ", i), "c": client}).Data, "id")
		task := find(r.ask(`mutation($p: ID!) { createTask(input: {name: "task", projectId: $p}) { task { id } } }`, map[string]any{"p": made}).Data, "id")
		date := "2026-03-02"
		if i >= day {
			date = "2026-03-01"
		}
		r.ask(`mutation($p: ID, $t: ID, $g: [ID!], $from: DateTime!, $to: DateTime!) { createTimeEntry(input: {description: "some work", startedAt: $from, endedAt: $to, projectId: $p, taskId: $t, tagIds: $g}) { timeEntry { id } } }`, map[string]any{
			"p": made, "t": task, "g": []any{tag}, "from": fmt.Sprintf("%sT08:%02d:00Z", date, i), "to": fmt.Sprintf("%sT08:%02d:30Z", date, i),
		})
		project = fmt.Sprint(made)
	}
	return project
}
