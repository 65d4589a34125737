// Package limits answers two questions about a GraphQL operation before it runs:
// what will it cost, and may it start now. It imports nothing of the program
// around it, so any server built on gqlparser can be protected with it: the
// example of the package does it in a page, and examples/foreign for a gqlgen
// server that is not ours, in fewer than 40 lines.
//
// # The order
//
// A Guard looks at a document before it is validated. Compile turns a validated
// operation into a Formula, which is cached with the document. For each request
// the Formula quotes a Price for the variables; Caps refuse what is too much for
// one operation; Reserve takes the points from the caller's budgets; a Gate says
// when the operation may start; what it really took is told to the Permit and
// the Reservation. Every "no" is a value that says why, what was asked, what there
// was and when or with which change the answer would be another.
//
// # Points, work and seats
//
// Three quantities look alike and must not be confused. Points are the price
// that a client is quoted: milliseconds by the schema's weights, the same number
// for the same document and variables everywhere and at all times. Budgets count
// points. Work is a forecast of how long the operation will take here and now;
// queues and waiting times count work. A Learner forecasts it from what operations
// took while they were alone, and the gate corrects it by what it sees.
// Seats bound how many operations run at once; each takes one, whether it costs
// one point or a thousand.
//
// # The price
//
// A field costs its own weight once for each run, plus, for each object it may
// return, the object's weight and the price of what is selected on it. How many
// objects a list may return is told by @listSize: the largest slicing argument,
// else assumedSize; sizedFields hands the size to a list below. Names and
// meaning are those of the IBM GraphQL Cost Directives (October 2023), with these
// differences: the default weights are ours (see RootWeight); slicing arguments
// may be dotted into input objects; directives in a document weigh nothing, and
// CheckSchema refuses weights on their arguments; there is one price instead of a type cost and
// a field cost; objects outside of lists, and objects whose field has sizedFields,
// weigh nothing by default. Introspection costs a fixed price.
//
// Selections are merged by response key as an executor merges them, on each
// possible object type; of several types the dearest counts. @skip and @include
// are honoured: each merged field keeps the sets of conditions under which it is
// there. What is selected by a fragment is compiled once for each type and
// surrounding, so a document whose fragments double at each level takes linear
// time and costs the maximum. Sums and products saturate at 10^12 points. What is
// unknown is the maximum: a list without a size, a variable that is no number. So
// the price of what is not in doubt is a bound, and an Estimator that has counted
// the rows can only lower the number of objects.
//
// Nodes are the objects a price counts: those that weigh something. A type with
// @cost(weight: "0"), such as an edge or a page info, is part of what it stands
// in, and neither costs nor counts.
//
// What an Estimator computes with belongs into a PriceTable, which changes by
// versions and little by little. What a machine is doing must not move a price: a
// client that was accepted yesterday would be refused today, and the limiter would
// tighten because it is slow, which makes nothing faster.
//
// # The work
//
// Why a line for each statement, and not one for each operation or document: rows
// carry the price, and how long a row takes depends on how the statement finds it,
// by a factor up to 5, while the rest is the same for all. What is left out, on
// purpose, is what all statements have in common at the moment: that is load, which
// a gate must see and a forecast must not explain away.
//
// # The schema
//
// CheckSchema holds the schema to these rules, so that no list can be forgotten:
//
//   - A field that returns a list of objects has @listSize, or every field that
//     returns its object names it in sizedFields. Lists of scalars and enums need
//     none while their type weighs nothing. A list that is already counted
//     elsewhere, such as the children of a report's rows or a payload's errors,
//     says @listSize(assumedSize: 0).
//   - The rules of section 9.2 of the IBM specification: slicing arguments exist
//     and are Ints; sized fields exist and are lists; @listSize stands on a list or
//     has sizedFields; assumedSize stands beside slicing arguments only where these
//     may be absent. Where they may, it must.
//   - Weights are finite numbers, negative only on arguments and input fields; no
//     @cost on an interface's fields; no list of lists of objects; @class only on
//     root fields.
//   - No default of an input field leads back to itself: its value would have no end.
//
// # The budgets
//
// A budget is a bucket of points for each key. An operation reserves its price
// and settles what it took: what runs at once can never spend more than there is,
// and in any time T no key spends more than its size plus what T restores, but
// for work that turned out dearer than its price; that leaves a debt of at most
// one size.
//
// # The gate
//
// Static gives each class its own seats, because the measured alternative, one
// limit for everything, lets a few reports take them all: an operation of one
// class never waits for another class, except background work, which starts only
// when no report waits. Before the seats stands a bounded queue, in which tenants
// take turns by forecast work. Nobody waits in vain: an operation is refused at
// arrival if those before it leave too little time until its deadline, and again
// at its turn; if its caller leaves, it leaves the queue at once. A full queue
// makes room for a tenant with little in it at the cost of the one with most.
// Refusals name a time to retry, computed from the backlog of the class, and
// random, so that those refused together do not return together.
//
// Adaptive is the same gate with seats that fit the database, the processes on it
// and the crowd before it. All it knows fits on a card:
//
//	C      cores of the database            told at the start
//	R      processes that share it          from a Beat each second
//	D      do reports yield the processor?  from a Beat
//	rtt    the network's round trip         from a Beat
//	held   mean time a seat is held, and how much of it is database work
//	crowd  has the interactive queue stood within the last second?
//	pace   how long a seat is held in a crowd with few seats, and with all
//	keep   the share of requests that can be served in a crowd
//	whose  has most of what waits, and what do all others ask for together?
//	due    when refused clients were told to come back
//
//	interactive seats   4 C / R, at least 2; in a crowd C / R, with as many more
//	                    as wait for the network; not while a report runs that
//	                    does not yield, nor while all seats do a quarter more than
//	                    these: then others use the database (one process only)
//	report slots        C - 1 for all processes together, at least 1; half as
//	                    many if reports do not yield; background work takes one
//	                    when no report waits, and a process lets 0.1 s pass
//	                    before it takes again what it gave back
//	crowd               the queue was not empty for 0.4 s, or 15 held up to 0.5 s, or
//	                    20 wait for each seat: newest first; whoever
//	                    has waited for 10 held is refused, or for less, down to
//	                    half of held, the fewer can be served; but not before
//	                    0.4 s x (the share that can be served)^8
//	guests              in a crowd the next operations of who was let in go first:
//	                    16 of them, for 3 s; half as many as there are cores at a
//	                    time, one of each tenant
//	most                whose is most of what waits takes no more seats than there are
//	                    cores while an operation of another runs that has little
//	                    waiting, and one less for each report of another, down to one
//	ladder              a rung up for each second of a crowd, down for five without:
//	                    no background, kept reports, no extras, no reports; for whose
//	                    is most of what waits alone, unless the rest would be a crowd
//	reports             while many wait, forecasts count double against deadlines;
//	                    within a tenant the smaller passes one of more than twice
//	                    its length that has not yet waited a third of its time
//	Retry-After         when backlog and promises are worked off; one promise for
//	                    each client and class; in a crowd a promise counts as much
//	                    as such promises were kept, and with the whole visit; a
//	                    quarter of it for who came as told and found no place
//
// In a database that shares its processors seats are not only a limit but the
// class's share of them. That is why interactive operations have four seats for
// each core, although one would do while they are alone.
package limits
