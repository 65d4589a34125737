package dataloader

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// numbers is a loader whose batches are recorded and answered by identity.
func numbers(ctx context.Context) (*loader[int, string, int], *[]string) {
	var mu sync.Mutex
	var batches []string
	l := newLoader(newWave(ctx), "numbers", func(ctx context.Context, args string, keys []int) (map[int]int, error) {
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, fmt.Sprint(args, keys))
		return identity(ctx, struct{}{}, keys)
	})
	return l, &batches
}

func TestAnnouncedLevelIsOneBatch(t *testing.T) {
	t.Parallel()
	l, batches := numbers(t.Context())
	l.expect([]int{7, 8})
	l.expect([]int{1, 2, 3, 2, 1})
	var all sync.WaitGroup
	for _, key := range []int{2, 3, 1, 3} {
		all.Go(func() {
			if v, found, err := l.load(t.Context(), key, ""); v != key || !found || err != nil {
				t.Errorf("load %d: %d, %t, %v", key, v, found, err)
			}
		})
	}
	all.Wait()
	if len(*batches) != 1 || l.sent.Keys != 3 {
		t.Errorf("batches %v, want one of the keys 1, 2 and 3", *batches)
	}
	if _, _, err := l.load(t.Context(), 8, ""); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"[8 7]"}, (*batches)[1:]); diff != "" {
		t.Errorf("the next level (-want +got):\n%s", diff)
	}
}

// An announced level serves every set of arguments, each with its own batch.
func TestArgumentsHaveTheirOwnBatches(t *testing.T) {
	t.Parallel()
	l, batches := numbers(t.Context())
	l.expect([]int{1, 2})
	for _, args := range []string{"a", "b", "a"} {
		for key := range 3 {
			if _, _, err := l.load(t.Context(), key, args); err != nil {
				t.Error(err)
			}
		}
	}
	slices.Sort(*batches)
	want := []string{"a[0]", "a[1 2]", "b[0]", "b[1 2]"}
	if diff := cmp.Diff(want, *batches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadManyIsInOrderAndOneBatch(t *testing.T) {
	t.Parallel()
	w := newWave(t.Context())
	l := newLoader(w, "even numbers", func(_ context.Context, _ struct{}, keys []int) (map[int]int, error) {
		found := map[int]int{}
		for _, k := range keys {
			if k%2 == 0 {
				found[k] = k
			}
		}
		return found, nil
	})
	got, err := l.loadMany(t.Context(), []int{6, 3, 2, 4, 6}, struct{}{})
	if diff := cmp.Diff([]int{6, 2, 4, 6}, got); err != nil || diff != "" {
		t.Errorf("(-want +got):\n%s, error %v", diff, err)
	}
	if diff := cmp.Diff(Count{"even numbers", 1, 4}, l.sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if _, found, err := l.load(t.Context(), 3, struct{}{}); found || err != nil || l.sent.Batches != 1 {
		t.Errorf("what was not found is asked for again: %t, %v, %d batches", found, err, l.sent.Batches)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{false, true} {
		t.Run(fmt.Sprintf("announced=%t", announced), func(t *testing.T) {
			l := newLoader(newWave(t.Context()), "numbers", func(ctx context.Context, args struct{}, keys []int) (map[int]int, error) {
				if len(keys) > maxBatch {
					t.Errorf("a batch of %d keys", len(keys))
				}
				return identity(ctx, args, keys)
			})
			keys := make([]int, 2*maxBatch+1)
			for i := range keys {
				keys[i] = i
			}
			if announced {
				l.expect(keys)
			}
			got, err := l.loadMany(t.Context(), keys, struct{}{})
			if err != nil || len(got) != len(keys) || l.sent.Batches != 3 {
				t.Errorf("%d of %d values in %d batches, %v", len(got), len(keys), l.sent.Batches, err)
			}
		})
	}
}

// blocked is a loader whose batches wait until release is called.
func blocked(ctx context.Context) (l *loader[int, struct{}, int], release func()) {
	gate := make(chan struct{})
	l = newLoader(newWave(ctx), "numbers", func(ctx context.Context, args struct{}, keys []int) (map[int]int, error) {
		select {
		case <-gate:
			return identity(ctx, args, keys)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	return l, func() { close(gate) }
}

func TestWhoLeavesDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, release := blocked(t.Context())
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("gone home"))
		defer cancel()
		stays := make(chan error)
		go func() {
			_, _, err := l.load(t.Context(), 1, struct{}{})
			stays <- err
		}()
		began := time.Now()
		if _, _, err := l.load(ctx, 1, struct{}{}); err == nil || err.Error() != "gone home" {
			t.Errorf("who left got %v, want the cause", err)
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("who left waited %v, want 1s", waited)
		}
		release()
		if err := <-stays; err != nil {
			t.Errorf("who stayed got %v", err)
		}
	})
}

// The batch is the request's: it survives its first asker and ends with the
// request.
func TestBatchRunsUnderTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		request, end := context.WithCancel(t.Context())
		l, _ := blocked(request)
		first, leave := context.WithCancel(t.Context())
		answers := make(chan error, 2)
		for _, ctx := range []context.Context{first, t.Context()} {
			go func() {
				_, _, err := l.load(ctx, 1, struct{}{})
				answers <- err
			}()
		}
		synctest.Wait()
		leave()
		if err := <-answers; !errors.Is(err, context.Canceled) {
			t.Errorf("the first asker got %v", err)
		}
		synctest.Wait()
		if len(answers) != 0 {
			t.Error("the batch ended with its first asker")
		}
		end()
		if err := <-answers; !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "load numbers: ") {
			t.Errorf("after the request's end: %v", err)
		}
	})
}

