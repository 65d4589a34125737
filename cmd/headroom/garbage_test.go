package main

import (
	"runtime"
	"testing"
)

func TestGarbageIsBounded(t *testing.T) {
	for _, megabytes := range []uint64{0, 1, 10, 16, 17, 50, 100, 500} {
		lives := megabytes << 20
		percent := percentFor(lives)
		garbage := lives * uint64(percent) / 100
		if percent > garbagePercent || garbage > maxGarbage {
			t.Errorf("%d MB live: %d %%, which is %d MB", megabytes, percent, garbage>>20)
		}
		if percent < garbagePercent && garbage < maxGarbage/2 {
			t.Errorf("%d MB live: %d %% are only %d MB of garbage", megabytes, percent, garbage>>20)
		}
	}
}

func TestEachCollectionIsSeen(t *testing.T) {
	seen := make(chan struct{})
	end := make(chan struct{})
	afterCollection(func() {
		select {
		case seen <- struct{}{}:
		case <-end:
		}
	})
	defer close(end)
	for range 3 {
		runtime.GC()
		<-seen
	}
	if lives() == 0 {
		t.Error("nothing lives")
	}
}
