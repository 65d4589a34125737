package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headroom/store"
	"headroom/timesheet"
)

func TestAuditLog(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	owner.Token = makeToken(t, s, owner, store.NewToken{User: owner.User}).ID
	rename := func(name string) {
		t.Helper()
		in := timesheet.WorkspaceInput{Name: timesheet.Some(name)}
		ch := store.Change{Action: "updateWorkspace", Input: map[string]string{"name": name}}
		if _, _, err := s.UpdateWorkspace(ctx, owner, in, nil, ch); err != nil {
			t.Fatal(err)
		}
	}
	rename("One")
	rename("Two")
	other := addWorkspace(t, s, "Other")

	log, err := s.AuditLog(ctx, owner, timesheet.Page{First: 2})
	if err != nil {
		t.Fatal(err)
	}
	ws := owner.Workspace
	event := func(changes string) timesheet.AuditEvent {
		return timesheet.AuditEvent{
			ActorID: &owner.User, TokenID: &owner.Token, Action: "updateWorkspace",
			Entity: "Workspace", EntityID: idText(ws.ID), Changes: changes,
		}
	}
	want := []timesheet.AuditEvent{event(`{"name": "Two"}`), event(`{"name": "One"}`)}
	if diff := cmp.Diff(want, log.Nodes, cmpopts.IgnoreFields(timesheet.AuditEvent{}, "ID", "At")); diff != "" {
		t.Errorf("newest events (-want +got):\n%s", diff)
	}
	rest, err := s.AuditLog(ctx, owner, timesheet.Page{First: 100, After: log.Cursor(1)})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range rest.Nodes {
		actions = append(actions, e.Action)
	}
	if diff := cmp.Diff([]string{"createToken", "ensureMember"}, actions); diff != "" {
		t.Errorf("older events (-want +got):\n%s", diff)
	}
	if total, err := log.Total(ctx); err != nil || total != 4 {
		t.Errorf("total %d (%v), want 4", total, err)
	}
	if none, err := s.AuditLog(ctx, other, timesheet.Page{Last: 5}); err != nil || len(none.Nodes) != 0 {
		t.Errorf("another workspace's log has %v (%v)", none.Nodes, err)
	}
	for _, role := range []timesheet.Role{timesheet.RoleManager, timesheet.RoleMember, timesheet.RoleViewer} {
		member.Role = role
		_, err = s.AuditLog(ctx, member, timesheet.Page{First: 1})
		wantCode(t, err, timesheet.CodeForbidden)
	}
}

func TestForgetKeys(t *testing.T) {
	s, owner, conn := newDatabase(t)
	mustExec(t, conn, `
INSERT INTO idempotency (workspace_id, user_id, key, input_hash, created_at)
SELECT $1, $2, 'key' || n, '', now() - CASE WHEN n <= 2500 THEN interval '73 hours' ELSE interval '71 hours' END
FROM generate_series(1, 2507) n`, owner.Workspace.ID, owner.User)
	forgotten, err := s.ForgetKeys(t.Context())
	if err != nil || forgotten != 2500 {
		t.Errorf("forgot %d keys (%v), want 2500", forgotten, err)
	}
	if left := ask[int](t, conn, `SELECT count(*) FROM idempotency`); left != 7 {
		t.Errorf("%d keys are left, want 7", left)
	}
}
