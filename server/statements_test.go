package server

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
)

// statements reads the count out of the server's own log lines.
type statements struct {
	slog.Handler
	last int64
}

func (s *statements) Enabled(context.Context, slog.Level) bool { return true }

func (s *statements) Handle(_ context.Context, line slog.Record) error {
	line.Attrs(func(a slog.Attr) bool {
		if a.Key == "statements" {
			s.last = a.Value.Int64()
		}
		return true
	})
	return nil
}

// The numbers of statements an app's screens cost, on the whole way from HTTP,
// with few rows and with many.
func TestStatementsOfAnOperation(t *testing.T) {
	counter := &statements{Handler: slog.DiscardHandler}
	r := newRig(t, func(c *Config) {
		c.Log = slog.New(counter)
		c.User, c.Tenant = budget(1e6, 1e5), budget(1e6, 1e5)
	})
	r.ask(`{ viewer { role } }`, nil) // who asks is remembered from now on
	made := 0
	for _, rows := range []int{5, 60} {
		for ; made < rows; made++ {
			client := find(r.ask(`mutation($n: String!) { createClient(input: {name: $n}) { client { id } } }`, map[string]any{"n": fmt.Sprint("client ", made)}).Data, "id")
			project := find(r.ask(`mutation($n: String!, $c: ID) { createProject(input: {name: $n, clientId: $c}) { project { id } } }`, map[string]any{"n": fmt.Sprint("project ", made), "c": client}).Data, "id")
			task := find(r.ask(`mutation($p: ID!) { createTask(input: {name: "task", projectId: $p}) { task { id } } }`, map[string]any{"p": project}).Data, "id")
			r.ask(`mutation($p: ID, $t: ID, $from: DateTime!, $to: DateTime!) { createTimeEntry(input: {startedAt: $from, endedAt: $to, projectId: $p, taskId: $t}) { timeEntry { id } } }`, map[string]any{
				"p": project, "t": task, "from": fmt.Sprintf("2026-03-02T08:%02d:00Z", made), "to": fmt.Sprintf("2026-03-02T08:%02d:30Z", made),
			})
		}
		for _, test := range []struct {
			name, query string
			most        int64
		}{
			{"my day with project, client and task", `{ myDay(date: "2026-03-02") { entries { description project { name client { name } } task { name } } running { id } } }`, 1},
			{"a week with projects and tasks", `{ weekGrid(week: "2026-03-02") { rows { project { name } task { name } days seconds } totals { seconds } } }`, 3},
			{"a dashboard", `{ summary(period: {from: "2026-03-01", to: "2026-03-31"}) { totals { seconds } byProject { rows { label totals { seconds } } } byUser { rows { label } } byTime { rows { label } } } }`, 6},
			{"50 projects with clients", `{ projects(first: 50) { nodes { name client { name } } } }`, 1},
			{"50 projects with clients and totals", `{ projects(first: 50) { nodes { name client { name } trackedSeconds } } }`, 1},
			{"a page of entries", `{ timeEntries(first: 50) { nodes { user { name } project { name client { name } } task { name } } } }`, 1},
			{"projects with tasks and members", `{ projects(first: 20) { nodes { tasks(first: 5) { nodes { name } } members(first: 5) { nodes { name } } trackedSeconds } } }`, 3},
			{"the running timer", `{ runningTimer { id } }`, 1},
			// BEGIN, the lock on the books and the entry in one round trip, the
			// audit row, COMMIT.
			{"an entry", `mutation { createTimeEntry(input: {startedAt: "2026-03-03T08:00:00Z", endedAt: "2026-03-03T09:00:00Z"}) { timeEntry { id } } }`, 5},
			{"a timer", `mutation { startTimer(input: {}) { timeEntry { id } } }`, 6},
			{"its end", `mutation { stopTimer(input: {}) { timeEntry { id } } }`, 5},
		} {
			r.ask(test.query, nil)
			if counter.last > test.most || counter.last == 0 {
				t.Errorf("%s, %d rows: %d statements, want 1 to %d", test.name, rows, counter.last, test.most)
			}
		}
	}
}
