package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

func addTask(t testing.TB, s *store.Store, v timesheet.Viewer, project timesheet.ProjectID, name string) timesheet.Task {
	t.Helper()
	in := timesheet.TaskInput{Project: project, Name: timesheet.Some(name)}
	return done[timesheet.Task](t)(s.CreateTask(t.Context(), v, in, change("createTask")))
}

func taskNames(page timesheet.Connection[timesheet.Task]) []string {
	names := []string{}
	for _, t := range page.Nodes {
		names = append(names, t.Name)
	}
	return names
}

func TestTaskLife(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	project := addProject(t, s, owner, "p", nil)
	task := done[timesheet.Task](t)(s.CreateTask(ctx, owner, timesheet.TaskInput{
		Project: project.ID, Name: timesheet.Some("paint"), Billable: timesheet.Some(new(false)), EstimateSeconds: timesheet.Some(new(int64(7200))),
	}, change("createTask")))
	want := timesheet.Task{ID: task.ID, ProjectID: project.ID, Name: "paint", Billable: new(false), EstimateSeconds: new(int64(7200)), Version: 1}
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	want.Done, want.Version = true, 2
	task = done[timesheet.Task](t)(s.UpdateTask(ctx, owner, task.ID, timesheet.TaskInput{Done: timesheet.Some(true)}, new(1), change("updateTask")))
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("what was not given stays (-want +got):\n%s", diff)
	}
	want.Name, want.Done, want.Billable, want.EstimateSeconds, want.Version = "Paint!", false, nil, nil, 3
	task = done[timesheet.Task](t)(s.UpdateTask(ctx, owner, task.ID, timesheet.TaskInput{
		Name: timesheet.Some("Paint!"), Done: timesheet.Some(false), Billable: timesheet.Some[*bool](nil), EstimateSeconds: timesheet.Some[*int64](nil),
	}, nil, change("updateTask")))
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("null empties (-want +got):\n%s", diff)
	}
	want.Archived, want.Version = true, 4
	task = done[timesheet.Task](t)(s.ArchiveTask(ctx, owner, task.ID, true, nil, change("archiveTask")))
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("archived (-want +got):\n%s", diff)
	}
	want.Deleted, want.Version = true, 5
	task = done[timesheet.Task](t)(s.DeleteTask(ctx, owner, task.ID, nil, change("deleteTask")))
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	found, err := s.TasksByID(ctx, owner, []timesheet.TaskID{task.ID})
	if diff := cmp.Diff(map[timesheet.TaskID]timesheet.Task{task.ID: want}, found); err != nil || diff != "" {
		t.Errorf("the tombstone by id (-want +got):\n%s, error %v", diff, err)
	}
}

func TestTaskInputIsChecked(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	project, second, old := addProject(t, s, owner, "p", nil), addProject(t, s, owner, "q", nil), addProject(t, s, owner, "old", nil)
	done[timesheet.Project](t)(s.ArchiveProject(t.Context(), owner, old.ID, true, nil, change("archiveProject")))
	addTask(t, s, owner, project.ID, "taken")
	addTask(t, s, owner, second.ID, "taken") // names are a project's own
	fresh := timesheet.Some("fresh")
	tests := []struct {
		name  string
		in    timesheet.TaskInput
		code  timesheet.Code
		field string
	}{
		{"no name", timesheet.TaskInput{Project: project.ID}, timesheet.CodeInvalid, "name"},
		{"taken name", timesheet.TaskInput{Project: project.ID, Name: timesheet.Some("Taken")}, timesheet.CodeNameTaken, "name"},
		{"no project", timesheet.TaskInput{Name: fresh}, timesheet.CodeNotFound, "projectId"},
		{"archived project", timesheet.TaskInput{Project: old.ID, Name: fresh}, timesheet.CodeArchived, "projectId"},
		{"negative estimate", timesheet.TaskInput{Project: project.ID, Name: fresh, EstimateSeconds: timesheet.Some(new(int64(-1)))}, timesheet.CodeInvalid, "estimateSeconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := s.CreateTask(t.Context(), owner, tt.in, change("createTask"))
			wantCode(t, err, tt.code)
			if broken, ok := timesheet.AsError(err); ok && broken.Field != tt.field {
				t.Errorf("got field %q, want %q", broken.Field, tt.field)
			}
		})
	}
}

