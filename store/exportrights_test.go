package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

// Members export their own entries without others' addresses, and all but owners
// and admins see their own exports alone.
func TestExportRights(t *testing.T) {
	s, owner := newWorkspace(t)
	member := addViewer(t, s, owner, "Mia", timesheet.RoleMember)
	viewer := addViewer(t, s, owner, "Vera", timesheet.RoleViewer)
	start := time.Date(2024, time.May, 6, 8, 0, 0, 0, time.UTC)
	for _, v := range []timesheet.Viewer{owner, member} {
		in := timesheet.EntryInput{Start: timesheet.Some(start), End: timesheet.Some(start.Add(time.Hour))}
		if _, _, err := s.CreateTimeEntry(t.Context(), v, in, store.Change{Action: "createTimeEntry"}); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(v timesheet.Viewer) (rows []string) {
		for _, e := range readExport(t, s, v, timesheet.ExportInput{}).entries {
			rows = append(rows, e.User+" "+e.Email)
		}
		slices.Sort(rows)
		return rows
	}
	for _, test := range []struct {
		who  timesheet.Viewer
		want []string
	}{
		{owner, []string{"Mia Mia@example.com", "Olga olga@example.com"}},
		{member, []string{"Mia Mia@example.com"}},
		{viewer, []string{"Mia ", "Olga "}},
	} {
		got := seen(test.who)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.who.Role, diff)
		}
		if own, err := s.Exports(t.Context(), test.who, false, timesheet.Page{First: 10}); err != nil || len(own.Nodes) != 1 {
			t.Errorf("%s sees %d exports, %v; want their own", test.who.Role, len(own.Nodes), err)
		}
	}
	// What somebody asked for is what they may see when it is written.
	x := createExport(t, s, member, timesheet.ExportInput{})
	if _, _, err := s.RemoveMember(t.Context(), owner, member.User, store.Change{Action: "removeMember"}); err != nil {
		t.Fatal(err)
	}
	if _, err := startExport(t, s).Viewer(t.Context()); !errors.Is(err, store.ErrNoViewer) {
		t.Errorf("the export of somebody who has left is run for %v", err)
	}
	_, err := s.ExportFile(t.Context(), owner.Workspace.ID, x.ID)
	wantCode(t, err, timesheet.CodeNotFound)
}

// The queue and the quota are the workspace's: owners and admins see who uses
// them up, and can cancel any export; nobody else sees or cancels another's.
func TestExportsOfEverybody(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx, ch := t.Context(), store.Change{Action: "reportExportCancel"}
	admin := addViewer(t, s, owner, "Ada", timesheet.RoleAdmin)
	manager := addViewer(t, s, owner, "Max", timesheet.RoleManager)
	member := addViewer(t, s, owner, "Mia", timesheet.RoleMember)
	x := createExport(t, s, member, timesheet.ExportInput{})
	createExport(t, s, owner, timesheet.ExportInput{})
	for _, v := range []timesheet.Viewer{manager, addViewer(t, s, owner, "Moe", timesheet.RoleMember)} {
		_, err := s.Exports(ctx, v, true, timesheet.Page{First: 10})
		wantCode(t, err, timesheet.CodeForbidden)
		_, err = s.Export(ctx, v, x.ID)
		wantCode(t, err, timesheet.CodeNotFound)
		_, _, err = s.CancelExport(ctx, v, x.ID, ch)
		wantCode(t, err, timesheet.CodeNotFound)
	}
	for _, v := range []timesheet.Viewer{owner, admin} {
		all, err := s.Exports(ctx, v, true, timesheet.Page{First: 10})
		if err != nil || len(all.Nodes) != 2 || all.Nodes[1].UserID != member.User {
			t.Errorf("%s sees %+v, %v", v.Role, all.Nodes, err)
		}
		if n, err := all.Total(ctx); err != nil || n != 2 {
			t.Errorf("%s counts %d, %v", v.Role, n, err)
		}
		if seen, err := s.Export(ctx, v, x.ID); err != nil || seen.UserID != member.User {
			t.Errorf("%s sees %+v, %v", v.Role, seen, err)
		}
	}
	if x, _, err := s.CancelExport(ctx, admin, x.ID, ch); err != nil || x.Status != timesheet.ExportCanceled {
		t.Errorf("an admin cancels: %s, %v", x.Status, err)
	}
}

// A file of everybody's hours is out of reach of who is no longer shown them,
// and in reach of who is shown them again; one of one's own hours stays.
func TestExportOfADemotedMember(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx, ws := t.Context(), owner.Workspace.ID
	become := func(who timesheet.Viewer, role timesheet.Role) timesheet.Viewer {
		t.Helper()
		done[timesheet.User](t)(s.SetRole(ctx, owner, who.User, role, store.Change{Action: "setRole"}))
		who.Role = role
		return who
	}
	own := addViewer(t, s, owner, "Mia", timesheet.RoleMember)
	mine := createExport(t, s, own, timesheet.ExportInput{})
	finish(t, startExport(t, s), &collected{})
	all := createExport(t, s, become(own, timesheet.RoleManager), timesheet.ExportInput{})
	finish(t, startExport(t, s), &collected{})
	for _, c := range []struct {
		role timesheet.Role
		code timesheet.Code // of the file of everybody's hours; empty: there it is
	}{
		{timesheet.RoleManager, ""},
		{timesheet.RoleMember, timesheet.CodeForbidden},
		{timesheet.RoleAdmin, ""},
		{timesheet.RoleViewer, timesheet.CodeForbidden}, // of the addresses
	} {
		become(own, c.role)
		if _, err := s.ExportFile(ctx, ws, mine.ID); err != nil {
			t.Errorf("one's own hours as %s: %v", c.role, err)
		}
		switch _, err := s.ExportFile(ctx, ws, all.ID); {
		case c.code == "" && err != nil:
			t.Errorf("everybody's hours as %s: %v", c.role, err)
		case c.code != "":
			wantCode(t, err, c.code)
		}
	}
}
