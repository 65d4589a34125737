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
	loads  atomic.Int64 // statements
	atOnce atomic.Int64
	most   int // tokens of one
	role   atomic.Value
	delay  time.Duration
	fail   error
}

func newFakeViewers(t *testing.T) *fakeViewers {
	f := &fakeViewers{}
	f.role.Store(timesheet.RoleMember)
	f.viewerCache = newViewerCache(t.Context(), func(ctx context.Context, ids []viewerID) ([]sighting, error) {
		f.loads.Add(1)
		f.most = max(f.most, len(ids))
		found := make([]sighting, len(ids))
		for i, id := range ids {
			found[i] = sighting{known: true, viewer: timesheet.Viewer{User: id.user, Role: f.role.Load().(timesheet.Role)}}
		}
		if f.atOnce.Add(1) > 1 {
			t.Error("two look-ups at once")
		}
		time.Sleep(f.delay)
		f.atOnce.Add(-1)
		return found, f.fail
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

// A crowd whom nobody has seen yet is looked up in few statements, one at a time, and
// those who leave before their turn in none.
func TestViewerCacheGathersACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeViewers(t)
		f.delay = viewerPatience / 200
		const crowd, leave = 10_000, 500
		leaving, end := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { f.get(t.Context(), viewerID{1, crowd, 3}) }) // the first, beside whom the others gather
		synctest.Wait()
		for i := range crowd {
			ctx := t.Context()
			if i < leave {
				ctx = leaving
			}
			all.Go(func() {
				if v, err := f.get(ctx, viewerID{1, timesheet.UserID(i), 3}); i >= leave && (err != nil || v.User != timesheet.UserID(i)) {
					t.Errorf("%d is told to be %d, %v", i, v.User, err)
				}
			})
		}
		synctest.Wait()
		end()
		all.Wait()
		synctest.Wait()
		if want := int64(1 + (crowd-leave+lookUpsAtOnce-1)/lookUpsAtOnce); f.loads.Load() != want || f.most != lookUpsAtOnce {
			t.Errorf("%d statements, of %d tokens at most; want %d of %d", f.loads.Load(), f.most, want, lookUpsAtOnce)
		}
		if len(f.open) > 0 || len(f.waiting) > 0 || f.working {
			t.Errorf("%d are open and %d wait when all have been answered", len(f.open), len(f.waiting))
		}
	})
}

// Who asks after a change gets what is true after it, also while a look-up
// from before it is under way.
func TestViewerCacheNeverKeepsWhatWasBeforeAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeViewers(t)
		f.hear(true)
		f.delay = viewerPatience / 4
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
	c := newViewerCache(b.Context(), func(context.Context, []viewerID) ([]sighting, error) { return []sighting{{known: true}}, nil })
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
