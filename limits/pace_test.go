package limits

import (
	"testing"
	"time"
)

func TestWideWins(t *testing.T) {
	begin := time.Unix(1_000_000, 0)
	paceFor := func(seats int, held time.Duration, n int) *pace {
		p := &pace{}
		for range n {
			p.learn(held, seats, begin)
		}
		return p
	}
	for _, test := range []struct {
		name     string
		few, all *pace // of one seat and of four
		after    time.Duration
		want     bool
	}{
		{"one core for us alone", paceFor(1, 10*ms, 64), paceFor(4, 40*ms, 64), 0, false},
		{"two busy loops beside us", paceFor(1, 30*ms, 64), paceFor(4, 60*ms, 64), 0, true},
		{"two seats beside two busy loops", paceFor(2, 40*ms, 64), paceFor(4, 60*ms, 64), 0, true},
		{"a little more is not worth it", paceFor(1, 12*ms, 64), paceFor(4, 40*ms, 64), 0, false},
		{"not known with few", paceFor(1, 30*ms, 63), paceFor(4, 60*ms, 64), 0, false},
		{"not known with all", paceFor(1, 30*ms, 64), &pace{}, 0, false},
		{"too few for so many seats", paceFor(16, 30*ms, 64), paceFor(64, 60*ms, 127), 0, false},
		{"enough for so many seats", paceFor(16, 30*ms, 64), paceFor(64, 60*ms, 128), 0, true},
		{"too long ago", paceFor(1, 30*ms, 64), paceFor(4, 60*ms, 64), 31 * time.Second, false},
		{"no time at all", paceFor(1, 0, 64), paceFor(4, 0, 64), 0, true},
	} {
		if got := wideWins(test.few, test.all, begin.Add(test.after)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	p := paceFor(1, 10*ms, 100)
	p.learn(time.Second, 1, begin.Add(time.Hour))
	if p.count != 1 || p.held != time.Second {
		t.Errorf("after an hour the past counts: %+v", p)
	}
}
