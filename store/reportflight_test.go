package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"headroom/timesheet"
)

// flightTest is a keeper and the reports that are being made.
type flightTest struct {
	keeper *reportKeeper
	begun  int
	finish chan struct{} // lets the report that is being made end
}

// run is a report that takes until it is let, or its time is up.
func (f *flightTest) run(ctx context.Context) (made, error) {
	f.begun++
	select {
	case <-f.finish:
		return made{value: f.begun}, nil
	case <-ctx.Done():
		return made{}, context.Cause(ctx)
	}
}

type flightAnswer struct {
	value any
	err   error
	after time.Duration
}

func (f *flightTest) ask(ctx context.Context, key reportKey) <-chan flightAnswer {
	answer, began := make(chan flightAnswer, 1), time.Now()
	go func() {
		value, _, err := f.keeper.get(ctx, key, version{}, nil, time.Now(), f.run)
		answer <- flightAnswer{value, err, time.Since(began)}
	}()
	synctest.Wait()
	return answer
}

func inFlight(t *testing.T, test func(t *testing.T, f *flightTest)) {
	synctest.Test(t, func(t *testing.T) {
		test(t, &flightTest{keeper: newReportKeeper(), finish: make(chan struct{})})
	})
}

// Who waits with others leaves when their own time is up, and what the first
// caller's deadline ends is begun anew for the others, with theirs.
func TestFlightKeepsEachDeadline(t *testing.T) {
	inFlight(t, func(t *testing.T, f *flightTest) {
		within := func(d time.Duration) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			t.Cleanup(cancel)
			return ctx
		}
		first, short, long := f.ask(within(5*time.Second), reportKey{}), f.ask(within(time.Second), reportKey{}), f.ask(within(time.Minute), reportKey{})
		if a := <-short; !errors.Is(a.err, context.DeadlineExceeded) || a.after != time.Second {
			t.Errorf("a caller of one second: %+v", a)
		}
		if a := <-first; !errors.Is(a.err, context.DeadlineExceeded) || a.after != 5*time.Second {
			t.Errorf("the first caller: %+v", a)
		}
		synctest.Wait()
		f.finish <- struct{}{}
		if a := <-long; a.err != nil || a.value != 2 {
			t.Errorf("the last caller: %+v, want the second report that was begun", a)
		}
	})
}

// A first caller who leaves stays until the report that runs on their connection
// has ended, for the others or, with the last of them, for nobody.
func TestFlightOutlivesItsFirstCaller(t *testing.T) {
	for name, others := range map[string]int{"for another": 1, "for nobody": 0} {
		t.Run(name, func(t *testing.T) {
			inFlight(t, func(t *testing.T, f *flightTest) {
				ctx, leave := context.WithCancel(t.Context())
				first := f.ask(ctx, reportKey{})
				var other <-chan flightAnswer
				if others > 0 {
					other = f.ask(t.Context(), reportKey{})
				}
				leave()
				synctest.Wait()
				if others > 0 {
					select {
					case a := <-first:
						t.Fatalf("the first caller has gone with their connection: %+v", a)
					default:
					}
					f.finish <- struct{}{}
					if a := <-other; a.err != nil || a.value != 1 {
						t.Errorf("the other: %+v", a)
					}
				}
				if a := <-first; !errors.Is(a.err, context.Canceled) || f.begun != 1 {
					t.Errorf("the first: %+v after %d reports", a, f.begun)
				}
			})
		})
	}
}

// What differs in what may be seen, in its class or in what is asked is not
// shared.
func TestFlightsOfOthersAreNotShared(t *testing.T) {
	inFlight(t, func(t *testing.T, f *flightTest) {
		owner := timesheet.Viewer{User: 1, Role: timesheet.RoleOwner, Workspace: timesheet.Workspace{ID: 7, TimeZone: "UTC"}}
		viewers := map[string]timesheet.Viewer{"the owner": owner}
		for name, edit := range map[string]func(*timesheet.Viewer){
			"a member":               func(v *timesheet.Viewer) { v.User, v.Role = 2, timesheet.RoleMember },
			"another member":         func(v *timesheet.Viewer) { v.User, v.Role = 3, timesheet.RoleMember },
			"another workspace":      func(v *timesheet.Viewer) { v.Workspace.ID = 8 },
			"another zone":           func(v *timesheet.Viewer) { v.Workspace.TimeZone = "Asia/Tokyo" },
			"sums that have drifted": func(v *timesheet.Viewer) { v.Workspace.RollupDrifted = true },
		} {
			v := owner
			edit(&v)
			viewers[name] = v
		}
		var answers []<-chan flightAnswer
		asked := 0
		ask := func(ctx context.Context, v timesheet.Viewer, kind string, in any) {
			key, err := keyOf(v, kind, in)
			if err != nil {
				t.Fatal(err)
			}
			asked++
			if answers = append(answers, f.ask(ctx, key)); f.begun != asked {
				t.Fatalf("%d of %d are made", f.begun, asked)
			}
		}
		for _, v := range viewers {
			ask(t.Context(), v, "report", 1)
		}
		ask(t.Context(), owner, "report", 2)
		ask(t.Context(), owner, "summary", 1)
		ask(timesheet.WithService(t.Context(), timesheet.Service{Class: timesheet.ClassBackground}), owner, "report", 1)
		manager := owner
		manager.User, manager.Role = 4, timesheet.RoleManager
		key, _ := keyOf(manager, "report", 1)
		if answers = append(answers, f.ask(t.Context(), key)); f.begun != asked {
			t.Errorf("who sees the same has it made again")
		}
		close(f.finish)
		for _, a := range answers {
			if got := <-a; got.err != nil {
				t.Error(got.err)
			}
		}
	})
}
