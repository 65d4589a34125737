package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"headroom/store"
	"headroom/timesheet"
)

// span is the input of an entry between two instants of RFC 3339.
func span(t testing.TB, start, end string) timesheet.EntryInput {
	t.Helper()
	return timesheet.EntryInput{Start: timesheet.Some(instant(t, start)), End: timesheet.Some(instant(t, end))}
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// create makes an entry that breaks no rule and is warned of nothing.
func create(t testing.TB, s *store.Store, v timesheet.Viewer, in timesheet.EntryInput) timesheet.TimeEntry {
	t.Helper()
	return done[timesheet.TimeEntry](t)(s.CreateTimeEntry(t.Context(), v, in, change("createTimeEntry")))
}

// hour is an entry of one hour on a day of 2024.
func hour(t testing.TB) timesheet.EntryInput {
	t.Helper()
	return span(t, "2024-06-03T08:00:00Z", "2024-06-03T09:00:00Z")
}

func TestCreateTimeEntry(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	project := addProject(t, s, owner, "site", nil)
	task := addTask(t, s, owner, project.ID, "paint")
	first, second := addTag(t, s, owner, "first"), addTag(t, s, owner, "second")

	t.Run("everything", func(t *testing.T) {
		in := hour(t)
		in.ID = new(newID(t))
		in.Project, in.Task = timesheet.Some(&project.ID), timesheet.Some(&task.ID)
		in.Tags = timesheet.Some([]timesheet.TagID{second.ID, first.ID, second.ID})
		in.Description = timesheet.Some("walls\nand a ceiling 👩🏽‍🎨")
		got := create(t, s, owner, in)
		want := timesheet.TimeEntry{
			ID: *in.ID, UserID: owner.User, ProjectID: &project.ID, TaskID: &task.ID, TagIDs: []timesheet.TagID{first.ID, second.ID},
			StartedAt: in.Start.Value, EndedAt: &in.End.Value, Seconds: new(int64(3600)), Day: timesheet.NewDate(2024, time.June, 3),
			Description: in.Description.Value, Billable: true, AmountX3600: new(int64(0)), Currency: "EUR", Version: 1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("created (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, entryNow(t, s, owner, got.ID)); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
	})
	t.Run("case16_same_id_again", func(t *testing.T) {
		in := hour(t)
		in.ID = new(newID(t))
		in.Description = timesheet.Some("once")
		before := create(t, s, owner, in)
		if diff := cmp.Diff(before, create(t, s, owner, in)); diff != "" {
			t.Errorf("the repeat changed the entry (-first +repeat):\n%s", diff)
		}
		in.Description = timesheet.Some("twice")
		_, _, err := s.CreateTimeEntry(ctx, owner, in, change("createTimeEntry"))
		wantCode(t, err, timesheet.CodeIDTaken)
		in.Description = timesheet.Some("once")
		_, _, err = s.CreateTimeEntry(ctx, addViewer(t, s, owner, "thief", timesheet.RoleMember), in, change("createTimeEntry"))
		wantCode(t, err, timesheet.CodeIDTaken)
		done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, owner, *in.ID, nil, change("deleteTimeEntry")))
		_, _, err = s.CreateTimeEntry(ctx, owner, in, change("createTimeEntry"))
		wantCode(t, err, timesheet.CodeIDTaken)
	})
	t.Run("case16_same_id_in_another_workspace", func(t *testing.T) {
		in := hour(t)
		in.ID = new(newID(t))
		create(t, s, owner, in)
		create(t, s, addWorkspace(t, s, "Other"), in)
	})
	t.Run("defaults_of_billable", func(t *testing.T) {
		internal := done[timesheet.Project](t)(s.CreateProject(ctx, owner, timesheet.ProjectInput{Name: timesheet.Some("internal"), Billable: timesheet.Some(false)}, change("createProject")))
		paid := done[timesheet.Task](t)(s.CreateTask(ctx, owner, timesheet.TaskInput{Project: internal.ID, Name: timesheet.Some("paid"), Billable: timesheet.Some(new(true))}, change("createTask")))
		for name, tt := range map[string]struct {
			in   timesheet.EntryInput
			want bool
		}{
			"no project": {timesheet.EntryInput{}, false},
			"project":    {timesheet.EntryInput{Project: timesheet.Some(&project.ID)}, true},
			"internal":   {timesheet.EntryInput{Project: timesheet.Some(&internal.ID)}, false},
			"task":       {timesheet.EntryInput{Project: timesheet.Some(&internal.ID), Task: timesheet.Some(&paid.ID)}, true},
			"given":      {timesheet.EntryInput{Project: timesheet.Some(&project.ID), Billable: timesheet.Some(false)}, false},
		} {
			tt.in.Start, tt.in.End = hour(t).Start, hour(t).End
			if got := create(t, s, owner, tt.in).Billable; got != tt.want {
				t.Errorf("%s: billable is %v, want %v", name, got, tt.want)
			}
		}
	})
}

func TestRulesOfAnEntry(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	foreign := addWorkspace(t, s, "Other")
	ctx := t.Context()
	project, other := addProject(t, s, owner, "site", nil), addProject(t, s, owner, "other", nil)
	hidden := addProject(t, s, foreign, "hidden", nil)
	archived, deleted := addProject(t, s, owner, "archived", nil), addProject(t, s, owner, "deleted", nil)
	done[timesheet.Project](t)(s.ArchiveProject(ctx, owner, archived.ID, true, nil, change("archiveProject")))
	done[timesheet.Project](t)(s.DeleteProject(ctx, owner, deleted.ID, nil, change("deleteProject")))
	task, elsewhere := addTask(t, s, owner, project.ID, "paint"), addTask(t, s, owner, other.ID, "paint")
	foreignTask := addTask(t, s, foreign, hidden.ID, "hidden")
	closed := addTask(t, s, owner, project.ID, "closed")
	done[timesheet.Task](t)(s.ArchiveTask(ctx, owner, closed.ID, true, nil, change("archiveTask")))
	hiddenTag, archivedTag, deletedTag := addTag(t, s, foreign, "hidden"), addTag(t, s, owner, "archived"), addTag(t, s, owner, "deleted")
	done[timesheet.Tag](t)(s.ArchiveTag(ctx, owner, archivedTag.ID, true, nil, change("archiveTag")))
	done[timesheet.Tag](t)(s.DeleteTag(ctx, owner, deletedTag.ID, nil, change("deleteTag")))

	times := func(start, end time.Time) timesheet.EntryInput {
		return timesheet.EntryInput{Start: timesheet.Some(start), End: timesheet.Some(end)}
	}
	onProject := func(id timesheet.ProjectID) timesheet.EntryInput {
		return timesheet.EntryInput{Project: timesheet.Some(&id)}
	}
	onTask := func(project *timesheet.ProjectID, id timesheet.TaskID) timesheet.EntryInput {
		return timesheet.EntryInput{Project: timesheet.Some(project), Task: timesheet.Some(&id)}
	}
	tagged := func(ids ...timesheet.TagID) timesheet.EntryInput {
		return timesheet.EntryInput{Tags: timesheet.Some(ids)}
	}
	described := func(text string) timesheet.EntryInput {
		return timesheet.EntryInput{Description: timesheet.Some(text)}
	}
	start := instant(t, "2024-06-03T08:00:00Z")
	longest := start.Add(timesheet.MaxEntry)
	var many []timesheet.TagID
	for range timesheet.MaxTags + 1 {
		many = append(many, addTag(t, s, owner, uuid.NewString()).ID)
	}

	tests := []struct {
		name  string
		in    timesheet.EntryInput
		code  timesheet.Code // empty: accepted
		field string
		warns []timesheet.Code
	}{
		{name: "case21_a_day", in: times(start, start.Add(24*time.Hour))},
		{name: "case21_a_second_more_than_a_day", in: times(start, start.Add(24*time.Hour+time.Second)), warns: []timesheet.Code{timesheet.CodeNeedsReview}},
		{name: "case21_a_week", in: times(start, longest), warns: []timesheet.Code{timesheet.CodeNeedsReview}},
		{name: "case21_a_second_more_than_a_week", in: times(start, longest.Add(time.Second)), code: timesheet.CodeTooLong, field: "endedAt"},
		{name: "case22_zero_length", in: times(start, start), warns: []timesheet.Code{timesheet.CodeZeroLength}},
		{name: "case22_zero_length_by_truncation", in: times(start, start.Add(999*time.Millisecond)), warns: []timesheet.Code{timesheet.CodeZeroLength}},
		{name: "case23_negative_length", in: times(start, start.Add(-time.Second)), code: timesheet.CodeEndBeforeStart, field: "endedAt"},
		{name: "case24_first_second_of_1970", in: times(timesheet.FirstStart, timesheet.FirstStart.Add(time.Hour))},
		{name: "case24_before_1970", in: times(timesheet.FirstStart.Add(-time.Second), timesheet.FirstStart.Add(time.Hour)), code: timesheet.CodeOutOfRange, field: "startedAt"},
		{name: "case24_within_a_year", in: times(ago(-360*24*time.Hour), ago(-360*24*time.Hour-time.Hour))},
		{name: "case24_in_two_years", in: times(ago(-730*24*time.Hour), ago(-730*24*time.Hour-time.Hour)), code: timesheet.CodeOutOfRange, field: "startedAt"},
		{name: "case24_year_9999", in: times(instant(t, "9999-12-31T22:00:00Z"), instant(t, "9999-12-31T23:00:00Z")), code: timesheet.CodeOutOfRange, field: "startedAt"},
		{name: "case34_deleted_project", in: onProject(deleted.ID), code: timesheet.CodeNotFound, field: "projectId"},
		{name: "case34_archived_project", in: onProject(archived.ID), code: timesheet.CodeArchived, field: "projectId"},
		{name: "case37_project_of_another_workspace", in: onProject(hidden.ID), code: timesheet.CodeNotFound, field: "projectId"},
		{name: "case37_task", in: onTask(&project.ID, task.ID)},
		{name: "case37_task_of_another_project", in: onTask(&project.ID, elsewhere.ID), code: timesheet.CodeNotFound, field: "taskId"},
		{name: "case37_task_of_another_workspace", in: onTask(&project.ID, foreignTask.ID), code: timesheet.CodeNotFound, field: "taskId"},
		{name: "case37_task_without_project", in: onTask(nil, task.ID), code: timesheet.CodeInvalid, field: "taskId"},
		{name: "case37_archived_task", in: onTask(&project.ID, closed.ID), code: timesheet.CodeArchived, field: "taskId"},
		{name: "case41_longest_description", in: described(strings.Repeat("ă", timesheet.MaxDescription))},
		{name: "case41_too_long_description", in: described(strings.Repeat("ă", timesheet.MaxDescription+1)), code: timesheet.CodeInvalid, field: "description"},
		{name: "case41_description_with_U+0000", in: described("a\x00b"), code: timesheet.CodeInvalid, field: "description"},
		{name: "case41_description_of_broken_UTF-8", in: described("a\xffb"), code: timesheet.CodeInvalid, field: "description"},
		{name: "case42_fifty_tags", in: tagged(many[1:]...)},
		{name: "case42_one_tag_too_many", in: tagged(many...), code: timesheet.CodeInvalid, field: "tagIds"},
		{name: "case42_deleted_tag", in: tagged(many[0], deletedTag.ID), code: timesheet.CodeNotFound, field: "tagIds"},
		{name: "case42_archived_tag", in: tagged(many[0], archivedTag.ID), code: timesheet.CodeArchived, field: "tagIds"},
		{name: "case42_tag_of_another_workspace", in: tagged(many[0], hiddenTag.ID), code: timesheet.CodeNotFound, field: "tagIds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			create := tt.in
			if !create.Start.Given {
				create.Start, create.End = hour(t).Start, hour(t).End
			}
			_, warnings, err := s.CreateTimeEntry(ctx, owner, create, change("createTimeEntry"))
			wantRule(t, "created", err, tt.code, tt.field)
			wantWarnings(t, warnings, tt.warns...)

			before := done[timesheet.TimeEntry](t)(s.CreateTimeEntry(ctx, owner, hour(t), change("createTimeEntry")))
			_, warnings, err = s.UpdateTimeEntry(ctx, owner, before.ID, tt.in, nil, change("updateTimeEntry"))
			wantRule(t, "updated", err, tt.code, tt.field)
			wantWarnings(t, warnings, tt.warns...)
			if after := entryNow(t, s, owner, before.ID); tt.code != "" && !cmp.Equal(before, after) {
				t.Errorf("a refused update changed the entry (-before +after):\n%s", cmp.Diff(before, after))
			}
		})
	}
}

