package loadtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Series is what came of one operation with one outcome in one phase, second
// by second.
type Series struct {
	Round     int         `json:"round"`
	Phase     string      `json:"phase"`
	Operation string      `json:"operation"`
	Class     Class       `json:"class"`
	Outcome   string      `json:"outcome"`
	Attempts  bool        `json:"attempts"` // it counts attempts of operations that were tried again
	Seconds   []SeriesBin `json:"seconds"`
}

// SeriesBin is one second of a series, or as many as the record says: the arrivals
// due in them.
type SeriesBin struct {
	Second   int       `json:"second"` // the first one, since the phase's start
	Count    int       `json:"count"`
	Response Histogram `json:"response"` // from due
	Service  Histogram `json:"service"`  // from sent
	Server   Histogram `json:"server"`   // as Server-Timing says; empty if it does not
}

// A Histogram counts durations from 1 us to 120 s to three digits, in little
// room. In JSON it is the compressed form 2 of HdrHistogram in base64, in
// microseconds, which other tools read too; an empty one is the empty string.
type Histogram struct {
	counts *hdrhistogram.PackedHistogram
}

// Record counts a duration; what lies outside the range counts at its edge.
func (h *Histogram) Record(d time.Duration) {
	h.room()
	_ = h.counts.RecordValue(min(max(d.Microseconds(), 0), histogramMax)) // cannot be out of range
}

func (h *Histogram) room() {
	if h.counts == nil {
		h.counts = hdrhistogram.NewPacked(1, histogramMax, histogramDigits)
	}
}

// Add puts the counts of another histogram to these.
func (h *Histogram) Add(other Histogram) {
	if other.counts != nil {
		h.room()
		h.counts.Merge(other.counts)
	}
}

// At is the value below or at which the share q of the durations lies, 0 of none.
func (h *Histogram) At(q float64) time.Duration {
	if h.counts == nil {
		return 0
	}
	return time.Duration(h.counts.ValueAtPercentile(q*100)) * time.Microsecond
}

// Quantiles sums the histogram up.
func (h *Histogram) Quantiles() Quantiles {
	if h.counts == nil {
		return Quantiles{}
	}
	return Quantiles{
		Samples: h.counts.TotalCount(),
		P50:     Millis(h.At(0.50)), P95: Millis(h.At(0.95)), P99: Millis(h.At(0.99)), Max: Millis(h.At(1)),
	}
}

// MarshalJSON writes the compressed form.
func (h Histogram) MarshalJSON() ([]byte, error) {
	if h.counts == nil {
		return []byte(`""`), nil
	}
	encoded, err := h.counts.Encode()
	if err != nil {
		return nil, fmt.Errorf("encode a histogram: %w", err)
	}
	return json.Marshal(string(encoded))
}

// UnmarshalJSON reads the compressed form.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var encoded string
	if err := json.Unmarshal(text, &encoded); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	if h.counts = nil; encoded == "" {
		return nil
	}
	var err error
	if h.counts, err = hdrhistogram.DecodePacked([]byte(encoded)); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	return nil
}

// seriesKey is what the arrivals of one series share.
type seriesKey struct {
	round, phase int
	op           uint16
	class        Class
	outcome      Outcome
}

// maxSeriesBins bounds a stored run: a second each for ten minutes, then more.
const maxSeriesBins = 600

// seriesWidth is how many seconds a bin spans in a round of this length.
func seriesWidth(round time.Duration) int {
	return max(1, int(math.Ceil(round.Seconds()/maxSeriesBins)))
}

// series sorts all arrivals that were handed over into series.
func series(rounds []*attack, known []*loaded, width int) []Series {
	var list []Series
	for number, round := range rounds {
		for at, span := range round.plan.phases {
			list = append(list, round.series(number, at, span, known, width)...)
		}
	}
	return list
}

// series sorts the arrivals of a phase.
func (a *attack) series(number, at int, span span, known []*loaded, width int) []Series {
	found := map[seriesKey]*Series{}
	for _, class := range classesOf(span) {
		a.samples(span.Name, class, func(s sample) {
			if s.outcome == Unsent {
				return
			}
			key := seriesKey{number, at, s.op, class, s.outcome}
			if found[key] == nil {
				found[key] = &Series{Round: number, Phase: span.Name, Operation: known[s.op].Name, Class: class, Outcome: s.outcome.String()}
			}
			found[key].add(s, s.second/width*width)
		})
	}
	keys := make([]seriesKey, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.op, b.op), cmp.Compare(a.outcome, b.outcome))
	})
	list := make([]Series, 0, len(keys))
	for _, key := range keys {
		list = append(list, *found[key])
	}
	return list
}

// add puts a sample into the bin that begins with the second given. What clients ask
// after their first operation does not come in the order of seconds.
func (s *Series) add(sample sample, second int) {
	at, known := slices.BinarySearchFunc(s.Seconds, second, func(b SeriesBin, second int) int { return cmp.Compare(b.Second, second) })
	if !known {
		s.Seconds = slices.Insert(s.Seconds, at, SeriesBin{Second: second})
	}
	bin := &s.Seconds[at]
	bin.Count++
	if !sample.reached() {
		return
	}
	bin.Response.Record(sample.response())
	bin.Service.Record(sample.service())
	if sample.served > 0 {
		bin.Server.Record(sample.server())
	}
}
