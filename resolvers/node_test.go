package resolvers_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

func TestNodes(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	gone := w.tag(t)
	w.mutate(t, &v, "deleteTag", map[string]any{"id": gone})
	left := w.person(t)
	w.mutate(t, &v, "removeMember", map[string]any{"userId": left})
	stranger := w.must(t, w.workspace(t, "Other")[owner], "createTag", "tag", map[string]any{"name": "theirs"})
	workspace := at(w.query(t, v, `{ viewer { workspace { id } } }`, nil).data, "viewer.workspace.id").(string)
	ids := []string{
		w.project(t), w.client(t), w.task(t), w.tag(t), w.entry(t, v), w.userID(t, member), workspace,
		gone, left, stranger, "nonsense", "",
	}
	want := []any{"Project", "Client", "Task", "Tag", "TimeEntry", "User", "Workspace", nil, nil, nil, nil, nil}
	got := w.query(t, v, `query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`, map[string]any{"ids": ids})
	for i := range ids {
		if at(got.data, fmt.Sprintf("nodes.%d.__typename", i)) != want[i] {
			t.Errorf("%d: got %v, want %v", i, at(got.data, fmt.Sprintf("nodes.%d", i)), want[i])
		}
		one := w.query(t, v, `query($id: ID!) { node(id: $id) { __typename id } }`, map[string]any{"id": ids[i]})
		if diff := cmp.Diff(at(got.data, fmt.Sprintf("nodes.%d", i)), at(one.data, "node")); diff != "" {
			t.Errorf("node and nodes differ for %v:\n%s", want[i], diff)
		}
	}
	many := w.ask(t.Context(), &v, `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, map[string]any{"ids": make([]string, 101)})
	if code := ruleOf(many.errors); code != timesheet.CodeInvalid {
		t.Errorf("101 ids: got %v, want %s", many.errors, timesheet.CodeInvalid)
	}
}

// Deleted things are no nodes, yet history keeps their names.
func TestHistoryKeepsNames(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	project := w.must(t, v, "createProject", "project", map[string]any{"name": "Website"})
	w.must(t, v, "createTimeEntry", "timeEntry", map[string]any{
		"startedAt": "2026-03-02T08:00:00Z", "endedAt": "2026-03-02T09:00:00Z", "projectId": project,
	})
	w.mutate(t, &v, "deleteProject", map[string]any{"id": project})
	got := w.query(t, v, `query($id: ID!) { node(id: $id) { id } timeEntries(first: 1) { nodes { project { name } } } }`, map[string]any{"id": project})
	want := map[string]any{
		"node":        nil,
		"timeEntries": map[string]any{"nodes": []any{map[string]any{"project": map[string]any{"name": "Website"}}}},
	}
	if diff := cmp.Diff(want, got.data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
