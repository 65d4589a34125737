package loadtest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// newlyBroken are the promises that more than half of the new runs broke and
// no base run.
func newlyBroken(base, next []*Record) []string {
	count := func(runs []*Record) map[string]int {
		found := map[string]int{}
		for _, r := range runs {
			for _, o := range r.Verdict.Results {
				if o.Decision == Violated {
					found[string(o.Class)+" "+o.Objective]++
				}
			}
		}
		return found
	}
	before := count(base)
	var list []string
	for promise, n := range count(next) {
		if before[promise] == 0 && 2*n > len(next) {
			list = append(list, fmt.Sprintf("%s: broken in %d of %d new runs, in none of the base", promise, n, len(next)))
		}
	}
	slices.Sort(list)
	return list
}

// weightsOf is how much work an operation is against the others: its median
// service time in the base, so that a run with a few more reports is not slower.
func weightsOf(base []*Record) map[string]float64 {
	weights := map[string]float64{}
	for operation, h := range servicesOf(base) {
		weights[operation] = max(ms(h.At(0.5)), 0.001)
	}
	return weights
}

// servicesOf are the service times of each operation's answers in the judged
// phases.
func servicesOf(runs []*Record) map[string]*Histogram {
	found := map[string]*Histogram{}
	for _, r := range runs {
		judged := r.judged()
		for _, s := range r.Series {
			if s.Attempts || !judged[s.Phase] || s.Outcome != OK.String() && s.Outcome != Late.String() {
				continue
			}
			if found[s.Operation] == nil {
				found[s.Operation] = &Histogram{}
			}
			for _, bin := range s.Seconds {
				found[s.Operation].Add(bin.Service)
			}
		}
	}
	return found
}

// judged are the phases that count.
func (r *Record) judged() map[string]bool {
	found := map[string]bool{}
	for _, p := range r.Phases {
		if p.Judged {
			found[p.Phase] = true
		}
	}
	return found
}

// costs is the processor time in seconds of an average operation, by run, of the base
// and of the new; false if a run does not know it. Machines that are shared are faster
// at one minute than at the next. Surge does the same for both servers, on the same
// processors in the same seconds, so what it took itself is the yardstick: times are
// those of a machine of the mean speed of all runs.
func costs(base, next []*Record) (of, than []float64, known bool) {
	weights := weightsOf(base)
	var list, yards []float64
	measured := true
	for _, r := range slices.Concat(base, next) {
		var work, sum, kinds, operations float64
		for operation, h := range servicesOf([]*Record{r}) {
			count := float64(h.Quantiles().Samples)
			work += count * weights[operation]
			sum, kinds, operations = sum+weights[operation], kinds+1, operations+count
		}
		cpu := r.processorSeconds()
		if cpu <= 0 || work <= 0 {
			return nil, nil, false
		}
		list = append(list, cpu/(work/(sum/kinds)))
		yard := r.generatorSeconds() / operations
		yards, measured = append(yards, yard), measured && yard > 0
	}
	if measured {
		speed := mean(logs(yards))
		for i := range list {
			list[i] *= math.Exp(speed) / yards[i]
		}
	}
	return list[:len(base)], list[len(base):], true
}

// generatorSeconds is what surge itself used in the judged phases beside a server on
// the same machine; 0 if that is not known, or it is another.
func (r *Record) generatorSeconds() float64 {
	sum := 0.0
	for _, v := range r.Verdict.Vitals {
		if v.CPU == nil || !v.CPU.Seen {
			return 0
		}
		sum += v.CPU.Client * r.processorTime(v.Phase)
	}
	return sum
}

// processorTime is how many seconds all processors have in a phase.
func (r *Record) processorTime(phase string) float64 {
	sum := 0.0
	for _, p := range r.Phases {
		if p.Phase == phase {
			sum = time.Duration(p.For).Seconds() // every class of it has the same
		}
	}
	return sum * float64(r.Fingerprint.Machine.Processors)
}

// processorSeconds is what the server with its database used in the judged
// phases: as the machine saw it, else what the server says of itself.
func (r *Record) processorSeconds() float64 {
	judged := r.judged()
	seen, sum := true, 0.0
	for _, v := range r.Verdict.Vitals {
		if v.CPU == nil || !v.CPU.Seen {
			seen = false
			break
		}
		sum += v.CPU.Server * r.processorTime(v.Phase)
	}
	if seen && sum > 0 {
		return sum
	}
	sum = 0
	for _, w := range r.Work {
		if judged[w.Phase] {
			sum += w.CPUSeconds
		}
	}
	return sum
}

// operationChanges tests every operation that all runs have, over the same
// relabelings.
func operationChanges(base, next []*Record) []OperationChange {
	medians := func(runs []*Record) []map[string]float64 {
		var list []map[string]float64
		for _, r := range runs {
			found := map[string]float64{}
			for operation, h := range servicesOf([]*Record{r}) {
				found[operation] = ms(h.At(0.5))
			}
			list = append(list, found)
		}
		return list
	}
	before, after := medians(base), medians(next)
	var list []OperationChange
	var x, y [][]float64
	for operation := range before[0] {
		a, ok1 := column(before, operation)
		b, ok2 := column(after, operation)
		if ok1 && ok2 {
			x, y = append(x, a), append(y, b)
			list = append(list, OperationChange{Operation: operation, Ratio: math.Exp(mean(logs(b)) - mean(logs(a)))})
		}
	}
	for i, p := range maxT(x, y) {
		list[i].P = p
	}
	slices.SortFunc(list, func(a, b OperationChange) int {
		return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(a.Operation, b.Operation))
	})
	return list
}

// column is one operation's value in every run; false if one has none.
func column(runs []map[string]float64, operation string) ([]float64, bool) {
	var list []float64
	for _, r := range runs {
		if r[operation] <= 0 {
			return nil, false
		}
		list = append(list, r[operation])
	}
	return list, true
}
