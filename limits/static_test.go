package limits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

// seats is small, so that little fills it.
var seats = Seats{Control: 1, Interactive: 2, Report: 1, Background: 1}

func newStatic(t testing.TB, seats Seats) *Static {
	t.Helper()
	s, err := NewStatic(StaticConfig{Seats: seats})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// crowd starts operations on a gate, each in its goroutine, and notes in which
// order they are answered.
type crowd struct {
	t       *testing.T
	gate    Gate
	mu      sync.Mutex
	order   []string
	permits map[string]*Permit
	refused map[string]*Refusal
}

func newCrowd(t *testing.T, gate Gate) *crowd {
	return &crowd{t: t, gate: gate, permits: map[string]*Permit{}, refused: map[string]*Refusal{}}
}

// arrive lets an operation ask, and returns when it is answered or waits.
func (c *crowd) arrive(ctx context.Context, name string, r Request) {
	go func() {
		permit, refusal := c.gate.Admit(ctx, r)
		c.mu.Lock()
		defer c.mu.Unlock()
		if (permit == nil) == (refusal == nil) {
			c.t.Errorf("%s: permit %v and refusal %v, want exactly one", name, permit, refusal)
		}
		if permit != nil {
			c.permits[name] = permit
			c.order = append(c.order, name)
			return
		}
		c.refused[name] = refusal
		c.order = append(c.order, name+" "+refusal.Reason.String())
	}()
	synctest.Wait()
}

// done ends an admitted operation and waits for what follows from it.
func (c *crowd) done(name string) {
	c.t.Helper()
	c.mu.Lock()
	permit := c.permits[name]
	c.mu.Unlock()
	if permit == nil {
		c.t.Fatalf("%s was not admitted; so far: %v", name, c.order)
	}
	permit.Done(Outcome{})
	synctest.Wait()
}

func (c *crowd) expect(want ...string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if diff := cmp.Diff(want, c.order); diff != "" {
		c.t.Errorf("answers (-want +got):\n%s", diff)
	}
	c.order = nil
}

func within(d time.Duration) time.Time { return time.Now().Add(d) }

func TestStaticQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := newCrowd(t, newStatic(t, seats))
		r := Request{Class: Interactive, Tenant: "a", Work: ms, Deadline: within(time.Minute)}
		for _, name := range []string{"1", "2", "3", "4"} {
			c.arrive(ctx, name, r)
		}
		c.expect("1", "2")
		c.arrive(ctx, "report", Request{Class: Report, Work: ms})
		c.arrive(ctx, "control", Request{Class: Control, Work: ms})
		c.expect("report", "control")
		c.done("2")
		c.expect("3")
		c.done("2")
		c.permits["2"].Drop()
		c.expect()
		c.permits["1"].Drop()
		synctest.Wait()
		c.expect("4")
	})
}

func TestStaticTakesTurnsByTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := newCrowd(t, newStatic(t, seats))
		ask := func(name, tenant string, work time.Duration) {
			c.arrive(ctx, name, Request{Class: Report, Tenant: tenant, Work: work})
		}
		ask("running", "a", ms)
		for i := range 4 {
			ask(fmt.Sprint("a", i), "a", 10*ms)
		}
		for i := range 4 {
			ask(fmt.Sprint("b", i), "b", 20*ms) // twice the work, half as often
		}
		c.expect("running")
		c.done("running")
		for _, name := range []string{"a0", "b0", "a1", "a2", "b1", "a3", "b2", "b3"} {
			c.expect(name)
			c.done(name)
		}
	})
}

func TestStaticFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := newStatic(t, seats)
		c := newCrowd(t, s)
		r := Request{Class: Report, Tenant: "greedy", Work: ms}
		c.arrive(ctx, "running", r)
		for i := range queuePerSeat[Report] {
			c.arrive(ctx, fmt.Sprint(i), r)
		}
		c.expect("running")
		c.arrive(ctx, "too many", r)
		c.expect("too many queue_full")
		got := c.refused["too many"]
		want := &Refusal{Reason: QueueFull, Class: Report, Queue: 16, RetryAfter: got.RetryAfter}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("refusal (-want +got):\n%s", diff)
		}
		c.arrive(ctx, "modest", Request{Class: Report, Tenant: "modest", Work: ms})
		c.expect("15 queue_full")
		c.done("running")
		c.expect("0")
		c.done("0")
		c.expect("modest")
	})
}

