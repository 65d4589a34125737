package limits

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// PriceTable is a published set of numbers that prices are computed from. It
// changes only as a whole, by a new version, so that the same document costs the
// same wherever the same version is used.
type PriceTable struct {
	Version int
	Prices  map[string]float64 // positive, by name; not to be changed
}

// MaxPriceChange is by what share a published number may differ from the one
// before: a client that was accepted with a little room stays accepted.
const MaxPriceChange = 0.2

// Change is one number of a new version.
type Change struct {
	Name     string
	Old, New float64
}

// Ratio is the new number by the old one.
func (c Change) Ratio() float64 { return c.New / c.Old }

// Next is the version after this one with some numbers changed. The error names
// every number that is unknown, is no positive number, or moves by more than
// MaxPriceChange. Without a change there is no version.
func (t PriceTable) Next(changes map[string]float64) (PriceTable, error) {
	next := PriceTable{Version: t.Version + 1, Prices: maps.Clone(t.Prices)}
	var defects []error
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if err := t.check(name, changes[name]); err != nil {
			defects = append(defects, err)
			continue
		}
		next.Prices[name] = changes[name]
	}
	if len(defects) > 0 {
		return PriceTable{}, errors.Join(defects...)
	}
	if len(t.Diff(next)) == 0 {
		return PriceTable{}, errors.New("nothing would change")
	}
	return next, nil
}

func (t PriceTable) check(name string, price float64) error {
	old, ok := t.Prices[name]
	switch {
	case !ok:
		return fmt.Errorf("%s: there is no such price, only %s", name, strings.Join(slices.Sorted(maps.Keys(t.Prices)), ", "))
	case !(price > 0) || math.IsInf(price, 0):
		return fmt.Errorf("%s: %v is no positive number", name, price)
	case math.Abs(price/old-1) > MaxPriceChange+1e-9:
		most := old * (1 + math.Copysign(MaxPriceChange, price-old))
		return fmt.Errorf("%s: from %.4g to %.4g is a change of %s; at most %.0f %% can be published at a time, to %.6g", name, old, price, percent(price/old-1), 100*MaxPriceChange, most)
	}
	return nil
}

// percent writes a change away from zero in tenths, so that one that is barely too
// large does not look as if it were not.
func percent(change float64) string {
	return fmt.Sprintf("%+.1f %%", math.Copysign(math.Ceil(math.Abs(1000*change)-1e-6)/10, change))
}

// Diff lists the numbers in which another version differs, in order.
func (t PriceTable) Diff(other PriceTable) []Change {
	var out []Change
	for _, name := range slices.Sorted(maps.Keys(other.Prices)) {
		if old := t.Prices[name]; old != other.Prices[name] {
			out = append(out, Change{name, old, other.Prices[name]})
		}
	}
	return out
}

const (
	proposedFrom  = 64   // measurements of a statement from which a price follows it
	proposedAbove = 1.0  // points: what is cheaper is nearly all fixed part
	proposedLeast = 0.05 // a change that is not worth a version
)

// Proposal is what the table's numbers of statements would be if they followed
// what was learned, each as far as one version may go. prefix stands before a
// statement's name in the table. What is slower or faster in general changes no
// price: points are relative to each other.
func (t PriceTable) Proposal(prefix string, s LearnerSnapshot, lessons []Lesson) map[string]float64 {
	out := map[string]float64{}
	for _, l := range s.Statements {
		old, ok := t.Prices[prefix+l.Statement]
		if !ok || l.Measurements < proposedFrom {
			continue
		}
		var ratios []weighted
		for _, o := range lessons {
			if o.Statement == l.Statement && o.Points >= proposedAbove {
				ratios = append(ratios, weighted{(l.Fixed + l.Slope*o.Points) / (s.General * o.Points), o.Weight})
			}
		}
		if len(ratios) == 0 {
			continue
		}
		ratio := max(1-MaxPriceChange, min(1+MaxPriceChange, weightedMedian(ratios)))
		if math.Abs(ratio-1) >= proposedLeast {
			out[prefix+l.Statement] = old * ratio
		}
	}
	return out
}
