package store_test

import (
	"testing"

	"headroom/timesheet"
)

// Each role and whose entries it may read, change and make.
func TestWhoMayDoWhatToEntries(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	foreign := addWorkspace(t, s, "Other")
	ctx := t.Context()
	author := addViewer(t, s, owner, "author", timesheet.RoleMember)
	e := create(t, s, author, hour(t))
	const hidden = timesheet.CodeNotFound
	tests := []struct {
		name           string
		who            timesheet.Viewer
		reads          bool
		changes, makes timesheet.Code // empty: may
		own            timesheet.Code
	}{
		{name: "owner", who: owner, reads: true},
		{name: "admin", who: addViewer(t, s, owner, "admin", timesheet.RoleAdmin), reads: true},
		{name: "manager", who: addViewer(t, s, owner, "manager", timesheet.RoleManager), reads: true, changes: timesheet.CodeForbidden, makes: timesheet.CodeForbidden},
		{name: "member", who: addViewer(t, s, owner, "member", timesheet.RoleMember), changes: hidden, makes: timesheet.CodeForbidden},
		{name: "viewer", who: addViewer(t, s, owner, "viewer", timesheet.RoleViewer), reads: true, changes: timesheet.CodeForbidden, makes: timesheet.CodeForbidden, own: timesheet.CodeForbidden},
		{name: "author", who: author, reads: true},
		{name: "owner of another workspace", who: foreign, changes: hidden, makes: hidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := s.EntriesByID(ctx, tt.who, []timesheet.EntryID{e.ID})
			if _, reads := found[e.ID]; err != nil || reads != tt.reads {
				t.Errorf("reads the entry: %v (%v), want %v", reads, err, tt.reads)
			}
			page, err := s.TimeEntries(ctx, tt.who, timesheet.EntryFilter{Users: []timesheet.UserID{author.User}}, timesheet.Page{First: 100})
			if reads := len(page.Nodes) > 0; err != nil || reads != tt.reads {
				t.Errorf("lists the entry: %v (%v), want %v", reads, err, tt.reads)
			}
			_, _, err = s.UpdateTimeEntry(ctx, tt.who, e.ID, timesheet.EntryInput{Description: timesheet.Some(tt.name)}, nil, change("updateTimeEntry"))
			wantRule(t, "update", err, tt.changes, fieldOf(tt.changes, "id"))
			_, _, err = s.DeleteTimeEntry(ctx, tt.who, e.ID, nil, change("deleteTimeEntry"))
			wantRule(t, "delete", err, tt.changes, fieldOf(tt.changes, "id"))
			_, _, err = s.RestoreTimeEntry(ctx, tt.who, e.ID, change("restoreTimeEntry"))
			wantRule(t, "restore", err, tt.changes, fieldOf(tt.changes, "id"))
			in := hour(t)
			in.User = &author.User
			_, _, err = s.CreateTimeEntry(ctx, tt.who, in, change("createTimeEntry"))
			wantRule(t, "create for another", err, tt.makes, fieldOf(tt.makes, "userId"))
			_, _, err = s.CreateTimeEntry(ctx, tt.who, hour(t), change("createTimeEntry"))
			wantRule(t, "create for themselves", err, tt.own, "")
		})
	}
	t.Run("nobody_tracks_for_who_has_left", func(t *testing.T) {
		done[timesheet.User](t)(s.RemoveMember(ctx, owner, author.User, change("removeMember")))
		in := hour(t)
		in.User = &author.User
		_, _, err := s.CreateTimeEntry(ctx, owner, in, change("createTimeEntry"))
		wantRule(t, "created", err, timesheet.CodeNotFound, "userId")
	})
}

func fieldOf(code timesheet.Code, field string) string {
	if code == "" {
		return ""
	}
	return field
}

// Members track time on the projects that they belong to.
func TestMembersUseTheirProjectsOnly(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	member := addViewer(t, s, owner, "member", timesheet.RoleMember)
	theirs, others := addProject(t, s, owner, "theirs", nil), addProject(t, s, owner, "others", nil)
	task := addTask(t, s, owner, others.ID, "secret")
	addMember(t, s, owner, theirs.ID, member.User, false)
	addMember(t, s, owner, others.ID, addViewer(t, s, owner, "colleague", timesheet.RoleMember).User, false)
	in := hour(t)
	in.Project = timesheet.Some(&theirs.ID)
	e := create(t, s, member, in)

	_, _, err := s.UpdateTimeEntry(ctx, member, e.ID, timesheet.EntryInput{Project: timesheet.Some(&others.ID), Task: timesheet.Some(&task.ID)}, nil, change("updateTimeEntry"))
	wantRule(t, "updated", err, timesheet.CodeNotFound, "projectId")
	in.Project = timesheet.Some(&others.ID)
	_, _, err = s.CreateTimeEntry(ctx, member, in, change("createTimeEntry"))
	wantRule(t, "created", err, timesheet.CodeNotFound, "projectId")
	_, _, _, err = s.StartTimer(ctx, member, timesheet.TimerInput{Project: &others.ID}, change("startTimer"))
	wantRule(t, "started", err, timesheet.CodeNotFound, "projectId")
	results, _, err := s.BulkEditTimeEntries(ctx, member, []timesheet.EntryID{e.ID}, timesheet.EntryInput{Project: timesheet.Some(&others.ID)}, change("bulkEditTimeEntries"))
	wantRule(t, "bulk edited", err, timesheet.CodeNotFound, "projectId")
	if results != nil {
		t.Errorf("got results %v of a refused bulk edit", results)
	}
}
