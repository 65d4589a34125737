package graph

import _ "embed"

//go:embed schema.golden.graphql
var sdl string

// SDL is the whole schema as one sorted document, with descriptions and
// prices: the golden file, which a test keeps equal to what is executed.
func SDL() string { return sdl }

// gqlparser declares @defer for every schema. Answers here are whole: without
// this, a deferred field would be null and its resolver would outlive its
// permit.
func init() { delete(parsedSchema.Directives, "defer") }
