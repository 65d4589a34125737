package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// What is not there, and what is there by another method only, is answered with
// a body and a code like every other request, on both addresses.
func TestNoPage(t *testing.T) {
	r := newRig(t, func(c *Config) { c.AdminToken = []byte("the operators' own") })
	admin := httptest.NewServer(r.server.AdminHandler())
	t.Cleanup(admin.Close)
	public, operators := r.http, map[string]string{"Authorization": "Bearer the operators' own"}
	for _, test := range []struct {
		name        string
		at          *httptest.Server
		call        call
		status      int
		code, allow string
	}{
		{"no such path", public, call{method: http.MethodGet, path: "/v1/entries"}, 404, codeNotFound, ""},
		{"no such path by POST", public, call{path: "/"}, 405, codeMethod, "GET, HEAD"},
		{"below the API", public, call{path: "/graphql/more"}, 404, codeNotFound, ""},
		{"no such file of the playground", public, call{method: http.MethodGet, path: "/playground/none.js"}, 404, codeNotFound, ""},
		{"a file outside of it", public, call{method: http.MethodGet, path: "/playground/..%2fserver.go"}, 404, codeNotFound, ""},
		{"the schema by POST", public, call{path: "/schema.graphql"}, 405, codeMethod, "GET, HEAD"},
		{"metrics for everybody", public, call{method: http.MethodGet, path: "/metrics"}, 404, codeNotFound, ""},
		{"no such path of operators", admin, call{method: http.MethodGet, path: "/none", header: operators}, 404, codeNotFound, ""},
		{"no operator", admin, call{method: http.MethodGet, path: "/metrics"}, 401, codeUnauthenticated, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.t, r.http = t, test.at
			a := r.must(test.call)
			if a.status != test.status || a.code() != test.code || a.header.Get("Allow") != test.allow {
				t.Errorf("status %d, code %q, Allow %q; want %d, %q, %q\n%s", a.status, a.code(), a.header.Get("Allow"), test.status, test.code, test.allow, a.raw)
			}
			if a.header.Get("X-Request-Id") == "" || a.header.Get("Content-Type") != mediaJSON+"; charset=utf-8" {
				t.Errorf("headers %v", a.header)
			}
		})
	}
}
