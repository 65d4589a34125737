package loadtest

import (
	"strings"
	"testing"
)

// A figure that was measured beside others is measured again, and where it always is
// there is no run: all rates and bounds would follow from it.
func TestCalibrationBesideOthers(t *testing.T) {
	tests := []struct {
		name   string
		others []float64
		taken  int
		exit   Exit
	}{
		{"alone", []float64{0.1}, 1, ExitPass},
		{"disturbed once", []float64{0.6, 0.25}, 2, ExitPass},
		{"disturbed always", []float64{0.6, 0.5, 0.4, 0}, 3, ExitInvalid},
	}
	for _, tt := range tests {
		taken := 0
		c, err := undisturbed(t.Logf, func() (Capacity, error) {
			taken++
			return Capacity{PerSecond: float64(taken), Others: tt.others[taken-1]}, nil
		})
		if taken != tt.taken || c.PerSecond != float64(tt.taken) {
			t.Errorf("%s: measured %d times, took measurement %g, want %d", tt.name, taken, c.PerSecond, tt.taken)
		}
		if tt.exit == ExitPass && err != nil || tt.exit != ExitPass && (ExitOf(err) != tt.exit || !strings.Contains(err.Error(), "other programs used 40")) {
			t.Errorf("%s: %v, want exit %d and the cause", tt.name, err, tt.exit)
		}
	}
}

func TestCalibrationThatFailsIsNotRepeated(t *testing.T) {
	taken := 0
	_, err := undisturbed(t.Logf, func() (Capacity, error) {
		taken++
		return Capacity{Others: 1}, stopf(ExitInterrupted, "stopped")
	})
	if taken != 1 || ExitOf(err) != ExitInterrupted {
		t.Errorf("measured %d times, %v", taken, err)
	}
}
