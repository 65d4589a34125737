package store_test

import (
	"errors"
	"sync"
	"testing"

	"headroom/store"
	"headroom/timesheet"
)

var (
	setting  = store.Change{Action: "setRole"}
	removing = store.Change{Action: "removeMember"}
)

func TestSetRole(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	admin := addViewer(t, s, owner, "ada", timesheet.RoleAdmin)
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	manager := addViewer(t, s, owner, "max", timesheet.RoleManager)
	placeholder, err := s.EnsureMember(ctx, owner, "Pia", "pia@example.com", timesheet.RolePlaceholder)
	if err != nil {
		t.Fatal(err)
	}
	stranger := addWorkspace(t, s, "Other")
	for name, c := range map[string]struct {
		asks timesheet.Viewer
		whom timesheet.UserID
		role timesheet.Role
		want timesheet.Code // empty: done
	}{
		"admin promotes a member":        {admin, member.User, timesheet.RoleManager, ""},
		"admin makes an owner":           {admin, member.User, timesheet.RoleOwner, timesheet.CodeForbidden},
		"admin demotes an owner":         {admin, owner.User, timesheet.RoleMember, timesheet.CodeForbidden},
		"manager promotes":               {manager, member.User, timesheet.RoleManager, timesheet.CodeForbidden},
		"member promotes themselves":     {member, member.User, timesheet.RoleOwner, timesheet.CodeForbidden},
		"last owner steps down":          {owner, owner.User, timesheet.RoleAdmin, timesheet.CodeLastOwner},
		"last owner stays owner":         {owner, owner.User, timesheet.RoleOwner, ""},
		"a placeholder becomes a member": {owner, placeholder.ID, timesheet.RoleMember, timesheet.CodeInvalid},
		"a member becomes a placeholder": {owner, member.User, timesheet.RolePlaceholder, timesheet.CodeInvalid},
		"nobody":                         {owner, 999, timesheet.RoleMember, timesheet.CodeNotFound},
		"somebody elsewhere":             {owner, stranger.User, timesheet.RoleMember, timesheet.CodeNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			user, _, err := s.SetRole(ctx, c.asks, c.whom, c.role, setting)
			if c.want != "" {
				wantCode(t, err, c.want)
				return
			}
			if err != nil || user.ID != c.whom || user.Role != c.role {
				t.Fatalf("got %+v, %v; want user %d as %s", user, err, c.whom, c.role)
			}
			if v, err := s.Viewer(ctx, owner.Workspace.ID, c.whom, 0); err != nil || v.Role != c.role {
				t.Errorf("the next request sees %s (%v), want %s", v.Role, err, c.role)
			}
		})
	}
}

// Two owners who step down at once must not leave a workspace without one.
func TestOneOwnerStays(t *testing.T) {
	for name, leave := range map[string]func(*store.Store, timesheet.Viewer, timesheet.Viewer) error{
		"by role": func(s *store.Store, v, whom timesheet.Viewer) error {
			_, _, err := s.SetRole(t.Context(), v, whom.User, timesheet.RoleMember, setting)
			return err
		},
		"by removal": func(s *store.Store, v, whom timesheet.Viewer) error {
			_, _, err := s.RemoveMember(t.Context(), v, whom.User, removing)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, first := newWorkspace(t)
			second := addViewer(t, s, first, "otto", timesheet.RoleOwner)
			// Somebody who was invited as an owner and has not come is none yet.
			mustInvite(t, s, first, store.Invite{Name: "O", Email: "o@example.com", Role: timesheet.RoleOwner})
			for _, v := range []timesheet.Viewer{first, second} {
				if _, err := s.Viewer(t.Context(), v.Workspace.ID, v.User, 0); err != nil {
					t.Fatal(err)
				}
			}
			var errs [2]error
			var both sync.WaitGroup
			both.Go(func() { errs[0] = leave(s, first, first) })
			both.Go(func() { errs[1] = leave(s, second, second) })
			both.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("stepping down gave %v and %v, want one to succeed", errs[0], errs[1])
			}
			wantCode(t, errors.Join(errs[:]...), timesheet.CodeLastOwner)
		})
	}
}

func TestRemoveMember(t *testing.T) {
	s, owner, conn := newDatabase(t)
	ctx := t.Context()
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	token := makeToken(t, s, owner, store.NewToken{User: member.User})
	if _, err := s.Viewer(ctx, owner.Workspace.ID, member.User, token.ID); err != nil {
		t.Fatal(err)
	}
	insertRunning := `
INSERT INTO time_entry (workspace_id, id, user_id, started_at, day, billable, currency)
VALUES ($1, gen_random_uuid(), $2, date_trunc('second', now()) + $3::interval, current_date, false, 'EUR')`
	mustExec(t, conn, insertRunning, owner.Workspace.ID, member.User, "-10 days")

	_, _, err := s.RemoveMember(ctx, member, member.User, removing)
	wantCode(t, err, timesheet.CodeForbidden)
	gone, _, err := s.RemoveMember(ctx, owner, member.User, removing)
	if err != nil {
		t.Fatal(err)
	}
	if !gone.Deleted || gone.Version != 2 {
		t.Errorf("removed: %+v, want deleted and version 2", gone)
	}
	if secs := ask[*int64](t, conn, `SELECT secs FROM time_entry WHERE user_id = $1`, member.User); secs == nil || *secs != 7*86400 {
		t.Errorf("the timer of 10 days stopped after %v seconds, want the longest entry", secs)
	}
	for _, token := range []timesheet.TokenID{token.ID, 0} {
		if _, err := s.Viewer(ctx, owner.Workspace.ID, member.User, token); !errors.Is(err, store.ErrNoViewer) {
			t.Errorf("token %d lets the removed person in: %v", token, err)
		}
	}
	_, _, err = s.RemoveMember(ctx, owner, member.User, removing)
	wantCode(t, err, timesheet.CodeNotFound)
	_, _, err = s.RemoveMember(ctx, owner, owner.User, removing)
	wantCode(t, err, timesheet.CodeLastOwner)
	// The address is free again.
	if back, err := s.EnsureMember(ctx, owner, "mia", "mia@example.com", timesheet.RoleMember); err != nil || back.ID == member.User {
		t.Errorf("a new membership of the address: %+v, %v", back, err)
	}
}

func TestRemoveMemberStopsTimerOfTheFuture(t *testing.T) {
	s, owner, conn := newDatabase(t)
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	mustExec(t, conn, `
INSERT INTO time_entry (workspace_id, id, user_id, started_at, day, billable, currency)
VALUES ($1, gen_random_uuid(), $2, date_trunc('second', now()) + interval '1 minute', current_date, false, 'EUR')`, owner.Workspace.ID, member.User)
	if _, _, err := s.RemoveMember(t.Context(), owner, member.User, removing); err != nil {
		t.Fatal(err)
	}
	if secs := ask[int64](t, conn, `SELECT secs FROM time_entry WHERE user_id = $1`, member.User); secs != 0 {
		t.Errorf("a timer of a clock that is ahead stopped after %d seconds, want 0", secs)
	}
}
