package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"headroom/store"
	"headroom/timesheet"
)

// many makes n entries of an hour each and returns their ids.
func many(t testing.TB, s *store.Store, v timesheet.Viewer, n int) []timesheet.EntryID {
	t.Helper()
	ids := make([]timesheet.EntryID, n)
	for i := range ids {
		ids[i] = create(t, s, v, hour(t)).ID
	}
	return ids
}

func TestBulkEdit(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	member := addViewer(t, s, owner, "member", timesheet.RoleMember)
	project, other := addProject(t, s, owner, "site", nil), addProject(t, s, owner, "other", nil)
	task := addTask(t, s, owner, project.ID, "paint")
	tag := addTag(t, s, owner, "tag")
	addMember(t, s, owner, project.ID, member.User, false)

	t.Run("case39_a_result_for_each_id_in_their_order", func(t *testing.T) {
		mine := many(t, s, member, 3)
		others, gone, unknown := create(t, s, owner, hour(t)).ID, create(t, s, member, hour(t)).ID, newID(t)
		done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, member, gone, nil, change("deleteTimeEntry")))
		ids := []timesheet.EntryID{mine[2], others, mine[0], gone, unknown, mine[1], mine[2]}
		in := timesheet.EntryInput{
			Project: timesheet.Some(&project.ID), Task: timesheet.Some(&task.ID), Tags: timesheet.Some([]timesheet.TagID{tag.ID, tag.ID}),
			Description: timesheet.Some("alike"), Billable: timesheet.Some(true),
		}
		results := done[[]timesheet.BulkResult](t)(s.BulkEditTimeEntries(ctx, member, ids, in, change("bulkEditTimeEntries")))
		for i, id := range ids {
			r := results[i]
			if r.ID != id {
				t.Errorf("result %d is of %v, want %v", i, r.ID, id)
			}
			if id == others || id == gone || id == unknown {
				if r.Entry != nil || r.Error == nil || r.Error.Code != timesheet.CodeNotFound {
					t.Errorf("result %d is %+v, want NOT_FOUND", i, r)
				}
				continue
			}
			if r.Error != nil || r.Entry == nil {
				t.Fatalf("result %d is %+v, want an entry", i, r)
			}
			want := entryNow(t, s, member, id)
			if diff := cmp.Diff(want, *r.Entry); diff != "" {
				t.Errorf("result %d (-stored +returned):\n%s", i, diff)
			}
			if *want.ProjectID != project.ID || *want.TaskID != task.ID || want.Description != "alike" || !want.Billable || len(want.TagIDs) != 1 || want.Version != 2 {
				t.Errorf("entry %d is %+v", i, want)
			}
		}
		if e := entryNow(t, s, owner, others); e.Version != 1 {
			t.Errorf("the entry of somebody else was changed: %+v", e)
		}
	})
	t.Run("what_is_not_given_stays", func(t *testing.T) {
		in := hour(t)
		in.Project, in.Task, in.Description = timesheet.Some(&project.ID), timesheet.Some(&task.ID), timesheet.Some("kept")
		want := create(t, s, owner, in)
		results := done[[]timesheet.BulkResult](t)(s.BulkEditTimeEntries(ctx, owner, []timesheet.EntryID{want.ID}, timesheet.EntryInput{Billable: timesheet.Some(false)}, change("bulkEditTimeEntries")))
		want.Billable, want.Version = false, 2
		if diff := cmp.Diff(&want, results[0].Entry); diff != "" {
			t.Errorf("edited (-want +got):\n%s", diff)
		}
		results = done[[]timesheet.BulkResult](t)(s.BulkEditTimeEntries(ctx, owner, []timesheet.EntryID{want.ID}, timesheet.EntryInput{Project: timesheet.Some(&other.ID)}, change("bulkEditTimeEntries")))
		if e := results[0].Entry; e == nil || *e.ProjectID != other.ID || e.TaskID != nil {
			t.Errorf("got %+v, want the other project without the task", e)
		}
	})
	t.Run("an_id_that_is_named_often_is_edited_once", func(t *testing.T) {
		ids := make([]timesheet.EntryID, 300)
		e := create(t, s, owner, hour(t))
		for i := range ids {
			ids[i] = e.ID
		}
		results := done[[]timesheet.BulkResult](t)(s.BulkEditTimeEntries(ctx, owner, ids, timesheet.EntryInput{Description: timesheet.Some("once")}, change("bulkEditTimeEntries")))
		if r := results[299]; r.Entry == nil || r.Entry.Version != 2 {
			t.Errorf("got %+v, want version 2", r)
		}
	})
	t.Run("case37_task_of_another_project", func(t *testing.T) {
		in := hour(t)
		in.Project = timesheet.Some(&project.ID)
		fits, wrong := create(t, s, owner, in).ID, create(t, s, owner, hour(t)).ID
		results := done[[]timesheet.BulkResult](t)(s.BulkEditTimeEntries(ctx, owner, []timesheet.EntryID{fits, wrong}, timesheet.EntryInput{Task: timesheet.Some(&task.ID)}, change("bulkEditTimeEntries")))
		if results[0].Entry == nil || *results[0].Entry.TaskID != task.ID {
			t.Errorf("got %+v, want the task", results[0])
		}
		if r := results[1]; r.Entry != nil || r.Error == nil || r.Error.Code != timesheet.CodeNotFound || r.Error.Field != "taskId" {
			t.Errorf("got %+v, want NOT_FOUND of taskId", r)
		}
	})
	t.Run("case37_tasks_that_are_not_there_for_the_viewer", func(t *testing.T) {
		deleted := addTask(t, s, owner, project.ID, "deleted")
		done[timesheet.Task](t)(s.DeleteTask(ctx, owner, deleted.ID, nil, change("deleteTask")))
		hidden := addTask(t, s, owner, other.ID, "hidden")
		in := hour(t)
		in.Project = timesheet.Some(&project.ID)
		e := create(t, s, member, in)
		missing := timesheet.TaskID(1 << 40)
		only := func(id timesheet.TaskID) timesheet.EntryInput { return timesheet.EntryInput{Task: timesheet.Some(&id)} }
		calls := map[string]func(timesheet.TaskID) error{
			"bulk edit": func(id timesheet.TaskID) error {
				_, _, err := s.BulkEditTimeEntries(ctx, member, []timesheet.EntryID{e.ID}, only(id), change("bulkEditTimeEntries"))
				return err
			},
			"update": func(id timesheet.TaskID) error {
				_, _, err := s.UpdateTimeEntry(ctx, member, e.ID, only(id), nil, change("updateTimeEntry"))
				return err
			},
			"create": func(id timesheet.TaskID) error {
				in := hour(t)
				in.Task = timesheet.Some(&id)
				_, _, err := s.CreateTimeEntry(ctx, member, in, change("createTimeEntry"))
				return err
			},
			"start": func(id timesheet.TaskID) error {
				_, _, _, err := s.StartTimer(ctx, member, timesheet.TimerInput{Task: &id}, change("startTimer"))
				return err
			},
		}
		for name, call := range calls {
			want, ok := timesheet.AsError(call(missing))
			if !ok || want.Field != "taskId" {
				t.Errorf("%s: a missing task gives %v, want a rule of taskId", name, want)
			}
			for kind, id := range map[string]timesheet.TaskID{"hidden": hidden.ID, "deleted": deleted.ID} {
				got, _ := timesheet.AsError(call(id))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: a missing task and a %s one (-missing +%s):\n%s", name, kind, kind, diff)
				}
			}
		}
	})
	t.Run("rules_of_the_whole", func(t *testing.T) {
		ids := many(t, s, owner, 1)
		foreign := addProject(t, s, addWorkspace(t, s, "Other"), "hidden", nil)
		looker := addViewer(t, s, owner, "looker", timesheet.RoleViewer)
		for name, tt := range map[string]struct {
			who   timesheet.Viewer
			ids   []timesheet.EntryID
			in    timesheet.EntryInput
			code  timesheet.Code
			field string
		}{
			"none":            {owner, nil, timesheet.EntryInput{}, timesheet.CodeInvalid, "ids"},
			"too many":        {owner, make([]timesheet.EntryID, timesheet.MaxBulk+1), timesheet.EntryInput{}, timesheet.CodeInvalid, "ids"},
			"times":           {owner, ids, timesheet.EntryInput{End: timesheet.Some(ago(0))}, timesheet.CodeInvalid, "startedAt"},
			"foreign project": {owner, ids, timesheet.EntryInput{Project: timesheet.Some(&foreign.ID)}, timesheet.CodeNotFound, "projectId"},
			"unknown task":    {owner, ids, timesheet.EntryInput{Task: timesheet.Some(new(timesheet.TaskID(1)))}, timesheet.CodeNotFound, "taskId"},
			"unknown tag":     {owner, ids, timesheet.EntryInput{Tags: timesheet.Some([]timesheet.TagID{1})}, timesheet.CodeNotFound, "tagIds"},
			"description":     {owner, ids, timesheet.EntryInput{Description: timesheet.Some("\x00")}, timesheet.CodeInvalid, "description"},
			"viewer":          {looker, ids, timesheet.EntryInput{}, timesheet.CodeForbidden, ""},
		} {
			_, _, err := s.BulkEditTimeEntries(ctx, tt.who, tt.ids, tt.in, change("bulkEditTimeEntries"))
			wantRule(t, name, err, tt.code, tt.field)
		}
	})
	t.Run("case19_repeat_with_key", func(t *testing.T) {
		ids := append(many(t, s, owner, 2), newID(t))
		key := uuid.NewString()
		ch := store.Change{Action: "bulkEditTimeEntries", Key: &key, Input: "same"}
		in := timesheet.EntryInput{Description: timesheet.Some("once")}
		answers := make([][]timesheet.BulkResult, 3)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], _, err = s.BulkEditTimeEntries(t.Context(), owner, ids, in, ch); err != nil {
					t.Errorf("edit %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		for i := range answers {
			if diff := cmp.Diff(answers[0], answers[i]); diff != "" {
				t.Errorf("answer %d differs (-first +this):\n%s", i, diff)
			}
		}
		if e := entryNow(t, s, owner, ids[0]); e.Version != 2 {
			t.Errorf("the entry has version %d, want 2", e.Version)
		}
	})
}

