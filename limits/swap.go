package limits

import (
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// swap replaces what the document says about a field and all merged with it, for
// suggestions: an argument by a value or, if drop is set, the field by nothing.
// Among several fields it drops all, or cuts all lists that are longer than most, or
// all ranges of more than so many days.
type swap struct {
	origin   *ast.Field
	argument string // dotted if it lies in an input object
	value    any    // of a slicing argument an int64
	drop     bool

	among      map[*ast.Field]bool
	most, days int64
}

func (s *swap) concerns(n *node) bool {
	return s != nil && (s.origin == n.origin || s.among[n.origin])
}

// size is what a slicing argument comes to that is n.
func (s *swap) size(argument string, n int64, kind sourceKind) (int64, sourceKind) {
	switch {
	case s == nil:
	case s.most > 0 && kind == isNumber:
		return min(n, s.most), kind
	case s.argument == argument:
		return toInt(s.value)
	}
	return n, kind
}

// of is what the value of an argument of a field comes to.
func (s *swap) of(n *node, vars map[string]any, name string, v any) any {
	if s.origin != nil {
		return replaced(name, v, s.argument, s.value)
	}
	if s.most > 0 {
		for i := range n.size.args {
			if size, kind := n.size.args[i].number(vars); kind == isNumber && size > s.most {
				v = replaced(name, v, n.size.args[i].name, s.most)
			}
		}
	}
	if s.days > 0 {
		for _, of := range n.ranges {
			if from, to, ok := rangeAt(map[string]any{name: v}, of); ok && daysOf(from, to) > s.days {
				v = replaced(name, v, of+".from", daysBefore(to, s.days))
			}
		}
	}
	return v
}

// replaced is the value of the argument of this name with another, possibly dotted
// one set in it, where that is the same argument.
func replaced(name string, v any, argument string, value any) any {
	head, rest, nested := strings.Cut(argument, ".")
	switch {
	case head != name:
		return v
	case nested:
		return withField(v, rest, value)
	}
	return value
}

// daysBefore is the first of so many days of which to is the last.
func daysBefore(to time.Time, days int64) string {
	return to.AddDate(0, 0, 1-int(days)).Format(time.DateOnly)
}
