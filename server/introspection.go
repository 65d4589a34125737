package server

import (
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

const (
	// maxIntrospection bounds __schema and __type fields of a document: tools
	// send one, and each costs the server tens of milliseconds.
	maxIntrospection = 2
	// maxIntrospected is how many answers are kept; tools send a handful of
	// different documents.
	maxIntrospected = 16
)

// introspection keeps the answers to documents that only read the schema,
// which does not change while the server runs.
type introspection struct {
	mu      sync.Mutex
	answers map[string]*graphql.Response // by document
}

// introspected is the kept answer to a document, nil for none.
func (d *documents) introspected(doc *document, vars map[string]any) *graphql.Response {
	if doc.access != inspectors || len(vars) > 0 {
		return nil
	}
	d.introspection.mu.Lock()
	defer d.introspection.mu.Unlock()
	return d.introspection.answers[doc.key]
}

// remember keeps the answer to a document that only reads the schema.
func (d *documents) remember(doc *document, vars map[string]any, answer *graphql.Response) {
	if doc.access != inspectors || len(vars) > 0 || len(answer.Errors) > 0 {
		return
	}
	d.introspection.mu.Lock()
	defer d.introspection.mu.Unlock()
	if d.introspection.answers == nil || len(d.introspection.answers) >= maxIntrospected {
		d.introspection.answers = map[string]*graphql.Response{}
	}
	d.introspection.answers[doc.key] = answer
}
