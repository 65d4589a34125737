package server

import (
	"net/http"
	"strings"
	"testing"
)

// A deferred field would be missing from the one answer there is.
func TestDeferIsRefused(t *testing.T) {
	r := newRig(t, nil)
	a := r.must(call{query: `{ myDay { day entries { id ... @defer { project { name } } } } }`, token: r.token, accept: mediaGraphQL})
	if a.status != http.StatusBadRequest || a.code() != codeValidationFailed {
		t.Errorf("status %d, code %q, want 400 and %s: %s", a.status, a.code(), codeValidationFailed, a.raw)
	}
	known := r.ask(`{ __schema { directives { name } } }`, nil)
	if strings.Contains(known.raw, `"defer"`) {
		t.Errorf("introspection offers @defer: %s", known.raw)
	}
}
