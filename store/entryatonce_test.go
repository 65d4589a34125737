package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headroom/store"
	"headroom/timesheet"
)

// workplace is what entries can be put on, good and bad, in the same order in each
// workspace.
type workplace struct {
	owner, member timesheet.Viewer
	projects      []*timesheet.ProjectID // none; open, internal, archived, deleted, one that only the owner sees, a stranger's
	tasks         []*timesheet.TaskID    // none; of each of those three
	tags          []timesheet.TagID      // one, two, archived, deleted
}

func newWorkplace(t testing.TB, s *store.Store, name string, stranger timesheet.ProjectID) workplace {
	t.Helper()
	w := workplace{owner: addWorkspace(t, s, name), projects: []*timesheet.ProjectID{nil}, tasks: []*timesheet.TaskID{nil}}
	w.member = addViewer(t, s, w.owner, "mia", timesheet.RoleMember)
	ctx := t.Context()
	for _, name := range []string{"open", "internal", "archived", "deleted", "unseen"} {
		project := done[timesheet.Project](t)(s.CreateProject(ctx, w.owner, timesheet.ProjectInput{Name: timesheet.Some(name), Billable: timesheet.Some(name != "internal")}, change("createProject")))
		for _, task := range []string{"paid", "archived", "deleted"} {
			in := timesheet.TaskInput{Project: project.ID, Name: timesheet.Some(task)}
			if task == "paid" {
				in.Billable = timesheet.Some(new(true))
			}
			made := done[timesheet.Task](t)(s.CreateTask(ctx, w.owner, in, change("createTask")))
			if task == "archived" {
				done[timesheet.Task](t)(s.ArchiveTask(ctx, w.owner, made.ID, true, nil, change("archiveTask")))
			}
			if task == "deleted" {
				done[timesheet.Task](t)(s.DeleteTask(ctx, w.owner, made.ID, nil, change("deleteTask")))
			}
			w.tasks = append(w.tasks, &made.ID)
		}
		if name != "unseen" {
			addMember(t, s, w.owner, project.ID, w.member.User, false)
		}
		if name == "archived" {
			done[timesheet.Project](t)(s.ArchiveProject(ctx, w.owner, project.ID, true, nil, change("archiveProject")))
		}
		if name == "deleted" {
			done[timesheet.Project](t)(s.DeleteProject(ctx, w.owner, project.ID, nil, change("deleteProject")))
		}
		w.projects = append(w.projects, &project.ID)
	}
	w.projects = append(w.projects, &stranger)
	for _, name := range []string{"one", "two", "archived", "deleted"} {
		tag := addTag(t, s, w.owner, name)
		if name == "archived" {
			done[timesheet.Tag](t)(s.ArchiveTag(ctx, w.owner, tag.ID, true, nil, change("archiveTag")))
		}
		if name == "deleted" {
			done[timesheet.Tag](t)(s.DeleteTag(ctx, w.owner, tag.ID, nil, change("deleteTag")))
		}
		w.tags = append(w.tags, tag.ID)
	}
	done[timesheet.Workspace](t)(s.LockPeriod(ctx, w.owner, timesheet.NewDate(2024, time.January, 31), change("lockPeriod")))
	w.owner.Workspace.LockedThrough = nil // as it was when they came
	for _, v := range []timesheet.Viewer{w.owner, w.member} {
		create(t, s, v, hour(t))
	}
	return w
}

