package loadtest

import (
	"os"
	"runtime"
	"runtime/debug"
)

// How much the generator lets lie before it collects: what a run of ten minutes at
// 3,000 a second leaves of 150 MB, of which its program and its stacks take some 30,
// within bounds.
const (
	mostMemory   = 100 << 20
	mostGarbage  = 96 << 20
	leastGarbage = 8 << 20
)

// breathe makes collections rare while a load is sent: each scans the stacks of
// all clients, thousands in a storm, just when they are to be sent. It returns
// what sets things right again. Who sets GOGC knows better.
// Where there is no crowd, the heap may grow to five times what is in use and not
// to twenty, since in a long run what is in use grows.
func breathe(crowd bool) (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	garbage := min(max(mostMemory-int64(m.HeapAlloc), leastGarbage), mostGarbage)
	percent := int(garbage * 100 / max(1, int64(m.HeapAlloc)))
	if !crowd {
		percent = min(percent, 400)
	}
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}
