package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func makeToken(t testing.TB, s *store.Store, v timesheet.Viewer, n store.NewToken) timesheet.Token {
	t.Helper()
	if n.Name == "" {
		n.Name, n.Scope = "test", timesheet.ScopeWrite
	}
	token, _, err := s.CreateToken(t.Context(), v, n, store.Change{Action: "createToken"})
	if err != nil {
		t.Fatalf("create a token: %v", err)
	}
	return token
}

func TestViewer(t *testing.T) {
	s, owner := newWorkspace(t)
	member := addViewer(t, s, owner, "Mia", timesheet.RoleMember)
	token := makeToken(t, s, owner, store.NewToken{User: member.User, Name: "phone", Scope: timesheet.ScopeRead})
	got, err := s.Viewer(t.Context(), owner.Workspace.ID, member.User, token.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := timesheet.Viewer{Workspace: owner.Workspace, User: member.User, Role: timesheet.RoleMember, Token: token.ID, Scope: timesheet.ScopeRead, Self: got.Self}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("viewer (-want +got):\n%s", diff)
	}
	if got.Self.ID != member.User || got.Self.Name != "Mia" {
		t.Errorf("self is %+v", got.Self)
	}
	without, err := s.Viewer(t.Context(), owner.Workspace.ID, member.User, 0)
	if err != nil || without.Scope != timesheet.ScopeWrite || without.Role != timesheet.RoleMember {
		t.Errorf("without a token: %+v, %v", without, err)
	}
}

func TestViewerRefuses(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	other := addWorkspace(t, s, "Other")
	member := addViewer(t, s, owner, "Mia", timesheet.RoleMember)
	token := makeToken(t, s, owner, store.NewToken{User: member.User})
	placeholder, err := s.EnsureMember(ctx, owner, "Pia", "pia@example.com", timesheet.RolePlaceholder)
	if err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(50 * time.Millisecond)
	expiring := makeToken(t, s, owner, store.NewToken{User: member.User, Name: "short", Scope: timesheet.ScopeWrite, ExpiresAt: &soon})
	waitUntil(t, "the token to expire", func() bool { return time.Now().After(soon) })
	for name, id := range map[string]struct {
		ws    timesheet.WorkspaceID
		user  timesheet.UserID
		token timesheet.TokenID
	}{
		"unknown workspace":     {999, member.User, token.ID},
		"another workspace":     {other.Workspace.ID, member.User, token.ID},
		"unknown user":          {owner.Workspace.ID, 999, token.ID},
		"another's token":       {owner.Workspace.ID, owner.User, token.ID},
		"unknown token":         {owner.Workspace.ID, member.User, 999},
		"expired token":         {owner.Workspace.ID, member.User, expiring.ID},
		"imported person":       {owner.Workspace.ID, placeholder.ID, 0},
		"owner of another":      {owner.Workspace.ID, other.User, 0},
		"nothing but workspace": {owner.Workspace.ID, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := s.Viewer(ctx, id.ws, id.user, id.token); !errors.Is(err, store.ErrNoViewer) {
				t.Errorf("got %+v, %v; want ErrNoViewer", v, err)
			}
		})
	}
}

// A token revoked through one process is refused by another within seconds.
func TestViewerHearsOfChangesElsewhere(t *testing.T) {
	dsn := storetest.New(t)
	here, elsewhere := openStore(t, dsn), openStore(t, dsn)
	owner := addWorkspace(t, here, "Acme")
	ctx := t.Context()
	if _, err := here.EnsureMember(ctx, owner, "Pia", "pia@example.com", timesheet.RolePlaceholder); err != nil {
		t.Fatal(err)
	}
	pia, err := here.MemberByEmail(ctx, owner, "pia@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.Viewer(ctx, owner.Workspace.ID, pia.ID, 0); !errors.Is(err, store.ErrNoViewer) {
		t.Fatalf("a placeholder is let in: %v", err)
	}
	if _, err := elsewhere.EnsureMember(ctx, owner, "Pia", "pia@example.com", timesheet.RoleManager); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the other process to hear of the promotion", func() bool {
		v, err := here.Viewer(ctx, owner.Workspace.ID, pia.ID, 0)
		return err == nil && v.Role == timesheet.RoleManager
	})
}

