package resolvers_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

func TestLeftOutNullAndValueDiffer(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	client := w.client(t)
	id := w.must(t, v, "createProject", "project", map[string]any{"name": "Website", "clientId": client, "code": "W", "color": "#112233"})
	tests := []struct {
		name  string
		input map[string]any
		want  map[string]any
	}{
		{"left out", map[string]any{"billable": false}, map[string]any{"name": "Website", "code": "W", "color": "#112233", "billable": false}},
		{"null empties what can be empty", map[string]any{"code": nil}, map[string]any{"code": nil, "color": "#112233"}},
		{"null leaves what cannot", map[string]any{"name": nil, "billable": nil}, map[string]any{"name": "Website", "billable": false}},
		{"a value", map[string]any{"code": "X"}, map[string]any{"code": "X"}},
		{"null takes a reference away", map[string]any{"clientId": nil}, map[string]any{"client": nil}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.input["id"] = id
			got := w.mutate(t, &v, "updateProject", test.input)
			for field, want := range test.want {
				if value := at(got, "project."+field); value != want {
					t.Errorf("%s is %v, want %v: %v", field, value, want, got)
				}
			}
		})
	}
}

// A variable that was not provided is left out, not null.
func TestAMissingVariableIsLeftOut(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	id := w.must(t, v, "createProject", "project", map[string]any{"name": "Website", "code": "W"})
	got := w.query(t, v, `mutation($id: ID!, $code: String) { updateProject(input: {id: $id, code: $code, billable: false}) { project { code billable } } }`,
		map[string]any{"id": id})
	want := map[string]any{"code": "W", "billable": false}
	if diff := cmp.Diff(want, at(got.data, "updateProject.project")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAConflictShowsTheObjectAsItIs(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	id := w.must(t, v, "createClient", "client", map[string]any{"name": "Acme"})
	w.must(t, v, "updateClient", "client", map[string]any{"id": id, "name": "Acme & Co"})
	for mutation, input := range map[string]map[string]any{
		"updateClient":  {"id": id, "name": "mine", "expectedVersion": 1},
		"archiveClient": {"id": id, "expectedVersion": 1},
		"deleteClient":  {"id": id, "expectedVersion": 1},
	} {
		got := w.mutate(t, &v, mutation, input)
		if got.code() != timesheet.CodeVersionConflict {
			t.Errorf("%s: got %q, want %q", mutation, got.code(), timesheet.CodeVersionConflict)
		}
		if mutation == "deleteClient" {
			if got["deletedId"] != nil {
				t.Errorf("%s: nothing was deleted, yet deletedId is %v", mutation, got["deletedId"])
			}
			continue
		}
		if at(got, "client.name") != "Acme & Co" || at(got, "client.version") != 2.0 {
			t.Errorf("%s: got %v, want Acme & Co in version 2", mutation, got)
		}
	}
}

// Wrong ids of all kinds are answered like ids of things that never existed.
func TestIDsCannotBeProbed(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	theirs := w.workspace(t, "Other")[owner]
	stranger := w.must(t, theirs, "createProject", "project", map[string]any{"name": "Secret"})
	gone := w.project(t)
	w.mutate(t, &v, "deleteProject", map[string]any{"id": gone})
	var want payload
	for name, id := range map[string]string{
		"another workspace's": stranger, "another type's": w.client(t), "deleted": gone, "nonsense": "?", "empty": "",
	} {
		got := w.mutate(t, &v, "updateProject", map[string]any{"id": id, "name": "mine"})
		if got.code() != notFound {
			t.Errorf("%s: got %v, want %s", name, got, notFound)
		}
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is told apart:\n%s", name, diff)
		}
	}
}

// The audit log keeps the input as it was sent, without what is no part of it.
func TestTheAuditLogShowsTheInput(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	id := w.must(t, v, "createProject", "project", map[string]any{"name": "Website", "code": nil, "idempotencyKey": "secret"})
	got := w.query(t, v, `{ auditLog(first: 1) { totalCount nodes { id at action entity entityId changes actor { name email } } } }`, nil)
	event := at(got.data, "auditLog.nodes.0").(map[string]any)
	var changes map[string]any
	if err := json.Unmarshal([]byte(event["changes"].(string)), &changes); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"name": "Website", "code": nil}, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	for field, want := range map[string]any{"action": "createProject", "entity": "Project", "entityId": id} {
		if event[field] != want {
			t.Errorf("%s is %v, want %v", field, event[field], want)
		}
	}
	if name := at(event, "actor.name"); name != "Olga" {
		t.Errorf("the actor is %v, want Olga", name)
	}
}

// Each mutation of a document sees what the ones before it have changed.
func TestMutationsOfADocumentSeeEachOther(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	project := w.must(t, v, "createProject", "project", map[string]any{"name": "before"})
	got := w.query(t, v, `mutation($project: ID!) {
		one: createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z", projectId: $project}) { timeEntry { project { name } } }
		updateProject(input: {id: $project, name: "after"}) { project { name } }
		two: createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z", projectId: $project}) { timeEntry { project { name } } }
	}`, map[string]any{"project": project})
	for path, want := range map[string]string{
		"one.timeEntry.project.name": "before", "updateProject.project.name": "after", "two.timeEntry.project.name": "after",
	} {
		if at(got.data, path) != want {
			t.Errorf("%s is %v, want %s", path, at(got.data, path), want)
		}
	}
}
