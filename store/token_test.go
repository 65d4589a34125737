package store_test

import (
	"errors"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

func TestCreateTokenRights(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	stranger := addWorkspace(t, s, "Other")
	second := addViewer(t, s, owner, "otto", timesheet.RoleOwner)
	admin := addViewer(t, s, owner, "ada", timesheet.RoleAdmin)
	manager := addViewer(t, s, owner, "max", timesheet.RoleManager)
	viewer := addViewer(t, s, owner, "vic", timesheet.RoleViewer)
	placeholder, err := s.EnsureMember(ctx, owner, "Pia", "pia@example.com", timesheet.RolePlaceholder)
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Second)
	for name, c := range map[string]struct {
		asks timesheet.Viewer
		n    store.NewToken
		want timesheet.Code // empty: done
	}{
		"own":                  {viewer, store.NewToken{User: viewer.User, Name: "n", Scope: timesheet.ScopeRead}, ""},
		"owner for an owner":   {owner, store.NewToken{User: second.User, Name: "n", Scope: timesheet.ScopeWrite}, ""},
		"admin for a manager":  {admin, store.NewToken{User: manager.User, Name: "n", Scope: timesheet.ScopeWrite}, ""},
		"admin for an owner":   {admin, store.NewToken{User: owner.User, Name: "n", Scope: timesheet.ScopeWrite}, timesheet.CodeForbidden},
		"manager for another":  {manager, store.NewToken{User: viewer.User, Name: "n", Scope: timesheet.ScopeRead}, timesheet.CodeForbidden},
		"for a placeholder":    {owner, store.NewToken{User: placeholder.ID, Name: "n", Scope: timesheet.ScopeRead}, timesheet.CodeInvalid},
		"for nobody":           {owner, store.NewToken{User: 999, Name: "n", Scope: timesheet.ScopeRead}, timesheet.CodeNotFound},
		"for somebody outside": {owner, store.NewToken{User: stranger.User, Name: "n", Scope: timesheet.ScopeRead}, timesheet.CodeNotFound},
		"without a name":       {owner, store.NewToken{User: owner.User, Scope: timesheet.ScopeRead}, timesheet.CodeInvalid},
		"without a scope":      {owner, store.NewToken{User: owner.User, Name: "n"}, timesheet.CodeInvalid},
		"expired at birth":     {owner, store.NewToken{User: owner.User, Name: "n", Scope: timesheet.ScopeRead, ExpiresAt: &past}, timesheet.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			token, _, err := s.CreateToken(ctx, c.asks, c.n, store.Change{Action: "createToken"})
			if c.want != "" {
				wantCode(t, err, c.want)
				return
			}
			if err != nil || token.UserID != c.n.User || token.Scope != c.n.Scope || token.RevokedAt != nil {
				t.Fatalf("got %+v, %v; want a token as asked", token, err)
			}
			if v, err := s.Viewer(ctx, owner.Workspace.ID, c.n.User, token.ID); err != nil || v.Scope != c.n.Scope {
				t.Errorf("the token lets in %+v (%v)", v, err)
			}
		})
	}
}

func TestRevokeToken(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	ws := owner.Workspace.ID
	stranger := addWorkspace(t, s, "Other")
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	other := addViewer(t, s, owner, "max", timesheet.RoleManager)
	revoke := func(v timesheet.Viewer, id timesheet.TokenID) (timesheet.Token, error) {
		token, _, err := s.RevokeToken(ctx, v, id, store.Change{Action: "revokeToken"})
		return token, err
	}
	own := makeToken(t, s, member, store.NewToken{User: member.User})
	if _, err := s.Viewer(ctx, ws, member.User, own.ID); err != nil {
		t.Fatal(err)
	}
	for _, v := range []timesheet.Viewer{other, stranger} {
		_, err := revoke(v, own.ID)
		wantCode(t, err, timesheet.CodeNotFound)
	}
	first, err := revoke(member, own.ID)
	if err != nil || first.RevokedAt == nil {
		t.Fatalf("revoked: %+v, %v", first, err)
	}
	if _, err := s.Viewer(ctx, ws, member.User, own.ID); !errors.Is(err, store.ErrNoViewer) {
		t.Errorf("the revoked token lets in at the next request: %v", err)
	}
	if again, err := revoke(owner, own.ID); err != nil || !again.RevokedAt.Equal(*first.RevokedAt) {
		t.Errorf("revoking again: %+v, %v; want no change", again, err)
	}
}
