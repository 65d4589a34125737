package resolvers_test

import (
	"fmt"
	"testing"
	"time"

	"headroom/timesheet"
)

// busy makes n clients, each with a project, a task, a tag and an entry of
// today that has them all.
func (w *world) busy(t testing.TB, n int) (ids []string) {
	t.Helper()
	v := w.people[owner]
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	for range n {
		client := w.client(t)
		project := w.must(t, v, "createProject", "project", map[string]any{"name": w.name(), "clientId": client})
		task := w.must(t, v, "createTask", "task", map[string]any{"name": w.name(), "projectId": project})
		w.must(t, v, "setBudget", "project", map[string]any{"projectId": project, "seconds": 3600})
		tag := w.tag(t)
		entry := w.must(t, v, "createTimeEntry", "timeEntry", map[string]any{
			"startedAt": start.Format(time.RFC3339), "endedAt": start.Add(time.Minute).Format(time.RFC3339),
			"projectId": project, "taskId": task, "tagIds": []string{tag},
		})
		ids = append(ids, client, project, task, tag, entry)
	}
	return ids
}

// No request takes more statements for more rows.
func TestStatementsDoNotGrowWithRows(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	documents := []struct {
		name, document string
		most           int
	}{
		{"viewer", `{ viewer { user { name } workspace { name } } }`, 1},
		{"day", `{ myDay { entries { user { name } project { name client { name } } task { name } } totals { seconds } running { id } } }`, 5},
		{"day of an app", `{ myDay { entries { project { name client { name } } task { name } } totals { seconds } running { id } } }`, 4},
		{"entries", `{ timeEntries(first: 100) { totalCount nodes { user { name } project { name client { name } } task { name project { id } } tags { name } amount { minor } } } }`, 7},
		{"projects with clients", `{ projects(first: 50) { nodes { name client { name } } } }`, 1},
		{"projects with everything", `{ projects(first: 100) { nodes { client { name } tasks(first: 5) { totalCount nodes { project { name } } } members(first: 5) { nodes { name } } trackedSeconds } } }`, 5},
		{"budgets", `{ projectBudgets(first: 100) { nodes { name budget { seconds } burn { percent exhaustedOn } } } }`, 3},
		{"projects twice", `{ projects(first: 100) { nodes { old: trackedSeconds(period: {from: "2020-01-01", to: "2020-12-31"}) trackedSeconds
			open: tasks(first: 5, filter: {archived: false}) { nodes { id } } tasks(first: 5) { nodes { id } } } } }`, 4},
		{"clients with projects", `{ clients(first: 100) { nodes { projects(first: 5) { totalCount edges { node { name tasks(first: 3) { nodes { id } } } } } } } }`, 4},
		{"audit", `{ auditLog(first: 100) { nodes { action actor { name } } } }`, 2},
		{"users", `{ users(first: 100) { nodes { name } totalCount } }`, 2},
	}
	counts := map[string]int{}
	const few, many = 10, 100
	w.busy(t, few)
	for _, d := range documents {
		counts[d.name] = w.query(t, v, d.document, nil).statements
	}
	w.busy(t, many-few)
	for _, d := range documents {
		t.Run(d.name, func(t *testing.T) {
			got := w.query(t, v, d.document, nil).statements
			if got == 0 || got > d.most {
				t.Errorf("%d statements for %d rows, want 1 to %d", got, many, d.most)
			}
			if got > counts[d.name] {
				t.Errorf("%d statements for %d rows, %d for %d", counts[d.name], few, got, many)
			}
		})
	}
}

func TestNodesAreAStatementPerType(t *testing.T) {
	w := newWorld(t)
	ids := w.busy(t, timesheet.MaxPage/5)
	got := w.query(t, w.people[owner], `query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }`, map[string]any{"ids": ids})
	if got.statements != 5 {
		t.Errorf("%d statements for %d ids of 5 types, want 5", got.statements, len(ids))
	}
	for i, id := range ids {
		if at(got.data, fmt.Sprintf("nodes.%d.id", i)) != id {
			t.Errorf("%d: got %v, want %s", i, at(got.data, fmt.Sprintf("nodes.%d", i)), id)
		}
	}
}
