package store_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

// told is what somebody does with their timer.
type told struct {
	v     timesheet.Viewer
	start bool
	in    timesheet.TimerInput
	id    *timesheet.EntryID // of the timer to stop; nil: the one that runs
	at    *time.Time         // when it is to stop; nil: now
}

// timers are the ids of those that were started in each workspace, in the same order.
type timers []timesheet.EntryID

// toldBy is what somebody does about a moment: mostly something good. The same draw
// means the same in every workspace.
func (w workplace) toldBy(t testing.TB, r *rand.Rand, now time.Time, ids *timers) told {
	var d told
	d.v, _ = w.drawn(r)
	if r.IntN(4) > 0 {
		d.v.Workspace.OverlapPolicy = timesheet.OverlapAllow
	}
	at := now.Add([]time.Duration{0, -time.Minute, -time.Hour, time.Minute, 10 * time.Minute, -8 * 24 * time.Hour}[min(r.IntN(6), r.IntN(6))])
	told := r.IntN(2) == 0
	var known *timesheet.EntryID
	if len(*ids) > 0 && r.IntN(5) == 0 {
		known = &(*ids)[len(*ids)-1-r.IntN(min(4, len(*ids)))]
	}
	if d.start = r.IntN(5) > 1; !d.start {
		if d.id = known; told {
			d.at = &at
		}
		return d
	}
	project := min(r.IntN(len(w.projects)), r.IntN(len(w.projects)))
	d.in = timesheet.TimerInput{Project: w.projects[project], Tags: w.tags[:min(r.IntN(5), r.IntN(5), r.IntN(5))], Description: "timed", ID: known}
	if r.IntN(3) == 0 && project > 0 && project < 6 {
		d.in.Task = w.tasks[1+3*(project-1)+min(r.IntN(3), r.IntN(3))]
	}
	if r.IntN(4) == 0 {
		d.in.Billable = new(r.IntN(2) == 0)
	}
	if r.IntN(6) == 0 {
		d.in.IfRunning = timesheet.IfRunningFail
	}
	if told {
		d.in.Start = &at
	}
	if known == nil && r.IntN(2) == 0 {
		*ids = append(*ids, newID(t))
		d.in.ID = &(*ids)[len(*ids)-1]
	}
	return d
}

// atOnce does it in few round trips; ok is false where that is not possible.
func (d told) atOnce(t testing.TB, s *store.Store, now time.Time) (done store.Started, warnings []*timesheet.Error, ok bool) {
	var err error
	if d.start {
		done, warnings, ok, err = store.StartAtOnce(t.Context(), s, d.v, d.in, change("startTimer"), now)
	} else {
		done.Timer, warnings, ok, err = store.StopAtOnce(t.Context(), s, d.v, d.id, d.at, change("stopTimer"), now)
	}
	if err != nil {
		t.Fatal(err)
	}
	return done, warnings, ok
}

func (d told) stepwise(t testing.TB, s *store.Store, now time.Time) (done store.Started, warnings []*timesheet.Error, ok bool) {
	var err error
	if d.start {
		done, warnings, err = store.StartStepwise(t.Context(), s, d.v, d.in, change("startTimer"), now)
	} else {
		done.Timer, warnings, err = store.StopStepwise(t.Context(), s, d.v, d.id, d.at, change("stopTimer"), now)
	}
	if _, rule := timesheet.AsError(err); err != nil && !rule {
		t.Fatal(err)
	}
	return done, warnings, err == nil
}

// What is done with timers at once is what the steps would have done, with the same
// warnings, and what the steps refuse is not done.
func TestTimersAtOnceAreThoseOfTheSteps(t *testing.T) {
	t.Parallel()
	s, stranger, conn := newDatabase(t)
	theirs := addProject(t, s, stranger, "theirs", nil).ID
	here, there := newWorkplace(t, s, "Here", theirs), newWorkplace(t, s, "There", theirs)
	alike := cmp.Options{
		cmpopts.IgnoreFields(timesheet.TimeEntry{}, "ID", "UserID"), cmpopts.IgnoreFields(store.Started{}, "Refs"),
		cmp.Transformer("project", func(id timesheet.ProjectID) int { return place(id, here.projects, there.projects) }),
		cmp.Transformer("task", func(id timesheet.TaskID) int { return place(id, here.tasks, there.tasks) }),
		cmp.Transformer("tag", func(id timesheet.TagID) int { return place(id, pointers(here.tags), pointers(there.tags)) }),
	}
	var mine, other timers
	started, switched, stopped, refused := 0, 0, 0, 0
	now := time.Date(2024, time.February, 1, 8, 0, 0, 0, time.UTC)
	for n := range uint64(400) {
		now = now.Add(time.Duration(13+n%50*7) * time.Minute)
		draw := here.toldBy(t, rand.New(rand.NewPCG(n, 0)), now, &mine)
		want, wantedWarnings, good := there.toldBy(t, rand.New(rand.NewPCG(n, 0)), now, &other).stepwise(t, s, now)
		got, warnings, ok := draw.atOnce(t, s, now)
		if ok && !good {
			t.Fatalf("draw %d: the steps refuse what was done at once: %+v", n, draw)
		}
		switch {
		case !ok: // the two stay alike
			got, warnings, ok = draw.stepwise(t, s, now)
			if !ok {
				refused++
			}
		case !draw.start:
			stopped++
		case got.Stopped != nil:
			switched++
		default:
			started++
		}
		if ok != good {
			t.Fatalf("draw %d: ok is %v, and the steps say %v of %+v", n, ok, good, draw)
		}
		if diff := cmp.Diff(want, got, alike) + cmp.Diff(wantedWarnings, warnings, cmpopts.IgnoreFields(timesheet.Error{}, "Message")); diff != "" {
			t.Fatalf("draw %d: %+v (-steps +at once):\n%s", n, draw, diff)
		}
	}
	t.Logf("%d started, %d switched, %d stopped at once; %d refused", started, switched, stopped, refused)
	if min(started, switched, stopped, refused) < 20 {
		t.Errorf("%d started, %d switched, %d stopped at once, %d refused: want many of each", started, switched, stopped, refused)
	}
	for _, table := range []string{"time_entry", "audit", "rollup"} {
		count := `SELECT count(*) FROM ` + table + ` WHERE workspace_id = $1`
		if a, b := ask[int](t, conn, count, here.owner.Workspace.ID), ask[int](t, conn, count, there.owner.Workspace.ID); a != b {
			t.Errorf("%s has %d rows of what was done at once, and %d of the steps", table, a, b)
		}
	}
	wantRollup(t, conn, here.owner, "timers at once")
}

