package dataloader

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

func newWave(ctx context.Context) *wave { return &wave{ctx: ctx, yield: runtime.Gosched} }

// identity answers every key with itself.
func identity(_ context.Context, _ struct{}, keys []int) (map[int]int, error) {
	found := make(map[int]int, len(keys))
	for _, k := range keys {
		found[k] = k
	}
	return found, nil
}

// siblings looks n keys up as an executor does that resolves the fields of a
// list: one goroutine each, with some work before the look-up.
func siblings(ctx context.Context, l *loader[int, struct{}, int], n int) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if x := fmt.Sprintf("projects.%d.client", i); x == "" { // about what resolving a field costs
				panic(x)
			}
			if v, found, err := l.load(ctx, i, struct{}{}); v != i || !found || err != nil {
				panic(fmt.Sprint(v, found, err))
			}
		})
	}
	all.Wait()
}

func BenchmarkSiblings(b *testing.B) {
	for _, n := range []int{1, 20, 100} {
		for _, announced := range []bool{true, false} {
			b.Run(fmt.Sprintf("n=%d/announced=%t", n, announced), func(b *testing.B) {
				b.ReportAllocs()
				batches := 0
				for b.Loop() {
					w := newWave(b.Context())
					l := newLoader(w, "numbers", identity)
					if announced {
						level := make([]int, n)
						for i := range level {
							level[i] = i
						}
						l.expect(level)
					}
					siblings(b.Context(), l, n)
					batches += l.sent.Batches
				}
				b.ReportMetric(float64(batches)/float64(b.N), "batches/op")
			})
		}
	}
}
