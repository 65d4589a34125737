package resolvers_test

import (
	"strings"
	"testing"

	"headroom/timesheet"
)

// The rule and the field that is to blame, by their names in the API.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	client := w.must(t, v, "createClient", "client", map[string]any{"name": "Acme"})
	archived := w.project(t)
	w.must(t, v, "archiveProject", "project", map[string]any{"id": archived})
	taken := w.must(t, v, "createProject", "project", map[string]any{"name": "Website", "clientId": client})
	span := map[string]any{"startedAt": "2026-03-02T08:00:00Z", "endedAt": "2026-03-02T09:00:00Z"}
	with := func(field string, value any) map[string]any {
		input := map[string]any{field: value}
		for name, given := range span {
			if name != field {
				input[name] = given
			}
		}
		return input
	}
	tests := []struct {
		name, mutation string
		input          map[string]any
		code           timesheet.Code
		field          any
	}{
		{"a reason without end", "lockPeriod", map[string]any{"through": "2024-01-31", "reason": strings.Repeat("é", timesheet.MaxDescription+1)}, timesheet.CodeInvalid, "reason"},
		{"a reason that no database stores", "unlockPeriod", map[string]any{"reason": "a\x00b"}, timesheet.CodeInvalid, "reason"},
		{"no timer", "stopTimer", map[string]any{}, timesheet.CodeNotRunning, nil},
		{"nothing to discard", "discardTimer", map[string]any{}, timesheet.CodeNotRunning, nil},
		{"empty name", "createClient", map[string]any{"name": " "}, timesheet.CodeInvalid, "name"},
		{"name taken", "createClient", map[string]any{"name": "ACME"}, timesheet.CodeNameTaken, "name"},
		{"name taken by a project", "createProject", map[string]any{"name": "website", "clientId": client}, timesheet.CodeNameTaken, "name"},
		{"bad colour", "createProject", map[string]any{"name": "x", "color": "red"}, timesheet.CodeInvalid, "color"},
		{"client of another type", "createProject", map[string]any{"name": "x", "clientId": taken}, notFound, "clientId"},
		{"negative estimate", "createTask", map[string]any{"projectId": taken, "name": "x", "estimateSeconds": -1}, timesheet.CodeInvalid, "estimateSeconds"},
		{"task of no project", "createTask", map[string]any{"projectId": client, "name": "x"}, notFound, "projectId"},
		{"end before start", "createTimeEntry", with("endedAt", "2026-03-02T07:00:00Z"), timesheet.CodeEndBeforeStart, "endedAt"},
		{"eight days", "createTimeEntry", with("endedAt", "2026-03-10T08:00:00Z"), timesheet.CodeTooLong, "endedAt"},
		{"before 1970", "createTimeEntry", with("startedAt", "1969-12-31T00:00:00Z"), timesheet.CodeOutOfRange, "startedAt"},
		{"archived project", "createTimeEntry", with("projectId", archived), timesheet.CodeArchived, "projectId"},
		{"task without project", "createTimeEntry", with("taskId", w.task(t)), timesheet.CodeInvalid, "taskId"},
		{"unknown tag", "createTimeEntry", with("tagIds", []string{"nonsense"}), notFound, "tagIds"},
		{"unknown person", "createTimeEntry", with("userId", client), notFound, "userId"},
		{"no version 7", "createTimeEntry", with("id", "01890a5d-ac96-4774-8cce-b302099a8057"), timesheet.CodeInvalid, "id"},
		{"no entry", "continueEntry", map[string]any{"id": client}, notFound, "id"},
		{"no entries", "bulkEditTimeEntries", map[string]any{"ids": []string{}, "description": "x"}, timesheet.CodeInvalid, "ids"},
		{"last owner", "setRole", map[string]any{"userId": w.userID(t, owner), "role": "ADMIN"}, timesheet.CodeLastOwner, "userId"},
		{"placeholders are not made", "setRole", map[string]any{"userId": w.userID(t, member), "role": "PLACEHOLDER"}, timesheet.CodeInvalid, "role"},
		{"no address", "inviteMember", map[string]any{"name": "x", "email": "x", "role": "MEMBER"}, timesheet.CodeInvalid, "email"},
		{"forged claim", "claimInvite", map[string]any{"claim": "forged"}, timesheet.CodeInvalidClaim, "claim"},
		{"unknown claim", "claimInvite", map[string]any{"claim": mintClaim(v.Workspace.ID, v.User, 1)}, timesheet.CodeInvalidClaim, "claim"},
		{"token of the past", "createToken", map[string]any{"name": "x", "expiresAt": "2020-01-01T00:00:00Z"}, timesheet.CodeInvalid, "expiresAt"},
		{"no token", "revokeToken", map[string]any{"id": client}, notFound, "id"},
		{"export of a reversed period", "reportExportCreate", map[string]any{"period": map[string]any{"from": "2024-02-01", "to": "2024-01-01"}}, timesheet.CodeInvalid, "period"},
		{"export of nobody", "reportExportCreate", map[string]any{"period": map[string]any{"from": "2024-01-01", "to": "2024-02-01"}, "filter": map[string]any{"userIds": []any{client}}}, notFound, "filter.userIds"},
		{"export by one key twice", "reportExportCreate", map[string]any{"period": map[string]any{"from": "2024-01-01", "to": "2024-02-01"}, "groupBy": []any{"DAY", "DAY"}}, timesheet.CodeInvalid, "groupBy"},
		{"no export", "reportExportCancel", map[string]any{"id": client}, notFound, "id"},
		{"empty key", "createTag", map[string]any{"name": "x", "idempotencyKey": ""}, timesheet.CodeInvalid, "idempotencyKey"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.mutate(t, &v, test.mutation, test.input)
			if got.code() != test.code || at(got, "userErrors.0.field") != test.field {
				t.Errorf("got %v, want %s of %v", got["userErrors"], test.code, test.field)
			}
			if message, _ := at(got, "userErrors.0.message").(string); message == "" {
				t.Error("there is no message")
			}
		})
	}
}

func TestOneTimerAtATime(t *testing.T) {
	w := newWorld(t)
	v := w.people[member]
	w.timer(t, v)
	refused := w.mutate(t, &v, "startTimer", map[string]any{"description": "second", "ifRunning": "FAIL"})
	if refused.code() != timesheet.CodeAlreadyRunning || refused["timeEntry"] != nil || refused["stopped"] != nil {
		t.Errorf("got %v, want %s and nothing else", refused, timesheet.CodeAlreadyRunning)
	}
	w.mutate(t, &v, "startTimer", map[string]any{"description": "third"})
	stopped := w.mutate(t, &v, "stopTimer", map[string]any{})
	if at(stopped, "timeEntry.description") != "third" {
		t.Errorf("stopped %v, want the third", stopped)
	}
	id := at(stopped, "timeEntry.id")
	if again := w.mutate(t, &v, "stopTimer", map[string]any{"id": id}); again.code() != "" || at(again, "timeEntry.version") != at(stopped, "timeEntry.version") {
		t.Errorf("stopped twice: got %v, want the same entry in the same version", again)
	}
}
