package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headroom/timesheet"
)

// fakeViewers is a cache whose look-ups are counted and can be held up.
type fakeViewers struct {
	*viewerCache
	loads atomic.Int64
	role  atomic.Value
	delay time.Duration
	fail  error
}

func newFakeViewers(t *testing.T) *fakeViewers {
	f := &fakeViewers{}
	f.role.Store(timesheet.RoleMember)
	f.viewerCache = newViewerCache(t.Context(), func(ctx context.Context, id viewerID) (sighting, error) {
		f.loads.Add(1)
		seen := sighting{known: true, viewer: timesheet.Viewer{User: id.user, Role: f.role.Load().(timesheet.Role)}}
		time.Sleep(f.delay)
		return seen, f.fail
	})
	return f
}

func (f *fakeViewers) want(t *testing.T, role timesheet.Role, loads int64) {
	t.Helper()
	v, err := f.get(t.Context(), viewerID{1, 2, 3})
	if err != nil || v.Role != role {
		t.Errorf("got %s, %v; want %s", v.Role, err, role)
	}
	if n := f.loads.Load(); n != loads {
		t.Errorf("%d look-ups, want %d", n, loads)
	}
}

func TestViewerCacheUnheard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeViewers(t)
		f.want(t, timesheet.RoleMember, 1)
		f.role.Store(timesheet.RoleAdmin)
		time.Sleep(viewerAge - time.Millisecond)
		f.want(t, timesheet.RoleMember, 1)
		time.Sleep(time.Millisecond)
		f.want(t, timesheet.RoleAdmin, 2)
	})
}

func TestViewerCacheHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeViewers(t)
		f.want(t, timesheet.RoleMember, 1)
		f.hear(true) // what was read before may have changed unheard
		f.want(t, timesheet.RoleMember, 2)
		time.Sleep(24 * time.Hour)
		f.want(t, timesheet.RoleMember, 2)
		f.role.Store(timesheet.RoleAdmin)
		f.forget(9) // another workspace
		f.want(t, timesheet.RoleMember, 2)
		f.forget(1)
		f.want(t, timesheet.RoleAdmin, 3)
		if !f.hear(false) {
			t.Error("hear forgot what was so before")
		}
		time.Sleep(viewerAge)
		f.want(t, timesheet.RoleAdmin, 4)
	})
}

func TestViewerCacheSharesLookUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeViewers(t)
		f.delay = viewerPatience / 2
		impatient, leave := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("left"))
		defer leave()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := f.get(impatient, viewerID{1, 2, 3}); err == nil || err.Error() != "left" {
				t.Errorf("who left got %v", err)
			}
		})
		for range 50 {
			all.Go(func() {
				if _, err := f.get(t.Context(), viewerID{1, 2, 3}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		f.want(t, timesheet.RoleMember, 1)
	})
}

// Who asks after a change gets what is true after it, also while a look-up
// from before it is under way.
func TestViewerCacheNeverKeepsWhatWasBeforeAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeViewers(t)
		f.hear(true)
		f.delay = viewerPatience / 2
		go f.get(t.Context(), viewerID{1, 2, 3})
		time.Sleep(time.Millisecond) // it has read MEMBER and is on its way
		f.role.Store(timesheet.RoleAdmin)
		f.forget(1)
		f.want(t, timesheet.RoleAdmin, 2)
		synctest.Wait()
		time.Sleep(time.Minute)
		f.want(t, timesheet.RoleAdmin, 2)
	})
}

func TestViewerCacheDoesNotKeepFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeViewers(t)
		f.fail = errors.New("away")
		if _, err := f.get(t.Context(), viewerID{1, 2, 3}); !errors.Is(err, f.fail) {
			t.Errorf("got %v, want the look-up's error", err)
		}
		f.fail = nil
		f.want(t, timesheet.RoleMember, 2)
	})
}

func TestViewerCacheIsBounded(t *testing.T) {
	f := newFakeViewers(t)
	f.hear(true)
	for i := range maxViewers + 100 {
		if _, err := f.get(t.Context(), viewerID{1, timesheet.UserID(i), 0}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.seen); n != maxViewers {
		t.Errorf("the cache holds %d, want %d", n, maxViewers)
	}
}

func TestSightingExpires(t *testing.T) {
	now := time.Now()
	later := now.Add(time.Second)
	g := sighting{known: true, expires: &later}
	if _, err := g.answer(now); err != nil {
		t.Errorf("before it expires: %v", err)
	}
	for name, g := range map[string]sighting{"expired": {known: true, expires: &now}, "unknown": {}} {
		if _, err := g.answer(now); !errors.Is(err, ErrNoViewer) {
			t.Errorf("%s: %v, want ErrNoViewer", name, err)
		}
	}
}

func BenchmarkViewer(b *testing.B) {
	c := newViewerCache(b.Context(), func(context.Context, viewerID) (sighting, error) { return sighting{known: true}, nil })
	c.hear(true)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.get(b.Context(), viewerID{1, 2, 3}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
