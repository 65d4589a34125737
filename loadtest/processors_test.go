package loadtest

import (
	"runtime"
	"testing"
	"time"
)

// One processor sends what it can; a crowd, and more than it can, get all of them.
func TestProcessorsOfTheGenerator(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	const d = time.Second
	open := func(rate float64) Phase {
		return Phase{Name: "load", For: d, Streams: []Stream{officeStream(rate, d), officeStream(rate, d)}}
	}
	crowd := Phase{Name: "crowd", For: d, Streams: []Stream{{Class: ClassInteractive, Each: []*Operation{myDay}, Rate: constant(10, d)}}}
	before := runtime.GOMAXPROCS(0)
	for _, tt := range []struct {
		name   string
		phases []Phase
		want   int
	}{
		{"what one can send", []Phase{open(10), open(oneIsEnough / 2)}, 1},
		{"more in one phase", []Phase{open(10), open(oneIsEnough/2 + 1)}, before},
		{"a crowd", []Phase{open(10), crowd}, before},
	} {
		plan, err := newPlan(tt.phases, 1)
		if err != nil {
			t.Fatal(err)
		}
		restore := fewProcessors(plan)
		if got := runtime.GOMAXPROCS(0); got != tt.want {
			t.Errorf("%s: %d processors, want %d", tt.name, got, tt.want)
		}
		if restore(); runtime.GOMAXPROCS(0) != before {
			t.Errorf("%s: %d processors afterwards, want %d", tt.name, runtime.GOMAXPROCS(0), before)
		}
	}
}
