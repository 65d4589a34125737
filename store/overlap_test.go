package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"headroom/timesheet"
)

// under is the viewer in a workspace whose policy is the given one.
func under(v timesheet.Viewer, policy timesheet.OverlapPolicy) timesheet.Viewer {
	v.Workspace.OverlapPolicy = policy
	return v
}

func TestCase13Overlap(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	// Everybody has an entry from eight to nine.
	tests := []struct {
		name       string
		start, end string
		overlaps   bool
	}{
		{"case13_before", "06:00:00", "07:00:00", false},
		{"case13_touches_the_start", "07:00:00", "08:00:00", false},
		{"case13_over_the_start", "07:00:00", "08:00:01", true},
		{"case13_inside", "08:10:00", "08:20:00", true},
		{"case13_the_same", "08:00:00", "09:00:00", true},
		{"case13_around", "07:00:00", "10:00:00", true},
		{"case13_over_the_end", "08:59:59", "10:00:00", true},
		{"case13_touches_the_end", "09:00:00", "10:00:00", false},
		{"case13_zero_length_inside", "08:30:00", "08:30:00", false},
	}
	outcomes := map[timesheet.OverlapPolicy]struct {
		code  timesheet.Code
		warns []timesheet.Code
	}{
		timesheet.OverlapAllow:  {},
		timesheet.OverlapWarn:   {warns: []timesheet.Code{timesheet.CodeOverlap}},
		timesheet.OverlapReject: {code: timesheet.CodeOverlap},
	}
	for _, tt := range tests {
		for policy, outcome := range outcomes {
			t.Run(tt.name+"_"+string(policy), func(t *testing.T) {
				v := under(addViewer(t, s, owner, uuid.NewString(), timesheet.RoleMember), policy)
				create(t, s, v, hour(t))
				in := span(t, "2024-06-03T"+tt.start+"Z", "2024-06-03T"+tt.end+"Z")
				want := outcome
				if !tt.overlaps {
					want.code, want.warns = "", nil
				}
				if tt.start == tt.end {
					want.warns = append([]timesheet.Code{timesheet.CodeZeroLength}, want.warns...)
				}
				_, warnings, err := s.CreateTimeEntry(t.Context(), v, in, change("createTimeEntry"))
				wantRule(t, "created", err, want.code, fieldOf(want.code, "startedAt"))
				wantWarnings(t, warnings, want.warns...)
			})
		}
	}
}

