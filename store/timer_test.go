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

// newID is an id as a client mints it.
func newID(t testing.TB) timesheet.EntryID {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return timesheet.EntryID(id)
}

// ago is an instant before now, in whole seconds.
func ago(d time.Duration) time.Time { return time.Now().UTC().Truncate(time.Second).Add(-d) }

// codes are what warnings warn of.
func codes(warnings []*timesheet.Error) []timesheet.Code {
	var found []timesheet.Code
	for _, w := range warnings {
		found = append(found, w.Code)
	}
	return found
}

func wantWarnings(t testing.TB, got []*timesheet.Error, want ...timesheet.Code) {
	t.Helper()
	if diff := cmp.Diff(want, codes(got)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// startAt starts a timer that must break no rule.
func startAt(t testing.TB, s *store.Store, v timesheet.Viewer, start time.Time) timesheet.TimeEntry {
	t.Helper()
	e, _, warnings, err := s.StartTimer(t.Context(), v, timesheet.TimerInput{Start: &start}, change("startTimer"))
	if err != nil || len(warnings) > 0 {
		t.Fatalf("start a timer: %v, warnings %v", err, warnings)
	}
	return e
}

func wantSpan(t testing.TB, e timesheet.TimeEntry, start time.Time, end *time.Time) {
	t.Helper()
	if !e.StartedAt.Equal(start) || (e.EndedAt == nil) != (end == nil) || end != nil && !e.EndedAt.Equal(*end) {
		t.Errorf("got an entry from %v to %v, want from %v to %v", e.StartedAt, e.EndedAt, start, end)
	}
}

func wantRunning(t testing.TB, s *store.Store, v timesheet.Viewer, want *timesheet.TimeEntry) {
	t.Helper()
	got, err := s.RunningTimer(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the running timer (-want +got):\n%s", diff)
	}
}

func entryNow(t testing.TB, s *store.Store, v timesheet.Viewer, id timesheet.EntryID) timesheet.TimeEntry {
	t.Helper()
	found, err := s.EntriesByID(t.Context(), v, []timesheet.EntryID{id})
	if err != nil {
		t.Fatal(err)
	}
	e, ok := found[id]
	if !ok {
		t.Fatalf("%v is not found", id)
	}
	return e
}

func TestStartTimer(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()
	// Everybody has one timer, so each case has its own person.
	person := func(t *testing.T) timesheet.Viewer {
		return addViewer(t, s, owner, uuid.NewString(), timesheet.RoleMember)
	}

	t.Run("case14_start_while_running", func(t *testing.T) {
		v := person(t)
		old := startAt(t, s, v, ago(time.Hour))
		at := ago(time.Minute)
		started, stopped, warnings, err := s.StartTimer(ctx, v, timesheet.TimerInput{Start: &at, Description: "next"}, change("startTimer"))
		if err != nil || stopped == nil {
			t.Fatalf("got stopped %v, error %v", stopped, err)
		}
		wantWarnings(t, warnings)
		wantSpan(t, *stopped, old.StartedAt, &at)
		wantSpan(t, started, at, nil)
		if stopped.ID != old.ID || *stopped.Seconds != int64(at.Sub(old.StartedAt)/time.Second) || started.Description != "next" {
			t.Errorf("got stopped %+v, started %+v", stopped, started)
		}
		if diff := cmp.Diff(*stopped, entryNow(t, s, v, old.ID)); diff != "" {
			t.Errorf("the stopped timer as returned and as stored (-returned +stored):\n%s", diff)
		}
		wantRunning(t, s, v, &started)
	})
	t.Run("case14_start_while_running_fails_on_request", func(t *testing.T) {
		v := person(t)
		old := startAt(t, s, v, ago(time.Hour))
		_, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{IfRunning: timesheet.IfRunningFail}, change("startTimer"))
		wantCode(t, err, timesheet.CodeAlreadyRunning)
		wantRunning(t, s, v, &old)
	})
	t.Run("case14_start_before_the_running_one", func(t *testing.T) {
		v := person(t)
		running := startAt(t, s, v, ago(time.Hour))
		at := ago(2 * time.Hour)
		started, stopped, warnings, err := s.StartTimer(ctx, v, timesheet.TimerInput{Start: &at}, change("startTimer"))
		if err != nil || stopped != nil {
			t.Fatalf("got stopped %v, error %v", stopped, err)
		}
		wantWarnings(t, warnings, timesheet.CodeAlreadyRunning)
		wantSpan(t, started, at, &running.StartedAt)
		wantRunning(t, s, v, &running)
	})
	t.Run("case14_start_a_week_before_the_running_one", func(t *testing.T) {
		v := person(t)
		running := startAt(t, s, v, ago(time.Hour))
		at := ago(8 * 24 * time.Hour)
		_, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{Start: &at}, change("startTimer"))
		wantCode(t, err, timesheet.CodeTooLong)
		wantRunning(t, s, v, &running)
	})
	t.Run("case16_late_start_of_a_stopped_timer", func(t *testing.T) {
		v := person(t)
		id, at, end := newID(t), ago(2*time.Hour), ago(time.Hour)
		in := timesheet.TimerInput{ID: &id, Start: &at, Description: "offline"}
		start := func(at time.Time) timesheet.TimeEntry {
			in.Start = &at
			e, stopped, warnings, err := s.StartTimer(ctx, v, in, change("startTimer"))
			if err != nil || stopped != nil {
				t.Fatalf("got stopped %v, error %v", stopped, err)
			}
			wantWarnings(t, warnings)
			return e
		}
		start(at)
		done[timesheet.TimeEntry](t)(s.StopTimer(ctx, v, &id, &end, change("stopTimer")))
		wantSpan(t, start(at), at, &end)
		wantSpan(t, start(at.Add(time.Minute)), at, &end)
		earlier := at.Add(-time.Minute)
		wantSpan(t, start(earlier), earlier, &end)
		wantSpan(t, entryNow(t, s, v, id), earlier, &end)
		wantRunning(t, s, v, nil)
	})
	t.Run("case16_late_start_moves_the_day", func(t *testing.T) {
		v := person(t)
		id, end := newID(t), time.Date(2024, 6, 3, 8, 0, 0, 0, time.UTC)
		for _, at := range []time.Time{end.Add(-time.Hour), end.Add(-24 * time.Hour)} {
			if _, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{ID: &id, Start: &at}, change("startTimer")); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.StopTimer(ctx, v, &id, &end, change("stopTimer")); err != nil {
				t.Fatal(err)
			}
		}
		if e := entryNow(t, s, v, id); e.Day.String() != "2024-06-02" || *e.Seconds != 86400 {
			t.Errorf("got day %v and %d seconds, want 2024-06-02 and 86400", e.Day, *e.Seconds)
		}
	})
	t.Run("case16_id_of_another_person", func(t *testing.T) {
		id := newID(t)
		if _, _, _, err := s.StartTimer(ctx, person(t), timesheet.TimerInput{ID: &id}, change("startTimer")); err != nil {
			t.Fatal(err)
		}
		v := person(t)
		_, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{ID: &id}, change("startTimer"))
		wantCode(t, err, timesheet.CodeIDTaken)
		wantRunning(t, s, v, nil)
	})
	t.Run("case16_id_of_a_discarded_timer", func(t *testing.T) {
		v, id := person(t), newID(t)
		if _, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{ID: &id}, change("startTimer")); err != nil {
			t.Fatal(err)
		}
		done[timesheet.TimeEntry](t)(s.DiscardTimer(ctx, v, change("discardTimer")))
		_, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{ID: &id}, change("startTimer"))
		wantCode(t, err, timesheet.CodeIDTaken)
		wantRunning(t, s, v, nil)
	})
	t.Run("case24_far_past_and_future", func(t *testing.T) {
		v := person(t)
		for _, tt := range []struct {
			at   time.Time
			code timesheet.Code
		}{
			{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), timesheet.CodeOutOfRange},
			{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), timesheet.CodeInFuture},
			{time.Now().Add(10 * time.Minute), timesheet.CodeInFuture},
		} {
			_, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{Start: &tt.at}, change("startTimer"))
			wantCode(t, err, tt.code)
		}
		wantRunning(t, s, v, nil)
	})
	t.Run("case18_a_clock_that_is_a_minute_ahead", func(t *testing.T) {
		v := person(t)
		ahead := time.Now().Add(time.Minute)
		e := startAt(t, s, v, ahead)
		stopped := done[timesheet.TimeEntry](t)(s.StopTimer(ctx, v, nil, nil, change("stopTimer")))
		wantSpan(t, stopped, e.StartedAt, &e.StartedAt)
	})
	t.Run("id_of_another_version", func(t *testing.T) {
		id := timesheet.EntryID(uuid.New())
		_, _, _, err := s.StartTimer(ctx, person(t), timesheet.TimerInput{ID: &id}, change("startTimer"))
		wantCode(t, err, timesheet.CodeInvalid)
	})
	t.Run("parts_of_a_second_are_dropped", func(t *testing.T) {
		at := time.Date(2024, 6, 3, 8, 0, 0, 999_999_999, time.UTC)
		wantSpan(t, startAt(t, s, person(t), at), time.Date(2024, 6, 3, 8, 0, 0, 0, time.UTC), nil)
	})
	t.Run("a_viewer_starts_nothing", func(t *testing.T) {
		v := addViewer(t, s, owner, "looker", timesheet.RoleViewer)
		_, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{}, change("startTimer"))
		wantCode(t, err, timesheet.CodeForbidden)
	})
}

