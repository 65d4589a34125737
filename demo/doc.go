// Package demo makes up companies with the shape of real work logs, for
// demonstrations and load tests.
//
// The figures are fitted to 61,817 rows of real work, published by the
// Software Engineering Institute as "CESAW": how large companies are compared
// with each other, how many people share one, how long entries last and to
// which minutes people round them, how many a person keeps a day, at which
// hours and on which weekdays. [Companies] follows them; the tests state how
// closely. [Small] is one hand-written company for a first look, whose people
// work tidy days up to this minute.
//
// Everything follows from the seed, the sizes and the last instant: the same
// give the same companies, and their entries can be read any number of times.
// Entries are made while they are read, a day at a time, oldest first, so that
// a company of millions takes no more memory than one of a hundred.
package demo