// A refusal that comes late is of no use: who has waited keeps the place.
func TestStaticFullQueueKeepsWhoHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := newCrowd(t, newStatic(t, seats))
		r := Request{Class: Report, Tenant: "greedy", Work: ms}
		c.arrive(ctx, "running", r)
		for i := range queuePerSeat[Report] {
			c.arrive(ctx, fmt.Sprint(i), r)
		}
		c.expect("running")
		time.Sleep(hopeful[Report] + 1)
		modest := Request{Class: Report, Tenant: "modest", Work: ms}
		c.arrive(ctx, "modest", modest)
		c.expect("modest queue_full")
		c.done("running")
		c.expect("0")
		c.arrive(ctx, "latest", r)
		c.arrive(ctx, "modest again", modest)
		c.expect("latest queue_full")
	})
}

func TestStaticDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := newCrowd(t, newStatic(t, seats))
		ask := func(name string, work, left time.Duration) {
			c.arrive(ctx, name, Request{Class: Report, Tenant: name, Work: work, Deadline: within(left)})
		}
		ask("late", ms, 0)
		c.expect("late expired")
		ask("dear but alone", time.Hour, time.Second)
		c.expect("dear but alone")
		c.permits["dear but alone"].Drop()

		ask("running", 2*time.Second, 10*time.Second)
		c.expect("running")
		ask("hopeless", 100*ms, time.Second)
		c.expect("hopeless backlog")
		ask("waits in vain", 100*ms, 1500*ms)
		ask("patient", 100*ms, 20*time.Second)
		ask("doomed at its turn", 1500*ms, 4*time.Second)
		c.expect()
		time.Sleep(1499 * ms)
		c.expect()
		time.Sleep(2 * ms)
		synctest.Wait()
		c.expect("waits in vain expired")
		time.Sleep(1900 * ms)
		c.done("running")
		c.expect("patient")
		ask("dear but patient", time.Hour, 10*time.Second)
		c.done("patient")
		slices.Sort(c.order)
		c.expect("dear but patient", "doomed at its turn expired")
	})
}

func TestStaticCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStatic(t, seats)
		c := newCrowd(t, s)
		r := Request{Class: Report, Work: ms}
		gone, cancel := context.WithCancel(t.Context())
		c.arrive(t.Context(), "running", r)
		c.arrive(gone, "waiting", r)
		c.arrive(t.Context(), "next", r)
		cancel()
		synctest.Wait()
		c.arrive(gone, "gone before", r)
		c.expect("running", "waiting canceled", "gone before canceled")
		if got := s.Snapshot().Classes[Report].Queued; got != 1 {
			t.Errorf("%d in the queue, want 1", got)
		}
		c.done("running")
		c.expect("next")
	})
}

func TestStaticBackgroundYieldsToReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		c := newCrowd(t, newStatic(t, seats))
		report, background := Request{Class: Report, Work: ms}, Request{Class: Background, Work: ms}
		c.arrive(ctx, "report 1", report)
		c.arrive(ctx, "background 1", background)
		c.expect("report 1", "background 1")
		leaving, cancel := context.WithCancel(ctx)
		c.arrive(ctx, "report 2", report)
		c.done("background 1")
		c.arrive(ctx, "background 2", background)
		c.arrive(leaving, "report 3", report)
		c.expect()
		c.done("report 1")
		c.expect("report 2")
		cancel()
		synctest.Wait()
		slices.Sort(c.order)
		c.expect("background 2", "report 3 canceled")
	})
}

func TestStaticRetryAfter(t *testing.T) {
	tests := []struct {
		name     string
		work     time.Duration // of each of two running and 32 waiting operations
		from, to time.Duration
	}{
		{"a short backlog", ms, time.Second, 2 * time.Second},
		{"a backlog", 200 * ms, 3400 * ms, 6800 * ms},
		{"a long backlog", 2 * time.Second, 30 * time.Second, time.Minute},
		{"an endless backlog", time.Hour, 30 * time.Second, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c := newCrowd(t, newStatic(t, seats))
				for i := range 34 {
					c.arrive(ctx, fmt.Sprint(i), Request{Class: Interactive, Work: tt.work})
				}
				different := map[time.Duration]bool{}
				for range 200 {
					_, refusal := c.gate.Admit(ctx, Request{Class: Interactive, Deadline: within(1)})
					if refusal.RetryAfter < tt.from || refusal.RetryAfter > tt.to {
						t.Fatalf("retry after %v, want %v to %v", refusal.RetryAfter, tt.from, tt.to)
					}
					different[refusal.RetryAfter] = true
				}
				if tt.from != tt.to && len(different) < 50 {
					t.Errorf("only %d different times for 200 refusals", len(different))
				}
				_, refusal := c.gate.Admit(ctx, Request{Class: Report, Deadline: time.Now()})
				if refusal.RetryAfter > 2*time.Second {
					t.Errorf("an idle class is told %v for another's backlog", refusal.RetryAfter)
				}
			})
		})
	}
}

