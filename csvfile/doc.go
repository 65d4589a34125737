// Package csvfile reads other programs' CSV files, row by row, into rows that
// can be imported, and says of every row it cannot read where and why.
//
// Its model: a [Reader] reads a file twice. The first reading decides what
// only the whole file can tell: whether it is UTF-8 or Windows-1252, what
// separates its columns, and whether 03/04/2024 is in March or in April. A row
// read on its own would guess, and a wrong guess moves an entry by months
// without anybody noticing. The second reading yields the rows.
//
// Its promises:
//   - Memory does not grow with the file: one row of at most 1 MiB is held.
//   - A bad row is reported with its line, column, code and value, and never
//     stops the rows after it, not even by a quote that is never closed.
//   - What is wrong with the file as a whole (a broken archive, a missing
//     column, dates that can be read both ways) is one error before the first
//     row, so that nothing is half imported.
//   - Local times become instants by timesheet.Resolve: one that does not
//     exist is an error, and of two possible ones the earlier is taken unless
//     the end or the duration contradicts.
package csvfile
