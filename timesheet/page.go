package timesheet

import "context"

// Page asks for a part of a list: the first items after a cursor, or the last
// items before one. Exactly one of First and Last is positive.
type Page struct {
	First, Last   int
	After, Before string // cursors of an earlier answer; empty: the list's end
}

// MaxPage is the largest First or Last.
const MaxPage = 100

// Connection is a part of a list.
type Connection[T any] struct {
	Nodes           []T
	HasNextPage     bool
	HasPreviousPage bool

	// Cursor is that of Nodes[i]. It is written when asked for: most clients want
	// one of a page.
	Cursor func(i int) string

	// Total counts the whole list; it is another statement, run when asked.
	Total func(context.Context) (int, error)
}

// Opt is a field of a change: not given means leave it as it is, which for a
// nullable field differs from null.
type Opt[T any] struct {
	Value T
	Given bool
}

// Some is a given value.
func Some[T any](v T) Opt[T] { return Opt[T]{Value: v, Given: true} }

// Or is the given value, else what was there before.
func (o Opt[T]) Or(before T) T {
	if o.Given {
		return o.Value
	}
	return before
}
