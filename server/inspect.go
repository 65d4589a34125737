package server

import (
	"net/http"

	"headroom/graph"
)

// schema serves the SDL with its prices.
func (s *Server) schema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/graphql; charset=utf-8")
	_, _ = w.Write([]byte(graph.SDL())) // a client that left needs no answer
}
