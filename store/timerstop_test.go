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

func TestStopTimer(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	person := func(t *testing.T) timesheet.Viewer {
		return addViewer(t, s, owner, uuid.NewString(), timesheet.RoleMember)
	}

	t.Run("case20_stop_twice", func(t *testing.T) {
		v := person(t)
		e, at := startAt(t, s, v, ago(time.Hour)), ago(time.Minute)
		first := done[timesheet.TimeEntry](t)(s.StopTimer(ctx, v, &e.ID, &at, change("stopTimer")))
		wantSpan(t, first, e.StartedAt, &at)
		later := ago(0)
		again := done[timesheet.TimeEntry](t)(s.StopTimer(ctx, v, &e.ID, &later, change("stopTimer")))
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("the second stop changed the entry (-first +second):\n%s", diff)
		}
	})
	t.Run("case20_stop_without_a_timer", func(t *testing.T) {
		_, _, err := s.StopTimer(ctx, person(t), nil, nil, change("stopTimer"))
		wantCode(t, err, timesheet.CodeNotRunning)
	})
	t.Run("case20_stop_of_an_unknown_id", func(t *testing.T) {
		v, id := person(t), newID(t)
		running := startAt(t, s, v, ago(time.Hour))
		_, _, err := s.StopTimer(ctx, v, &id, nil, change("stopTimer"))
		wantCode(t, err, timesheet.CodeNotFound)
		wantRunning(t, s, v, &running)
	})
	t.Run("case21_forgotten_over_night", func(t *testing.T) {
		v := person(t)
		e := startAt(t, s, v, ago(25*time.Hour))
		stopped, warnings, err := s.StopTimer(ctx, v, nil, nil, change("stopTimer"))
		if err != nil || *stopped.Seconds < 25*3600 {
			t.Fatalf("got %+v, %v, want the whole time since %v", stopped, err, e.StartedAt)
		}
		wantWarnings(t, warnings, timesheet.CodeNeedsReview)
	})
	t.Run("case21_forgotten_for_more_than_a_week", func(t *testing.T) {
		v := person(t)
		e := startAt(t, s, v, ago(9*24*time.Hour))
		stopped, warnings, err := s.StopTimer(ctx, v, nil, nil, change("stopTimer"))
		if err != nil {
			t.Fatal(err)
		}
		end := e.StartedAt.Add(timesheet.MaxEntry)
		wantSpan(t, stopped, e.StartedAt, &end)
		wantWarnings(t, warnings, timesheet.CodeTooLong)
	})
	t.Run("case21_forgotten_and_followed_by_another", func(t *testing.T) {
		v := person(t)
		e := startAt(t, s, v, ago(9*24*time.Hour))
		_, stopped, warnings, err := s.StartTimer(ctx, v, timesheet.TimerInput{}, change("startTimer"))
		if err != nil || stopped == nil {
			t.Fatal(stopped, err)
		}
		end := e.StartedAt.Add(timesheet.MaxEntry)
		wantSpan(t, *stopped, e.StartedAt, &end)
		wantWarnings(t, warnings, timesheet.CodeTooLong)
	})
	t.Run("case21_told_to_end_after_more_than_a_week", func(t *testing.T) {
		v := person(t)
		running, at := startAt(t, s, v, ago(9*24*time.Hour)), ago(0)
		_, _, err := s.StopTimer(ctx, v, nil, &at, change("stopTimer"))
		wantCode(t, err, timesheet.CodeTooLong)
		wantRunning(t, s, v, &running)
	})
	t.Run("case22_started_and_stopped_in_one_second", func(t *testing.T) {
		v := person(t)
		e := startAt(t, s, v, ago(time.Hour))
		stopped := done[timesheet.TimeEntry](t)(s.StopTimer(ctx, v, nil, &e.StartedAt, change("stopTimer")))
		wantSpan(t, stopped, e.StartedAt, &e.StartedAt)
		if *stopped.Seconds != 0 || *stopped.AmountX3600 != 0 {
			t.Errorf("got %d seconds, amount %d, want 0", *stopped.Seconds, *stopped.AmountX3600)
		}
	})
	t.Run("case23_end_before_start", func(t *testing.T) {
		v := person(t)
		running, at := startAt(t, s, v, ago(time.Hour)), ago(2*time.Hour)
		_, _, err := s.StopTimer(ctx, v, nil, &at, change("stopTimer"))
		wantCode(t, err, timesheet.CodeEndBeforeStart)
		wantRunning(t, s, v, &running)
	})
	t.Run("case25_end_in_the_future", func(t *testing.T) {
		v := person(t)
		running, at := startAt(t, s, v, ago(time.Hour)), ago(-time.Hour)
		_, _, err := s.StopTimer(ctx, v, nil, &at, change("stopTimer"))
		wantCode(t, err, timesheet.CodeInFuture)
		wantRunning(t, s, v, &running)
	})
	t.Run("who_may_stop_another_persons_timer", func(t *testing.T) {
		v := person(t)
		e := startAt(t, s, v, ago(time.Hour))
		_, _, err := s.StopTimer(ctx, person(t), &e.ID, nil, change("stopTimer"))
		wantCode(t, err, timesheet.CodeNotFound)
		manager := addViewer(t, s, owner, "manager", timesheet.RoleManager)
		_, _, err = s.StopTimer(ctx, manager, &e.ID, nil, change("stopTimer"))
		wantCode(t, err, timesheet.CodeForbidden)
		wantRunning(t, s, v, &e)
		if _, _, err := s.StopTimer(ctx, owner, &e.ID, nil, change("stopTimer")); err != nil {
			t.Errorf("an owner stops it: %v", err)
		}
		wantRunning(t, s, v, nil)
	})
}