func wantRule(t testing.TB, what string, err error, code timesheet.Code, field string) {
	t.Helper()
	broken, ok := timesheet.AsError(err)
	switch {
	case err == nil && code == "":
	case !ok:
		t.Errorf("%s: got %v, want code %q", what, err, code)
	case broken.Code != code || broken.Field != field:
		t.Errorf("%s: got code %s of %q (%v), want %s of %q", what, broken.Code, broken.Field, err, code, field)
	}
}

// The constraints behind the rules: what a statement of ours would let pass,
// the database does not.
func TestCase37DatabaseRefusesForeignReferences(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	foreign := addWorkspace(t, s, "Other")
	project, other := addProject(t, s, owner, "site", nil), addProject(t, s, owner, "other", nil)
	task := addTask(t, s, owner, other.ID, "paint")
	hidden := addProject(t, s, foreign, "hidden", nil)
	e := create(t, s, owner, hour(t))
	for name, tt := range map[string]struct {
		set        string
		constraint string
	}{
		"case37_task_of_another_project":      {"project_id = " + idText(project.ID) + ", task_id = " + idText(task.ID), "time_entry_task_fk"},
		"case37_task_without_project":         {"task_id = " + idText(task.ID), "time_entry_task_needs_project"},
		"case37_project_of_another_workspace": {"project_id = " + idText(hidden.ID), "time_entry_project_fk"},
		"case37_user_of_another_workspace":    {"user_id = " + idText(foreign.User), "time_entry_member_fk"},
		"case23_negative_length":              {"ended_at = started_at - interval '1 second'", "time_entry_order"},
		"case21_eight_days":                   {"ended_at = started_at + interval '8 days'", "time_entry_length"},
		"parts_of_a_second":                   {"ended_at = ended_at + interval '1 millisecond'", "time_entry_whole_seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := conn.Exec(t.Context(), `UPDATE time_entry SET `+tt.set+` WHERE id = $1`, e.ID)
			if got := constraintOf(err); got != tt.constraint {
				t.Errorf("got constraint %q (%v), want %s", got, err, tt.constraint)
			}
		})
	}
}

