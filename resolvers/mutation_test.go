package resolvers_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

// allowed says what each role is told: an empty code where it may.
type allowed map[timesheet.Role]timesheet.Code

const (
	owner, admin, manager = timesheet.RoleOwner, timesheet.RoleAdmin, timesheet.RoleManager
	member, viewer        = timesheet.RoleMember, timesheet.RoleViewer

	forbidden, notFound = timesheet.CodeForbidden, timesheet.CodeNotFound
)

var (
	everybody = allowed{owner: "", admin: "", manager: "", member: "", viewer: ""}
	trackers  = allowed{owner: "", admin: "", manager: "", member: "", viewer: forbidden}
	leaders   = allowed{owner: "", admin: "", manager: "", member: forbidden, viewer: forbidden}
	admins    = allowed{owner: "", admin: "", manager: forbidden, member: forbidden, viewer: forbidden}
	// unseen things are not found by members, and not changed by managers who
	// do not lead them.
	unseen       = allowed{owner: "", admin: "", manager: forbidden, member: notFound, viewer: forbidden}
	unseenClient = allowed{owner: "", admin: "", manager: "", member: notFound, viewer: forbidden}
)

// mutations are all of the schema's: an input that succeeds for those who may,
// and what comes of it.
var mutations = []struct {
	name  string
	input func(w *world, t testing.TB, v timesheet.Viewer) map[string]any
	want  map[string]any // values of the payload by path; "*" is anything but null
	roles allowed
}{
	{"createClient", func(w *world, _ testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"name": " " + w.name() + "\t"}
	}, map[string]any{"client.id": "*", "client.archived": false, "client.version": 1.0}, leaders},
	{"updateClient", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.client(t), "name": w.name(), "expectedVersion": 1}
	}, map[string]any{"client.version": 2.0}, unseenClient},
	{"archiveClient", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.client(t)}
	}, map[string]any{"client.archived": true, "client.version": 2.0}, unseenClient},
	{"deleteClient", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.client(t), "expectedVersion": 1}
	}, map[string]any{"deletedId": "*"}, unseen},

	{"createProject", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"name": w.name(), "clientId": w.client(t), "code": "P1", "color": "#1a2b3c", "billable": false}
	}, map[string]any{"project.code": "P1", "project.color": "#1a2b3c", "project.billable": false, "project.client.id": "*"}, leaders},
	{"updateProject", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.project(t), "code": "P2"}
	}, map[string]any{"project.code": "P2", "project.version": 2.0, "project.client": nil, "project.rateOrder.0": "TASK"}, unseen},
	{"archiveProject", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.project(t), "archived": true}
	}, map[string]any{"project.archived": true}, unseen},
	{"deleteProject", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.project(t)}
	}, map[string]any{"deletedId": "*"}, unseen},
	{"setProjectMember", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"projectId": w.project(t), "userId": w.person(t), "lead": true}
	}, map[string]any{"project.id": "*"}, unseen},
	{"removeProjectMember", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		in := map[string]any{"projectId": w.project(t), "userId": w.person(t)}
		w.must(t, w.people[owner], "setProjectMember", "project", in)
		return in
	}, map[string]any{"project.id": "*"}, unseen},

	{"createTask", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"projectId": w.project(t), "name": w.name(), "estimateSeconds": 1 << 40, "billable": nil}
	}, map[string]any{"task.estimateSeconds": float64(1 << 40), "task.billable": nil, "task.project.id": "*"}, unseen},
	{"updateTask", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.task(t), "done": true, "billable": false}
	}, map[string]any{"task.done": true, "task.billable": false, "task.version": 2.0}, unseen},
	{"archiveTask", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.task(t)}
	}, map[string]any{"task.archived": true}, unseen},
	{"deleteTask", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.task(t)}
	}, map[string]any{"deletedId": "*"}, unseen},

	{"createTag", func(w *world, _ testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"name": w.name()}
	}, map[string]any{"tag.version": 1.0}, leaders},
	{"updateTag", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.tag(t), "name": w.name()}
	}, map[string]any{"tag.version": 2.0}, leaders},
	{"archiveTag", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.tag(t)}
	}, map[string]any{"tag.archived": true}, leaders},
	{"deleteTag", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.tag(t)}
	}, map[string]any{"deletedId": "*"}, admins},

	{"startTimer", func(w *world, t testing.TB, v timesheet.Viewer) map[string]any {
		w.timer(t, v)
		return map[string]any{"description": "more thinking", "tagIds": []string{w.tag(t)}}
	}, map[string]any{
		"timeEntry.description": "more thinking", "timeEntry.endedAt": nil, "timeEntry.seconds": nil, "timeEntry.amount": nil,
		"timeEntry.tags.0.id": "*", "stopped.description": "thinking", "stopped.endedAt": "*",
	}, trackers},
	{"stopTimer", func(w *world, t testing.TB, v timesheet.Viewer) map[string]any {
		w.timer(t, v)
		return map[string]any{}
	}, map[string]any{"timeEntry.endedAt": "*", "timeEntry.amount.minor": 0.0, "timeEntry.amount.currency": "EUR"}, trackers},
	{"continueEntry", func(w *world, t testing.TB, v timesheet.Viewer) map[string]any {
		if v.Role == viewer {
			v = w.people[owner]
		}
		return map[string]any{"id": w.entry(t, v)}
	}, map[string]any{"timeEntry.endedAt": nil}, trackers},
	{"discardTimer", func(w *world, t testing.TB, v timesheet.Viewer) map[string]any {
		w.timer(t, v)
		return map[string]any{}
	}, map[string]any{"deletedId": "*"}, trackers},

	{"createTimeEntry", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{
			"id":        fmt.Sprintf("01890a5d-ac96-774b-bcce-%012x", w.names.Add(1)),
			"startedAt": "2026-03-02T22:30:00.7Z", "endedAt": "2026-03-02T23:00:00Z", "tagIds": []string{w.tag(t)}, "billable": true,
		}
	}, map[string]any{
		"timeEntry.startedAt": "2026-03-02T22:30:00Z", "timeEntry.day": "2026-03-03", "timeEntry.seconds": 1800.0,
		"timeEntry.billable": true, "timeEntry.user.id": "*",
	}, trackers},
	{"updateTimeEntry", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.entry(t, w.people[owner]), "endedAt": "2026-03-02T10:00:00Z", "description": "longer", "expectedVersion": 1}
	}, map[string]any{"timeEntry.seconds": 7200.0, "timeEntry.description": "longer", "timeEntry.startedAt": "2026-03-02T08:00:00Z"}, unseen},
	{"deleteTimeEntry", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.entry(t, w.people[owner])}
	}, map[string]any{"deletedId": "*"}, unseen},
	{"restoreTimeEntry", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		in := map[string]any{"id": w.entry(t, w.people[owner])}
		w.mutate(t, new(w.people[owner]), "deleteTimeEntry", in)
		return in
	}, map[string]any{"timeEntry.seconds": 3600.0}, unseen},
	{"bulkEditTimeEntries", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"ids": []string{w.entry(t, w.people[owner]), "nonsense", w.entry(t, w.people[owner])}, "description": "bulk"}
	}, map[string]any{
		"results.0.id": "*", "results.1.id": "nonsense", "results.1.timeEntry": nil, "results.1.userErrors.0.code": "NOT_FOUND",
	}, trackers},

	{"updateWorkspace", func(w *world, _ testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"name": w.name(), "weekStart": "SUNDAY", "overlapPolicy": "ALLOW"}
	}, map[string]any{"workspace.weekStart": "SUNDAY", "workspace.timeZone": "Europe/Bucharest", "workspace.currency": "EUR", "workspace.pendingTimeZone": nil}, admins},
	{"setBudget", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"projectId": w.project(t), "seconds": 36000, "period": "MONTHLY"}
	}, map[string]any{"project.budget.seconds": 36000.0, "project.budget.period": "MONTHLY", "project.budget.alerts.2": 100.0, "project.burn.percent": 0.0}, unseen},
	{"setRate", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"projectId": w.project(t), "userId": w.person(t), "minor": 7500, "effectiveFrom": "2026-01-01", "applyTo": "UNINVOICED"}
	}, map[string]any{"rate.scope": "PROJECT_MEMBER", "rate.amount.minor": 7500.0, "rate.amount.currency": "EUR", "rate.effectiveFrom": "2026-01-01", "rate.project.id": "*", "rate.user.id": "*", "repriced": 0.0}, unseen},
	{"lockPeriod", func(w *world, _ testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"through": "1990-12-31", "reason": "audited"}
	}, map[string]any{"workspace.lockedThrough": "1990-12-31"}, admins},
	{"unlockPeriod", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		w.mutate(t, new(w.people[owner]), "lockPeriod", map[string]any{"through": "1990-12-31"})
		return map[string]any{"keepThrough": "1980-12-31", "reason": "one is missing"}
	}, map[string]any{"workspace.lockedThrough": "1980-12-31"}, admins},
	{"inviteMember", func(w *world, _ testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"name": w.name(), "email": fmt.Sprintf("p%d@acme.example", w.names.Add(1)), "role": "MANAGER"}
	}, map[string]any{"user.role": "MANAGER", "user.email": "*", "claim": "*", "expiresAt": "*"}, admins},
	{"claimInvite", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		in := map[string]any{"name": w.name(), "email": fmt.Sprintf("p%d@acme.example", w.names.Add(1)), "role": "MEMBER"}
		invited := w.mutate(t, new(w.people[owner]), "inviteMember", in)
		return map[string]any{"claim": invited["claim"], "name": "Claudia"}
	}, map[string]any{"token": "*", "user.name": "Claudia", "user.role": "MEMBER", "user.email": "*"}, everybody},
	{"setRole", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"userId": w.person(t), "role": "VIEWER"}
	}, map[string]any{"user.role": "VIEWER"}, admins},
	{"removeMember", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"userId": w.person(t)}
	}, map[string]any{"deletedId": "*"}, admins},
	{"createToken", func(w *world, _ testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"name": w.name(), "scope": "READ", "expiresAt": "2100-01-01T00:00:00+01:00"}
	}, map[string]any{"token.scope": "READ", "token.expiresAt": "2099-12-31T23:00:00Z", "token.user.id": "*", "text": "*"}, everybody},
	{"revokeToken", func(w *world, t testing.TB, _ timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.must(t, w.people[owner], "createToken", "token", map[string]any{"name": w.name()})}
	}, map[string]any{"deletedId": "*"}, allowed{owner: "", admin: "", manager: notFound, member: notFound, viewer: notFound}},
	{"reportExportCancel", func(w *world, t testing.TB, v timesheet.Viewer) map[string]any {
		return map[string]any{"id": w.must(t, v, "reportExportCreate", "reportExport", anExport())}
	}, map[string]any{"reportExport.status": "CANCELED", "reportExport.url": nil, "reportExport.finishedAt": "*"}, everybody},
	{"reportExportCreate", func(*world, testing.TB, timesheet.Viewer) map[string]any {
		return anExport()
	}, map[string]any{"reportExport.status": "QUEUED", "reportExport.format": "JSONL", "reportExport.url": "*", "reportExport.bytes": nil}, everybody},
}

