package server

import (
	"net/http"
	"slices"
	"strings"
)

// exposed are the headers that a browser's script may read.
var exposed = strings.Join([]string{
	"Retry-After", "RateLimit", "RateLimit-Policy", "X-Cost-Estimated", "X-Cost-Actual", "X-Cost-Max", "Server-Timing", "X-Request-Id", "ETag", "Content-Range", "Content-Disposition",
}, ", ")

// cors lets configured origins call, and answers preflights before anything
// else is looked at.
func (s *Server) cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		h := w.Header()
		if origin != "" && len(s.origins) > 0 {
			h.Add("Vary", "Origin")
		}
		if slices.Contains(s.origins, origin) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", exposed)
		}
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Apollographql-Client-Name, Apollographql-Client-Version, Graphql-Client-Name, X-Headroom-Class, X-Request-Id, Traceparent, Range, If-Range, If-None-Match")
			h.Set("Access-Control-Max-Age", "7200")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
