// Package server speaks HTTP: it authenticates, prices, admits and runs
// GraphQL operations, and serves health, metrics and the playground.
//
// The path of a request is one function, do in
// transport.go, so that the order of checks can be read: cheap ones first,
// each with a bounded price, and nothing touches the database before a permit
// is held. It replaces gqlgen's transports, which answer refusals with 200,
// mistake the Accept headers of iOS and urql for streams, and echo bad bodies
// back; gqlgen still executes.
//
// Its promises:
//   - Every answer has a JSON body with a code, and one status by the table in
//     fault.go.
//   - A permit ends only when the operation's last statement has: the database
//     never does more work than the gate has admitted.
//   - An answer never holds SQL, another tenant's data or the request's text.
package server
