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
		"no such currency": func(n *store.NewWorkspace) { n.Currency = "EUX" },
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

func TestUpdateWorkspace(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	admin := addViewer(t, s, owner, "ada", timesheet.RoleAdmin)
	manager := addViewer(t, s, owner, "max", timesheet.RoleManager)
	update := func(v timesheet.Viewer, in timesheet.WorkspaceInput, expected *int) (timesheet.Workspace, error) {
		w, _, err := s.UpdateWorkspace(ctx, v, in, expected, store.Change{Action: "updateWorkspace"})
		return w, err
	}
	if _, err := s.Viewer(ctx, owner.Workspace.ID, owner.User, 0); err != nil {
		t.Fatal(err)
	}
	one, two := 1, 2
	changed, err := update(admin, timesheet.WorkspaceInput{
		Name: timesheet.Some("Néw"), WeekStart: timesheet.Some(time.Sunday), OverlapPolicy: timesheet.Some(timesheet.OverlapReject),
	}, &one)
	if err != nil {
		t.Fatal(err)
	}
	want := owner.Workspace
	want.Name, want.WeekStart, want.OverlapPolicy, want.Version = "Néw", time.Sunday, timesheet.OverlapReject, 2
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if v, err := s.Viewer(ctx, owner.Workspace.ID, owner.User, 0); err != nil || v.Workspace != want {
		t.Errorf("the next request sees %+v (%v), want %+v", v.Workspace, err, want)
	}
	current, err := update(owner, timesheet.WorkspaceInput{Name: timesheet.Some("Late")}, &one)
	wantCode(t, err, timesheet.CodeVersionConflict)
	if current != want {
		t.Errorf("the conflict came with %+v, want %+v", current, want)
	}
	unchanged, err := update(owner, timesheet.WorkspaceInput{}, &two)
	want.Version = 3
	if err != nil || unchanged != want {
		t.Errorf("an empty change gave %+v (%v), want %+v", unchanged, err, want)
	}
	_, err = update(manager, timesheet.WorkspaceInput{Name: timesheet.Some("Mine")}, nil)
	wantCode(t, err, timesheet.CodeForbidden)
	_, err = update(owner, timesheet.WorkspaceInput{Name: timesheet.Some("")}, nil)
	wantCode(t, err, timesheet.CodeInvalid)
	_, err = update(owner, timesheet.WorkspaceInput{OverlapPolicy: timesheet.Some(timesheet.OverlapPolicy("MAYBE"))}, nil)
	if err == nil {
		t.Error("an unknown overlap policy was stored")
	}
}
