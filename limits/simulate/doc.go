// Package simulate runs a gate's rules against a database that exists only in
// memory, on a clock of its own, so that a minute of a storm on sixteen cores
// takes a moment and always ends the same for the same seed.
//
// # The database
//
// Backends share C cores; none uses more than one. While more of them want to run
// than there are cores, each gets the same share, a demoted one a ninth of that
// (the weights of nice 0 and nice 10 in Linux). Every backend beyond two per core
// costs half a percent of the capacity. A statement begins with a network round
// trip; a write ends with a commit that waits for the disk, and may hold the lock
// of a row until then. Cancelling is perfect.
//
// # The clients
//
// Operations are born at random times whatever becomes of earlier ones. A client
// gives up at the deadline of the class, and tries an operation three times in
// all: 0.1 to 0.5 s after a timeout, when it was told after a refusal, or after a
// doubling time where it was told nothing.
//
// # The gates
//
// Static and Adaptive are the package limits itself, driven by this clock. The
// others follow published rules; each names its source.
package simulate
