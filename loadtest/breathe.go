package loadtest

import (
	"os"
	"runtime"
	"runtime/debug"
)

// maxGarbage is how much the generator lets lie before it collects.
const maxGarbage = 96 << 20

// breathe makes collections rare while a load is sent: each scans the stacks of
// all clients, thousands in a storm, just when they are to be sent. It returns
// what sets things right again. Who sets GOGC knows better.
func breathe() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before := debug.SetGCPercent(max(100, int(maxGarbage*100/max(1, m.HeapAlloc))))
	return func() { debug.SetGCPercent(before) }
}
