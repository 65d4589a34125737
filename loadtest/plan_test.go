package loadtest

import (
	"context"
	"slices"
	"testing"
	"time"
)

func officeStream(rate float64, d time.Duration) Stream {
	return Stream{Class: ClassInteractive, Mix: officeMix, Rate: constant(rate, d)}
}

func reportStream(rate float64, d time.Duration) Stream {
	return Stream{Class: ClassReport, Mix: []Weighted{{yearsReport, 1}}, Rate: constant(rate, d)}
}

func TestPlanMergesPhasesOnOneClock(t *testing.T) {
	const sec = time.Second
	p, err := newPlan([]Phase{
		{Name: "warm", For: sec, Streams: []Stream{officeStream(100, sec)}},
		{Name: "quiet", For: 2 * sec},
		{Name: "storm", For: sec, Streams: []Stream{officeStream(100, sec), reportStream(50, sec)}},
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p.length() != 4*sec || len(p.arrivals) != 250 {
		t.Errorf("%d arrivals in %v, want 250 in 4s", len(p.arrivals), p.length())
	}
	counts := map[string]int{}
	last := time.Duration(0)
	for _, a := range p.arrivals {
		stream := p.streams[a.stream]
		span := p.phases[stream.phase]
		if a.due < last {
			t.Fatalf("due %v comes after %v", a.due, last)
		}
		if last = a.due; a.due < span.start || a.due >= span.end {
			t.Errorf("due %v lies outside of phase %s", a.due, span.Name)
		}
		counts[span.Name+" "+string(stream.Class)]++
	}
	for name, want := range map[string]int{"warm interactive": 100, "storm interactive": 100, "storm report": 50} {
		if counts[name] != want {
			t.Errorf("%s: %d arrivals, want %d", name, counts[name], want)
		}
	}
}

func TestPlanStreamsAreDrawnApart(t *testing.T) {
	const sec = time.Second
	office := officeStream(100, sec)
	office.Poisson = true
	of := func(reports float64) (dues []time.Duration) {
		p, err := newPlan([]Phase{{Name: "storm", For: sec, Streams: []Stream{office, reportStream(reports, sec)}}}, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range p.arrivals {
			if a.stream == 0 {
				dues = append(dues, a.due)
			}
		}
		return dues
	}
	if !slices.Equal(of(10), of(500)) {
		t.Error("more reports move the interactive arrivals")
	}
}

func TestPlanBounds(t *testing.T) {
	tests := []struct {
		name  string
		phase Phase
	}{
		{"too many requests", Phase{Name: "p", For: time.Minute, Streams: []Stream{officeStream(100_000, time.Minute)}}},
		{"too long", Phase{Name: "p", For: 3 * time.Hour}},
		{"negative rate", Phase{Name: "p", For: time.Second, Streams: []Stream{officeStream(-1, time.Second)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := newPlan([]Phase{tt.phase}, 1); err == nil {
				t.Error("the plan is accepted")
			}
		})
	}
}

func testPacer(t *testing.T, ctx context.Context, start time.Time, dues ...time.Duration) *pacer {
	t.Helper()
	s, err := NewSleeper(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	p := &pacer{ctx: ctx, start: start, sleeper: s}
	for _, due := range dues {
		p.arrivals = append(p.arrivals, arrival{due: due})
	}
	return p
}

func TestPacerWaitsInsidePace(t *testing.T) {
	start := time.Now()
	p := testPacer(t, t.Context(), start, -time.Second, 0, 30*time.Millisecond)
	for hits, due := range []time.Duration{-time.Second, 0, 30 * time.Millisecond} {
		wait, stop := p.Pace(0, uint64(hits))
		if wait != 0 || stop {
			t.Errorf("arrival %d: Pace = %v, %t, want 0, false", hits, wait, stop)
		}
		if since := time.Since(start); since < due {
			t.Errorf("arrival %d was let go %v after the start, before it was due at %v", hits, since, due)
		}
	}
	if wait, stop := p.Pace(0, 3); wait != 0 || !stop {
		t.Errorf("after the last arrival: Pace = %v, %t, want 0, true", wait, stop)
	}
}

func TestPacerHeedsCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := testPacer(t, ctx, time.Now(), time.Hour, 2*time.Hour)
	time.AfterFunc(20*time.Millisecond, cancel)
	for hits := range uint64(2) {
		if wait, stop := p.Pace(0, hits); wait != 0 || !stop { // an hour's wait would outlast the test
			t.Errorf("Pace = %v, %t after a cancel, want 0, true", wait, stop)
		}
	}
}
