// Package timesheet holds the words and the rules of time tracking: who may
// do what, which day an entry belongs to, what a period is, how money is
// divided. It knows no database, no HTTP and no GraphQL, and imports the
// standard library only, so that every other package can speak its language.
//
// Its promises:
//   - Time is whole seconds, intervals are half-open, and a [Date] is a
//     calendar day without a zone.
//   - Local times become instants in one place, [Resolve], which tries both
//     offsets of an ambiguous time instead of trusting a library's choice.
//   - Money is integers: an amount is kept as seconds times the hourly rate in
//     minor units and divided by 3600 once, at the leaf ([Money]).
package timesheet
