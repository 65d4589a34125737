// Package graph is the GraphQL schema in Go: the SDL in schema/, what gqlgen
// generates from it, and the small hand-written types between the two.
//
// Its model: an object of the schema is a struct of package timesheet, bound
// in gqlgen.yml, so that nothing is copied on the way out. Only what GraphQL
// has and the domain lacks is declared here: opaque ids, scalars, connections
// and payloads. Inputs are generated.
//
// Its promises:
//   - An id tells its reader nothing and a wrong one is no error: an id of
//     another type, of another workspace or of nonsense finds nothing, and the
//     three cannot be told apart.
//   - A scalar that is read back is the scalar that was written, and numbers
//     beyond 2^53, which JavaScript would round, are errors in both directions.
//   - schema.golden.graphql shows every change of the schema in review.
package graph

//go:generate go tool gqlgen generate
//go:generate go run ./inorder