// The connection that hears changes is found dead and opened again, and until
// then answers are read anew.
func TestViewerSurvivesTheLossOfItsListener(t *testing.T) {
	dsn := storetest.New(t)
	s, conn := openStore(t, dsn), connectTo(t, dsn)
	owner := addWorkspace(t, s, "Acme")
	see := func() (timesheet.Role, error) {
		v, err := s.Viewer(t.Context(), owner.Workspace.ID, owner.User, 0)
		return v.Role, err
	}
	listener := func() int {
		return ask[int](t, conn, `SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'headroom listener'`)
	}
	if role, err := see(); err != nil || role != timesheet.RoleOwner {
		t.Fatalf("at first: %s, %v", role, err)
	}
	waitUntil(t, "the listener", func() bool { return listener() != 0 })
	first := listener()
	mustExec(t, conn, `SELECT pg_terminate_backend($1)`, first)
	mustExec(t, conn, `UPDATE membership SET role = 'ADMIN' WHERE user_id = $1`, owner.User)
	waitUntil(t, "the change to be seen", func() bool { role, err := see(); return err == nil && role == timesheet.RoleAdmin })
	waitUntil(t, "a new listener", func() bool { pid := listener(); return pid != 0 && pid != first })
	mustExec(t, conn, `UPDATE membership SET role = 'VIEWER' WHERE user_id = $1`, owner.User)
	waitUntil(t, "the second change to be seen", func() bool { role, err := see(); return err == nil && role == timesheet.RoleViewer })
}

// A crowd that comes at once is let in and turned away, each as alone, and neither the
// database's pulse nor who stops a timer waits behind it.
func TestViewersOfACrowd(t *testing.T) {
	dsn := storetest.New(t)
	s, conn := openStore(t, dsn), connectTo(t, dsn)
	owner, other := addWorkspace(t, s, "Acme"), addWorkspace(t, s, "Other")
	const crowd = 10_000
	mustExec(t, conn, `INSERT INTO membership (workspace_id, role, name, name_key) SELECT $1, 'MEMBER', 'user ' || n, 'user ' || n FROM generate_series(1, $2::int) n`, owner.Workspace.ID, crowd)
	mustExec(t, conn, `INSERT INTO api_token (workspace_id, user_id, name, scope) SELECT $1, user_id, 'phone', 'READ' FROM membership WHERE workspace_id = $1 AND role = 'MEMBER'`, owner.Workspace.ID)
	tokens := ask[[]timesheet.TokenID](t, conn, `SELECT array_agg(id ORDER BY id) FROM api_token WHERE workspace_id = $1`, owner.Workspace.ID)
	people := ask[[]timesheet.UserID](t, conn, `SELECT array_agg(user_id ORDER BY id) FROM api_token WHERE workspace_id = $1`, owner.Workspace.ID)
	mustExec(t, conn, `UPDATE api_token SET revoked_at = now() WHERE workspace_id = $1 AND id = ANY($2)`, owner.Workspace.ID, tokens[:crowd/2])
	waitUntil(t, "the listener", func() bool {
		return ask[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'headroom listener'`) > 0
	})
	var all sync.WaitGroup
	for i, token := range tokens {
		all.Go(func() {
			v, err := s.Viewer(t.Context(), owner.Workspace.ID, people[i], token)
			for errors.Is(err, context.DeadlineExceeded) && t.Context().Err() == nil { // on a busy machine: its client comes again
				v, err = s.Viewer(t.Context(), owner.Workspace.ID, people[i], token)
			}
			if i < crowd/2 && !errors.Is(err, store.ErrNoViewer) {
				t.Errorf("a revoked token: %+v, %v", v, err)
			}
			if i >= crowd/2 && (err != nil || v.Token != token || v.User != people[i] || v.Self.ID != people[i] || v.Workspace.Name != "Acme" || v.Role != timesheet.RoleMember || v.Scope != timesheet.ScopeRead) {
				t.Errorf("a good one: %+v, %v", v, err)
			}
		})
	}
	all.Go(func() {
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		_, _, err := s.StopTimer(t.Context(), other, nil, nil, change("stopTimer"))
		wantCode(t, err, timesheet.CodeNotRunning)
	})
	all.Wait()
}
