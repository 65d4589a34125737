package resolvers

import (
	"github.com/99designs/gqlgen/graphql"

	"headroom/timesheet"
)

// opt is a nullable field of a change: left out, null and a value differ.
func opt[T any](o graphql.Omittable[T]) timesheet.Opt[T] {
	value, given := o.ValueOK()
	return timesheet.Opt[T]{Value: value, Given: given}
}

// some is a field of a change that cannot be emptied: null leaves it as it is.
func some[T any](o graphql.Omittable[*T]) timesheet.Opt[T] {
	if value := o.Value(); value != nil {
		return timesheet.Some(*value)
	}
	return timesheet.Opt[T]{}
}

// orZero is the value of an optional argument, else the zero value.
func orZero[T any](value *T) (v T) {
	if value != nil {
		v = *value
	}
	return v
}