func anExport() map[string]any {
	return map[string]any{"period": map[string]any{"from": "2024-01-01", "to": "2024-12-31"}, "format": "JSONL"}
}

func TestEveryMutationIsTested(t *testing.T) {
	var got, want []string
	for _, m := range mutations {
		got = append(got, m.name)
	}
	for _, f := range newWorld(t).schema.Mutation.Fields {
		want = append(want, f.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mutations of the tests (-schema +tests):\n%s", diff)
	}
}

func TestMutations(t *testing.T) {
	w := newWorld(t)
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			v := w.people[owner]
			got := w.mutate(t, &v, m.name, m.input(w, t, v))
			if code := got.code(); code != "" {
				t.Fatalf("refused: %v", got["userErrors"])
			}
			for path, want := range m.want {
				value := at(got, path)
				if want == "*" && value == nil || want != "*" && value != want {
					t.Errorf("%s is %v, want %v, in %v", path, value, want, got)
				}
			}
		})
	}
}

// Whoever may not is told why in the payload, and nothing else is in it.
func TestMutationsByRole(t *testing.T) {
	w := newWorld(t)
	for _, m := range mutations {
		for _, role := range roles {
			t.Run(m.name+"/"+string(role), func(t *testing.T) {
				v := w.people[role]
				got := w.mutate(t, &v, m.name, m.input(w, t, v))
				want := m.roles[role]
				if got.code() != want {
					t.Fatalf("got %q, want %q: %v", got.code(), want, got)
				}
				for field, value := range got {
					if want != "" && field != "userErrors" && value != nil && len(asList(value)) > 0 {
						t.Errorf("a refusal holds %s: %v", field, value)
					}
				}
			})
		}
	}
}

// asList is a list, or a list of one thing.
func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}