// Devices of one person start timers at once: one timer runs in the end, the
// one that started last, and of two the other ends where that begins, whichever
// reached the database first.
func TestCase15TwoDevicesStartAtOnce(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	tests := []struct {
		name   string
		starts []time.Duration // ago
	}{
		{"case15_same_instant", []time.Duration{time.Hour, time.Hour}},
		{"case15_different_instants", []time.Duration{time.Hour, 30 * time.Minute}},
		{"case15_four_devices", []time.Duration{time.Hour, time.Hour, time.Hour - time.Second, 30 * time.Minute}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 15 {
				v := addViewer(t, s, owner, uuid.NewString(), timesheet.RoleMember)
				starts := startAtOnce(t, s, v, tt.starts)
				last := starts[len(starts)-1]
				running, err := s.RunningTimer(t.Context(), v)
				if err != nil || running == nil || !running.StartedAt.Equal(last) {
					t.Fatalf("%v runs (%v), want the timer that started at %v", running, err, last)
				}
				ended := ask[int](t, conn, `SELECT count(*) FROM time_entry WHERE user_id = $1 AND ended_at IS NOT NULL`, v.User)
				if ended != len(starts)-1 {
					t.Fatalf("%d timers have ended, want %d", ended, len(starts)-1)
				}
				if len(starts) == 2 && ask[int](t, conn, `SELECT count(*) FROM time_entry WHERE user_id = $1 AND ended_at = $2`, v.User, last) != 1 {
					t.Fatal("the first timer does not end where the last begins")
				}
			}
		})
	}
}