// Tasks follow the rights of their project, and end with it.
func TestTaskRights(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	foreign := addWorkspace(t, s, "Other")
	mine, hidden := addProject(t, s, owner, "mine", nil), addProject(t, s, owner, "hidden", nil)
	seen, unseen := addTask(t, s, owner, mine.ID, "seen"), addTask(t, s, owner, hidden.ID, "unseen")
	other := addTask(t, s, foreign, addProject(t, s, foreign, "p", nil).ID, "other")
	member, lead := addViewer(t, s, owner, "mia", timesheet.RoleMember), addViewer(t, s, owner, "max", timesheet.RoleManager)
	addMember(t, s, owner, mine.ID, member.User, true)
	addMember(t, s, owner, mine.ID, lead.User, true)

	ids := []timesheet.TaskID{seen.ID, unseen.ID, other.ID}
	for who, want := range map[*timesheet.Viewer]map[timesheet.TaskID]timesheet.Task{
		&member: {seen.ID: seen},
		&lead:   {seen.ID: seen, unseen.ID: unseen},
	} {
		got, err := s.TasksByID(ctx, *who, ids)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s by id (-want +got):\n%s, error %v", who.Role, diff, err)
		}
	}
	attempts := []struct {
		name string
		who  timesheet.Viewer
		task timesheet.TaskID
		want timesheet.Code
	}{
		{"a member, in their project", member, seen.ID, timesheet.CodeForbidden},
		{"a member, elsewhere", member, unseen.ID, timesheet.CodeNotFound},
		{"a manager, where they do not lead", lead, unseen.ID, timesheet.CodeForbidden},
		{"an owner, in another workspace", owner, other.ID, timesheet.CodeNotFound},
	}
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			_, _, err := s.UpdateTask(ctx, a.who, a.task, timesheet.TaskInput{}, nil, change("updateTask"))
			wantCode(t, err, a.want)
			_, _, err = s.ArchiveTask(ctx, a.who, a.task, true, nil, change("archiveTask"))
			wantCode(t, err, a.want)
			_, _, err = s.DeleteTask(ctx, a.who, a.task, nil, change("deleteTask"))
			wantCode(t, err, a.want)
		})
	}
	done[timesheet.Task](t)(s.UpdateTask(ctx, lead, seen.ID, timesheet.TaskInput{Name: timesheet.Some("led")}, nil, change("updateTask")))

	done[timesheet.Project](t)(s.DeleteProject(ctx, owner, mine.ID, nil, change("deleteProject")))
	_, _, err := s.UpdateTask(ctx, owner, seen.ID, timesheet.TaskInput{}, nil, change("updateTask"))
	wantCode(t, err, timesheet.CodeNotFound)
	found, err := s.TasksByID(ctx, member, []timesheet.TaskID{seen.ID})
	if got := found[seen.ID]; err != nil || got.Name != "led" || !got.Deleted {
		t.Errorf("a task of a deleted project: %+v, %v, want its name and Deleted", got, err)
	}
}

func TestTasksOfProjects(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	mine, empty, hidden, gone := addProject(t, s, owner, "mine", nil), addProject(t, s, owner, "empty", nil), addProject(t, s, owner, "hidden", nil), addProject(t, s, owner, "gone", nil)
	addMember(t, s, owner, mine.ID, member.User, false)
	for _, name := range []string{"c", "A", "b"} {
		addTask(t, s, owner, mine.ID, name)
		addTask(t, s, owner, hidden.ID, name)
		addTask(t, s, owner, gone.ID, name)
	}
	done[timesheet.Project](t)(s.DeleteProject(t.Context(), owner, gone.ID, nil, change("deleteProject")))
	ids := []timesheet.ProjectID{mine.ID, empty.ID, hidden.ID, gone.ID}
	tests := []struct {
		name   string
		who    timesheet.Viewer
		filter timesheet.ListFilter
		page   timesheet.Page
		want   map[timesheet.ProjectID][]string
		totals map[timesheet.ProjectID]int
	}{
		{
			"owner, first two", owner,
			timesheet.ListFilter{},
			timesheet.Page{First: 2},
			map[timesheet.ProjectID][]string{mine.ID: {"A", "b"}, hidden.ID: {"A", "b"}, empty.ID: {}, gone.ID: {}},
			map[timesheet.ProjectID]int{mine.ID: 3, hidden.ID: 3},
		},
		{
			"owner, last two", owner,
			timesheet.ListFilter{},
			timesheet.Page{Last: 2},
			map[timesheet.ProjectID][]string{mine.ID: {"b", "c"}, hidden.ID: {"b", "c"}, empty.ID: {}, gone.ID: {}},
			map[timesheet.ProjectID]int{mine.ID: 3, hidden.ID: 3},
		},
		{
			"member, filtered", member,
			timesheet.ListFilter{Text: "B", Archived: new(false)},
			timesheet.Page{First: 2},
			map[timesheet.ProjectID][]string{mine.ID: {"b"}, hidden.ID: {}, empty.ID: {}, gone.ID: {}},
			map[timesheet.ProjectID]int{mine.ID: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			op := store.NewOperation(1)
			ctx := store.WithOperation(t.Context(), op)
			pages, err := s.TasksOfProjects(ctx, tt.who, ids, tt.filter, tt.page)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				if diff := cmp.Diff(tt.want[id], taskNames(pages[id])); diff != "" {
					t.Errorf("project %d (-want +got):\n%s", id, diff)
				}
				if total, err := pages[id].Total(ctx); err != nil || total != tt.totals[id] {
					t.Errorf("project %d: total %d, %v, want %d", id, total, err, tt.totals[id])
				}
			}
			if got := op.Statements(); got != 2 {
				t.Errorf("pages and totals took %d statements, want 2", got)
			}
		})
	}
}