// The number of statements does not grow with the entries.
func TestCase39BulkStatements(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	project := addProject(t, s, owner, "site", nil)
	mustExec(t, conn, `
		INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency)
		SELECT $1, gen_random_uuid(), $2, '2024-06-03 08:00Z', '2024-06-03 09:00Z', '2024-06-03', true, 'EUR' FROM generate_series(1, 1000)`, owner.Workspace.ID, owner.User)
	ids := ask[[]timesheet.EntryID](t, conn, `SELECT array_agg(id) FROM time_entry`)
	statements := func(n int) int {
		op := store.NewOperation(1)
		in := timesheet.EntryInput{Project: timesheet.Some(&project.ID)}
		results := done[[]timesheet.BulkResult](t)(s.BulkEditTimeEntries(store.WithOperation(t.Context(), op), owner, ids[:n], in, change("bulkEditTimeEntries")))
		for i, r := range results {
			if r.Error != nil {
				t.Fatalf("result %d: %v", i, r.Error)
			}
		}
		return op.Statements()
	}
	one := statements(1)
	for _, n := range []int{200, 1000} {
		if got := statements(n); got != one {
			t.Errorf("%d entries take %d statements, and one takes %d", n, got, one)
		}
	}
	if moved := ask[int](t, conn, `SELECT count(*) FROM time_entry WHERE project_id = $1`, project.ID); moved != 1000 {
		t.Errorf("%d entries were moved, want 1000", moved)
	}
}

// Edits of the same entries in opposite orders wait for each other and never
// deadlock.
func TestBulkEditsAtOnce(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ids := many(t, s, owner, 40)
	reversed := make([]timesheet.EntryID, len(ids))
	for i, id := range ids {
		reversed[len(ids)-1-i] = id
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			order := ids
			if i%2 == 1 {
				order = reversed
			}
			if _, _, err := s.BulkEditTimeEntries(t.Context(), owner, order, timesheet.EntryInput{Description: timesheet.Some(time.Duration(i).String())}, change("bulkEditTimeEntries")); err != nil {
				t.Errorf("edit %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if e := entryNow(t, s, owner, ids[0]); e.Version != 9 {
		t.Errorf("version is %d, want 9", e.Version)
	}
}