// waits tells whether somebody waits for a lock in this database.
func waits(t testing.TB, conn *pgx.Conn) bool {
	return ask[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
}

// Whoever takes the id of a timer while it is put in the place of another makes that
// one run on.
func TestATakenIDStopsNothing(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	other := addViewer(t, s, owner, "other", timesheet.RoleMember)
	running, id := startAt(t, s, owner, ago(time.Hour)), newID(t)
	mustExec(t, conn, `BEGIN`)
	mustExec(t, conn, `INSERT INTO time_entry (workspace_id, id, user_id, started_at, ended_at, day, billable, currency)
VALUES ($1, $2, $3, '2024-06-03 08:00Z', '2024-06-03 09:00Z', '2024-06-03', false, 'EUR')`, owner.Workspace.ID, id, other.User)
	ended := make(chan error)
	go func() {
		done, ok, err := store.SwitchAtOnce(t.Context(), s, owner, timesheet.TimerInput{ID: &id}, change("startTimer"), time.Now())
		if ok {
			t.Errorf("it started %+v", done)
		}
		ended <- err
	}()
	waitUntil(t, "it to wait for the id", func() bool {
		return waits(t, conn)
	})
	mustExec(t, conn, `COMMIT`)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantRunning(t, s, owner, &running)
	_, _, _, err := s.StartTimer(t.Context(), owner, timesheet.TimerInput{ID: &id}, change("startTimer"))
	wantCode(t, err, timesheet.CodeIDTaken)
	wantRunning(t, s, owner, &running)
}

// The counter of a person's changes is locked after the sums of months, whoever
// writes (docs/decisions/0013).
func TestSumsAreLockedBeforeTheCounter(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	start := time.Date(2024, time.June, 3, 8, 0, 0, 0, time.UTC)
	create(t, s, owner, hour(t)) // both rows are there
	for name, do := range map[string]func() error{
		"an entry": func() error {
			_, _, err := s.CreateTimeEntry(t.Context(), owner, hour(t), change("createTimeEntry"))
			return err
		},
		"a timer": func() error {
			_, _, err := s.StopTimer(t.Context(), owner, nil, new(start.Add(time.Hour)), change("stopTimer"))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			startAt(t, s, owner, start)
			mustExec(t, conn, `BEGIN`)
			mustExec(t, conn, `SELECT FROM rollup WHERE workspace_id = $1 FOR UPDATE`, owner.Workspace.ID)
			ended := make(chan error)
			go func() { ended <- do() }()
			waitUntil(t, "it to wait for the sums", func() bool {
				return waits(t, conn)
			})
			mustExec(t, conn, `SELECT FROM activity WHERE workspace_id = $1 FOR UPDATE NOWAIT`, owner.Workspace.ID)
			mustExec(t, conn, `COMMIT`)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if timer, err := s.RunningTimer(t.Context(), owner); err != nil {
				t.Error(err)
			} else if timer != nil {
				done[timesheet.TimeEntry](t)(s.DiscardTimer(t.Context(), owner, change("discardTimer")))
			}
		})
	}
}

// Timers come with what they refer to.
func TestATimerComesWithWhatItRefersTo(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	client := addClient(t, s, owner, "ACME")
	first, second := addProject(t, s, owner, "site", &client.ID), addProject(t, s, owner, "garden", nil)
	joins := store.Joins{User: true, Project: true, Client: true, Task: true}
	start := func(p timesheet.ProjectID) store.Started {
		done, _, err := s.StartTimerJoined(t.Context(), owner, timesheet.TimerInput{Project: &p}, change("startTimer"), joins)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if refs := start(first.ID).Refs; refs.Users[owner.User].Name != "Olga" || refs.Projects[first.ID].Name != "site" || refs.Clients[client.ID].Name != "ACME" {
		t.Errorf("the first refers to %+v", refs)
	}
	done := start(second.ID)
	if done.Stopped == nil || done.Refs.Projects[first.ID].Name != "site" || done.Refs.Projects[second.ID].Name != "garden" {
		t.Errorf("it stopped %v; both refer to %+v", done.Stopped, done.Refs)
	}
	_, refs, _, err := s.StopTimerJoined(t.Context(), owner, nil, nil, change("stopTimer"), joins)
	if err != nil || refs.Projects[second.ID].Name != "garden" {
		t.Errorf("it refers to %+v, error %v", refs, err)
	}
}
