package loadtest

import (
	"fmt"
	"runtime"
	"time"
)

// What the generator may do wrong before its run is void.
const (
	maxArrivalsOff  = 0.001                  // of the planned arrivals of a phase
	maxWindowOff    = 0.02                   // of those of one second
	maxLagMedian    = time.Millisecond       // of sent after due
	maxLag          = 25 * time.Millisecond  // its p99
	burstLag        = 100 * time.Millisecond // its p99 where a burst starts; later is as good as not sent
	maxClientCPU    = 0.80                   // of the processors the generator may use
	maxStrangersCPU = 0.25                   // of the machine
	maxThrottled    = 0.01                   // of the answers
	maxClockStep    = 100 * time.Millisecond // by which the machine's clock may be set
)

// Vitals is how well the generator did in one phase.
type Vitals struct {
	Phase    string  `json:"phase"`
	Planned  int     `json:"planned"`
	Sent     int     `json:"sent"`
	Lag      Lag     `json:"lag"`
	Burst    Lag     `json:"burst_lag"`
	WorstOff float64 `json:"worst_second_off"` // share of a second's arrivals not sent in time
	CPU      *Usage  `json:"cpu,omitempty"`    // nil if the phase was cut short

	errors    int // generator errors
	foreign   int // answers with another person's data
	throttled int
	answered  int
}

// Lag is how late arrivals were sent.
type Lag struct {
	P50 Millis `json:"p50_ms"`
	P99 Millis `json:"p99_ms"`
}

func (h *histogram) lag() Lag { return Lag{Millis(h.at(0.5)), Millis(h.at(0.99))} }

// vitals measures the phase at an index.
func (a *attack) vitals(phase int) Vitals {
	span := a.plan.phases[phase]
	v := Vitals{Phase: span.Name}
	if phase < len(a.usages) {
		v.CPU = &a.usages[phase]
	}
	var steady, burst histogram
	var seconds []cluster
	a.samples(span.Name, "", func(s sample) {
		v.Planned++
		for len(seconds) <= s.second {
			seconds = append(seconds, cluster{})
		}
		seconds[s.second].n++
		sent := s.outcome != Unsent && s.outcome != Dropped
		if sent {
			v.Sent++
		}
		if !sent || s.lag() > burstLag {
			seconds[s.second].bad++
		}
		if s.outcome != Unsent {
			lagOf(span, s, &steady, &burst).add(s.lag())
		}
		v.count(s.outcome)
		if s.remark == foreign {
			v.foreign++
		}
	})
	for _, second := range seconds {
		if second.bad > 1 {
			v.WorstOff = max(v.WorstOff, second.bad/second.n)
		}
	}
	v.Lag, v.Burst = steady.lag(), burst.lag()
	return v
}

func (v *Vitals) count(o Outcome) {
	switch o {
	case GeneratorError:
		v.errors++
	case Throttled:
		v.throttled++
	}
	if o >= Shed && o <= OK {
		v.answered++
	}
}

func lagOf(span span, s sample, steady, burst *histogram) *histogram {
	if s.due-span.start < span.Burst {
		return burst
	}
	return steady
}

// faults lists why a phase cannot be trusted; none means it can.
func (v Vitals) faults() []string {
	var list []string
	say := func(format string, values ...any) {
		list = append(list, "phase "+v.Phase+": "+fmt.Sprintf(format, values...))
	}
	if off := v.Planned - v.Sent; float64(off) > maxArrivalsOff*float64(v.Planned) {
		say("%d of %d arrivals were not sent", off, v.Planned)
	}
	if v.WorstOff > maxWindowOff {
		say("in one second %s of the arrivals were sent too late or not at all", percent(v.WorstOff))
	}
	if lag := time.Duration(v.Lag.P50); lag > maxLagMedian {
		say("the generator lagged by %s in the median (bound %s)", short(lag), short(maxLagMedian))
	}
	if lag := time.Duration(v.Lag.P99); lag > maxLag {
		say("the generator's lag p99 was %s (bound %s)", short(lag), short(maxLag))
	}
	if lag := time.Duration(v.Burst.P99); lag > burstLag {
		say("the generator's lag p99 in the burst was %s (bound %s)", short(lag), short(burstLag))
	}
	if v.errors > 0 {
		say("%d requests failed inside the generator", v.errors)
	}
	if v.CPU != nil && v.CPU.stepped.Abs() > maxClockStep {
		say("the machine's clock was set by %s: times of the server and of the files do not fit together", v.CPU.stepped.Round(time.Millisecond))
	}
	return append(list, v.cpuFaults()...)
}

