package resolvers_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/timesheet"
)

// What is seen beside an entry is seen by itself with the same fields, or was deleted;
// and what an entry refers to and does not show is not seen by itself either.
func TestJoinsShowWhatIsSeen(t *testing.T) {
	w := newWorld(t)
	w.odd(t)
	w.past(t)
	everything := w.beside(t, w.people[owner])
	hidden, deleted := map[timesheet.Role]int{}, 0
	for _, role := range askers {
		v := w.people[role]
		shown := w.beside(t, v)
		seen := map[string]map[string]any{} // by id
		for at, thing := range shown {
			if everything[at] == nil {
				t.Errorf("%s sees %v at %s, which the owner does not", role, thing, at)
			}
			seen[thing["id"].(string)] = thing
		}
		unseen := map[string]bool{}
		for at, thing := range everything {
			if entry, _, _ := strings.Cut(at, " "); shown[at] == nil && shown[entry+" user"] != nil {
				unseen[thing["id"].(string)] = true
			}
		}
		hidden[role] = len(unseen)
		alone := w.byThemselves(t, v, append(slices.Collect(maps.Keys(seen)), slices.Collect(maps.Keys(unseen))...))
		theirs := w.byThemselves(t, w.people[owner], slices.Collect(maps.Keys(seen)))
		for id, thing := range seen {
			switch {
			case theirs[id] == nil && alone[id] == nil:
				deleted++ // owners see all that is not
			case !reflect.DeepEqual(alone[id], thing):
				t.Errorf("%s sees beside an entry %v, and by itself %v", role, thing, alone[id])
			}
		}
		for id := range unseen {
			if alone[id] != nil {
				t.Errorf("%s sees by itself what is not shown beside their entry: %v", role, alone[id])
			}
		}
	}
	if hidden[member] == 0 || hidden[owner]+hidden[manager]+hidden[viewer] > 0 || deleted == 0 {
		t.Errorf("hidden are %v, deleted %d: the data have no such case, or too many", hidden, deleted)
	}
}

// beside is what all entries that somebody sees refer to, by entry and field.
func (w *world) beside(t *testing.T, v timesheet.Viewer) map[string]map[string]any {
	t.Helper()
	document := "query($after: String) { timeEntries(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { id user { " + w.leaves("User") + " } project { " + w.leaves("Project") +
		" client { " + w.leaves("Client") + " } } task { " + w.leaves("Task") + " } } } }"
	found := map[string]map[string]any{}
	for after, more := any(nil), true; more; {
		got := w.query(t, v, document, map[string]any{"after": after}).data
		for _, node := range at(got, "timeEntries.nodes").([]any) {
			entry := node.(map[string]any)
			for _, field := range []string{"user", "project.client", "project", "task"} {
				if thing, ok := at(entry, field).(map[string]any); ok {
					delete(thing, "client")
					found[fmt.Sprint(entry["id"], " ", field)] = thing
				}
			}
		}
		after, more = at(got, "timeEntries.pageInfo.endCursor"), at(got, "timeEntries.pageInfo.hasNextPage").(bool)
	}
	return found
}

// leaves are the fields of a type that are no objects and need no arguments.
func (w *world) leaves(of string) string {
	return "__typename " + strings.Trim(w.selection(of, 1), "{} ")
}

// byThemselves asks for things by their ids; what is not seen is nil.
func (w *world) byThemselves(t *testing.T, v timesheet.Viewer, ids []string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, of := range []string{"User", "Project", "Client", "Task"} {
		document := "query($ids: [ID!]!) { nodes(ids: $ids) { ... on " + of + " { " + w.leaves(of) + " } } }"
		theirs := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return kindOf(id) != of })
		for part := range slices.Chunk(theirs, timesheet.MaxPage) {
			for i, node := range at(w.query(t, v, document, map[string]any{"ids": part}).data, "nodes").([]any) {
				found[part[i]], _ = node.(map[string]any)
			}
		}
	}
	return found
}

// A timer that is stopped refers to a project that whoever stops it has left: what it
// was stopped by does not tell of it, one by one or both at once.
func TestStoppedTimerOfALeftProject(t *testing.T) {
	const refers = "{ id project { name client { name } } task { name } }"
	for name, stop := range map[string]string{
		"another timer":         "mutation { list: startTimer(input: {}) { it: stopped " + refers + " timeEntry { project { name } } } }",
		"its end":               "mutation { list: stopTimer(input: {}) { it: timeEntry " + refers + " } }",
		"its end, step by step": `mutation { list: stopTimer(input: {idempotencyKey: "key"}) { it: timeEntry ` + refers + " } }",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			olga, mia := w.people[owner], w.people[member]
			project := w.must(t, olga, "createProject", "project", map[string]any{"name": "Bridge", "clientId": w.client(t)})
			task := w.must(t, olga, "createTask", "task", map[string]any{"name": "Pillar", "projectId": project})
			belongs := map[string]any{"projectId": project, "userId": w.userID(t, member)}
			w.must(t, olga, "setProjectMember", "project", belongs)
			timer := w.must(t, mia, "startTimer", "timeEntry", map[string]any{"projectId": project, "taskId": task})
			w.must(t, olga, "removeProjectMember", "project", belongs)
			it := at(w.query(t, mia, stop, nil).data, "list.it").(map[string]any)
			if it["id"] != timer || it["project"] != nil || it["task"] != nil {
				t.Errorf("the timer %s is stopped and says %v", timer, it)
			}
			if seen := w.beside(t, olga); seen[timer+" project"] == nil || seen[timer+" task"] == nil {
				t.Error("the owner does not see what it was for")
			}
		})
	}
}
