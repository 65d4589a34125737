// Package resolvers is the glue between the schema and the store: a resolver
// finds out who asks, turns the arguments into the domain's words and calls
// one method of the store or one loader.
//
// Its model: reads go through the package's read and page helpers, references
// between objects through the request's [dataloader.Set], so that the number
// of statements does not grow with the number of rows, and mutations through
// change, which describes them to the store for audit and repeats and turns
// broken rules into userErrors. Rights are the store's: what it does not
// return is not there.
//
// Its promises: a broken rule of a mutation stands in its payload; every other
// error is returned as it is, for the server to hide. Without a viewer in the
// context every resolver but claimInvite answers [store.ErrNoViewer].
package resolvers
