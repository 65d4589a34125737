package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

var inviting = store.Change{Action: "inviteMember"}

func mustInvite(t testing.TB, s *store.Store, v timesheet.Viewer, in store.Invite) store.Invited {
	t.Helper()
	invited, _, err := s.InviteMember(t.Context(), v, in, inviting)
	if err != nil {
		t.Fatalf("invite %s: %v", in.Name, err)
	}
	return invited
}

func TestInviteAndClaim(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	ws := owner.Workspace.ID
	invited := mustInvite(t, s, owner, store.Invite{Name: "Ina", Email: "ina@example.com", Role: timesheet.RoleManager})
	if left := time.Until(invited.ExpiresAt); left < 6*24*time.Hour || left > 7*24*time.Hour {
		t.Errorf("the invitation is good for %v, want 7 days", left)
	}
	key, name := "k1", "Ina Maria"
	token, v, err := s.ClaimInvite(ctx, ws, invited.User.ID, invited.ClaimID, &name, &key)
	if err != nil {
		t.Fatal(err)
	}
	self, err := s.MemberByEmail(ctx, owner, "ina@example.com")
	if err != nil || self.Name != name || self.ID != invited.User.ID {
		t.Errorf("the member is %+v (%v), want %s with id %d", self, err, name, invited.User.ID)
	}
	want := timesheet.Viewer{Workspace: owner.Workspace, User: self.ID, Role: timesheet.RoleManager, Token: token.ID, Scope: timesheet.ScopeWrite, Self: self}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("viewer after the claim (-want +got):\n%s", diff)
	}
	again, _, err := s.ClaimInvite(ctx, ws, invited.User.ID, invited.ClaimID, &name, &key)
	if err != nil || again.ID != token.ID {
		t.Errorf("the repeat gave token %d (%v), want %d", again.ID, err, token.ID)
	}
	_, _, err = s.ClaimInvite(ctx, ws, invited.User.ID, invited.ClaimID, &name, nil)
	wantCode(t, err, timesheet.CodeInvalidClaim)
	_, _, err = s.InviteMember(ctx, owner, store.Invite{Name: "Ina", Email: "INA@example.com", Role: timesheet.RoleMember}, inviting)
	wantCode(t, err, timesheet.CodeNameTaken)
}

// A claim repeated with its key lets nobody in who has left since.
func TestClaimRepeatedAfterRemoval(t *testing.T) {
	s, owner := newWorkspace(t)
	invited := mustInvite(t, s, owner, store.Invite{Name: "Ina", Email: "ina@example.com", Role: timesheet.RoleMember})
	key := "k1"
	if _, _, err := s.ClaimInvite(t.Context(), owner.Workspace.ID, invited.User.ID, invited.ClaimID, nil, &key); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.RemoveMember(t.Context(), owner, invited.User.ID, store.Change{}); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.ClaimInvite(t.Context(), owner.Workspace.ID, invited.User.ID, invited.ClaimID, nil, &key)
	wantCode(t, err, timesheet.CodeInvalidClaim)
}

func TestClaimRefuses(t *testing.T) {
	s, owner, conn := newDatabase(t)
	ws := owner.Workspace.ID
	invite := func(email string) store.Invited {
		return mustInvite(t, s, owner, store.Invite{Name: "I", Email: email, Role: timesheet.RoleMember})
	}
	expired, renewed, removed, good := invite("a@example.com"), invite("b@example.com"), invite("c@example.com"), invite("d@example.com")
	mustExec(t, conn, `UPDATE membership SET claim_expires_at = now() WHERE user_id = $1`, expired.User.ID)
	invite("b@example.com")
	if _, _, err := s.RemoveMember(t.Context(), owner, removed.User.ID, store.Change{}); err != nil {
		t.Fatal(err)
	}
	other := addWorkspace(t, s, "Other")
	key, badName := "key", "a\x07b"
	for name, c := range map[string]struct {
		ws    timesheet.WorkspaceID
		user  timesheet.UserID
		claim int64
		name  *string
		want  timesheet.Code
	}{
		"expired":               {ws, expired.User.ID, expired.ClaimID, nil, timesheet.CodeInvalidClaim},
		"replaced by a new one": {ws, renewed.User.ID, renewed.ClaimID, nil, timesheet.CodeInvalidClaim},
		"removed":               {ws, removed.User.ID, removed.ClaimID, nil, timesheet.CodeInvalidClaim},
		"another's":             {ws, owner.User, good.ClaimID, nil, timesheet.CodeInvalidClaim},
		"of another workspace":  {other.Workspace.ID, good.User.ID, good.ClaimID, nil, timesheet.CodeInvalidClaim},
		"unknown":               {ws, 999, 999, nil, timesheet.CodeInvalidClaim},
		"bad name":              {ws, good.User.ID, good.ClaimID, &badName, timesheet.CodeInvalid},
	} {
		for _, k := range []*string{nil, &key} {
			_, _, err := s.ClaimInvite(t.Context(), c.ws, c.user, c.claim, c.name, k)
			t.Run(name, func(t *testing.T) { wantCode(t, err, c.want) })
		}
	}
}

