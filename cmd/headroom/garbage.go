package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Garbage is collected once there is four times as much of it as of what lives:
// the executor makes short-lived garbage, and each collection costs the processor
// the same. It is never more than maxGarbage, though: what lives grows with the
// connections that are open, and would let four times as much lie.
const (
	garbagePercent = 400
	maxGarbage     = 64 << 20
)

// boundGarbage sets the collector so, and again after each collection. Who sets
// GOGC knows better.
func boundGarbage() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(garbagePercent)
	bounded := garbagePercent
	afterCollection(func() {
		if percent := percentFor(lives()); percent != bounded {
			bounded = percent
			debug.SetGCPercent(percent)
		}
	})
}

// percentFor is the percentage of garbage for what lives, in steps of a quarter
// since to set it stops everything for a moment.
func percentFor(lives uint64) int {
	percent := garbagePercent
	for percent > 10 && uint64(percent)*lives/100 > maxGarbage {
		percent = percent * 3 / 4
	}
	return percent
}

// lives is what the last collection has found in use, stacks and all: the collector
// takes its percentage of it.
func lives() (bytes uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(samples)
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			bytes += s.Value.Uint64()
		}
	}
	return bytes
}

// afterCollection calls f after each collection of garbage.
func afterCollection(f func()) {
	canary := new([64]byte)
	runtime.AddCleanup(canary, func(struct{}) {
		f()
		afterCollection(f)
	}, struct{}{})
}