// strangers tells that people were shown what is not theirs: nothing excuses
// that, not even a phase that warms up.
func (v Vitals) strangers() []string {
	if v.foreign == 0 {
		return nil
	}
	return []string{fmt.Sprintf("phase %s: %d answers held the data of another user or workspace", v.Phase, v.foreign)}
}

// budgets tells that a phase has tested the clients' budgets, whatever it found
// beside.
func (v Vitals) budgets() []string {
	if float64(v.throttled) <= maxThrottled*float64(v.answered) {
		return nil
	}
	return []string{fmt.Sprintf("phase %s: %d of %d answers were THROTTLED: it tested budgets, not the gate; give more people with --tokens", v.Phase, v.throttled, v.answered)}
}

func (v Vitals) cpuFaults() []string {
	if v.CPU == nil {
		return nil
	}
	var list []string
	own := v.CPU.own
	if own == 0 {
		own = runtime.GOMAXPROCS(0)
	}
	mine := v.CPU.Client * float64(runtime.NumCPU()) / float64(own)
	if mine > maxClientCPU {
		list = append(list, fmt.Sprintf("phase %s: the generator used %s of its processors (bound %s)", v.Phase, percent(mine), percent(maxClientCPU)))
	}
	if v.CPU.Seen && v.CPU.Strangers > maxStrangersCPU {
		list = append(list, fmt.Sprintf("phase %s: other programs used %s of the machine (bound %s)", v.Phase, percent(v.CPU.Strangers), percent(maxStrangersCPU)))
	}
	return list
}

// uneasy tells whether the lag is so near to an objective's limit that a
// violation must show in service time to count.
func (v Vitals) uneasy(tightest time.Duration) bool {
	return time.Duration(max(v.Lag.P99, v.Burst.P99)) > max(maxLagMedian, tightest/20)
}

// books checks that every planned operation was handed over once and ended in
// one outcome. interrupted runs owe only what was handed over.
func (a *attack) books(interrupted bool) []string {
	var list []string
	ended := 0
	for i := range a.rows {
		if a.rows[i].outcome != Unsent {
			ended++
		}
	}
	if owed := a.owed(); ended != owed {
		list = append(list, fmt.Sprintf("the books do not balance: %d operations handed over, %d ended", owed, ended))
	}
	if planned := len(a.plan.arrivals); !interrupted && a.hits != planned {
		list = append(list, fmt.Sprintf("the books do not balance: %d arrivals planned, %d handed over", planned, a.hits))
	}
	return append(list, a.impossible()...)
}

// impossible lists what no run can have done: such results are not those of this
// plan.
func (a *attack) impossible() []string {
	var list []string
	early, kept := 0, int64(0)
	for i := range a.rows {
		kept += int64(a.rows[i].attempts)
	}
	for _, span := range a.plan.phases {
		a.samples(span.Name, "", func(s sample) {
			if s.reached() && s.sent < s.due {
				early++
			}
		})
	}
	if early > 0 {
		list = append(list, fmt.Sprintf("the books do not balance: %d operations were sent before they were due", early))
	}
	if sent := a.sent.Load(); sent > kept {
		list = append(list, fmt.Sprintf("the books do not balance: %d requests were sent, %d more often than was kept", sent, sent-kept))
	}
	return list
}

// owed is how many operations the arrivals that were handed over have.
func (a *attack) owed() int {
	switch arrivals := a.plan.arrivals; {
	case a.hits > len(arrivals):
		return a.hits - len(arrivals) + len(a.rows) // more than there are
	case a.hits == len(arrivals):
		return len(a.rows)
	default:
		return int(arrivals[a.hits].row)
	}
}