func TestUpdateTimeEntry(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	project, other := addProject(t, s, owner, "site", nil), addProject(t, s, owner, "other", nil)
	task := addTask(t, s, owner, project.ID, "paint")
	tag := addTag(t, s, owner, "tag")
	full := func() timesheet.TimeEntry {
		in := hour(t)
		in.Project, in.Task, in.Tags = timesheet.Some(&project.ID), timesheet.Some(&task.ID), timesheet.Some([]timesheet.TagID{tag.ID})
		in.Description = timesheet.Some("walls")
		return create(t, s, owner, in)
	}
	update := func(t *testing.T, e timesheet.TimeEntry, in timesheet.EntryInput) timesheet.TimeEntry {
		t.Helper()
		return done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, owner, e.ID, in, &e.Version, change("updateTimeEntry")))
	}

	t.Run("what_is_not_given_stays", func(t *testing.T) {
		want := full()
		got := update(t, want, timesheet.EntryInput{Description: timesheet.Some("ceiling")})
		want.Description, want.Version = "ceiling", 2
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("updated (-want +got):\n%s", diff)
		}
	})
	t.Run("null_empties", func(t *testing.T) {
		want := full()
		got := update(t, want, timesheet.EntryInput{Project: timesheet.Some[*timesheet.ProjectID](nil), Tags: timesheet.Some[[]timesheet.TagID](nil)})
		want.ProjectID, want.TaskID, want.TagIDs, want.Version = nil, nil, []timesheet.TagID{}, 2
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("updated (-want +got):\n%s", diff)
		}
	})
	t.Run("another_project_takes_the_task_away", func(t *testing.T) {
		want := full()
		got := update(t, want, timesheet.EntryInput{Project: timesheet.Some(&other.ID)})
		want.ProjectID, want.TaskID, want.Version = &other.ID, nil, 2
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("updated (-want +got):\n%s", diff)
		}
	})
	t.Run("the_same_project_keeps_the_task", func(t *testing.T) {
		got := update(t, full(), timesheet.EntryInput{Project: timesheet.Some(&project.ID)})
		if got.TaskID == nil || *got.TaskID != task.ID {
			t.Errorf("got task %v, want %v", got.TaskID, task.ID)
		}
	})
	t.Run("a_new_start_moves_the_day", func(t *testing.T) {
		got := update(t, full(), timesheet.EntryInput{Start: timesheet.Some(instant(t, "2024-06-02T20:59:59Z"))})
		if got.Day.String() != "2024-06-02" || *got.Seconds != 12*3600+1 {
			t.Errorf("got day %v, %d seconds", got.Day, *got.Seconds)
		}
	})
	t.Run("an_old_version_conflicts", func(t *testing.T) {
		e := full()
		current := update(t, e, timesheet.EntryInput{Description: timesheet.Some("newer")})
		got, _, err := s.UpdateTimeEntry(ctx, owner, e.ID, timesheet.EntryInput{Description: timesheet.Some("older")}, &e.Version, change("updateTimeEntry"))
		wantCode(t, err, timesheet.CodeVersionConflict)
		if diff := cmp.Diff(current, got); diff != "" {
			t.Errorf("a conflict returns the current entry (-want +got):\n%s", diff)
		}
	})
	t.Run("case25_running_start_into_the_future", func(t *testing.T) {
		v := addViewer(t, s, owner, "runner", timesheet.RoleMember)
		e := startAt(t, s, v, ago(time.Hour))
		_, _, err := s.UpdateTimeEntry(ctx, v, e.ID, timesheet.EntryInput{Start: timesheet.Some(ago(-10 * time.Minute))}, nil, change("updateTimeEntry"))
		wantRule(t, "updated", err, timesheet.CodeInFuture, "startedAt")
		_, _, err = s.UpdateTimeEntry(ctx, v, e.ID, timesheet.EntryInput{End: timesheet.Some(ago(-10 * time.Minute))}, nil, change("updateTimeEntry"))
		wantRule(t, "updated", err, timesheet.CodeInFuture, "endedAt")
		wantRunning(t, s, v, &e)
		at := ago(30 * time.Minute)
		got := done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, e.ID, timesheet.EntryInput{Start: timesheet.Some(at)}, nil, change("updateTimeEntry")))
		wantSpan(t, got, at, nil)
		end := ago(10 * time.Minute)
		got = done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, e.ID, timesheet.EntryInput{End: timesheet.Some(end)}, nil, change("updateTimeEntry")))
		wantSpan(t, got, at, &end)
		wantRunning(t, s, v, nil)
	})
	t.Run("case34_old_entry_of_an_archived_and_a_deleted_project", func(t *testing.T) {
		closing := addProject(t, s, owner, "closing", nil)
		late := addTask(t, s, owner, closing.ID, "late")
		in := hour(t)
		in.Project = timesheet.Some(&closing.ID)
		e := create(t, s, owner, in)
		done[timesheet.Project](t)(s.ArchiveProject(ctx, owner, closing.ID, true, nil, change("archiveProject")))
		e = update(t, e, timesheet.EntryInput{Description: timesheet.Some("of an archived project"), Project: timesheet.Some(&closing.ID), Task: timesheet.Some(&late.ID)})
		done[timesheet.Project](t)(s.DeleteProject(ctx, owner, closing.ID, nil, change("deleteProject")))
		e = update(t, e, timesheet.EntryInput{End: timesheet.Some(e.EndedAt.Add(time.Hour))})
		if e.ProjectID == nil || *e.ProjectID != closing.ID || *e.Seconds != 7200 {
			t.Errorf("got %+v, want two hours of the deleted project", e)
		}
	})
}

