// Package store keeps the domain in PostgreSQL. All SQL of the product is
// here, beside the method that runs it, as constants tagged /* name */.
//
// Its model: a [Store] owns one connection pool per class of request
// (timesheet.Class), so that reports wait for reports and never take the
// connection of a person who starts a timer. Reads take who asks as a
// [timesheet.Viewer] and return only what that person may see: what exists but
// is hidden is not found. A mutation is one transaction that writes the
// change, its audit row and, where the caller gave a key, its result for
// repeats (see write).
//
// Its promises:
//   - Every statement names its workspace as the first parameter; the few
//     that cannot are listed with their reasons in the statement test.
//   - A request that is cancelled cancels its SQL, and its connection is
//     usable again before the call returns.
//   - Broken rules come back as *[timesheet.Error]; the text of a database
//     error is never part of one.
package store