// startAtOnce starts a timer at each of the instants and returns these.
func startAtOnce(t *testing.T, s *store.Store, v timesheet.Viewer, starts []time.Duration) []time.Time {
	t.Helper()
	begin := make(chan struct{})
	instants := make([]time.Time, len(starts))
	var wg sync.WaitGroup
	for i, d := range starts {
		instants[i] = ago(d)
		wg.Go(func() {
			<-begin
			if _, _, _, err := s.StartTimer(t.Context(), v, timesheet.TimerInput{Start: &instants[i]}, change("startTimer")); err != nil {
				t.Errorf("start %v ago: %v", d, err)
			}
		})
	}
	close(begin)
	wg.Wait()
	return instants
}

// A start that is sent several times at once, as after a dropped connection,
// makes one timer.
func TestCase19SameStartAtOnce(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	key, id := uuid.NewString(), newID(t)
	tests := []struct {
		name string
		in   timesheet.TimerInput
		ch   store.Change
	}{
		{"case19_same_key", timesheet.TimerInput{Description: "key"}, store.Change{Action: "startTimer", Key: &key, Input: "same"}},
		{"case19_same_id", timesheet.TimerInput{ID: &id, Description: "id"}, change("startTimer")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := addViewer(t, s, owner, uuid.NewString(), timesheet.RoleMember)
			old := startAt(t, s, v, ago(time.Hour))
			ids := make([]timesheet.EntryID, 3)
			var wg sync.WaitGroup
			for i := range ids {
				wg.Go(func() {
					e, stopped, _, err := s.StartTimer(t.Context(), v, tt.in, tt.ch)
					if err != nil {
						t.Errorf("start %d: %v", i, err)
					}
					if tt.ch.Key != nil && (stopped == nil || stopped.ID != old.ID) {
						t.Errorf("start %d: stopped %v, want %v", i, stopped, old.ID)
					}
					ids[i] = e.ID
				})
			}
			wg.Wait()
			if ids[0] != ids[1] || ids[1] != ids[2] {
				t.Errorf("the starts made %v, want one timer", ids)
			}
			page, err := s.TimeEntries(t.Context(), v, timesheet.EntryFilter{}, timesheet.Page{First: 10})
			if err != nil || len(page.Nodes) != 2 {
				t.Errorf("there are %d entries (%v), want the old timer and the new", len(page.Nodes), err)
			}
		})
	}
}