// Forecasts follow what operations really take, within bounds, and failures that
// were quick say nothing.
func TestStaticLearns(t *testing.T) {
	tests := []struct {
		name    string
		held    time.Duration
		end     func(*Permit)
		correct time.Duration // what a forecast of 10 ms becomes
	}{
		{"right", 10 * ms, func(p *Permit) { p.Done(Outcome{}) }, 10 * ms},
		{"five times slower", 50 * ms, func(p *Permit) { p.Done(Outcome{}) }, 50 * ms},
		{"without end", time.Hour, func(p *Permit) { p.Done(Outcome{}) }, 640 * ms},
		{"at once", 0, func(p *Permit) { p.Done(Outcome{}) }, 625 * time.Microsecond},
		{"dropped", 50 * ms, func(p *Permit) { p.Drop() }, 10 * ms},
		{"failed quickly", 5 * ms, func(p *Permit) { p.Done(Outcome{Err: errors.New("down")}) }, 10 * ms},
		{"failed slowly", 50 * ms, func(p *Permit) { p.Done(Outcome{Err: errors.New("too slow")}) }, 50 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStatic(t, seats)
				for range 100 {
					p, _ := s.Admit(t.Context(), Request{Class: Report, Work: 10 * ms})
					time.Sleep(tt.held)
					tt.end(p)
				}
				if got := s.pools[Report].corrected(10 * ms); got.Round(time.Microsecond) != tt.correct {
					t.Errorf("a forecast of 10 ms becomes %v, want %v", got, tt.correct)
				}
				if got := s.pools[Interactive].corrected(10 * ms); got != 10*ms {
					t.Errorf("another class's forecast becomes %v", got)
				}
			})
		})
	}
}

func TestStaticDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := newStatic(t, seats)
		c := newCrowd(t, s)
		r := Request{Class: Control, Work: ms}
		c.arrive(ctx, "running", r)
		c.arrive(ctx, "waiting", r)
		s.Drain()
		synctest.Wait()
		c.arrive(ctx, "coming", r)
		c.expect("running", "waiting draining", "coming draining")
		c.done("running")
		got := s.Snapshot()
		if !got.Draining || got.Classes[Control].Busy != 0 {
			t.Errorf("snapshot %+v, want draining and empty", got)
		}
	})
}

func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStatic(t, seats)
		c := newCrowd(t, s)
		r := Request{Class: Report, Work: ms, Deadline: within(time.Minute)}
		c.arrive(t.Context(), "1", r)
		c.arrive(t.Context(), "2", r)
		time.Sleep(time.Second)
		c.done("1")
		c.arrive(t.Context(), "3", r)
		c.arrive(t.Context(), "late", Request{Class: Report, Deadline: time.Now()})
		none := map[Reason]uint64{QueueFull: 0, Backlog: 0, Expired: 0, Canceled: 0, Draining: 0, Shed: 0, Brownout: 0}
		want := ClassSnapshot{
			Class: Report, Seats: 1, Busy: 1, Queued: 1, Admitted: 2, Waited: time.Second,
			// A forecast of 1 ms took 1 s, so forecasts count 64 times, the most there is.
			Held: time.Second, Running: 64 * ms, Waiting: 64 * ms, Absorb: 128 * ms,
			Refused:     map[Reason]uint64{QueueFull: 0, Backlog: 0, Expired: 1, Canceled: 0, Draining: 0, Shed: 0, Brownout: 0},
			WouldRefuse: none,
		}
		if diff := cmp.Diff(want, s.Snapshot().Classes[Report]); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(ClassSnapshot{Class: Control, Seats: 1, Refused: none, WouldRefuse: none}, s.Snapshot().Classes[Control]); diff != "" {
			t.Errorf("control (-want +got):\n%s", diff)
		}
		s.Drain()
	})
}

func TestSeatsFor(t *testing.T) {
	for cores, want := range map[int]Seats{
		-1: {2, 4, 1, 1}, 0: {2, 4, 1, 1}, 1: {2, 4, 1, 1}, 2: {2, 8, 1, 1}, 4: {2, 16, 3, 1}, 16: {2, 64, 15, 1},
	} {
		if got := SeatsFor(cores); got != want {
			t.Errorf("SeatsFor(%d) = %v, want %v", cores, got, want)
		}
	}
	if _, err := NewStatic(StaticConfig{Seats: Seats{1, 1, 0, 1}}); err == nil || err.Error() != "class report has 0 seats: it needs at least one" {
		t.Errorf("a class without seats: %v", err)
	}
}
