package loadtest

import (
	"strings"
	"testing"
	"time"
)

// searched is a search whose steps lie on a law of scalability, past its knee.
func searched() *Record {
	law := scaling{Lambda: 100, Sigma: 0.05, Kappa: 0.001}
	r := &Record{
		Command: "breakpoint", Scenario: "baseline", Rounds: 1, Verdict: Verdict{Word: "FOUND"},
		Points: []Point{{Name: pointAll, Rate: 900, Above: 940, Rule: "p99 <= 100 ms"}},
	}
	for _, s := range stepsOf(law, 0.01, 1, 2, 4, 8, 12, 16, 24, 32, 40, 60) {
		r.Steps = append(r.Steps, Step{Rate: s.Goodput * 1.02, Goodput: s.Goodput, Service: Millis(s.Mean * float64(time.Second))})
	}
	return r
}

func chartCalled(list []*chart, title string) *chart {
	for _, c := range list {
		if c.Title == title {
			return c
		}
	}
	return nil
}

func TestSearchCharts(t *testing.T) {
	r := searched()
	steps, law := chartCalled(r.charts("run-1"), "Answered right at each rate"), chartCalled(r.charts("run-1"), "How it scales")
	if steps == nil || len(steps.Table.Rows) != 10 || len(steps.Limits) != 1 || steps.Limits[0].Value != 900 {
		t.Errorf("the steps are drawn as %+v, want ten and the breakpoint", steps)
	}
	if law == nil || len(law.Areas) != 1 || len(law.Lines) != 2 || !strings.Contains(law.Note, "90 %") {
		t.Fatalf("the law is drawn as %+v, want a band, a fit and what was seen", law)
	}
	for _, row := range law.Table.Rows {
		low, _ := quantity(row[3])
		fit, _ := quantity(row[2])
		high, _ := quantity(row[4])
		if !(low <= fit && fit <= high) {
			t.Errorf("in flight %s: %s lies outside of %s to %s", row[0], row[2], row[3], row[4])
		}
	}
	r.Steps = r.Steps[:5] // before the knee
	if c := chartCalled(r.charts("run-1"), "How it scales"); c != nil {
		t.Error("a law is drawn that the steps do not show")
	}
}

func TestGateCharts(t *testing.T) {
	c := parseCounters("headroom_gate_seats{class=\"report\"} 1\nheadroom_gate_busy{class=\"report\"} 1\nheadroom_gate_queued{class=\"report\"} 16\n" +
		"headroom_gate_seats{class=\"control\"} 2\nheadroom_gate_busy{class=\"control\"} 0\nheadroom_gate_queued{class=\"control\"} 0\n" +
		"headroom_pool_connections{pool=\"report\",state=\"busy\"} 1\n")
	r := &Record{Rounds: 1, Phases: []PhaseRecord{{Phase: "storm", Class: ClassReport, For: Millis(10 * time.Second)}}}
	for second := range 10 {
		r.Gate = append(r.Gate, gateMoments(c, 0, Millis(time.Duration(second)*time.Second))...)
	}
	charts := r.timeline().gateCharts("run-1")
	seats, waiting := chartCalled(charts, "Seats: report"), chartCalled(charts, "Waiting for a seat")
	if len(charts) != 2 || seats == nil || waiting == nil {
		t.Fatalf("%d charts, want one of the busy class and one of the queues", len(charts))
	}
	if got := strings.Join(seats.Table.Rows[3], " "); got != "3 s 1 1 1" {
		t.Errorf("the fourth second reads %q, want a seat, busy, with its connection", got)
	}
	if got := strings.Join(waiting.Table.Rows[9], " "); got != "9 s 16" {
		t.Errorf("the last second reads %q, want 16 who wait", got)
	}
}
