package store_test

import (
	"maps"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// What is joined is what the loaders would find: nothing of a project that the
// viewer no longer belongs to, and its key says so.
func TestJoinedAsSeen(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	client := done[timesheet.Client](t)(s.CreateClient(t.Context(), owner, timesheet.ClientInput{Name: timesheet.Some("Acme")}, change("createClient")))
	open, left := addProject(t, s, owner, "open", &client.ID), addProject(t, s, owner, "left", nil)
	task := done[timesheet.Task](t)(s.CreateTask(t.Context(), owner, timesheet.TaskInput{Project: open.ID, Name: timesheet.Some("task")}, change("createTask")))
	addMember(t, s, owner, open.ID, member.User, false)
	addMember(t, s, owner, left.ID, member.User, false)
	from := instant(t, "2026-02-10T10:00:00Z")
	done[timesheet.TimeEntry](t)(s.CreateTimeEntry(t.Context(), member, timesheet.EntryInput{
		Project: timesheet.Some(&open.ID), Task: timesheet.Some(&task.ID), Start: timesheet.Some(from), End: timesheet.Some(from.Add(time.Hour)),
	}, change("createTimeEntry")))
	track(t, s, member, left.ID, "2026-02-10T12:00:00Z", time.Hour)
	track(t, s, member, open.ID, "2026-02-10T13:00:00Z", time.Hour)
	done[timesheet.Project](t)(s.RemoveProjectMember(t.Context(), owner, left.ID, member.User, change("removeProjectMember")))

	all := store.Joins{User: true, Project: true, Client: true, Task: true}
	day := timesheet.NewDate(2026, time.February, 10)
	for _, tt := range []struct {
		who  timesheet.Viewer
		left string // the name of that project
	}{{member, ""}, {owner, "left"}} {
		page, refs, err := s.TimeEntriesJoined(t.Context(), tt.who, timesheet.EntryFilter{}, timesheet.Page{First: 10}, all)
		if err != nil || len(page.Nodes) != 3 {
			t.Fatalf("%s: %d entries, error %v", tt.who.Role, len(page.Nodes), err)
		}
		seen, there := refs.Projects[left.ID]
		if !there || seen.Name != tt.left {
			t.Errorf("%s: the project is %+v, want %q", tt.who.Role, seen, tt.left)
		}
		if got := refs.Projects[open.ID]; got.Name != "open" || *got.ClientID != client.ID || refs.Clients[client.ID].Name != "Acme" || refs.Tasks[task.ID].Name != "task" {
			t.Errorf("%s: %+v", tt.who.Role, refs)
		}
		if mia := refs.Users[member.User]; mia.Name != "mia" || mia.Email == nil {
			t.Errorf("%s: the person is %+v", tt.who.Role, mia)
		}
	}
	mine, refs, err := s.MyDayJoined(t.Context(), member, &day, nil, time.Now(), store.Joins{Task: true})
	if err != nil || len(mine.Entries) != 3 || len(refs.Projects)+len(refs.Clients)+len(refs.Users) > 0 || refs.Tasks[task.ID].Name != "task" {
		t.Errorf("a day with tasks alone: %d entries, %+v, error %v", len(mine.Entries), refs, err)
	}
}

// What is read beside projects is what the loaders would find, wherever it is
// kept: in all months, in the unfolded rest, or nowhere.
func TestBesideProjectsAsSeen(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	client := done[timesheet.Client](t)(s.CreateClient(t.Context(), owner, timesheet.ClientInput{Name: timesheet.Some("Acme")}, change("createClient")))
	old, empty := addProject(t, s, owner, "old", &client.ID), addProject(t, s, owner, "empty", nil)
	addMember(t, s, owner, old.ID, member.User, false)
	track(t, s, owner, old.ID, "2024-02-10T10:00:00Z", time.Hour)
	folded(t, s, time.Now())
	track(t, s, owner, old.ID, "2024-02-11T10:00:00Z", time.Minute)

	both := store.ProjectJoins{Client: true, Tracked: true}
	read := func(v timesheet.Viewer) store.BesideProjects {
		t.Helper()
		page, beside, err := s.ProjectsJoined(t.Context(), v, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 10}, both)
		if err != nil || len(page.Nodes) == 0 || page.Nodes[len(page.Nodes)-1].ID != old.ID || beside.Clients[client.ID].Name != "Acme" {
			t.Fatalf("%s: %+v, %+v, error %v", v.Role, page.Nodes, beside, err)
		}
		return beside
	}
	if got, want := read(owner).Seconds, (map[timesheet.ProjectID]int64{old.ID: 3660, empty.ID: 0}); !maps.Equal(got, want) {
		t.Errorf("the seconds are %v, want %v", got, want)
	}
	drifted := owner
	drifted.Workspace.RollupDrifted = true
	for _, v := range []timesheet.Viewer{member, drifted} {
		if got := read(v).Seconds; got != nil {
			t.Errorf("%s: seconds %v beside projects, which are not everybody's or are wrong", v.Role, got)
		}
	}
}
