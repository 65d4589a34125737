package store_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headroom/proof"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// crowd are people of one workspace who write at once.
type crowd struct {
	s        *store.Store
	owner    timesheet.Viewer
	people   []timesheet.Viewer
	projects []timesheet.ProjectID
	edits    atomic.Int64
	writes   atomic.Int64 // beside the edits

	mu  sync.Mutex
	ids []timesheet.EntryID // of all, the newest last
}

func newCrowd(t *testing.T, s *store.Store) *crowd {
	t.Helper()
	c := &crowd{s: s, owner: addWorkspace(t, s, "Acme")}
	for _, name := range []string{"a", "b", "c"} {
		c.projects = append(c.projects, addProject(t, s, c.owner, name, nil).ID)
	}
	for _, name := range []string{"ana", "bea", "cem"} {
		v := addViewer(t, s, c.owner, name, timesheet.RoleManager)
		c.people = append(c.people, v)
		c.ids = append(c.ids, many(t, s, v, 100)...)
		startAt(t, s, v, ago(time.Hour))
	}
	return c
}

func (c *crowd) person(random *rand.Rand) timesheet.Viewer {
	return c.people[random.IntN(len(c.people))]
}

func (c *crowd) project(random *rand.Rand) *timesheet.ProjectID {
	return &c.projects[random.IntN(len(c.projects))]
}

// some are n different entries, half of them among the newest.
func (c *crowd) some(random *rand.Rand, n int) []timesheet.EntryID {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := make([]timesheet.EntryID, 0, n)
	for _, i := range random.Perm(min(len(c.ids), 2*n))[:n/2] {
		ids = append(ids, c.ids[len(c.ids)-1-i])
	}
	for _, i := range random.Perm(len(c.ids))[:n-n/2] {
		ids = append(ids, c.ids[i])
	}
	return ids
}

// edit gives a hundred entries and more, the running timers among them, another
// project.
func (c *crowd) edit(t *testing.T, random *rand.Rand) error {
	ids := c.some(random, 100+150*random.IntN(2))
	for _, v := range c.people {
		if running, err := c.s.RunningTimer(t.Context(), v); err != nil {
			return err
		} else if running != nil {
			ids = append(ids, running.ID)
		}
	}
	_, _, err := c.s.BulkEditTimeEntries(t.Context(), c.owner, ids, timesheet.EntryInput{Project: timesheet.Some(c.project(random))}, change("bulkEditTimeEntries"))
	return err
}

// write is what somebody else does meanwhile.
func (c *crowd) write(t *testing.T, random *rand.Rand) (err error) {
	ctx, v := t.Context(), c.person(random)
	switch random.IntN(6) {
	case 0, 1:
		_, _, _, err = c.s.ContinueEntry(ctx, v, c.some(random, 2)[random.IntN(2)], change("continueEntry"))
	case 2:
		_, _, _, err = c.s.StartTimer(ctx, v, timesheet.TimerInput{Project: c.project(random)}, change("startTimer"))
	case 3:
		_, _, err = c.s.StopTimer(ctx, v, nil, nil, change("stopTimer"))
	case 4:
		in := timesheet.EntryInput{Project: timesheet.Some(c.project(random)), Start: timesheet.Some(ago(time.Duration(1+random.IntN(2000)) * time.Hour))}
		in.End = timesheet.Some(in.Start.Value.Add(time.Hour))
		_, _, err = c.s.UpdateTimeEntry(ctx, c.owner, c.some(random, 2)[random.IntN(2)], in, nil, change("updateTimeEntry"))
	case 5:
		in := hour(t)
		in.Project = timesheet.Some(c.project(random))
		var e timesheet.TimeEntry
		e, _, err = c.s.CreateTimeEntry(ctx, v, in, change("createTimeEntry"))
		if err == nil {
			c.mu.Lock()
			c.ids = append(c.ids, e.ID)
			c.mu.Unlock()
		}
	}
	return err
}

// Whoever writes entries locks them in one order, so that writers wait for each
// other and never in a circle: PostgreSQL breaks none, which would cost a
// second each time.
func TestWritersNeverDeadlock(t *testing.T) {
	dsn := storetest.New(t)
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Pools: map[timesheet.Class]int{timesheet.ClassInteractive: 14}})
	if err != nil {
		t.Fatal(err)
	}
	c, edits := newCrowd(t, s), proof.Size(t, 2400, 160)
	const editors, others = 8, 5
	var working, beside sync.WaitGroup
	var done atomic.Bool
	check := func(what string, err error) {
		// A slow machine may have somebody wait too long.
		if _, rule := timesheet.AsError(err); err != nil && !rule && !store.IsTimeout(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n := range uint64(editors) {
		random := proof.Rand(t, n)
		working.Go(func() {
			for range edits / editors {
				check("an edit", c.edit(t, random))
				c.edits.Add(1)
			}
		})
	}
	for n := range uint64(others) {
		random := proof.Rand(t, editors+n)
		beside.Go(func() {
			for !done.Load() {
				check("a write beside", c.write(t, random))
				c.writes.Add(1)
			}
		})
	}
	working.Wait()
	done.Store(true)
	beside.Wait()
	s.Close() // backends count what they met when they end
	conn := connectTo(t, dsn)
	waitUntil(t, "the backends to end", func() bool {
		return ask[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`) == 0
	})
	deadlocks := ask[int](t, conn, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	proof.Result(t, "%d edits of 100 entries and more by %d writers beside %d other writes: %d deadlocks", c.edits.Load(), editors, c.writes.Load(), deadlocks)
	if deadlocks != 0 {
		t.Errorf("PostgreSQL has broken %d deadlocks, want none", deadlocks)
	}
	wantRollup(t, conn, c.owner, "all of it")
}