func TestInviteRenewsAndAdopts(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	first := mustInvite(t, s, owner, store.Invite{Name: "Ina", Email: "ina@example.com", Role: timesheet.RoleMember})
	second := mustInvite(t, s, owner, store.Invite{Name: "Ina B.", Email: "ina@example.com", Role: timesheet.RoleViewer})
	if second.User.ID != first.User.ID || second.ClaimID == first.ClaimID || second.User.Role != timesheet.RoleViewer || second.User.Name != "Ina B." {
		t.Errorf("renewed: %+v after %+v; want the same person with a new claim, role and name", second, first)
	}
	pia, err := s.EnsureMember(ctx, owner, "Pia", "pia@example.com", timesheet.RolePlaceholder)
	if err != nil {
		t.Fatal(err)
	}
	// A placeholder of an import has no account.
	adopted, _, err := s.InviteMember(ctx, owner, store.Invite{Name: "Pia", Email: "pia@example.com", Role: timesheet.RoleMember}, inviting)
	if err != nil || adopted.User.ID != pia.ID {
		t.Errorf("inviting a placeholder gave user %d (%v), want %d", adopted.User.ID, err, pia.ID)
	}
	key := "again"
	ch := store.Change{Action: "inviteMember", Key: &key, Input: "x"}
	in := store.Invite{Name: "Rea", Email: "rea@example.com", Role: timesheet.RoleMember}
	one, _, err := s.InviteMember(ctx, owner, in, ch)
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := s.InviteMember(ctx, owner, in, ch)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("a repeat answers alike (-first +second):\n%s", diff)
	}
}

func TestInviteRights(t *testing.T) {
	s, owner := newWorkspace(t)
	admin := addViewer(t, s, owner, "ada", timesheet.RoleAdmin)
	manager := addViewer(t, s, owner, "max", timesheet.RoleManager)
	waiting := mustInvite(t, s, owner, store.Invite{Name: "O", Email: "o2@example.com", Role: timesheet.RoleOwner})
	for name, c := range map[string]struct {
		asks timesheet.Viewer
		in   store.Invite
		want timesheet.Code
	}{
		"a manager":                      {manager, store.Invite{Name: "A", Email: "a@example.com", Role: timesheet.RoleMember}, timesheet.CodeForbidden},
		"an admin, an owner":             {admin, store.Invite{Name: "A", Email: "a@example.com", Role: timesheet.RoleOwner}, timesheet.CodeForbidden},
		"an admin, an invited owner":     {admin, store.Invite{Name: "A", Email: *waiting.User.Email, Role: timesheet.RoleMember}, timesheet.CodeForbidden},
		"nobody invites as placeholder":  {owner, store.Invite{Name: "A", Email: "a@example.com", Role: timesheet.RolePlaceholder}, timesheet.CodeInvalid},
		"nobody invites as anything odd": {owner, store.Invite{Name: "A", Email: "a@example.com", Role: "KING"}, timesheet.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := s.InviteMember(t.Context(), c.asks, c.in, inviting)
			wantCode(t, err, c.want)
		})
	}
}
