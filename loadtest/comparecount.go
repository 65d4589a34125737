package loadtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// countedThings are the server's counters that a comparison looks at first,
// with the increase that is still the same: runs write entries themselves, so
// that later ones find a few more rows, and a timer may already run. What the database
// scanned it tells of all classes together, a second late, and with its own
// housekeeping; a lost index multiplies it.
var countedThings = []struct {
	name    string
	of      func(Work) float64
	allowed float64
	whole   bool // it is known of all classes together only
}{
	{"statements", func(w Work) float64 { return w.Statements }, 0.03, false},
	{"rows", func(w Work) float64 { return w.Rows }, 0.10, false},
	{"points", func(w Work) float64 { return w.Points }, 0.03, false},
	{"scanned rows", func(w Work) float64 { return w.Scanned }, 0.50, true},
}

// countedMore is how much more a run has to count at least: in a class of a few
// operations a single statement more is several per cent.
const countedMore = 25

// perOperation is a counter for an operation of a class in the judged phases, and how
// many operations ran; NaN if nothing ran or nothing was counted.
func (r *Record) perOperation(class Class, of func(Work) float64) (each, n float64) {
	judged := r.judged()
	var sum float64
	for _, w := range r.Work {
		if judged[w.Phase] && w.Class == class {
			sum += of(w)
			n += r.ran(w.Round, w.Phase, class)
		}
	}
	if n == 0 || sum == 0 {
		return math.NaN(), n
	}
	return sum / n, n
}

// answered reports whether the server's counters of a run can be compared, however
// well the generator was: nearly all operations that were sent were answered right.
func (r *Record) answered() bool {
	ok, sent := 0, 0
	for _, p := range r.Phases {
		if p.Judged {
			ok, sent = ok+p.Outcomes[OK.String()]+p.Outcomes[Late.String()], sent+p.Planned-p.Outcomes[Dropped.String()]-p.Outcomes[Unsent.String()]
		}
	}
	return sent > 0 && float64(ok) >= 0.99*float64(sent)
}

// countedPairs is how many pairs it takes to believe a counter: each side has
// come first once.
const countedPairs = 2

// counters compares the server's own counters over the pairs there are, of which both
// were answered: refusals have statements of their own.
func (r *Comparison) counters() {
	r.Counters = []CounterChange{}
	var pairs [][2]*Record
	for i := range min(len(r.baseRuns), len(r.newRuns)) {
		if r.baseRuns[i].answered() && r.newRuns[i].answered() {
			pairs = append(pairs, [2]*Record{r.baseRuns[i], r.newRuns[i]})
		}
	}
	if len(pairs) < countedPairs {
		return
	}
	for _, class := range append(r.baseRuns[0].chartClasses(), "") {
		for _, thing := range countedThings {
			if thing.whole != (class == "") {
				continue
			}
			c := CounterChange{Counter: thing.name, Class: class, More: true}
			var base, next []float64
			for _, pair := range pairs {
				a, _ := pair[0].perOperation(class, thing.of)
				b, n := pair[1].perOperation(class, thing.of)
				if math.IsNaN(a) || math.IsNaN(b) {
					continue
				}
				base, next = append(base, a), append(next, b)
				c.More = c.More && b > a*(1+thing.allowed) && (b-a)*n >= countedMore
			}
			if len(base) > 0 {
				c.Base, c.New = mean(base), mean(next)
				r.Counters = append(r.Counters, c)
			}
		}
	}
}

// name is what was counted, of which class.
func (c CounterChange) name() string {
	return strings.TrimSpace(string(c.Class) + " " + c.Counter)
}

// noMoreWork concludes from the counters alone that there is no more work.
func (r *Comparison) noMoreWork() {
	if len(r.Counters) == 0 {
		why := "the server's counters are not known: it must tell them at its operators' address"
		for _, run := range slices.Concat(r.baseRuns, r.newRuns) {
			if !run.answered() {
				why = "too little was answered right to compare what it took: " + run.Cause()
			}
		}
		r.conclude(ExitInvalid, "INVALID", why)
		return
	}
	var names []string
	for _, c := range r.Counters {
		names = append(names, fmt.Sprintf("%s %s", c.name(), change(c.New/c.Base)))
	}
	r.conclude(ExitPass, "SAME", fmt.Sprintf("by counters alone, %d pairs: %s", min(len(r.baseRuns), len(r.newRuns)), strings.Join(names, ", ")))
}

// moreWork concludes if a counter grew in every pair. It needs no statistics:
// the same operations on the same data take the same statements.
func (r *Comparison) moreWork() bool {
	var reasons []string
	for _, c := range r.Counters {
		if c.More {
			reasons = append(reasons, fmt.Sprintf("%s of an operation: %s instead of %s (%+.0f %%)", c.name(), number(c.New), number(c.Base), 100*(c.New/c.Base-1)))
		}
	}
	if len(reasons) > 0 {
		r.conclude(ExitRegression, "SLOWER", reasons...)
	}
	return len(reasons) > 0
}