func TestCase13Rejections(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	strict := func(t *testing.T) timesheet.Viewer {
		return under(addViewer(t, s, owner, uuid.NewString(), timesheet.RoleMember), timesheet.OverlapReject)
	}

	t.Run("case13_edit_of_an_old_overlapping_entry", func(t *testing.T) {
		v := strict(t)
		create(t, s, v, hour(t))
		old := create(t, s, under(v, timesheet.OverlapAllow), hour(t))
		e := done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, old.ID, timesheet.EntryInput{Description: timesheet.Some("told")}, nil, change("updateTimeEntry")))
		if e.Description != "told" {
			t.Errorf("got %+v", e)
		}
		same := timesheet.EntryInput{
			Description: timesheet.Some("told again"),
			Start:       timesheet.Some(old.StartedAt.Add(time.Millisecond)), End: timesheet.Some(*old.EndedAt),
		}
		e = done[timesheet.TimeEntry](t)(s.UpdateTimeEntry(ctx, v, old.ID, same, nil, change("updateTimeEntry")))
		if e.Description != "told again" {
			t.Errorf("with its times as they are: got %+v", e)
		}
		wantSpan(t, e, old.StartedAt, old.EndedAt)
		same.Start.Value = old.StartedAt.Add(time.Second)
		_, _, err := s.UpdateTimeEntry(ctx, v, old.ID, same, nil, change("updateTimeEntry"))
		wantRule(t, "a second later", err, timesheet.CodeOverlap, "startedAt")
		_, _, err = s.UpdateTimeEntry(ctx, v, old.ID, timesheet.EntryInput{End: timesheet.Some(old.EndedAt.Add(time.Hour))}, nil, change("updateTimeEntry"))
		wantRule(t, "longer", err, timesheet.CodeOverlap, "startedAt")
	})
	t.Run("case13_move_and_restore", func(t *testing.T) {
		v := strict(t)
		deleted := create(t, s, v, hour(t))
		done[timesheet.TimeEntry](t)(s.DeleteTimeEntry(ctx, v, deleted.ID, nil, change("deleteTimeEntry")))
		create(t, s, v, hour(t))
		_, _, err := s.RestoreTimeEntry(ctx, v, deleted.ID, change("restoreTimeEntry"))
		wantRule(t, "restored", err, timesheet.CodeOverlap, "startedAt")
		later := create(t, s, v, span(t, "2024-06-03T09:00:00Z", "2024-06-03T10:00:00Z"))
		_, _, err = s.UpdateTimeEntry(ctx, v, later.ID, timesheet.EntryInput{Start: timesheet.Some(instant(t, "2024-06-03T08:59:59Z"))}, nil, change("updateTimeEntry"))
		wantRule(t, "moved", err, timesheet.CodeOverlap, "startedAt")
	})
	t.Run("case13_around_an_entry_of_zero_length", func(t *testing.T) {
		v := strict(t)
		if _, _, err := s.CreateTimeEntry(ctx, v, span(t, "2024-06-03T08:30:00Z", "2024-06-03T08:30:00Z"), change("createTimeEntry")); err != nil {
			t.Fatal(err)
		}
		create(t, s, v, hour(t))
	})
	t.Run("case13_another_person", func(t *testing.T) {
		create(t, s, strict(t), hour(t))
		create(t, s, strict(t), hour(t))
	})
	t.Run("case13_the_longest_entry_is_seen_from_its_end", func(t *testing.T) {
		v := strict(t)
		if _, _, err := s.CreateTimeEntry(ctx, v, span(t, "2024-06-03T08:00:00Z", "2024-06-10T08:00:00Z"), change("createTimeEntry")); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.CreateTimeEntry(ctx, v, span(t, "2024-06-10T07:59:59Z", "2024-06-10T09:00:00Z"), change("createTimeEntry"))
		wantRule(t, "created", err, timesheet.CodeOverlap, "startedAt")
		create(t, s, v, span(t, "2024-06-10T08:00:00Z", "2024-06-10T09:00:00Z"))
	})
	t.Run("case13_under_a_running_timer", func(t *testing.T) {
		v := strict(t)
		startAt(t, s, v, ago(10*24*time.Hour))
		in := timesheet.EntryInput{Start: timesheet.Some(ago(2 * time.Hour)), End: timesheet.Some(ago(time.Hour))}
		_, _, err := s.CreateTimeEntry(ctx, v, in, change("createTimeEntry"))
		wantRule(t, "created", err, timesheet.CodeOverlap, "startedAt")
	})
	t.Run("case13_timer_started_within_an_entry", func(t *testing.T) {
		v := strict(t)
		create(t, s, v, timesheet.EntryInput{Start: timesheet.Some(ago(time.Hour)), End: timesheet.Some(ago(-time.Hour))})
		_, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{}, change("startTimer"))
		wantRule(t, "started", err, timesheet.CodeOverlap, "startedAt")
		wantRunning(t, s, v, nil)
	})
	t.Run("case13_a_stop_warns_and_is_never_refused", func(t *testing.T) {
		v := strict(t)
		e := startAt(t, s, v, ago(time.Hour))
		create(t, s, under(v, timesheet.OverlapAllow), timesheet.EntryInput{Start: timesheet.Some(ago(30 * time.Minute)), End: timesheet.Some(ago(20 * time.Minute))})
		stopped, warnings, err := s.StopTimer(ctx, v, nil, nil, change("stopTimer"))
		if err != nil || stopped.ID != e.ID || stopped.EndedAt == nil {
			t.Fatalf("got %+v, %v", stopped, err)
		}
		wantWarnings(t, warnings, timesheet.CodeOverlap)
	})
	t.Run("case13_stopping_a_timer_by_starting_the_next", func(t *testing.T) {
		v := strict(t)
		startAt(t, s, v, ago(time.Hour))
		_, stopped, warnings, err := s.StartTimer(ctx, v, timesheet.TimerInput{}, change("startTimer"))
		if err != nil || stopped == nil {
			t.Fatal(stopped, err)
		}
		wantWarnings(t, warnings)
	})
}

// Many requests want the same hour of one person at once: one gets it.
func TestCase13RejectRace(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	for round := range 10 {
		v := under(addViewer(t, s, owner, uuid.NewString(), timesheet.RoleMember), timesheet.OverlapReject)
		moving := create(t, s, v, span(t, "2024-06-05T08:00:00Z", "2024-06-05T09:00:00Z"))
		in := hour(t)
		tries := []func() error{
			func() error {
				_, _, err := s.CreateTimeEntry(t.Context(), v, in, change("createTimeEntry"))
				return err
			},
			func() error {
				_, _, err := s.UpdateTimeEntry(t.Context(), v, moving.ID, timesheet.EntryInput{Start: in.Start, End: in.End}, nil, change("updateTimeEntry"))
				return err
			},
			func() error {
				_, _, err := s.CreateTimeEntry(t.Context(), v, in, change("createTimeEntry"))
				return err
			},
		}
		errs := make([]error, len(tries))
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for i, try := range tries {
			wg.Go(func() { <-begin; errs[i] = try() })
		}
		close(begin)
		wg.Wait()
		won := 0
		for i, err := range errs {
			if err == nil {
				won++
			} else {
				wantRule(t, "try "+idText(timesheet.UserID(i)), err, timesheet.CodeOverlap, "startedAt")
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d of %d tries got the hour: %v", round, won, len(tries), errs)
		}
	}
}