// drawn is an input that is mostly good, who sends it, and under which policy. The same
// draw means the same in every workspace.
func (w workplace) drawn(r *rand.Rand) (timesheet.Viewer, timesheet.EntryInput) {
	v := []timesheet.Viewer{w.owner, w.member}[r.IntN(2)]
	v.Workspace.OverlapPolicy = []timesheet.OverlapPolicy{timesheet.OverlapAllow, timesheet.OverlapWarn, timesheet.OverlapReject}[r.IntN(3)]
	if r.IntN(20) == 0 {
		v.Workspace.TimeZone = "Asia/Tokyo" // as it was when they came
	}
	start := time.Date(2024, time.February, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(400)) * 37 * time.Minute)
	switch r.IntN(10) {
	case 0:
		start = time.Date(2024, time.January, 31, 20+r.IntN(4), 0, 0, 0, time.UTC) // about the last closed midnight
	case 1:
		start = time.Date(2024, time.June, 3, 7, 45+r.IntN(3)*30, 0, 0, time.UTC)
	}
	end := start.Add([]time.Duration{time.Hour, 30 * time.Minute, 0, 25 * time.Hour, 8 * 24 * time.Hour, -time.Hour}[min(r.IntN(6), r.IntN(6))])
	project := min(r.IntN(len(w.projects)), r.IntN(len(w.projects)))
	in := timesheet.EntryInput{
		Start: timesheet.Some(start), End: timesheet.Some(end), Description: timesheet.Some(fmt.Sprint("work ", r.IntN(9))),
		Project: timesheet.Some(w.projects[project]), Tags: timesheet.Some(w.tags[:min(r.IntN(5), r.IntN(5))]),
	}
	if r.IntN(2) == 0 && project > 0 && project < 6 {
		in.Task = timesheet.Some(w.tasks[1+3*(project-1)+min(r.IntN(3), r.IntN(3))])
	}
	if r.IntN(8) == 0 {
		in.Task = timesheet.Some(w.tasks[r.IntN(len(w.tasks))])
	}
	if r.IntN(3) == 0 {
		in.Billable = timesheet.Some(r.IntN(2) == 0)
	}
	return v, in
}

// What is created in one round trip is what the steps would have created, with the
// same warnings, and what the steps refuse is not created.
func TestEntriesAtOnceAreThoseOfTheSteps(t *testing.T) {
	t.Parallel()
	s, stranger, conn := newDatabase(t)
	theirs := addProject(t, s, stranger, "theirs", nil).ID
	here, there := newWorkplace(t, s, "Here", theirs), newWorkplace(t, s, "There", theirs)
	alike := cmp.Options{
		cmpopts.IgnoreFields(timesheet.TimeEntry{}, "ID", "UserID"),
		cmp.Transformer("project", func(id timesheet.ProjectID) int { return place(id, here.projects, there.projects) }),
		cmp.Transformer("task", func(id timesheet.TaskID) int { return place(id, here.tasks, there.tasks) }),
		cmp.Transformer("tag", func(id timesheet.TagID) int { return place(id, pointers(here.tags), pointers(there.tags)) }),
	}
	created := 0
	for n := range uint64(400) {
		v, in := here.drawn(rand.New(rand.NewPCG(n, 0)))
		got, warnings, ok, err := store.CreateAtOnce(t.Context(), s, v, in, change("createTimeEntry"))
		if err != nil {
			t.Fatalf("draw %d: %v", n, err)
		}
		v, in = there.drawn(rand.New(rand.NewPCG(n, 0)))
		want, wantedWarnings, refusal := store.CreateStepwise(t.Context(), s, v, in, change("createTimeEntry"))
		moved := v.Workspace.TimeZone != here.owner.Workspace.TimeZone
		switch _, rule := timesheet.AsError(refusal); {
		case refusal != nil && !rule:
			t.Fatalf("draw %d: the steps: %v", n, refusal)
		case moved && ok, !moved && ok != (refusal == nil):
			t.Errorf("draw %d: at once ok is %v, and the steps say %v of %+v", n, ok, refusal, in)
		case ok:
			created++
			// Which of several entries it overlaps is the database's choice.
			if diff := cmp.Diff(want, got, alike) + cmp.Diff(wantedWarnings, warnings, cmpopts.IgnoreFields(timesheet.Error{}, "Message")); diff != "" {
				t.Errorf("draw %d: (-steps +at once):\n%s", n, diff)
			}
		}
		if moved && refusal == nil { // the two stay alike
			v, in = here.drawn(rand.New(rand.NewPCG(n, 0)))
			if _, _, err := store.CreateStepwise(t.Context(), s, v, in, change("createTimeEntry")); err != nil {
				t.Fatalf("draw %d: %v", n, err)
			}
		}
	}
	if created < 100 || created > 300 {
		t.Errorf("%d of 400 were created, want many and many not", created)
	}
	for _, table := range []string{"time_entry", "audit", "rollup"} {
		count := `SELECT count(*) FROM ` + table + ` WHERE workspace_id = $1`
		if a, b := ask[int](t, conn, count, here.owner.Workspace.ID), ask[int](t, conn, count, there.owner.Workspace.ID); a != b {
			t.Errorf("%s has %d rows of what was created at once, and %d of the steps", table, a, b)
		}
	}
	wantRollup(t, conn, here.owner, "entries at once")
}