// Whoever stops a timer does not wait for the people who do other things: the
// one connection of the interactive class is stuck, and the stop succeeds.
func TestStopTimerHasItsOwnConnections(t *testing.T) {
	t.Parallel()
	_, owner, conn := newDatabase(t)
	s, err := store.Open(t.Context(), store.Config{
		DSN: conn.Config().ConnString(), Pools: map[timesheet.Class]int{timesheet.ClassInteractive: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	running := startAt(t, s, owner, ago(time.Hour))
	mustExec(t, conn, `BEGIN`)
	mustExec(t, conn, `LOCK TABLE tag`)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, _, err := s.CreateTag(t.Context(), owner, timesheet.TagInput{Name: timesheet.Some("stuck")}, change("createTag")); err != nil {
			t.Errorf("the tag that waited: %v", err)
		}
	})
	waitUntil(t, "the interactive pool to be used up", func() bool { return interactive(t, s).Busy == 1 })
	stopped, _, err := s.StopTimer(t.Context(), owner, nil, nil, change("stopTimer"))
	mustExec(t, conn, `COMMIT`)
	wg.Wait()
	if err != nil || stopped.ID != running.ID {
		t.Errorf("got %v, %v, want the timer stopped while others wait", stopped, err)
	}
}

func TestDiscardTimer(t *testing.T) {
	t.Parallel()
	s, v, conn := newDatabase(t)
	ctx := t.Context()
	_, _, err := s.DiscardTimer(ctx, v, change("discardTimer"))
	wantCode(t, err, timesheet.CodeNotRunning)

	e := startAt(t, s, v, ago(time.Hour))
	gone := done[timesheet.TimeEntry](t)(s.DiscardTimer(ctx, v, change("discardTimer")))
	if gone.ID != e.ID || !gone.Deleted || gone.Version != 2 {
		t.Errorf("got %+v, want the deleted timer", gone)
	}
	wantRunning(t, s, v, nil)

	next := startAt(t, s, v, ago(time.Minute))
	discarded := ask[time.Time](t, conn, `SELECT date_trunc('second', deleted_at) FROM time_entry WHERE id = $1`, e.ID)
	back := done[timesheet.TimeEntry](t)(s.RestoreTimeEntry(ctx, v, e.ID, change("restoreTimeEntry")))
	wantSpan(t, back, e.StartedAt, &discarded)
	wantRunning(t, s, v, &next)
}

func TestContinueEntry(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	ctx := t.Context()
	project := addProject(t, s, owner, "site", nil)
	task := addTask(t, s, owner, project.ID, "paint")
	kept, dropped := addTag(t, s, owner, "kept"), addTag(t, s, owner, "dropped")
	from := ago(48 * time.Hour)
	e := done[timesheet.TimeEntry](t)(s.CreateTimeEntry(ctx, owner, timesheet.EntryInput{
		Project: timesheet.Some(&project.ID), Task: timesheet.Some(&task.ID), Tags: timesheet.Some([]timesheet.TagID{kept.ID, dropped.ID}),
		Start: timesheet.Some(from), End: timesheet.Some(from.Add(time.Hour)), Description: timesheet.Some("walls"), Billable: timesheet.Some(true),
	}, change("createTimeEntry")))
	mustExec(t, conn, `UPDATE time_entry SET rate_minor = 9000 WHERE id = $1`, e.ID)
	done[timesheet.Tag](t)(s.DeleteTag(ctx, owner, dropped.ID, nil, change("deleteTag")))
	old := startAt(t, s, owner, ago(time.Hour))

	before := ago(0)
	started, stopped, warnings, err := s.ContinueEntry(ctx, owner, e.ID, change("continueEntry"))
	if err != nil || stopped == nil || stopped.ID != old.ID {
		t.Fatalf("got stopped %v, error %v", stopped, err)
	}
	wantWarnings(t, warnings)
	want := timesheet.TimeEntry{
		ID: started.ID, UserID: owner.User, ProjectID: &project.ID, TaskID: &task.ID, TagIDs: []timesheet.TagID{kept.ID},
		StartedAt: started.StartedAt, Day: started.Day, Description: "walls", Billable: true, Currency: "EUR", Version: 1,
	}
	if diff := cmp.Diff(want, started); diff != "" {
		t.Errorf("the continued timer (-want +got):\n%s", diff)
	}
	if started.ID == e.ID || started.StartedAt.Before(before) {
		t.Errorf("got %v from %v, want a new timer from now", started.ID, started.StartedAt)
	}
	if rate := ask[int64](t, conn, `SELECT rate_minor FROM time_entry WHERE id = $1`, started.ID); rate != 0 {
		t.Errorf("got an hourly rate of %d, want that of today, 0", rate)
	}

	admin := addViewer(t, s, owner, "admin", timesheet.RoleAdmin)
	_, _, _, err = s.ContinueEntry(ctx, admin, e.ID, change("continueEntry"))
	wantCode(t, err, timesheet.CodeForbidden)
	_, _, _, err = s.ContinueEntry(ctx, addViewer(t, s, owner, "member", timesheet.RoleMember), e.ID, change("continueEntry"))
	wantCode(t, err, timesheet.CodeNotFound)
	done[timesheet.Project](t)(s.ArchiveProject(ctx, owner, project.ID, true, nil, change("archiveProject")))
	_, _, _, err = s.ContinueEntry(ctx, owner, e.ID, change("continueEntry"))
	wantCode(t, err, timesheet.CodeArchived)
	wantRunning(t, s, owner, &started)
}
