package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

func TestCreateWorkspace(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	want := timesheet.Workspace{
		ID: owner.Workspace.ID, Name: "Acme", TimeZone: "Europe/Bucharest", WeekStart: time.Monday,
		Currency: "EUR", OverlapPolicy: timesheet.OverlapAllow, Version: 1,
	}
	if diff := cmp.Diff(want, owner.Workspace); diff != "" {
		t.Errorf("workspace (-want +got):\n%s", diff)
	}
	found, err := s.OwnerViewer(ctx, owner.Workspace.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(owner, found); diff != "" {
		t.Errorf("OwnerViewer (-want +got):\n%s", diff)
	}
	second := addWorkspace(t, s, "Beta") // the same person owns two
	for name, want := range map[string][]timesheet.Workspace{
		"":     {owner.Workspace, second.Workspace},
		"Beta": {second.Workspace},
		"None": nil,
	} {
		got, err := s.FindWorkspaces(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || len(want) > 0 && !cmp.Equal(want, got) {
			t.Errorf("FindWorkspaces(%q) = %v, want %v", name, got, want)
		}
	}
	_, err = s.OwnerViewer(ctx, 999)
	wantCode(t, err, timesheet.CodeNotFound)
}

func TestCreateWorkspaceRefuses(t *testing.T) {
	s, _ := newWorkspace(t)
	good := store.NewWorkspace{Name: "Good", TimeZone: "UTC", Currency: "EUR", Owner: store.Person{Name: "O", Email: "o@example.com"}}
	for name, spoil := range map[string]func(*store.NewWorkspace){
		"empty name":       func(n *store.NewWorkspace) { n.Name = "  " },
		"unknown zone":     func(n *store.NewWorkspace) { n.TimeZone = "CEST" },
		"bad currency":     func(n *store.NewWorkspace) { n.Currency = "euro" },
		"no owner":         func(n *store.NewWorkspace) { n.Owner.Name = "" },
		"bad address":      func(n *store.NewWorkspace) { n.Owner.Email = "o" },
		"space in address": func(n *store.NewWorkspace) { n.Owner.Email = "o o@example.com" },
		"zero in address":  func(n *store.NewWorkspace) { n.Owner.Email = "o\x00@example.com" },
	} {
		t.Run(name, func(t *testing.T) {
			n := good
			spoil(&n)
			_, err := s.CreateWorkspace(t.Context(), n)
			wantCode(t, err, timesheet.CodeInvalid)
		})
	}
	if all, err := s.FindWorkspaces(t.Context(), ""); err != nil || len(all) != 1 {
		t.Errorf("after refusals there are %d workspaces (%v), want 1", len(all), err)
	}
}

func TestSecretIsMadeOnce(t *testing.T) {
	s, _ := newWorkspace(t)
	first, err := s.Secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 32 {
		t.Errorf("the secret has %d bytes, want 32", len(first))
	}
	again, err := s.Secret(t.Context())
	if err != nil || string(again) != string(first) {
		t.Errorf("the second call returned another secret (%v)", err)
	}
}
