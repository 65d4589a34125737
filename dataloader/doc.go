// Package dataloader turns the many single look-ups of one request into few
// statements.
//
// A [Set] lives for one request and one viewer. Every kind of thing has a
// loader in it that gathers keys into batches, sends each batch as one
// statement, and remembers what came back. What decides its speed is when a
// batch is sent, since a batch that waits is a request that waits:
//
//   - At once where the level is known. An executor resolves the fields of a
//     list row by row, but whoever read the list knows all rows: it announces
//     them (LevelOfProjects and its like), and the first look-up among them
//     sends the keys of all. What the loaders read themselves they announce
//     too, so an announced list makes every level below it known.
//   - Else when the request has fallen silent: nobody has asked for anything
//     while the scheduler went round many times, or 1 ms has passed. A timer
//     alone would let every such level wait its full time (three levels of
//     1 ms were most of the 5.4 ms that a day view took with one).
//
// Its promises:
//   - The number of statements of an announced level does not depend on its
//     rows, nor on how busy the machine is.
//   - A look-up whose context ends returns at once. The batch goes on for the
//     others, for it runs under the request's context, not its first asker's.
//   - A panic in a batch is an error of all its look-ups.
//   - Nothing outlives its request: there is no cache between requests, hence
//     nothing that could show one viewer what another may see.
package dataloader