func TestFailuresReachEverybody(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := []struct {
		name  string
		fetch func() error
		want  string
	}{
		{"error", func() error { return broken }, "load numbers: broken"},
		{"panic", func() error { panic("oh dear") }, "load numbers: panic: oh dear"},
		{"goexit", func() error { runtime.Goexit(); return nil }, "load numbers: the batch of 2 keys ended without an answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLoader(newWave(t.Context()), "numbers", func(context.Context, struct{}, []int) (map[int]int, error) {
				return map[int]int{1: 1}, tt.fetch()
			})
			l.expect([]int{1, 2})
			for key := 1; key <= 2; key++ {
				v, found, err := l.load(t.Context(), key, struct{}{})
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) || found || v != 0 {
					t.Errorf("load %d: %d, %t, %v, want error %q", key, v, found, err, tt.want)
				}
				if tt.name == "error" && !errors.Is(err, broken) {
					t.Errorf("%v does not wrap its cause", err)
				}
			}
			if _, err := l.loadMany(t.Context(), []int{1}, struct{}{}); err == nil {
				t.Error("loadMany hides the failure")
			}
			if l.sent.Batches != 1 {
				t.Errorf("a failed batch was sent %d times", l.sent.Batches)
			}
		})
	}
}

func TestPrime(t *testing.T) {
	t.Parallel()
	l, batches := numbers(t.Context())
	for _, value := range []int{10, 11} {
		l.prime(1, "", func(add func(int, int, bool)) { add(1, value, true) })
	}
	if v, found, err := l.load(t.Context(), 1, ""); v != 10 || !found || err != nil || len(*batches) != 0 {
		t.Errorf("primed: %d, %t, %v, batches %v", v, found, err, *batches)
	}
	if v, _, err := l.load(t.Context(), 1, "other"); v != 1 || err != nil {
		t.Errorf("with other arguments: %d, %v", v, err)
	}
}

// What was asked for before Clear is answered, what is asked for after it is
// read again.
func TestClear(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, release := blocked(t.Context())
		s := &Set{wave: wave{loaders: l.wave.loaders}}
		before := make(chan error)
		go func() {
			_, _, err := l.load(t.Context(), 1, struct{}{})
			before <- err
		}()
		synctest.Wait()
		s.Clear()
		release()
		if _, found, err := l.load(t.Context(), 1, struct{}{}); !found || err != nil {
			t.Errorf("after: %t, %v", found, err)
		}
		if err := <-before; err != nil {
			t.Errorf("before: %v", err)
		}
		if diff := cmp.Diff([]Count{{"numbers", 2, 2}}, s.Sent()); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
	})
}

// A batch is sent when nobody has asked for a while, and each look-up puts that
// off, but not for ever.
func TestSilence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		noise int // rounds in which somebody asks
		want  time.Duration
	}{
		{"silent from the beginning", 0, quietRounds * time.Microsecond},
		{"silent after a while", 100, (100 + quietRounds) * time.Microsecond},
		{"never silent", 1 << 30, maxWait},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, batches := numbers(t.Context())
				rounds := 0
				l.wave.yield = func() {
					time.Sleep(time.Microsecond)
					if rounds++; rounds <= tt.noise {
						l.wave.asked.Add(1)
					}
				}
				began := time.Now()
				if v, _, err := l.load(t.Context(), 1, ""); v != 1 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
				if waited := time.Since(began); waited != tt.want || len(*batches) != 1 {
					t.Errorf("waited %v for %d batches, want %v for one", waited, len(*batches), tt.want)
				}
			})
		})
	}
}
