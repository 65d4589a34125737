package loadtest

import (
	"strings"
	"testing"
	"time"
)

// What the server says is read from its counters over the step: two cores that do
// 0.5 seconds of work a second bear four times as much.
func TestHeadroomOfAStep(t *testing.T) {
	at := func(ms, work float64) Reading {
		return Reading{At: Millis(ms * float64(time.Millisecond)), Counters: Counters{
			counterLoad: work, gaugeCores: 2,
		}}
	}
	tests := []struct {
		name     string
		from, to Reading
		want     float64
	}{
		{"work", at(2000, 1), at(22_000, 11), 4},
		{"no work", at(2000, 1), at(22_000, 1), 0},
		{"a server that tells nothing", Reading{}, Reading{At: Millis(time.Second), Counters: Counters{}}, 0},
	}
	for _, tt := range tests {
		if got := headroomBetween(tt.from, tt.to); got < tt.want*0.999 || got > tt.want*1.001 {
			t.Errorf("%s: %.3f, want %.3f", tt.name, got, tt.want)
		}
	}
}

// A server whose headroom_ratio is what it bears passes, one that is 20 % off fails,
// and one that tells nothing proves nothing.
func TestAudit(t *testing.T) {
	h := hallOf{seats: 4, service: 4 * time.Millisecond} // 1,000 a second
	tests := []struct {
		name string
		says func(rate float64) float64
		cpu  *Usage
		exit Exit
		line string
	}{
		{"right", func(rate float64) float64 { return h.capacity() / rate }, nil, ExitPass, ", within 15 %"},
		{"promises a fifth more", func(rate float64) float64 { return 1.2 * h.capacity() / rate }, nil, ExitViolated, "not within 15 %"},
		{"promises a fifth less", func(rate float64) float64 { return 0.8 * h.capacity() / rate }, nil, ExitViolated, "not within 15 %"},
		{"is right about what surge left it", func(rate float64) float64 { return h.capacity() / rate / 0.75 }, &Usage{Client: 0.2, Strangers: 0.05, Server: 0.7, Seen: true}, ExitPass, "of the 75 % of the machine"},
		{"tells nothing", func(float64) float64 { return 0 }, nil, ExitInvalid, "there is nothing to audit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := climbing(t, climbText, 1, h)
			measure := c.measure
			c.measure = func(rate float64, kind stepKind) (Step, error) {
				step, err := measure(rate, kind)
				step.Headroom, step.CPU = tt.says(step.Rate), tt.cpu
				return step, err
			}
			points, err := c.points("")
			if err != nil {
				t.Fatal(err)
			}
			audit, err := c.audit(points)
			stop := &Stop{}
			if err != nil {
				stop = &Stop{ExitOf(err), err}
			}
			v := concluded(points, audit, stop)
			if v.Exit != tt.exit || !strings.Contains(strings.Join(v.Reasons, "\n"), tt.line) {
				t.Errorf("exit %d, %q; want %d and %q", v.Exit, v.Reasons, tt.exit, tt.line)
			}
			if tt.exit == ExitViolated && !strings.HasPrefix(v.Reasons[0], "audit: ") {
				t.Errorf("the first reason is %q, want the audit", v.Reasons[0])
			}
			if audit != nil && (audit.Rate < 0.45*h.capacity() || audit.Rate > 0.55*h.capacity()) {
				t.Errorf("audited at %.0f/s, want about half of %.0f/s", audit.Rate, h.capacity())
			}
		})
	}
}
