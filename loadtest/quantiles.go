package loadtest

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms hold 1 us to 120 s to three digits, 148 kB each.
const (
	histogramMax    = int64(120 * time.Second / time.Microsecond)
	histogramDigits = 3
)

// histogram counts durations. The zero value is empty and takes no room.
type histogram struct{ counts *hdrhistogram.Histogram }

// add counts d; what lies outside the range counts at its edge.
func (h *histogram) add(d time.Duration) {
	if h.counts == nil {
		h.counts = hdrhistogram.New(1, histogramMax, histogramDigits)
	}
	us := min(max(d.Microseconds(), 0), histogramMax)
	_ = h.counts.RecordValue(us) // cannot be out of range
}

// at is the value below or at which the share q of the counted durations lies.
func (h *histogram) at(q float64) time.Duration {
	if h.counts == nil {
		return 0
	}
	return time.Duration(h.counts.ValueAtQuantile(q*100)) * time.Microsecond
}

// count is how many durations were counted.
func (h *histogram) count() int64 {
	if h.counts == nil {
		return 0
	}
	return h.counts.TotalCount()
}

// mean is their mean, 0 of none.
func (h *histogram) mean() time.Duration {
	if h.counts == nil {
		return 0
	}
	return time.Duration(h.counts.Mean() * float64(time.Microsecond))
}

// Quantiles sum up a histogram.
type Quantiles struct {
	Samples int64  `json:"samples"`
	P50     Millis `json:"p50_ms"`
	P95     Millis `json:"p95_ms"`
	P99     Millis `json:"p99_ms"`
	Max     Millis `json:"max_ms"`
}

func (h *histogram) quantiles() Quantiles {
	if h.counts == nil {
		return Quantiles{}
	}
	return Quantiles{
		Samples: h.counts.TotalCount(),
		P50:     Millis(h.at(0.50)),
		P95:     Millis(h.at(0.95)),
		P99:     Millis(h.at(0.99)),
		Max:     Millis(time.Duration(h.counts.Max()) * time.Microsecond),
	}
}

// Millis is a duration that JSON shows as milliseconds to the microsecond.
type Millis time.Duration

// MarshalJSON writes the milliseconds as a number.
func (m Millis) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(m)/1e3) / 1e3)
}

// UnmarshalJSON reads milliseconds.
func (m *Millis) UnmarshalJSON(text []byte) error {
	var ms float64
	if err := json.Unmarshal(text, &ms); err != nil {
		return fmt.Errorf("milliseconds: %w", err)
	}
	*m = Millis(math.Round(ms*1e3) * 1e3)
	return nil
}

// reset empties the histogram and keeps its room.
func (h *histogram) reset() {
	if h.counts != nil {
		h.counts.Reset()
	}
}
