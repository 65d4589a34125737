package simulate

import (
	"testing"
	"time"
)

// On a core of which clicks need six tenths, all are answered whatever reports come,
// and what they leave is the reports'.
func TestScene(t *testing.T) {
	x := Scene{
		Cores: 1, Processes: 1, Policy: Adaptive(), Click: 0.01, Way: 2 * time.Millisecond, Calm: 0.6,
		Reports: []float64{0.04, 0.5}, Storm: 5, Lead: 2 * second, Length: 20 * second,
	}
	got := x.Simulate(t.Context(), 2)
	if got.Answered < 55 || got.Answered > 65 || got.P50 < 12 || got.P99 < got.P50 || got.Useful < 0.8 || got.Useful > 1.02 || got.Reports <= 0 {
		t.Errorf("the adaptive gate: %+v", got)
	}
	x.Policy = None()
	if none := x.Simulate(t.Context(), 2); none.Answered > got.Answered/2 || none.P50 < 10*got.P50 {
		t.Errorf("without a gate: %+v", none)
	}
}