func TestDeleteAndRestore(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	ctx := t.Context()
	e := create(t, s, owner, hour(t))

	_, _, err := s.DeleteTimeEntry(ctx, owner, e.ID, new(7), change("deleteTimeEntry"))
	wantCode(t, err, timesheet.CodeVersionConflict)
	gone := done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, owner, e.ID, &e.Version, change("deleteTimeEntry")))
	if !gone.Deleted || gone.Version != 2 || !entryNow(t, s, owner, e.ID).Deleted {
		t.Errorf("got %+v, want a tombstone", gone)
	}
	page, err := s.TimeEntries(ctx, owner, timesheet.EntryFilter{}, timesheet.Page{First: 1})
	if err != nil || len(page.Nodes) != 0 {
		t.Errorf("lists have %v (%v), want nothing", page.Nodes, err)
	}
	_, _, err = s.DeleteTimeEntry(ctx, owner, e.ID, nil, change("deleteTimeEntry"))
	wantCode(t, err, timesheet.CodeNotFound)
	_, _, err = s.UpdateTimeEntry(ctx, owner, e.ID, timesheet.EntryInput{}, nil, change("updateTimeEntry"))
	wantCode(t, err, timesheet.CodeNotFound)

	mustExec(t, conn, `UPDATE time_entry SET deleted_at = now() - interval '29 days' WHERE id = $1`, e.ID)
	back := done[timesheet.TimeEntry](t)(s.RestoreTimeEntry(ctx, owner, e.ID, change("restoreTimeEntry")))
	e.Version = 3
	if diff := cmp.Diff(e, back); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	again := done[timesheet.TimeEntry](t)(s.RestoreTimeEntry(ctx, owner, e.ID, change("restoreTimeEntry")))
	if diff := cmp.Diff(back, again); diff != "" {
		t.Errorf("restoring what is there changed it (-before +after):\n%s", diff)
	}
	done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, owner, e.ID, nil, change("deleteTimeEntry")))
	mustExec(t, conn, `UPDATE time_entry SET deleted_at = now() - interval '31 days' WHERE id = $1`, e.ID)
	_, _, err = s.RestoreTimeEntry(ctx, owner, e.ID, change("restoreTimeEntry"))
	wantCode(t, err, timesheet.CodeNotFound)
	_, _, err = s.RestoreTimeEntry(ctx, owner, newID(t), change("restoreTimeEntry"))
	wantCode(t, err, timesheet.CodeNotFound)
}

// constraintOf is the constraint that the database says was violated.
func constraintOf(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return ""
	}
	return pg.ConstraintName
}