func pointers[T any](all []T) []*T {
	var found []*T
	for i := range all {
		found = append(found, &all[i])
	}
	return found
}

// place is where an id stands in either list; -1: nowhere.
func place[T comparable](id T, lists ...[]*T) int {
	for _, list := range lists {
		for i, other := range list {
			if other != nil && *other == id {
				return i
			}
		}
	}
	return -1
}

// What refers to nothing new is read with the entry; what cannot be written at once
// is told as ever.
func TestAnEntryComesWithWhatItRefersTo(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	client := addClient(t, s, owner, "ACME")
	project := addProject(t, s, owner, "site", &client.ID)
	task := addTask(t, s, owner, project.ID, "paint")
	in := hour(t)
	in.Project, in.Task = timesheet.Some(&project.ID), timesheet.Some(&task.ID)
	joins := store.Joins{User: true, Project: true, Client: true, Task: true}
	e, refs, _, err := s.CreateTimeEntryJoined(t.Context(), owner, in, change("createTimeEntry"), joins)
	if err != nil {
		t.Fatal(err)
	}
	if refs.Users[e.UserID].Name != "Olga" || refs.Projects[project.ID].Name != "site" || refs.Clients[client.ID].Name != "ACME" || refs.Tasks[task.ID].Name != "paint" {
		t.Errorf("it refers to %+v", refs)
	}
}

// A database that cannot commit says so after all statements have succeeded.
func TestAFailedCommitIsTold(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	mustExec(t, conn, `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no commit today'; END $$`)
	mustExec(t, conn, `CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON time_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()`)
	for range 3 { // and the connection is as good as before
		_, _, ok, err := store.CreateAtOnce(t.Context(), s, owner, hour(t), change("createTimeEntry"))
		if ok || err == nil {
			t.Fatalf("ok is %v, error %v", ok, err)
		}
	}
	mustExec(t, conn, `DROP TRIGGER fail ON time_entry`)
	if _, _, ok, err := store.CreateAtOnce(t.Context(), s, owner, hour(t), change("createTimeEntry")); !ok || err != nil {
		t.Errorf("ok is %v, error %v", ok, err)
	}
	for _, table := range []string{"time_entry", "rollup"} {
		if n := ask[int](t, conn, `SELECT count(*) FROM `+table+` WHERE workspace_id = $1`, owner.Workspace.ID); n != 1 {
			t.Errorf("%d rows of %s, want 1", n, table)
		}
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM audit WHERE workspace_id = $1 AND action = 'createTimeEntry'`, owner.Workspace.ID); n != 1 {
		t.Errorf("%d audit rows, want 1", n)
	}
}

// Whoever leaves while the books are being closed has written nothing.
func TestLeavingInTheMiddleOfAnEntry(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	mustExec(t, conn, `SELECT pg_advisory_lock(hashint8extended($1, 1))`, owner.Workspace.ID)
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, _, err := s.CreateTimeEntry(ctx, owner, hour(t), change("createTimeEntry"))
		ended <- err
	}()
	waitUntil(t, "it to wait for the books", func() bool {
		return ask[int](t, conn, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`) > 0
	})
	leave()
	if err := <-ended; err == nil {
		t.Error("it succeeded")
	}
	mustExec(t, conn, `SELECT pg_advisory_unlock(hashint8extended($1, 1))`, owner.Workspace.ID)
	if n := ask[int](t, conn, `SELECT count(*) FROM time_entry WHERE workspace_id = $1`, owner.Workspace.ID); n > 0 {
		t.Errorf("%d entries, want none", n)
	}
	create(t, s, owner, hour(t))
}
