package limits

import (
	"fmt"
	"math"
	"strconv"
)

// Caps are the most one operation may ask for.
type Caps struct {
	Points float64 // compared with Price.Expected
	Nodes  int64   // compared with Price.Nodes
	Reads  int64   // compared with Price.Reads; 0: any number

	Accepts // what suggestions stay within; CheckInput compares it
}

// DefaultCaps are 1,000 points, 10,000 nodes, and two million rows that are read,
// which take a database close to a second.
var DefaultCaps = Caps{Points: 1000, Nodes: 10_000, Reads: 2_000_000}

// Unit is what a cap counts.
type Unit string

// The units of a CostError.
const (
	Points Unit = "points"
	Nodes  Unit = "nodes"
	Reads  Unit = "rows read"
)

// CostError says that one operation asks for more than a cap allows
// (COST_ESTIMATED_TOO_EXPENSIVE).
type CostError struct {
	Unit           Unit
	Estimated, Max float64
	Suggestions    []Suggestion
}

func (e *CostError) Error() string {
	estimated, most := decimal(Round(e.Estimated)), decimal(Round(e.Max))
	if estimated == most {
		estimated, most = decimal(e.Estimated), decimal(e.Max) // the difference is all that matters
	}
	return fmt.Sprintf("the operation may need %s %s, at most %s are accepted", estimated, e.Unit, most)
}

// Round is a number of points as people and programs are told it: two decimals, half
// of the last one up.
func Round(points float64) float64 { return math.Round(points*100) / 100 }

// decimal writes a number without an exponent.
func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// SlicingError says that a list was asked for without a usable size
// (COST_INVALID_SLICING_ARGUMENTS).
type SlicingError struct {
	Path      string   // of the field, response keys joined by dots
	Arguments []string // the slicing arguments it has, or the one that is wrong
	Problem   string   // for the person who wrote the query
}

func (e *SlicingError) Error() string { return e.Path + ": " + e.Problem }

// Check returns nil if price p, which f quoted for vars and est, is within the
// caps, else what is too much and what would have been accepted.
func (c Caps) Check(f *Formula, p Price, vars map[string]any, est Estimator) *CostError {
	var e *CostError
	switch {
	case p.Expected > c.Points:
		e = &CostError{Unit: Points, Estimated: p.Expected, Max: c.Points}
	case p.Nodes > c.Nodes:
		e = &CostError{Unit: Nodes, Estimated: float64(p.Nodes), Max: float64(c.Nodes)}
	case c.Reads > 0 && p.Reads > c.Reads:
		e = &CostError{Unit: Reads, Estimated: float64(p.Reads), Max: float64(c.Reads)}
	default:
		return nil
	}
	if p.Invalid == nil {
		a := adviser{caps: c, f: f, vars: vars, est: est, unit: e.Unit}
		e.Suggestions = a.advise()
	}
	return e
}
